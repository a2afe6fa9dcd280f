//! Where the key-encryption key is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the key-encryption key is. Each service has one of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// A file of exactly 32 raw bytes and mode 0400.
    pub kek_file: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kek_file: PathBuf::from("hubkeep-data/service.kek"),
        }
    }
}
