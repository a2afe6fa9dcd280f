//! Several statements that happen together or not at all.

use aws_lc_rs::digest;
use futures::{FutureExt as _, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, Describe, Execute, Executor, SqlStr,
    any::{AnyRow, AnyStatement, AnyTypeInfo},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Error, Kind, Manner,
    lease::Lease,
    pool::{Step, all_steps, as_stream},
};

/// A transaction. Dropped, it is undone.
#[derive(Debug)]
pub struct Transaction {
    lease: Lease,
    kind: Kind,
    /// The turn of this transaction, where one writes at a time. Given back last.
    _turn: Option<OwnedSemaphorePermit>,
}

impl Transaction {
    pub(super) async fn begin(
        mut lease: Lease,
        manner: Manner,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Self, sqlx::Error> {
        let statement = manner.begin;
        lease
            .ask(async |connection| connection.execute(statement).await)
            .await?;
        lease.set_open(true);
        let kind = manner.kind;
        Ok(Self {
            lease,
            kind,
            _turn: turn,
        })
    }

    /// Waits until no other transaction holds the lock of this name, and holds it to the end: what is read from now on
    /// stays true among those who take the same lock. On SQLite every transaction that writes is alone already.
    ///
    /// # Errors
    /// If another holds it for too long, or the database does not answer.
    pub async fn lock(&mut self, name: &str) -> Result<(), Error> {
        if self.kind == Kind::Postgres {
            let key = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(key_of(name));
            key.execute(self).await?;
        }
        Ok(())
    }

    /// Takes the lock of this name to the end of the transaction, if nobody holds it; waits for nobody. On SQLite, where
    /// every transaction that writes is alone, it is always had.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn try_lock(&mut self, name: &str) -> Result<bool, Error> {
        if self.kind != Kind::Postgres {
            return Ok(true);
        }
        let key = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(key_of(name));
        Ok(key.fetch_one(self).await?)
    }

    /// The same among those who share the lock: they wait only for who [holds it alone](Self::lock), and who wants it alone
    /// waits for all of them.
    ///
    /// # Errors
    /// As [`Transaction::lock`].
    pub async fn lock_shared(&mut self, name: &str) -> Result<(), Error> {
        if self.kind == Kind::Postgres {
            let key = sqlx::query("SELECT pg_advisory_xact_lock_shared($1)").bind(key_of(name));
            key.execute(self).await?;
        }
        Ok(())
    }

    /// Wakes who listens on this channel in other replicas, when this transaction is committed. It makes commits of
    /// such transactions wait for each other, so it is for what is rare.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn notify(&mut self, channel: &'static str) -> Result<(), Error> {
        if self.kind == Kind::Postgres {
            let notice = sqlx::query("SELECT pg_notify($1, '')").bind(channel);
            notice.execute(self).await?;
        }
        Ok(())
    }

    /// Makes it all true, on disk when this returns. An error says that this is not known, not that it is not so.
    ///
    /// # Errors
    /// If the database refuses, or does not answer.
    pub async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Undoes it all.
    ///
    /// # Errors
    /// If the database does not answer. Nothing is true then either.
    pub async fn rollback(self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), Error> {
        self.lease
            .ask(async |connection| connection.execute(statement).await)
            .await?;
        self.lease.set_open(false);
        Ok(())
    }
}

/// PostgreSQL names such locks by a number.
fn key_of(name: &str) -> i64 {
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    i64::from_be_bytes(hash.as_ref().first_chunk().copied().unwrap_or_default())
}

impl<'t> Executor<'t> for &'t mut Transaction {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step, sqlx::Error>>
    where
        't: 'e,
        E: 'q + Execute<'q, Any>,
    {
        as_stream(
            self.lease
                .ask(async |connection| all_steps(connection, query).await),
        )
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        't: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.lease
            .ask(async |connection| connection.fetch_optional(query).await)
            .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        't: 'e,
    {
        self.lease
            .ask(async |connection| connection.prepare_with(sql, parameters).await)
            .boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, sqlx::Error>>
    where
        't: 'e,
    {
        self.lease
            .ask(async |connection| connection.describe(sql).await)
            .boxed()
    }
}
