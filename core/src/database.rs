//! Connections to a database: SQLite for one machine, PostgreSQL for many. Stores speak to either through
//! `sqlx::Any`, with one SQL text.

use std::{borrow::Cow, fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sqlx::{
    Any, AnyPool, Executor as _, Transaction,
    any::AnyPoolOptions,
    migrate::{Migration, Migrator},
};
use thiserror::Error;

use crate::config::{Fault, Validate};

/// The database did not do what was asked.
#[derive(Debug, Error)]
pub enum Error {
    /// The folder of a database file could not be made.
    #[error("the folder of the database could not be made")]
    Folder(#[from] std::io::Error),
    /// A statement or a connection failed.
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Where a service keeps its data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `sqlite://path/to/file.db`, or `postgres://…` without a password in it.
    pub url: String,
    /// Connections kept open at most.
    pub max_connections: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "sqlite://hubkeep-data/hubkeep.db".to_owned(),
            max_connections: 8,
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
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

    fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }
}

/// A pool of connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    begin: &'static str,
}

/// What every SQLite connection is set to: a commit is on disk when it returns, writers wait for each other.
const SQLITE_PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;";

impl Database {
    /// Connects, making a SQLite file and its folder where there is none, and brings the schema up to date with
    /// the migrations of every crate that keeps tables in it.
    ///
    /// # Errors
    /// If the database cannot be reached, or its schema is not one of ours.
    pub async fn open(config: &Config, migrations: &[&Migrator]) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let sqlite = config.is_sqlite();
        let options = AnyPoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        connection.execute(SQLITE_PRAGMAS).await?;
                    }
                    Ok(())
                })
            });
        let url = match sqlite_file(&config.url) {
            Some(file) => {
                make_private(file)?;
                driver_url(file)?
            }
            None => config.url.clone(),
        };
        let pool = options.connect(&url).await?;
        as_one_tree(migrations).run(&pool).await?;
        let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        Ok(Self { pool, begin })
    }

    /// The pool, for reading and for single statements.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that will write. On SQLite it takes the write lock at once, so that it cannot fail
    /// half-way because another writer was quicker.
    ///
    /// # Errors
    /// If no connection, or not the lock, could be had in time.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, Error> {
        Ok(self.pool.begin_with(self.begin).await?)
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The migrations of several crates in order of their versions, which are unique over all of them.
fn as_one_tree(migrations: &[&Migrator]) -> Migrator {
    let mut all: Vec<Migration> = migrations.iter().flat_map(|tree| tree.iter().cloned()).collect();
    all.sort_by_key(|migration| migration.version);
    Migrator {
        migrations: Cow::Owned(all),
        ..Migrator::DEFAULT
    }
}

/// The file that a `sqlite://` URL names, to the letter; `None` for other databases, and for one without a file.
pub fn sqlite_file(url: &str) -> Option<&Path> {
    let file = url.strip_prefix("sqlite://")?;
    (!file.is_empty() && !file.starts_with(':')).then(|| Path::new(file))
}

/// Makes a file and its folder where there are none, for nobody else to read. What SQLite lays beside a database has
/// the same mode as the database.
///
/// # Errors
/// If it cannot be made.
pub fn make_private(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)?;
    Ok(())
}

/// What a path may hold and a URL may not.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'?')
    .add(b'#')
    .add(b'"')
    .add(b'<')
    .add(b'>');

/// The URL by which the driver finds the file, whatever its path holds.
fn driver_url(file: &Path) -> io::Result<String> {
    let absolute = std::path::absolute(file)?;
    let path = absolute
        .to_str()
        .ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
    Ok(format!("sqlite://{}?mode=rw", utf8_percent_encode(path, ESCAPED)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_path_may_hold_what_a_url_may_not_and_the_file_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["d 1/x y", "q?mode=ro", "pct%20x", "a#b", "plain"] {
            let file = folder.path().join(name).join("it.db");
            let database = Database::open(&Config::sqlite(&file), &[]).await.expect(name);
            database.close().await;
            let mode = file.metadata().expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
