//! Anchors: the newest checkpoint of the heads, put where this service cannot change it afterwards. Whoever rewrites the log
//! with the log key in hand is found out by what lies there.
//!
//! Nobody who appends waits for any of it. Each place has a row that says how far it has come; a replica that finds something
//! due moves the row's time on by compare and set, and has a bounded time to bring it there. What is not there in time
//! is noted in the log, where an alert finds it, and in the end no write is begun any more.
//!
//! | file | holds |
//! |---|---|
//! | `config`, `s3_config` | where to, how often, and when it is too late |
//! | `sink`, `webhook`, `s3` | one place |
//! | `task` | when: the background work of one process |
//! | `watch` | since when something waits, for all who ask |
//! | `store` | the table |

mod config;
mod error;
mod s3;
mod s3_config;
mod sink;
mod store;
mod task;
mod watch;
mod webhook;

pub use config::{Config, Webhook};
pub use error::StartError;
pub use s3_config::{LockMode, S3};

pub(crate) use task::{Anchorer, Deps};
pub(crate) use watch::Waiting;
