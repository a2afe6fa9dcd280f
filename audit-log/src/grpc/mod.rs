//! The log over gRPC: [`AuditApi`] reads it, [`RefusalRecorder`] puts on it what the chassis refuses.

mod api;
mod authority;
mod error;
mod export;
mod filter;
mod list;
mod object;
mod page;
mod payloads;
mod proofs;
mod recorder;
mod retention;
mod service;
mod stream;
mod subject;

pub use api::AuditApi;
pub use authority::{ReadAuthority, ReadGrant};
pub use recorder::RefusalRecorder;
