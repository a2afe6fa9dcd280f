//! How often proofs are made, and with which key.

use std::{path::PathBuf, time::Duration};

use hubkeep_core::config::Fault;
use serde::{Deserialize, Serialize};

/// Proofs over a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Whether checkpoints are signed at all.
    pub enabled: bool,
    /// The file of the log key: 32 random bytes, which nobody but its owner may read. All replicas have the same. Left out,
    /// a log in a file has its key beside it, made when the log is first opened; a log on a server is not signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// The key before `key_file`, where that is new: both sign, until every client has learned the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_key_file: Option<PathBuf>,
    /// A log that moved gets a checkpoint after this time, 10 s unless set,
    #[serde(with = "humantime_serde")]
    pub every: Duration,
    /// or earlier, after this many entries: 1,000 unless set.
    pub entries: u64,
    /// How often all logs are named in the log of heads, where something moved: 1 min unless set.
    #[serde(with = "humantime_serde")]
    pub heads_every: Duration,
    /// How long the work rests when there is nothing to do: 1 s unless set.
    #[serde(with = "humantime_serde")]
    pub pause: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            key_file: None,
            old_key_file: None,
            every: Duration::from_secs(10),
            entries: 1_000,
            heads_every: Duration::from_secs(60),
            pause: Duration::from_secs(1),
        }
    }
}

impl Config {
    pub(crate) fn check(&self, faults: &mut Vec<Fault>) {
        let mut fault = |key: &str, problem: &str| {
            faults.push(Fault {
                key: format!("audit.proofs.{key}"),
                problem: problem.to_owned(),
            });
        };
        if self.entries == 0 {
            fault("entries", "must be at least 1");
        }
        if self.pause.is_zero() || self.pause > Duration::from_secs(60) {
            fault("pause", "must be more than 0 and at most 60s");
        }
        if self.old_key_file.is_some() && self.key_file.is_none() {
            fault("old_key_file", "needs key_file: the key that takes its place");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named() {
        let config = Config {
            old_key_file: Some(PathBuf::from("old")),
            entries: 0,
            pause: Duration::ZERO,
            ..Config::default()
        };
        let mut faults = Vec::new();
        config.check(&mut faults);
        assert_eq!(faults.len(), 3);
    }
}
