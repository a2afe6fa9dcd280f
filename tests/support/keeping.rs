//! Where services keep what they keep, as processes and in this one.

use std::path::Path;

use hubkeep_core::database;
use hubkeep_test_postgres::Fresh;

/// Where a service keeps its data and its log.
#[derive(Debug)]
pub enum Keeping {
    /// In SQLite files, in its folder.
    Files,
    /// In these databases of PostgreSQL.
    Postgres {
        /// The data.
        data: Fresh,
        /// The log.
        audit: Fresh,
    },
}

impl Keeping {
    /// In new databases of the server of all tests.
    pub fn fresh_on_postgres() -> Self {
        Self::Postgres {
            data: hubkeep_test_postgres::fresh("data"),
            audit: hubkeep_test_postgres::fresh("audit"),
        }
    }

    /// Puts it into the configuration of a service, unless that is in files: a configuration names its own.
    pub fn put(&self, data: &mut database::Config, log: &mut hubkeep_audit_log::Config) {
        if let Self::Postgres { data: fresh, audit } = self {
            (data.url, data.password_file) = (fresh.url.clone(), Some(fresh.password_file.clone()));
            (log.url, log.password_file) = (audit.url.clone(), Some(audit.password_file.clone()));
        }
    }

    /// The sections `[database]` and `[audit]` of a service with its files in this folder.
    pub fn sections(&self, folder: &Path, service: &str) -> String {
        match self {
            Self::Files => format!(
                "[database]\nurl = \"sqlite://{0}/{service}.db\"\n[audit]\nurl = \"sqlite://{0}/{service}-audit.db\"\n",
                folder.display()
            ),
            Self::Postgres { data, audit } => {
                format!("[database]\n{}[audit]\n{}", on_postgres(data), on_postgres(audit))
            }
        }
    }
}

fn on_postgres(fresh: &Fresh) -> String {
    format!(
        "url = \"{}\"\npassword_file = \"{}\"\n",
        fresh.url,
        fresh.password_file.display()
    )
}
