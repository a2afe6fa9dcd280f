//! What credential-service promises, shown through its gRPC door.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its promise is broken"
)]

mod access;
mod again;
mod clients;
mod clock;
#[cfg(all(feature = "aws", feature = "gcp"))]
mod cloud_stores;
mod connecting;
mod consumer_portals;
mod consumers;
mod containments;
mod credentials;
mod doctor;
mod fleet;
mod grant_questions;
mod grant_rows;
mod grants;
mod grants_end;
mod handle_lists;
mod handles;
mod harness;
mod import;
mod keys;
mod leftovers;
mod narrowing;
mod oauth;
mod oauth_refused;
mod oauth_troubles;
mod office;
mod old_kek_gone;
mod onboarding;
mod password_store;
mod people;
mod redeemers;
mod reservations;
mod revocations;
mod rotation;
mod rows;
mod rows_old;
mod secret_stores;
mod secrets;
mod sessions;
mod settled;
mod sign_in;
mod slow_ones;
mod tampering;
mod world;

use hubkeep_core::database::Config;

/// A new database for one test.
fn new_database(folder: &std::path::Path) -> Config {
    Config::sqlite(&folder.join("vault.db"))
}
