//! Opening the place where a log is kept.

use std::{sync::Arc, time::Duration};

use hubkeep_core::{
    clock::SharedClock,
    database::{self, Database},
};

use crate::{
    Config, Error, Identity, MIGRATIONS,
    store::{Lease, PostgresStore, Reader, Server, SqliteStore, Store},
};

/// A log's place, open for reading and writing.
pub(crate) struct Opened {
    pub(crate) reader: Reader,
    pub(crate) store: Store,
    /// The lease of this replica, where others may write too.
    pub(crate) lease: Option<Lease>,
}

impl Opened {
    /// Opens it, and brings its tables up to date.
    pub(crate) async fn open(
        config: &Config,
        identity: Identity,
        clock: &SharedClock,
    ) -> Result<Self, Error> {
        if config.is_postgres() {
            Self::server(config, identity, clock).await
        } else {
            Self::file(config, identity).await
        }
    }

    async fn file(config: &Config, identity: Identity) -> Result<Self, Error> {
        let file = config.sqlite_file().ok_or(Error::NoSuchPlace)?;
        let locked = SqliteStore::lock(file)?;
        let database = database(config).await?;
        Ok(Self {
            reader: Reader::new(database, identity),
            store: Store::Sqlite(locked.open(patience(config.intent_deadline))?),
            lease: None,
        })
    }

    async fn server(config: &Config, identity: Identity, clock: &SharedClock) -> Result<Self, Error> {
        let server = Server::new(config, Arc::clone(clock))?;
        let database = database(config).await?;
        let store = PostgresStore::open(server).await.map_err(Error::OpenWriter)?;
        let mut lease = store.lease();
        // Whose lease has run out is taken for lost before this replica looks for what was left open.
        lease.renew().await.map_err(Error::OpenWriter)?;
        Ok(Self {
            reader: Reader::new(database, identity),
            store: Store::Postgres(Box::new(store)),
            lease: Some(lease),
        })
    }
}

async fn database(config: &Config) -> Result<Database, Error> {
    pool(config, config.max_connections).await
}

/// So many connections to the log's database.
pub(crate) async fn pool(config: &Config, max_connections: u32) -> Result<Database, Error> {
    let config = database::Config {
        url: config.url.clone(),
        password_file: config.password_file.clone(),
        max_connections,
    };
    Ok(Database::open(&config, &[&MIGRATIONS]).await?)
}

/// How long a batch waits for the file's write lock: no longer than its waiters do.
fn patience(intent_deadline: Duration) -> Duration {
    intent_deadline.clamp(Duration::from_millis(1), Duration::from_secs(5))
}
