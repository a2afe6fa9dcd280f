//! The same promises as in `tests/it`, word for word, on PostgreSQL.

#![expect(clippy::expect_used, reason = "a test ends where its promise is broken")]

#[path = "../it/keyring.rs"]
mod keyring;
#[path = "../it/probe.rs"]
mod probe;
#[path = "../it/unwrapped.rs"]
mod unwrapped;
#[path = "../it/versions.rs"]
mod versions;

use hubkeep_core::database::Config;

/// A new database for one test.
fn new_database(_folder: &std::path::Path) -> Config {
    let fresh = hubkeep_test_postgres::fresh("seal");
    Config {
        url: fresh.url,
        password_file: Some(fresh.password_file),
        ..Config::default()
    }
}
