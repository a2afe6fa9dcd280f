//! One module for each command; all but `certs` speak to running services.

pub mod audit;
pub mod certs;
pub mod crm;
pub mod handle;
pub mod import;
pub mod keys;
pub mod portals;
pub mod quota;

mod shown_handle;
mod time;
