//! The chassis that every Hubkeep server runs on: one stack of layers, the same for each.
//!
//! A request passes, from outside in:
//!
//! 1. [`request_id`]: gets an id, and its answer carries it;
//! 2. [`complete`]: whatever gRPC itself refuses gets a reason like every other error;
//! 3. [`trace`]: one span, one line in the log;
//! 4. [`deadline`]: how long the caller waits, less what is needed to answer;
//! 5. [`admit`]: not more at once than the server can carry;
//! 6. [`caller`]: who asks;
//! 7. [`access`]: whether this caller may use this gRPC service at all.
//!
//! Methods find what the layers learned in a [`Context`].

mod access;
mod admit;
mod bearer;
mod caller;
mod complete;
mod context;
mod deadline;
mod error;
mod request_id;
mod server;
mod signal;
mod trace;

pub use access::{AccessRules, Refusal, RefusalLog};
pub use bearer::bearer_handle;
pub use caller::{CALLER_HEADER, Caller, CallerSource, Thumbprint};
pub use context::{Context, GrpcMethod};
pub use error::Error;
pub use request_id::REQUEST_ID_HEADER;
pub use server::{Chassis, Config, Running, StartError};
pub use signal::stop_signal;
