//! What every Hubkeep service stands on.
//!
//! | module | holds |
//! |---|---|
//! | [`id`] | ids of different things, which cannot be mixed |
//! | [`clock`], [`random`] | time and chance, passed in and never ambient |
//! | [`secret`], [`handle_token`] | values that cannot be printed |
//! | [`secret_file`] | secrets that a configuration names by their file |
//! | [`address`] | where secrets may travel |
//! | [`error`] | how an error becomes a gRPC status, in one place |
//! | [`config`] | TOML, file and environment, all faults at once |
//! | [`tls`] | certificates: who a service is, and who its callers are |
//! | [`grpc`] | the chassis that every server runs on |
//! | [`database`] | connections and migrations |
//! | [`dying`] | the points at which `tests/kills` ends a process; nothing in a build of the product |
//! | [`telemetry`] | logs |
//! | [`service`] | what every service is, and its command line |
//!
//! This crate knows nothing of vaults, HubSpot or audit logs.

pub mod address;
pub mod clock;
pub mod config;
pub mod database;
pub mod dying;
pub mod error;
pub mod grpc;
pub mod handle_token;
pub mod id;
pub mod random;
pub mod secret;
pub mod secret_file;
pub mod service;
pub mod telemetry;
pub mod tls;
