//! Connections to a database: SQLite for one machine, PostgreSQL for many. Stores speak to either through
//! `sqlx::Any`, with one SQL text.

use std::{borrow::Cow, path::Path, time::Duration};

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
        let url = if sqlite {
            sqlite_url(&config.url)?
        } else {
            config.url.clone()
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

/// The same URL with "make it if it is not there", after making its folder.
fn sqlite_url(url: &str) -> Result<String, std::io::Error> {
    let file = url.trim_start_matches("sqlite:").trim_start_matches("//");
    if let Some(folder) = Path::new(file).parent() {
        std::fs::create_dir_all(folder)?;
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{separator}mode=rwc"))
}
