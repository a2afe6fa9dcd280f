//! Where outcomes wait that the log could not take.

use std::path::PathBuf;

use hubkeep_core::config::Fault;
use serde::{Deserialize, Serialize};

/// As small as a file may be, and as large.
const BOUNDS: (u64, u64) = (64 * 1024, 16 * 1024 * 1024 * 1024);

/// The file in which outcomes wait that the log could not take.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Its folder. Unless set: of a log in a file, the folder of that file; of a log in PostgreSQL none, and outcomes wait in memory
    /// only. Replicas on one machine may share it; logs of other deployments may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// How large each file is, from its beginning on: 64 MiB unless set, enough for the outcomes of some 100,000 calls; 0 for none.
    pub size_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            folder: None,
            size_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Config {
    pub(crate) fn check(&self, faults: &mut Vec<Fault>) {
        let (least, most) = BOUNDS;
        if self.size_bytes != 0 && !(least..=most).contains(&self.size_bytes) {
            let problem = "must be from 65536 to 17179869184, or 0 for none";
            faults.push(Fault::new("audit.spill.size_bytes", problem));
        }
        if self
            .folder
            .as_ref()
            .is_some_and(|folder| folder.as_os_str().is_empty())
        {
            faults.push(Fault::new("audit.spill.folder", "must be the path of a folder"));
        }
    }
}
