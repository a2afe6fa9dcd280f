//! Bodies that end when the server stops, or their caller is contained, however long their other side is silent: an idle
//! stream must not hold up a stop, and what was opened before a containment must not outlast it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{Error, Holds, tools::Tools};
use crate::{
    clock::SharedClock,
    error::status,
    id::{CallerName, RequestId},
};

/// Which way a body goes, and so how its end is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// From the caller: whoever reads it gets an error.
    In,
    /// To the caller: it ends with a status.
    Out,
}

/// What ends a body.
enum End {
    Stopping(CancellationToken),
    /// Of one who acts by its own authority, with a clock: then it ends also when nobody knows who is contained.
    Contained(Holds, CallerName, Option<SharedClock>),
}

impl End {
    /// Whether nothing more is passed on, though there is something.
    fn is_now(&self) -> bool {
        match self {
            // What has come is passed on first.
            Self::Stopping(_) => false,
            Self::Contained(holds, caller, clock) => {
                let stale = |clock: &SharedClock| holds.are_stale(clock.tick());
                holds.has(caller) || clock.as_ref().is_some_and(stale)
            }
        }
    }

    fn reached(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self {
            Self::Stopping(stopping) => Box::pin(stopping.clone().cancelled_owned()),
            Self::Contained(holds, caller, clock) => {
                let contained = holds.clone().reach(caller.clone());
                let Some(clock) = clock.clone() else {
                    return Box::pin(contained);
                };
                let stale = holds.clone().go_stale(clock);
                Box::pin(async {
                    tokio::select! {
                        () = contained => {}
                        () = stale => {}
                    }
                })
            }
        }
    }

    fn error(&self) -> Error {
        match self {
            Self::Stopping(_) => Error::Stopping,
            Self::Contained(holds, caller, _) if holds.has(caller) => Error::Contained(caller.clone()),
            Self::Contained(..) => Error::HoldsUnknown,
        }
    }
}

/// A body that ends with an error of ours when its end is reached.
struct Ending {
    inner: Body,
    way: Way,
    request_id: RequestId,
    end: End,
    /// Made when there is something to wait for: most bodies are there at once.
    reached: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    over: bool,
}

/// The same body, which ends with STOPPING when nothing more comes and the server stops.
pub(super) fn with_the_server(
    inner: Body,
    way: Way,
    request_id: RequestId,
    stopping: &CancellationToken,
) -> Body {
    ending(inner, way, request_id, || End::Stopping(stopping.clone()))
}

/// The same answer, which ends with CALLER_CONTAINED as soon as its caller is contained; and, of one who acts by its own
/// authority, as soon as nobody knows whether it is.
pub(super) fn with_the_caller(inner: Body, request_id: RequestId, tools: &Tools, caller: CallerName) -> Body {
    ending(inner, Way::Out, request_id, || {
        let by_itself = tools.access.acts_by_itself(&caller);
        let clock = by_itself.then(|| tools.clock.clone());
        End::Contained(tools.holds.clone(), caller, clock)
    })
}

fn ending(inner: Body, way: Way, request_id: RequestId, end: impl FnOnce() -> End) -> Body {
    if inner.is_end_stream() {
        return inner;
    }
    Body::new(Ending {
        inner,
        way,
        request_id,
        end: end(),
        reached: None,
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
        if !this.end.is_now() {
            if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
                return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
            }
            let end = &this.end;
            let reached = this.reached.get_or_insert_with(|| end.reached());
            ready!(reached.as_mut().poll(context));
        }
        this.over = true;
        // Whoever makes what is passed on stops making it.
        this.inner = Body::empty();
        Poll::Ready(Some(this.told()))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Ending {
    fn told(&self) -> Result<Frame<Bytes>, BoxError> {
        let status = status::from_error(&self.end.error(), self.request_id);
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
