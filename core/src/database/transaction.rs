//! Several statements that happen together or not at all.

use futures::{FutureExt as _, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, Describe, Execute, Executor, SqlStr,
    any::{AnyRow, AnyStatement, AnyTypeInfo},
};

use super::{
    Error,
    lease::Lease,
    pool::{Step, all_steps, as_stream},
};

/// A transaction. Dropped, it is undone.
#[derive(Debug)]
pub struct Transaction {
    lease: Lease,
}

impl Transaction {
    pub(super) async fn begin(mut lease: Lease, statement: &'static str) -> Result<Self, sqlx::Error> {
        lease
            .ask(async |connection| connection.execute(statement).await)
            .await?;
        lease.set_open(true);
        Ok(Self { lease })
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
