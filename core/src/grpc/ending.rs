//! Bodies that end when the server stops, however long their other side is silent: an idle stream must not hold up a
//! stop.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;

use super::Error;
use crate::{error::status, id::RequestId};

/// Which way a body goes, and so how its end is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// From the caller: whoever reads it gets an error.
    In,
    /// To the caller: it ends with a status.
    Out,
}

/// A body that ends with STOPPING when nothing more comes and the server stops. What has come is passed on first.
struct Ending {
    inner: Body,
    way: Way,
    request_id: RequestId,
    stopping: CancellationToken,
    /// Made when there is something to wait for: most bodies are there at once.
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    over: bool,
}

/// The same body, which ends when the server stops.
pub(super) fn with_the_server(
    inner: Body,
    way: Way,
    request_id: RequestId,
    stopping: &CancellationToken,
) -> Body {
    if inner.is_end_stream() {
        return inner;
    }
    Body::new(Ending {
        inner,
        way,
        request_id,
        stopping: stopping.clone(),
        stopped: None,
        over: false,
    })
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let stopping = &this.stopping;
        let stopped = this
            .stopped
            .get_or_insert_with(|| Box::pin(stopping.clone().cancelled_owned()));
        ready!(stopped.as_mut().poll(context));
        this.over = true;
        Poll::Ready(Some(this.end()))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Ending {
    fn end(&self) -> Result<Frame<Bytes>, BoxError> {
        let status = status::from_error(&Error::Stopping, self.request_id);
        match self.way {
            Way::In => Err(status.into()),
            Way::Out => trailers(&status).map(Frame::trailers),
        }
    }
}

fn trailers(status: &Status) -> Result<HeaderMap, BoxError> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers)?;
    Ok(trailers)
}
