//! The log over gRPC: [`AuditApi`] reads it, [`RefusalRecorder`] puts on it what the chassis refuses.

mod api;
mod authority;
mod error;
mod export;
mod filter;
mod list;
mod object;
mod page;
mod proofs;
mod recorder;
mod retention;
mod stream;

pub use api::AuditApi;
pub use authority::{ReadAuthority, ReadGrant};
pub use recorder::RefusalRecorder;
