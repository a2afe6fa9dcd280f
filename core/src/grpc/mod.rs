//! The chassis that every Hubkeep server runs on: the same layers for each. A request
//!
//! 1. `layers::request_id`: gets an id, and its answer carries it;
//! 2. `layers::complete`: whatever gRPC itself refuses gets a reason like every other error;
//! 3. `layers::trace`: one span, one line in the log;
//! 4. `layers::deadline`: how long the caller waits, less what is needed to answer;
//! 5. `layers::admit`: not more at once than the server can carry, and nothing new when it stops (`drain`);
//! 6. `layers::access`: who asks, whether this caller is contained (`holds`), and may use this gRPC service at all;
//! 7. `places`: not more of one caller at once than one may have.
//!
//! Methods find what the layers learned in a [`Context`]. Browsers come in by [`Front`], through the same 1 and 4 to 7.

mod access;
mod bearer;
mod caller;
mod config;
mod context;
mod drain;
mod ending;
mod error;
mod front;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod holds;
mod layers;
mod places;
mod refusal;
mod roles;
mod server;
mod signal;
mod tools;

pub use access::{Access, AccessRules};
pub use bearer::bearer_handle;
pub use caller::{CALLER_HEADER, Caller, CallerSource, Thumbprint};
pub use config::Config;
pub use context::{Context, GrpcMethod};
pub use error::Error;
pub use front::{Door, Entered, Front, Listening, PeerAddress, Reach, ShutOut};
pub use holds::Holds;
pub use layers::REQUEST_ID_HEADER;
pub use refusal::{Refusal, RefusalLog};
pub use roles::{AUDITOR, FLEET, Roles};
pub use server::{Chassis, Running, StartError};
pub use signal::stop_signal;
