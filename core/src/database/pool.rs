//! The connections of a service. Each statement waits for one, and for its answer, with a bound.

use std::time::Duration;

use futures::{
    FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Any, AnyConnection, AnyPool, Describe, Either, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo},
};

use super::lease::Lease;

/// What a statement gives.
pub(super) type Step = Either<AnyQueryResult, AnyRow>;

/// The connections of a service: the executor of single statements. Each ends within seconds, with an error where the
/// database is silent.
#[derive(Clone, Debug)]
pub struct Pool {
    connections: AnyPool,
    limit: Duration,
}

impl Pool {
    pub(super) const fn new(connections: AnyPool, limit: Duration) -> Self {
        Self { connections, limit }
    }

    pub(super) async fn lease(&self) -> Result<Lease, sqlx::Error> {
        Ok(Lease::new(self.connections.acquire().await?, self.limit))
    }

    pub(super) async fn close(&self) {
        self.connections.close().await;
    }
}

/// All steps at once: a stream that its reader leaves half-read would leave the connection in the middle of an answer.
pub(super) async fn all_steps<'q, E>(
    connection: &mut AnyConnection,
    query: E,
) -> Result<Vec<Step>, sqlx::Error>
where
    E: 'q + Execute<'q, Any>,
{
    connection.fetch_many(query).try_collect().await
}

/// Steps that were collected, as the stream that an executor gives.
pub(super) fn as_stream<'e>(
    steps: impl Future<Output = Result<Vec<Step>, sqlx::Error>> + Send + 'e,
) -> BoxStream<'e, Result<Step, sqlx::Error>> {
    steps
        .map_ok(|steps| stream::iter(steps.into_iter().map(Ok)))
        .try_flatten_stream()
        .boxed()
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        as_stream(async move {
            let mut lease = self.lease().await?;
            lease
                .ask(async |connection| all_steps(connection, query).await)
                .await
        })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        async move {
            let mut lease = self.lease().await?;
            lease
                .ask(async |connection| connection.fetch_optional(query).await)
                .await
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        async move {
            let mut lease = self.lease().await?;
            lease
                .ask(async |connection| connection.prepare_with(sql, parameters).await)
                .await
        }
        .boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, sqlx::Error>>
    where
        'p: 'e,
    {
        async move {
            let mut lease = self.lease().await?;
            lease.ask(async |connection| connection.describe(sql).await).await
        }
        .boxed()
    }
}
