//! The same promises as in `tests/it`, word for word, on PostgreSQL; and those that only several replicas can keep.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its promise is broken"
)]

#[path = "../it/access.rs"]
mod access;
#[path = "../it/clients.rs"]
mod clients;
#[path = "../it/clock.rs"]
mod clock;
#[path = "../it/connecting.rs"]
mod connecting;
mod connection_replicas;
#[path = "../it/consumer_portals.rs"]
mod consumer_portals;
#[path = "../it/consumers.rs"]
mod consumers;
#[path = "../it/containments.rs"]
mod containments;
#[path = "../it/credentials.rs"]
mod credentials;
#[path = "../it/doctor.rs"]
mod doctor;
#[path = "../it/fleet.rs"]
mod fleet;
#[path = "../it/grant_questions.rs"]
mod grant_questions;
mod grant_replicas;
#[path = "../it/grant_rows.rs"]
mod grant_rows;
#[path = "../it/grants.rs"]
mod grants;
#[path = "../it/grants_end.rs"]
mod grants_end;
#[path = "../it/handle_lists.rs"]
mod handle_lists;
#[path = "../it/handles.rs"]
mod handles;
#[path = "../it/harness.rs"]
mod harness;
#[path = "../it/import.rs"]
mod import;
#[path = "../it/keys.rs"]
mod keys;
#[path = "../it/leftovers.rs"]
mod leftovers;
#[path = "../it/narrowing.rs"]
mod narrowing;
#[path = "../it/oauth.rs"]
mod oauth;
#[path = "../it/oauth_refused.rs"]
mod oauth_refused;
mod oauth_replicas;
#[path = "../it/oauth_troubles.rs"]
mod oauth_troubles;
#[path = "../it/office.rs"]
mod office;
#[path = "../it/old_kek_gone.rs"]
mod old_kek_gone;
#[path = "../it/onboarding.rs"]
mod onboarding;
#[path = "../it/password_store.rs"]
mod password_store;
#[path = "../it/people.rs"]
mod people;
mod redeemer_replicas;
#[path = "../it/redeemers.rs"]
mod redeemers;
mod replicas;
#[path = "../it/reservations.rs"]
mod reservations;
#[path = "../it/revocations.rs"]
mod revocations;
#[path = "../it/rotation.rs"]
mod rotation;
mod rotations;
#[path = "../it/rows.rs"]
mod rows;
#[path = "../it/rows_old.rs"]
mod rows_old;
#[path = "../it/secret_stores.rs"]
mod secret_stores;
#[path = "../it/secrets.rs"]
mod secrets;
#[path = "../it/sessions.rs"]
mod sessions;
#[path = "../it/settled.rs"]
mod settled;
#[path = "../it/sign_in.rs"]
mod sign_in;
#[path = "../it/slow_ones.rs"]
mod slow_ones;
#[path = "../it/tampering.rs"]
mod tampering;
#[path = "../it/world.rs"]
mod world;

use hubkeep_core::database::Config;

/// A new database for one test.
fn new_database(_folder: &std::path::Path) -> Config {
    let fresh = hubkeep_test_postgres::fresh("vault");
    Config {
        url: fresh.url,
        password_file: Some(fresh.password_file),
        ..Config::default()
    }
}
