//! The token vault of Hubkeep, and the issuer of handles.
//!
//! Rooms use only rooms below them:
//!
//! | room | does |
//! |---|---|
//! | [`config`], [`server`] | start; `server` builds everything from the bottom to the top |
//! | [`api`] | gRPC front door: proto to domain and back, and an audit entry for each request |
//! | [`fleet`] | what touches many rooms at once: suspend, resume, contain, erase |
//! | [`rotation`] | new tokens in the place of old ones, and who must run on them |
//! | [`sessions`] | people who sign in: verifies their ID tokens, keeps their sessions, gives tokens to their clients |
//! | [`handles`] | issue, narrow, introspect, redeem, reserve, revoke, list |
//! | [`connections`] | HubSpot accounts that people connect: begin, complete, renew, end |
//! | [`access`] | who may have which handles, and how wide |
//! | [`holders`] | callers and people: the generation of their handles, and whether they are contained |
//! | [`portals`] | onboard, import, read, verify |
//! | [`access_tokens`] | what refresh tokens give, for half an hour each time |
//! | [`vault`] | tokens in, sealed; and out, by one door |
//! | [`secret_store`], [`revocations`] | where sealed bytes rest; what must not be served any more |
//! | [`store_version`] | how often the vault was written, and whether it is older than the log knows it |
//! | [`record`] | what a request turned out to be about, for its audit entry |

pub mod access;
pub mod access_tokens;
pub mod api;
pub mod config;
pub mod connections;
pub mod fleet;
pub mod handles;
pub mod holders;
pub mod portals;
pub mod record;
pub mod revocations;
pub mod rotation;
pub mod secret_store;
pub mod server;
pub mod sessions;
pub mod store_version;
pub mod vault;

/// The migrations of this service's tables.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();
