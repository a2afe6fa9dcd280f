//! Signed, retried deliveries by HTTP, in the manner of [Standard Webhooks](https://www.standardwebhooks.com).
//!
//! A delivery carries `webhook-id`, which stays the same however often it is sent; `webhook-timestamp`, the second of
//! the attempt; and `webhook-signature`, `v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.body`. Receivers check
//! the signature, refuse what is older than five minutes, and ignore an id that they have seen.
//!
//! | file | holds |
//! |---|---|
//! | `address` | where a delivery may go: https, or http on loopback |
//! | `secret` | what it is signed with |
//! | `sender` | one delivery, attempt by attempt |
//! | `config` | how long, how often, how much |
//! | `documents` | the other way round: small public documents, read at addresses that strangers name |

mod address;
mod config;
mod documents;
mod error;
mod secret;
mod sender;

pub use address::{Address, InvalidAddress};
pub use config::Config;
pub use documents::{Documents, NotRead};
pub use error::{Error, StartError};
pub use secret::{InvalidSecret, Secret};
pub use sender::{Delivered, Message, Sender};
