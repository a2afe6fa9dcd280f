//! A stream as it goes over the wire, and the ways in which it ends.

use std::pin::Pin;

use futures::{Stream, StreamExt as _, future, future::BoxFuture, stream};
use hubkeep_core::{
    clock::{SharedClock, Tick},
    grpc::Context,
};
use hubkeep_proto::audit::v1::{StreamEventsResponse, stream_events_response::Message};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::error::Error;
use crate::Tailed;

/// What goes over the wire.
pub(super) type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A stream that is open.
pub(super) struct Open<T> {
    /// What it gives.
    pub(super) source: Pin<Box<dyn Stream<Item = Result<T, crate::Error>> + Send>>,
    /// Whether it is never whole.
    pub(super) endless: bool,
    pub(super) context: Context,
    pub(super) clock: SharedClock,
    /// When the handle's time is over; operators have no handle.
    pub(super) until: Option<Tick>,
    /// Ends when the handle no longer opens the log; never for operators.
    pub(super) lost: BoxFuture<'static, Error>,
    pub(super) stopping: CancellationToken,
}

/// How the source ends a stream.
enum Ended {
    /// Everything was given.
    Whole,
    Error(Error),
}

/// The stream: everything that the source gives, and an error that says why, where it ended before.
pub(super) fn responses<T: Send + 'static>(open: Open<T>) -> Responses<T> {
    Box::pin(stream::unfold(Some(open), |open| async move {
        let mut open = open?;
        match open.next().await {
            Ok(given) => Some((Ok(given), Some(open))),
            Err(Ended::Whole) => None,
            Err(Ended::Error(error)) => Some((Err(open.context.refuse(&error)), None)),
        }
    }))
}

impl<T> Open<T> {
    async fn next(&mut self) -> Result<T, Ended> {
        let handle_over = async {
            match self.until {
                Some(until) => self.clock.sleep_until(until).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Err(Ended::Error(Error::Stopping)),
            () = handle_over => Err(Ended::Error(Error::HandleOver)),
            error = &mut self.lost => Err(Ended::Error(error)),
            given = self.source.next() => match given {
                Some(Ok(given)) => Ok(given),
                Some(Err(error)) => Err(Ended::Error(error.into())),
                // The log was stopped under it.
                None if self.endless => Err(Ended::Error(Error::Stopping)),
                None => Err(Ended::Whole),
            },
        }
    }
}

/// An event, or a place, as it goes over the wire.
pub(super) fn response(tailed: Tailed) -> StreamEventsResponse {
    let message = match tailed {
        Tailed::Event(event) => Message::Event(*event),
        Tailed::Begins(beginning) => Message::Beginning((*beginning).into()),
        Tailed::Reached(position) => Message::ReachedPosition(position.get()),
    };
    StreamEventsResponse {
        message: Some(message),
    }
}
