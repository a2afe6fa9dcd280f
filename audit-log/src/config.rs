//! Where the log is kept, and what it is called.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use hubkeep_core::{
    config::{Fault, Validate},
    database::{self, check_address},
};
use serde::{Deserialize, Serialize};

use crate::{Keep, anchors, payloads, portal::Owner, proofs, spill};

/// Where the log is kept, and how long a call waits for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `sqlite://path/to/file.db`, or `postgres://user@host:port/name` without a password in it, and with `?sslmode=…`
    /// where the host is another machine. A file, or a database, of its own: nothing else keeps tables in it.
    pub url: String,
    /// The file that holds PostgreSQL's password, for nobody but its owner and group to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// How long an entry may take to become durable before the call is refused.
    #[serde(with = "humantime_serde")]
    pub intent_deadline: Duration,
    /// Connections kept open for readers, at most.
    pub max_connections: u32,
    /// With less room on the disk of a log in a file, or on that of outcomes that wait, nothing new is recorded, and so nothing new
    /// is done. What is under way is recorded in what is left.
    pub min_free_bytes: u64,
    /// Outcomes that the log could not take.
    pub spill: spill::Config,
    /// For how long entries are kept: at least a month, or "for ever". Older ones are pruned where checkpoints are signed.
    pub keep: Keep,
    /// Checkpoints and proofs.
    pub proofs: proofs::Config,
    /// Where checkpoints are put so that nobody here can change them afterwards.
    pub anchors: anchors::Config,
    /// What is personal, sealed beside entries.
    pub payloads: payloads::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "sqlite://hubkeep-data/audit.db".to_owned(),
            password_file: None,
            intent_deadline: Duration::from_secs(2),
            max_connections: 8,
            min_free_bytes: 64 * 1024 * 1024,
            spill: spill::Config::default(),
            keep: Keep::default(),
            proofs: proofs::Config::default(),
            anchors: anchors::Config::default(),
            payloads: payloads::Config::default(),
        }
    }
}

impl Config {
    /// A log in this file.
    pub fn sqlite(file: &Path) -> Self {
        Self {
            url: format!("sqlite://{}", file.display()),
            ..Self::default()
        }
    }

    /// A log in a PostgreSQL database.
    pub fn postgres(url: impl Into<String>, password_file: Option<PathBuf>) -> Self {
        Self {
            url: url.into(),
            password_file,
            ..Self::default()
        }
    }

    /// What is kept of what is personal, in one sentence, for reports.
    pub fn payloads_measure(&self) -> String {
        if !self.payloads.enabled {
            return "Nothing personal is kept beside entries.".to_owned();
        }
        let keep = humantime::format_duration(self.payloads.keep);
        format!(
            "What is personal in a call, such as ids of records and values that were written, lies beside its entry, sealed \
             (AES-256-GCM, by a key of the portal), for {keep}; it is opened by operators only, on record, and can be erased."
        )
    }

    /// Whether the log is in a PostgreSQL database.
    pub(crate) fn is_postgres(&self) -> bool {
        ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| self.url.starts_with(scheme))
    }

    /// The file, where the log is one.
    pub fn sqlite_file(&self) -> Option<&Path> {
        database::sqlite_file(&self.url)
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        check_address("audit", &self.url, self.password_file.as_deref(), faults);
        if self.url.starts_with("sqlite:") && self.sqlite_file().is_none() {
            faults.push(Fault {
                key: "audit.url".to_owned(),
                problem: "must be sqlite:// and the path of a file".to_owned(),
            });
        }
        let mut fault = |key: &str, problem: &str| {
            faults.push(Fault {
                key: key.to_owned(),
                problem: problem.to_owned(),
            });
        };
        if self.intent_deadline.is_zero() || self.intent_deadline > Duration::from_secs(30) {
            fault("audit.intent_deadline", "must be more than 0 and at most 30s");
        }
        if self.max_connections == 0 {
            fault("audit.max_connections", "must be at least 1");
        }
        if self.keep.is_too_short() {
            fault(
                "audit.keep",
                "must be at least 1 month, or \"for ever\": what is pruned is gone for good",
            );
        }
        self.spill.check(faults);
        self.proofs.check(faults);
        self.anchors.check(&self.proofs, faults);
        self.payloads.check(faults);
    }
}

/// Whose logs these are: the beginning of every log's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The deployment: "prod-eu".
    pub deployment: String,
    /// The service that writes: "crm-service".
    pub service: &'static str,
    /// Which of its processes: the name of its machine or container. It stands in entries, and is no part of a log's name.
    pub instance: String,
}

impl Identity {
    /// "<deployment>/<service>/<portal_id>", or ".../system" for what belongs to no proven portal.
    pub(crate) fn log_of(&self, owner: Owner) -> String {
        let Self {
            deployment, service, ..
        } = self;
        match owner {
            Owner::System => format!("{deployment}/{service}/system"),
            Owner::Portal(portal_id) => format!("{deployment}/{service}/{portal_id}"),
        }
    }

    /// "<deployment>/<service>/heads": the log of what all others had come to.
    pub(crate) fn heads(&self) -> String {
        let Self {
            deployment, service, ..
        } = self;
        format!("{deployment}/{service}/heads")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_is_a_place_for_a_log() {
        let file = |url: &str| {
            let config = Config {
                url: url.to_owned(),
                ..Config::default()
            };
            config.sqlite_file().map(|path| path.display().to_string())
        };
        assert_eq!(file("sqlite://a/b.db").as_deref(), Some("a/b.db"));
        assert_eq!(file("sqlite:///var/b.db").as_deref(), Some("/var/b.db"));
        for refused in [
            "postgres://host/db",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://",
            "",
        ] {
            assert_eq!(file(refused), None, "{refused}");
        }
    }

    #[test]
    fn every_fault_of_a_configuration_is_named() {
        let config = Config {
            url: String::new(),
            password_file: None,
            intent_deadline: Duration::ZERO,
            max_connections: 0,
            min_free_bytes: 0,
            spill: spill::Config {
                folder: Some(PathBuf::new()),
                size_bytes: 1,
            },
            keep: Keep::read("25 minutes").expect("a time"),
            proofs: proofs::Config::default(),
            anchors: anchors::Config::default(),
            payloads: payloads::Config::default(),
        };
        let mut faults = Vec::new();
        config.validate(&mut faults);
        assert_eq!(faults.len(), 6);
    }
}
