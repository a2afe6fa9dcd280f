//! What every import has in common: rows in, outcomes out, both as streams.

use std::{future::Future, pin::Pin, sync::Arc};

use futures::{Stream, TryStreamExt as _, future};
use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::Context;
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, Error};
use crate::portals::ROWS_AT_ONCE;

/// An outcome for each row, in the order in which they are ready.
pub(super) type Outcomes<O> = Pin<Box<dyn Stream<Item = Result<O, Status>> + Send>>;

/// A row as it was read: what it asks for, or why it asks for nothing that can be done.
pub(super) struct Row<W> {
    pub(super) number: u32,
    pub(super) client_slug: String,
    pub(super) wish: Result<W, Error>,
}

/// One sort of import.
pub(super) trait Import: Send + Sync + 'static {
    /// A row on the wire.
    type Request: Send + 'static;
    /// What a row asks for.
    type Wish: Send + 'static;
    /// What was done for it.
    type Done: Send + 'static;
    /// An outcome on the wire.
    type Response: Send + 'static;

    /// Reads a row. Rows are read in order, before any is worked on: which of two equal rows is the first must not be a
    /// matter of luck.
    fn read(&self, request: Self::Request) -> Row<Self::Wish>;

    /// Does what a row asks for, and records it.
    fn work(&self, wish: Result<Self::Wish, Error>)
    -> impl Future<Output = Result<Self::Done, Error>> + Send;

    /// The outcome of a row.
    fn answer(row: u32, client_slug: String, result: Result<Self::Done, Error>) -> Self::Response;
}

/// Works on each row as it comes. A row that is refused refuses itself only; the stream ends when the rows do.
///
/// The import leaves one entry when it begins, and each row one of its own.
pub(super) async fn import<I: Import>(
    desk: &Desk,
    operation: Operation,
    request: Request<Streaming<I::Request>>,
    import: impl FnOnce(Context) -> I,
) -> Result<Response<Outcomes<I::Response>>, Status> {
    let context = Context::of(&request)?;
    let opened = desk.answer(request, operation, |_act, rows| future::ready(Ok(rows)));
    let rows = opened.await?.into_inner();
    let import = Arc::new(import(context.clone()));
    let reading = Arc::clone(&import);
    let outcomes = rows
        .map_err(move |broken| context.complete(&broken))
        .map_ok(move |row| reading.read(row))
        .map_ok(move |row| outcome(Arc::clone(&import), row))
        .try_buffer_unordered(ROWS_AT_ONCE);
    Ok(Response::new(Box::pin(outcomes)))
}

/// In a task of its own, so that a client which hangs up does not cut a row in half.
async fn outcome<I: Import>(import: Arc<I>, row: Row<I::Wish>) -> Result<I::Response, Status> {
    let task = tokio::spawn(async move { import.work(row.wish).await });
    let result = task.await.map_err(Error::from).flatten();
    Ok(I::answer(row.number, row.client_slug, result))
}
