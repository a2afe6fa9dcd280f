//! A log in a place of its own: a file, or a PostgreSQL database.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

use hubkeep_audit_log::{AuditLog, Config, Error, Keep, anchors, payloads, proofs, spill};
use hubkeep_core::{
    clock::{SharedClock, SystemClock},
    random::{SharedRandom, SystemRandom},
};
use hubkeep_test_postgres::{Fresh, Own};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

use crate::{proxy::Proxy, support::identity};

/// Runs each of these tests in a file, and in a PostgreSQL database; those after `on two threads:` on two.
macro_rules! on_both_databases {
    ($($test:ident),* $(,)? $(; on two threads: $($wide:ident),* $(,)?)?) => {
        mod sqlite {
            use $crate::place::Place;
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(Place::sqlite()).await;
                }
            )*
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $wide() {
                    super::$wide(Place::sqlite()).await;
                }
            )*)?
        }
        mod postgres {
            use $crate::place::Place;
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(Place::postgres(stringify!($test))).await;
                }
            )*
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $wide() {
                    super::$wide(Place::postgres(stringify!($wide))).await;
                }
            )*)?
        }
    };
}
pub(crate) use on_both_databases;

enum Kind {
    Sqlite(TempDir),
    Postgres(Fresh),
}

/// Where a test keeps its log.
pub(crate) struct Place {
    kind: Kind,
    pub(crate) intent_deadline: Duration,
    pub(crate) proofs: proofs::Config,
    pub(crate) anchors: anchors::Config,
    pub(crate) spill: spill::Config,
    pub(crate) payloads: payloads::Config,
    pub(crate) keep: Keep,
    /// Where keys are.
    keys: TempDir,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::of(Kind::Sqlite(tempfile::tempdir().expect("a folder")))
    }

    pub(crate) fn postgres(test: &str) -> Self {
        Self::of(Kind::Postgres(hubkeep_test_postgres::fresh(test)))
    }

    /// On a server of the test's own.
    pub(crate) fn on(own: &Own, test: &str) -> Self {
        Self::of(Kind::Postgres(own.fresh(test)))
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            intent_deadline: Duration::from_secs(20),
            proofs: proofs::Config::default(),
            anchors: anchors::Config::default(),
            spill: spill::Config {
                folder: None,
                size_bytes: 256 * 1024,
            },
            payloads: payloads::Config::default(),
            keep: Keep::default(),
            keys: tempfile::tempdir().expect("a folder"),
        }
    }

    /// The same, with proofs made as fast as can be, signed with a key of its own.
    pub(crate) fn proven(mut self) -> Self {
        self.proofs = proofs::Config {
            key_file: Some(self.key("first")),
            every: Duration::ZERO,
            heads_every: Duration::ZERO,
            pause: Duration::from_millis(5),
            ..proofs::Config::default()
        };
        self
    }

    /// A file with this secret.
    pub(crate) fn secret(&self, name: &str, secret: &str) -> PathBuf {
        let file = self.keys.path().join(name);
        std::fs::write(&file, secret).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).expect("set");
        file
    }

    /// The same, where outcomes that the log cannot take have a folder of their own.
    pub(crate) fn spilling(mut self) -> Self {
        self.spill.folder = Some(self.spilled());
        self
    }

    /// That folder.
    pub(crate) fn spilled(&self) -> PathBuf {
        self.keys.path().join("outcomes")
    }

    /// A new key of this name.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        let file = self.keys.path().join(name);
        let seed = SystemRandom::shared().bytes::<32>().expect("random");
        std::fs::write(&file, seed).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).expect("set");
        file
    }

    pub(crate) fn config(&self) -> Config {
        let config = match &self.kind {
            Kind::Sqlite(_) => Config::sqlite(&self.file()),
            Kind::Postgres(fresh) => Config::postgres(&fresh.url, Some(fresh.password_file.clone())),
        };
        Config {
            intent_deadline: self.intent_deadline,
            max_connections: 4,
            proofs: self.proofs.clone(),
            anchors: self.anchors.clone(),
            spill: self.spill.clone(),
            payloads: self.payloads.clone(),
            keep: self.keep.clone(),
            ..config
        }
    }

    pub(crate) async fn open(&self) -> AuditLog {
        self.open_at(SystemClock::shared()).await
    }

    pub(crate) async fn open_at(&self, clock: SharedClock) -> AuditLog {
        self.open_with(clock, SystemRandom::shared()).await
    }

    pub(crate) async fn open_with(&self, clock: SharedClock, random: SharedRandom) -> AuditLog {
        let opened = AuditLog::open(&self.config(), identity(), clock, random).await;
        opened.expect("the log opens")
    }

    pub(crate) async fn try_open(&self) -> Result<AuditLog, Error> {
        AuditLog::open(
            &self.config(),
            identity(),
            SystemClock::shared(),
            SystemRandom::shared(),
        )
        .await
    }

    /// A log that reaches its server through this proxy.
    pub(crate) async fn open_through(&self, proxy: &Proxy) -> AuditLog {
        let mut config = self.config();
        config.url = config
            .url
            .replace(&self.server().to_string(), &proxy.address.to_string());
        let opened = AuditLog::open(&config, identity(), SystemClock::shared(), SystemRandom::shared()).await;
        opened.expect("the log opens")
    }

    /// Where the server listens.
    pub(crate) fn server(&self) -> SocketAddr {
        let Kind::Postgres(fresh) = &self.kind else {
            panic!("a file has no server");
        };
        let address = fresh.url.split(['@', '/']).find_map(|part| part.parse().ok());
        address.expect("an address in the URL")
    }

    /// Another program's connection to the same database.
    pub(crate) async fn intruder(&self) -> Intruder {
        match &self.kind {
            Kind::Sqlite(_) => Intruder::Sqlite(self.connection()),
            Kind::Postgres(fresh) => {
                let connected = PgConnection::connect(&fresh.url_with_password()).await;
                Intruder::Postgres(connected.expect("a server"))
            }
        }
    }

    /// A connection to the file in which it lies.
    pub(crate) fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).expect("a file")
    }

    /// Where the file is.
    pub(crate) fn file(&self) -> PathBuf {
        match &self.kind {
            Kind::Sqlite(folder) => folder.path().join("logs/audit.db"),
            Kind::Postgres(_) => panic!("this log is in no file"),
        }
    }
}

/// A connection that others know nothing of.
pub(crate) enum Intruder {
    Sqlite(rusqlite::Connection),
    Postgres(PgConnection),
}

impl Intruder {
    /// Nobody else can write from now on.
    pub(crate) async fn lock(&mut self) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch("BEGIN EXCLUSIVE").expect("locks"),
            Self::Postgres(connection) => {
                let lock = "BEGIN; LOCK TABLE audit_position IN ACCESS EXCLUSIVE MODE";
                connection.execute(lock).await.expect("locks");
            }
        }
    }

    /// Ends what `lock` began.
    pub(crate) async fn unlock(self) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch("COMMIT").expect("unlocks"),
            Self::Postgres(mut connection) => {
                connection.execute("COMMIT").await.expect("unlocks");
            }
        }
    }

    /// The first column of what a query gives, from a server.
    pub(crate) async fn texts(&mut self, query: &'static str) -> Vec<String> {
        let rows = sqlx::query_scalar(query).fetch_all(self.server()).await;
        rows.expect("the query is one")
    }

    /// The one number that a query gives, from a server.
    pub(crate) async fn count(&mut self, query: &'static str) -> i64 {
        let count = sqlx::query_scalar(query).fetch_one(self.server()).await;
        count.expect("the query is one")
    }

    /// Changes something, in a file or on a server.
    pub(crate) async fn change(&mut self, statement: &'static str) {
        match self {
            Self::Sqlite(connection) => {
                // Whoever holds the file's lock may need this thread to let go of it.
                while let Err(error) = connection.execute_batch(statement) {
                    assert_eq!(
                        error.sqlite_error_code(),
                        Some(rusqlite::ErrorCode::DatabaseBusy),
                        "{error}"
                    );
                    tokio::task::yield_now().await;
                }
            }
            Self::Postgres(_) => self.run(statement).await,
        }
    }

    /// Changes something on a server.
    pub(crate) async fn run(&mut self, statement: &'static str) {
        self.server().execute(statement).await.expect("done");
    }

    /// How many spans of a thousand the index has, and how often some of them were put together.
    pub(crate) async fn indexed(&mut self) -> (i64, i64) {
        const STATE: &str = "SELECT spans, merged FROM audit_index_end";
        match self {
            Self::Sqlite(connection) => connection
                .query_row(STATE, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .expect("one row"),
            Self::Postgres(connection) => sqlx::query_as(STATE)
                .fetch_one(connection)
                .await
                .expect("one row"),
        }
    }

    fn server(&mut self) -> &mut PgConnection {
        match self {
            Self::Postgres(connection) => connection,
            Self::Sqlite(_) => panic!("a file has no server"),
        }
    }

    /// The only entry's bytes.
    pub(crate) async fn only_leaf(&mut self) -> Vec<u8> {
        const LEAF: &str = "SELECT leaf FROM audit_entry";
        match self {
            Self::Sqlite(connection) => connection
                .query_row(LEAF, [], |row| row.get(0))
                .expect("one entry"),
            Self::Postgres(connection) => sqlx::query_scalar(LEAF)
                .fetch_one(connection)
                .await
                .expect("one entry"),
        }
    }
}
