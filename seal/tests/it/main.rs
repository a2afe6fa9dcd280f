//! What sealing promises.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends where its promise is broken"
)]

#[cfg(all(feature = "aws", feature = "gcp"))]
mod clouds;
mod keyring;
mod probe;
mod sources;
mod unwrapped;
mod versions;

use hubkeep_core::database::Config;

/// A new database for one test.
fn new_database(folder: &std::path::Path) -> Config {
    Config::sqlite(&folder.join("test.db"))
}
