//! A PostgreSQL server: how a connection to it is made, and what every connection is held to.

use std::{fmt, future::Future, str::FromStr as _, time::Duration};

use hubkeep_core::{clock::SharedClock, database};
use secrecy::ExposeSecret as _;
use sqlx::{ConnectOptions as _, PgConnection, Row as _, postgres::PgConnectOptions};

use crate::{Config, DatabaseError, Error};

/// What a connection is set to, in one round trip.
///
/// - A statement ends by the deadline of who waits for it ($1).
/// - A commit is on disk when it returns: `synchronous_commit` is never off. A stronger or weaker word on *other*
///   machines' disks stays as the operator set it.
/// - One plan for every batch, by the indices: the tables' statistics lag behind at thousands of rows a second, and a
///   plan made when a table was empty would read all of it for ever. It is not compiled: that takes a tenth of a second
///   for a statement that takes a thousandth, and seconds on a machine that has just started.
/// - A server that has lost this client lets go of its locks within 15 s, also where nobody told it.
const SETTINGS: &str = "SELECT \
    set_config('statement_timeout', $1, false), \
    set_config('lock_timeout', $1, false), \
    set_config('default_transaction_isolation', 'read committed', false), \
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false), \
    set_config('plan_cache_mode', 'force_generic_plan', false), \
    set_config('enable_seqscan', 'off', false), \
    set_config('enable_nestloop', 'off', false), \
    set_config('jit', 'off', false), \
    set_config('tcp_keepalives_idle', '5', false), \
    set_config('tcp_keepalives_interval', '3', false), \
    set_config('tcp_keepalives_count', '3', false), \
    set_config('tcp_user_timeout', '15000', false), \
    current_setting('fsync') AS fsync";

/// How long a connection may take to be made, or a lease to be renewed.
const CONNECT: Duration = Duration::from_secs(3);

/// A server, and how long an answer of it is waited for.
#[derive(Clone)]
pub(crate) struct Server {
    options: PgConnectOptions,
    clock: SharedClock,
    patience: Duration,
}

impl fmt::Debug for Server {
    // The options hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.options.get_host())
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// The server that the configuration names.
    pub(crate) fn new(config: &Config, clock: SharedClock) -> Result<Self, Error> {
        let url = database::driver_url(&config.url, config.password_file.as_deref())?;
        let options = PgConnectOptions::from_str(url.expose_secret()).map_err(database::Error::Sql)?;
        Ok(Self {
            options: options.disable_statement_logging(),
            clock,
            patience: config.intent_deadline,
        })
    }

    /// The clock by which the server is waited for.
    pub(super) fn clock(&self) -> SharedClock {
        self.clock.clone()
    }

    /// What a batch gives, unless the server is silent until whoever waits for the batch has given up. What `work`
    /// holds is dropped then, its connection too: an answer that comes late finds nobody.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        self.within(self.patience, work).await
    }

    /// What making a connection gives, unless the server is silent for 3 s. Whoever waits for a batch does not wait
    /// so long, if their deadline is shorter; the next batch finds the connection made.
    pub(super) async fn connected<T>(
        &self,
        work: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        self.within(CONNECT, work).await
    }

    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        let done = self.clock.timeout(limit, work).await;
        done.unwrap_or(Err(DatabaseError::Silent(limit)))
    }

    /// A new connection. Wait for it until it is [`connected`](Self::connected).
    pub(super) async fn connect(&self) -> Result<PgConnection, DatabaseError> {
        let mut connection = self.options.connect().await?;
        let row = sqlx::query(SETTINGS)
            .bind(self.patience.as_millis().max(1).to_string())
            .fetch_one(&mut connection)
            .await?;
        let fsync: String = row.try_get("fsync")?;
        if fsync == "off" {
            return Err(DatabaseError::NotDurable);
        }
        Ok(connection)
    }
}

/// A connection that is opened when it is needed, and again when it was lost.
#[derive(Debug)]
pub(super) struct Line {
    server: Server,
    connection: Option<PgConnection>,
}

impl Line {
    pub(super) const fn new(server: Server) -> Self {
        Self {
            server,
            connection: None,
        }
    }

    /// Lends the connection to `work`, which gives it back with what it found. If it fails, the connection is not
    /// used again.
    pub(super) async fn run<T, F>(&mut self, work: impl FnOnce(PgConnection) -> F) -> Result<T, DatabaseError>
    where
        F: Future<Output = Result<(PgConnection, T), DatabaseError>>,
    {
        let idle = self.connection.take();
        let server = &self.server;
        let worked = async move {
            let connection = match idle {
                Some(connection) => connection,
                None => server.connect().await?,
            };
            work(connection).await
        };
        let (connection, found) = server.connected(worked).await?;
        self.connection = Some(connection);
        Ok(found)
    }
}
