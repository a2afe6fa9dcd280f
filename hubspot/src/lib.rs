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
//! | [`objects`], [`owners`], [`account`], [`usage`], [`oauth`] | what can be asked, and how HubSpot's answers read |
//! | `path` | one builder for the dated and the older path shapes |
//! | `refusal` | HubSpot's error bodies, sorted into what a caller can act upon |
//! | `limits` | what HubSpot's headers say of the quota |

pub mod account;
mod answer;
mod app;
mod client;
mod config;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
pub mod oauth;
pub mod objects;
pub mod owners;
mod path;
mod record;
mod refusal;
mod request;
mod transport;
pub mod usage;
mod wire;

pub use answer::{Answer, Decoded};
pub use app::{App, AppConfig, AppError};
pub use client::{Client, StartError};
pub use config::{ApiVersion, Config};
pub use error::Error;
pub use limits::Limits;
pub use path::Path;
pub use refusal::{Refusal, RefusalKind};
pub use request::{Ask, Effect, Lease, Request};
pub use usage::DailyUsage;
