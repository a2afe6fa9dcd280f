//! A stream of events as it goes over the wire, and the three ways in which it ends.

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
pub(super) type Responses = Pin<Box<dyn Stream<Item = Result<StreamEventsResponse, Status>> + Send>>;

type Tail = Pin<Box<dyn Stream<Item = Result<Tailed, crate::Error>> + Send>>;

/// A stream that is open.
pub(super) struct Open {
    pub(super) tail: Tail,
    pub(super) context: Context,
    pub(super) clock: SharedClock,
    /// When the handle's time is over; operators have no handle.
    pub(super) until: Option<Tick>,
    /// Ends when the handle no longer opens the log; never for operators.
    pub(super) lost: BoxFuture<'static, Error>,
    pub(super) stopping: CancellationToken,
}

/// The stream: every event, and at the end one error that says why it ended.
pub(super) fn responses(open: Open) -> Responses {
    Box::pin(stream::unfold(Some(open), |open| async move {
        let mut open = open?;
        match open.next().await {
            Ok(tailed) => Some((Ok(response(tailed)), Some(open))),
            Err(error) => Some((Err(open.context.refuse(&error)), None)),
        }
    }))
}

impl Open {
    async fn next(&mut self) -> Result<Tailed, Error> {
        let handle_over = async {
            match self.until {
                Some(until) => self.clock.sleep_until(until).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Err(Error::Stopping),
            () = handle_over => Err(Error::HandleOver),
            error = &mut self.lost => Err(error),
            tailed = self.tail.next() => match tailed {
                Some(tailed) => Ok(tailed?),
                // The log was stopped under it.
                None => Err(Error::Stopping),
            },
        }
    }
}

fn response(tailed: Tailed) -> StreamEventsResponse {
    let message = match tailed {
        Tailed::Event(event) => Message::Event(*event),
        Tailed::Reached(position) => Message::ReachedPosition(position.get()),
    };
    StreamEventsResponse {
        message: Some(message),
    }
}
