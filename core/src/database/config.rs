//! Where a service keeps its data.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{postgres, sqlite};
use crate::config::{Fault, Validate};

/// Where a service keeps its data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `sqlite://path/to/file.db`; or `postgres://user@host:port/name` without a password in it, and with
    /// `?sslmode=…` where the host is another machine.
    pub url: String,
    /// The file that holds PostgreSQL's password, for nobody but its owner and group to read. A line feed at its end
    /// is no part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Connections kept open at most.
    pub max_connections: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "sqlite://hubkeep-data/hubkeep.db".to_owned(),
            password_file: None,
            max_connections: 8,
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        check_address("database", &self.url, self.password_file.as_deref(), faults);
        if self.max_connections == 0 {
            let problem = "must be at least 1".to_owned();
            faults.push(Fault {
                key: "database.max_connections".to_owned(),
                problem,
            });
        }
    }
}

impl Config {
    /// A SQLite file.
    pub fn sqlite(file: &Path) -> Self {
        Self {
            url: format!("sqlite://{}", file.display()),
            ..Self::default()
        }
    }
}

/// Adds a fault for everything in a section's `url` and `password_file` that is not as it must be. Whether the file
/// can be read is seen when it is needed.
pub fn check_address(section: &str, url: &str, password_file: Option<&Path>, faults: &mut Vec<Fault>) {
    let mut fault = |key: &str, problem: String| {
        faults.push(Fault {
            key: format!("{section}.{key}"),
            problem,
        });
    };
    if !sqlite::is_url(url) {
        for problem in postgres::problems(url) {
            fault("url", problem);
        }
    } else if password_file.is_some() {
        fault(
            "password_file",
            "is for PostgreSQL: SQLite has no passwords".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(url: &str, password_file: Option<&str>) -> Vec<String> {
        let mut faults = Vec::new();
        Config {
            url: url.to_owned(),
            password_file: password_file.map(PathBuf::from),
            max_connections: 8,
        }
        .validate(&mut faults);
        faults.into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn a_password_lies_in_a_file_and_never_in_the_address() {
        assert!(keys("postgres://hubkeep@127.0.0.1:5432/vault", Some("password")).is_empty());
        assert!(keys("postgres://hubkeep@localhost/vault", None).is_empty());
        for told in [
            "postgres://hubkeep:secret@localhost/vault",
            "postgres://hubkeep@localhost/vault?password=secret",
        ] {
            assert_eq!(keys(told, None), ["database.url"], "{told}");
        }
        assert_eq!(
            keys("sqlite://a.db", Some("password")),
            ["database.password_file"]
        );
    }

    #[test]
    fn another_machine_is_reached_with_a_word_on_tls() {
        assert_eq!(
            keys("postgres://hubkeep@db.internal/vault", None),
            ["database.url"]
        );
        for said in ["disable", "require", "verify-full"] {
            let url = format!("postgres://hubkeep@db.internal/vault?sslmode={said}");
            assert!(keys(&url, None).is_empty(), "{said}");
        }
        for nearby in [
            "postgres://hubkeep@[::1]/vault",
            "postgres://hubkeep@%2Frun%2Fpostgresql/vault",
        ] {
            assert!(keys(nearby, None).is_empty(), "{nearby}");
        }
    }

    #[test]
    fn what_is_no_address_of_ours_is_refused() {
        for refused in [
            "",
            "hubkeep.db",
            "mysql://hubkeep@localhost/vault",
            "postgres://hubkeep@localhost",
            "postgres://hubkeep@localhost/vault?sslmod=disable",
            "postgres://hubkeep@localhost/vault?sslmode=perhaps",
            "postgres://hubkeep@localhost/vault?host=db.internal",
            "postgres://hubkeep@localhost/vault?sslmode=verify-full&sslmode=disable",
        ] {
            assert_eq!(keys(refused, None), ["database.url"], "{refused}");
        }
    }
}
