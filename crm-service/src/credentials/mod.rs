//! The client of credential-service: handles redeemed for grants, kept in memory only as long as the revocation
//! feed says that they still hold.
//!
//! A grant is served from memory only while the feed has been heard within the last 5 seconds; else every call goes
//! over the wire, and if credential-service does not answer, the call is refused. Of a handle that has a budget, what was
//! given to this process to spend is kept until the handle ends.

mod budget;
mod config;
mod erasure;
mod error;
mod feed;
mod grant;
mod memory;
mod redeem;
mod wire;

pub use budget::{Allowance, Amount, Half, Purse, Taken, Unused};
pub use config::Config;
pub use erasure::{ErasureDone, ErasureOrder};
pub use error::Error;
pub use grant::{Grant, ObjectTypes};
pub use redeem::Credentials;
