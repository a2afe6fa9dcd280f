//! One module for each command that speaks to running services.

pub mod audit;
pub mod crm;
pub mod handle;
pub mod import;
pub mod portals;

mod shown_handle;
mod time;
