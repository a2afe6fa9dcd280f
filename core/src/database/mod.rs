//! Connections to a database: SQLite for one machine, PostgreSQL for many. Stores speak to either through
//! `sqlx::Any`, with one SQL text.
//!
//! | file | holds |
//! |---|---|
//! | `config` | where the data is |
//! | `sqlite`, `postgres` | how each is addressed, and what its sessions are set to |
//! | `pool`, `lease` | connections, for a while and with a bound on waiting |
//! | `transaction` | several statements as one |
//! | `notices` | what other replicas commit, told early |
//! | `migrate` | the schema, brought up to date by whoever comes first |

mod config;
mod lease;
mod migrate;
mod notices;
mod pool;
mod postgres;
mod sqlite;
mod transaction;

use std::{path::PathBuf, sync::Arc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, Executor as _, any::AnyPoolOptions, migrate::Migrator};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use config::{Config, check_address};
pub use lease::bounded;
pub use notices::Notices;
pub use pool::Pool;
pub use postgres::driver_url;
pub use sqlite::{make_private, sqlite_file};
pub use transaction::Transaction;

use crate::clock::SharedClock;

/// The database did not do what was asked.
#[derive(Debug, Error)]
pub enum Error {
    /// The folder of a database file could not be made.
    #[error("the folder of the database could not be made")]
    Folder(#[from] std::io::Error),
    /// The address is none.
    #[error("the address of the database {0}")]
    Address(String),
    /// The password cannot be had.
    #[error("the password file {} cannot be used: {problem}", file.display())]
    PasswordFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A statement or a connection failed.
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// How one kind of database is spoken to.
#[derive(Clone, Copy, Debug)]
struct Manner {
    kind: Kind,
    /// What every session is set to.
    session: &'static str,
    /// How a transaction that writes begins.
    begin: &'static str,
    /// How long a connection may take to be had, from the pool or anew.
    connect: Duration,
    /// How long an answer may take.
    answer: Duration,
    /// How long all migrations may take, with those of other replicas that are waited for.
    migrate: Duration,
}

/// A migration is short, but may have to wait for a table that is in use.
const MIGRATE: Duration = Duration::from_secs(120);

/// Writers wait for each other for 5 s.
const SQLITE: Manner = Manner {
    kind: Kind::Sqlite,
    session: sqlite::SESSION,
    begin: "BEGIN IMMEDIATE",
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(10),
    migrate: MIGRATE,
};
/// A server that lives gives up a statement after 4 s; silence for longer means that it cannot be reached.
const POSTGRES: Manner = Manner {
    kind: Kind::Postgres,
    session: postgres::SESSION,
    begin: "BEGIN",
    connect: Duration::from_secs(4),
    answer: Duration::from_secs(5),
    migrate: MIGRATE,
};

/// How long an idle connection may take to show that it still leads somewhere, before another is opened.
const PING: Duration = Duration::from_secs(1);

/// A pool of connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    url: SecretString,
    manner: Manner,
    /// Where one transaction writes at a time, they take turns here, in order. Left to the file's lock, each would
    /// hold a connection and look now and then whether it is free.
    turns: Option<Arc<Semaphore>>,
}

impl Database {
    /// Connects, making a SQLite file and its folder where there is none, and brings the schema up to date with
    /// the migrations of every crate that keeps tables in it. On PostgreSQL several replicas may do so at once.
    ///
    /// # Errors
    /// If the database cannot be reached, or its schema is not one of ours.
    pub async fn open(config: &Config, migrations: &[&Migrator]) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let manner = if sqlite::is_url(&config.url) {
            SQLITE
        } else {
            POSTGRES
        };
        let url = address(config)?;
        migrate::run(url.expose_secret(), manner, migrations).await?;
        let connections = pool_options(manner)
            .max_connections(config.max_connections)
            .connect(url.expose_secret())
            .await?;
        Ok(Self {
            pool: Pool::new(connections, manner.answer),
            url,
            manner,
            turns: (manner.kind == Kind::Sqlite).then(|| Arc::new(Semaphore::new(1))),
        })
    }

    /// The pool, for reading and for single statements.
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Begins a transaction that will write. On SQLite it takes the write lock at once, so that it cannot fail
    /// half-way because another writer was quicker. On PostgreSQL others write at the same time: what is read in it
    /// may have changed when it is written, unless a row that it has written or [a lock](Transaction::lock) holds it.
    ///
    /// # Errors
    /// If no connection, or not the lock, could be had in time.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let turn = self.turn().await?;
        let lease = self.pool.lease().await?;
        Ok(Transaction::begin(lease, self.manner, turn).await?)
    }

    async fn turn(&self) -> Result<Option<OwnedSemaphorePermit>, sqlx::Error> {
        let Some(turns) = &self.turns else { return Ok(None) };
        let turn = async {
            turns
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| sqlx::Error::PoolClosed)
        };
        bounded(self.manner.connect, turn).await.map(Some)
    }

    /// Whether other processes may keep their data in it too, as replicas do.
    pub const fn is_shared(&self) -> bool {
        matches!(self.manner.kind, Kind::Postgres)
    }

    /// What other replicas [tell](Transaction::notify) on a channel; `None` where there can be no others.
    pub fn notices(&self, channel: &'static str, clock: &SharedClock) -> Option<Notices> {
        self.is_shared()
            .then(|| Notices::new(self.url.clone(), channel, clock.clone()))
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The address as the driver wants it.
fn address(config: &Config) -> Result<SecretString, Error> {
    match sqlite_file(&config.url) {
        Some(file) => {
            make_private(file)?;
            Ok(sqlite::driver_url(file)?.into())
        }
        None if sqlite::is_url(&config.url) => Ok(config.url.clone().into()),
        None => driver_url(&config.url, config.password_file.as_deref()),
    }
}

fn pool_options(manner: Manner) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .acquire_timeout(manner.connect)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(manner.session).await?;
                Ok(())
            })
        })
        // In place of the pool's own test, which waits without a bound for a server that was lost without a word.
        .test_before_acquire(false)
        .before_acquire(move |connection, _| {
            Box::pin(async move { Ok(manner.kind == Kind::Sqlite || bounded(PING, connection.ping()).await.is_ok()) })
        })
}

#[cfg(test)]
mod tests;
