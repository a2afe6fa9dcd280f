//! What is personal in what was recorded, beside the entries: sealed, for a time, and never in the log itself.
//!
//! An entry commits to its payload by the hash of the sealed bytes. Both are written in one transaction, so that there is no entry
//! whose payload was never stored; a payload opens beside its own entry only. When it has expired or was erased, the entry and its
//! proofs are what they were.
//!
//! | file | holds |
//! |---|---|
//! | `content` | what goes into one, and how much of it at most |
//! | `sealing` | sealed before it is queued for the writer, opened for a reader |
//! | `keep` | how long they are kept, and the sweep that ends it |
//! | `erase` | one, those about a record, or all of a portal |
//! | `forgotten` | those of a call that has ended a record for good, and all about that record |
//! | `store` | the tables |

mod config;
mod content;
mod erase;
mod forgotten;
mod keep;
mod open;
mod sealing;
mod store;

pub use config::Config;
pub use content::Payload;
pub use forgotten::Forgetting;
pub(crate) use keep::{LOCK, sweep};
pub use open::{Gone, OpenedPayload, PayloadAt};
pub(crate) use sealing::{Sealed, Sealer};
