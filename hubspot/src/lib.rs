//! The only door to the HubSpot API.
//!
//! A [`Client`] cannot be built without an [`AuditLog`](hubkeep_audit_log::AuditLog), and what sends bytes takes
//! nothing but a request whose intent is durable. The way of a request:
//!
//! [`Request`] → `record` (INTENT durable) → `transport` (sent) → [`Answer`] or [`Error`] → `record` (OUTCOME
//! durable) → the caller.
//!
//! | module | holds |
//! |---|---|
//! | [`objects`], [`associations`], [`owners`] | the records of a portal, one by one and in batches |
//! | [`properties`], [`pipelines`], [`schemas`] | what records of a portal are made of |
//! | [`account`], [`usage`], [`oauth`] | whose a token is, what is left today, how access tokens are had |
//! | `rows` | what became of each input of a batch |
//! | `path` | one builder for the dated and the older path shapes |
//! | `refusal` | HubSpot's error bodies, sorted into what a caller can act upon |
//! | `limits` | what HubSpot's headers say of the quota |

pub mod account;
mod answer;
mod app;
pub mod associations;
mod client;
mod config;
pub mod consent;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
pub mod oauth;
pub mod objects;
pub mod owners;
mod path;
pub mod pipelines;
pub mod properties;
mod record;
mod refusal;
mod request;
mod rows;
pub mod schemas;
mod transport;
pub mod usage;
mod wire;

pub use answer::{Answer, Decoded, Standing};
pub use app::{App, AppConfig, AppError, SecretText};
pub use client::{Client, Party, Share, Shared, StartError};
pub use config::{ApiVersion, Config, LONGEST_CONNECT};
pub use error::Error;
pub use limits::Limits;
pub use path::Path;
pub use refusal::{Refusal, RefusalKind, RowRefusal, TokenFault};
pub use request::{Ask, Bucket, Effect, Lease, RecordRefs, Repeat, Request};
pub use rows::{BatchSize, Row};
pub use usage::DailyUsage;
