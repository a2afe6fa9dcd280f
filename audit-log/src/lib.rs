//! The append-only record of every call.
//!
//! One writer appends what waits, a batch a transaction: an entry is durable when the call that wrote it returns, or
//! the call fails. Each portal has a log of its own with a dense index; all logs of a service share one dense
//! [`Position`], which is the cursor of readers.
//!
//! | to | use |
//! |---|---|
//! | say what is about to be sent to HubSpot | [`AuditLog::intent`], then [`Intent::settle`] |
//! | record an act inside Hubkeep, or a refusal | [`AuditLog::admin`], [`AuditLog::denied`] |
//! | take over what lost processes have left | [`AuditLog::open_for`], [`Heir`] |
//! | say how far something kept elsewhere has come | [`AuditLog::raise_head`], [`AuditLog::heads`] |
//! | read | [`AuditLog::tail`], [`AuditLog::list`], over gRPC [`AuditApi`] |
//! | look for something among much | [`AuditLog::find`] |
//! | have outcomes kept that it could not take | [`Config::spill`], [`spill`] |
//! | have it anchored elsewhere | [`Config::anchors`], [`anchors`] |
//! | keep what is personal beside it, sealed | [`Draft::payload`], [`AuditLog::open_payload`] |
//! | know how far back it reaches, and hold it | [`Config::keep`], [`AuditLog::retained`], [`AuditLog::hold`] |
//! | say how a log stood where something was counted | [`AuditLog::standing`] |
//! | prove | [`AuditLog::checkpoint`], [`AuditLog::inclusion`], [`AuditLog::consistency`]; see [`proofs`] |
//! | bind itself to an outcome at once | [`Intent::settle_for_receipt`], [`AuditLog::receipt`] |
//!
//! What is written is a [`Draft`], whose log is chosen by proof: only a [`ProvenPortal`] opens a portal's log.

mod anchoring;
pub mod anchors;
mod appender;
mod config;
mod draft;
mod durable;
mod error;
mod failure;
mod filter;
mod finding;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod grpc;
mod heads;
mod heir;
mod index;
mod intent;
mod log;
#[cfg(test)]
#[cfg(feature = "models")]
mod models;
mod opened;
mod orphans;
mod outcome;
pub mod payloads;
mod pending;
mod portal;
mod position;
pub mod proofs;
mod proving;
mod pruning;
mod receipts;
mod recent;
mod refusals;
mod retention;
mod room;
pub mod spill;
mod standing;
mod store;
mod sync;
mod tail;
mod turn;
mod writer;

pub use config::{Config, Identity};
pub use draft::Draft;
pub use error::Error;
pub use failure::{DatabaseError, Failure};
pub use filter::{Filter, ObjectRef};
pub use finding::Search;
pub use grpc::{AuditApi, ReadAuthority, ReadGrant, RefusalRecorder};
pub use heads::Head;
pub use heir::{Heir, HeirError};
pub use hubkeep_proto::audit::v1::{
    Cause, Entry, Event, Operation, Phase, Pruning, QuotaLeft, Result as CallResult, Severity,
};
pub use intent::{Intent, Settled};
pub use log::AuditLog;
pub use outcome::Outcome;
pub use payloads::{Forgetting, Payload};
pub use portal::ProvenPortal;
pub use position::Position;
pub use proofs::Receipt;
pub use retention::{Beginning, Hold, Keep, Retained};
pub use room::Lack;
pub use standing::Standing;
pub use tail::Tailed;

/// The tables of the log. [`AuditLog::open`] brings its database up to date with them by itself.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();
