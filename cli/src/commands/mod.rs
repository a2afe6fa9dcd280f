//! One module for each command; all but `certs` speak to running services.

pub mod alerts;
pub mod audit;
pub mod certs;
pub mod consumers;
pub mod contain;
pub mod crm;
pub mod details;
pub mod doctor;
pub mod grants;
pub mod handle;
pub mod import;
pub mod keys;
pub mod people;
pub mod portals;
pub mod quota;
pub mod report;
mod report_parts;
mod report_verify;
pub mod rotate;
pub mod rotations;
pub mod writes;

mod bulk;
mod confirm;
mod revoke;
mod secret_input;
mod shown_handle;
mod time;
mod unproven;
