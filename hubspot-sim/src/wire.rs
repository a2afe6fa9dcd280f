//! How an answer goes onto the wire: whole, cut short, slowly, padded, or without end.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderValue, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

use crate::clock;
use crate::reply::Reply;

/// The connection is to be cut, here and now.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection is cut on purpose")]
pub(crate) struct Cut;

/// The body of an answer on its way out.
pub(crate) type WireBody = UnsyncBoxBody<Bytes, Cut>;

/// How the body of an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As it should.
    Whole,
    /// In the middle, with the connection.
    CutInBody,
    /// Not at all: spaces follow, for ever.
    Never,
    /// As it should, after so many spaces.
    Padded { bytes: u64 },
    /// As it should, with a pause after each byte.
    Drip { ms: u64 },
}

/// Long enough for what is already written to leave before the connection goes.
const FLUSH: Duration = Duration::from_millis(20);
const PADDING: &[u8] = &[b' '; 16 * 1024];
const PADDING_PAUSE: Duration = Duration::from_millis(2);

/// The answer as hyper sends it.
pub(crate) fn response(reply: Reply, ending: Ending) -> Response<WireBody> {
    let Reply {
        status,
        mut headers,
        body,
    } = reply;
    if let Ok(server) = HeaderValue::from_str("hubspot-sim") {
        headers.insert(http::header::SERVER, server);
    }
    let mut response = Response::new(match ending {
        Ending::Whole => Full::new(body)
            .map_err(|never: Infallible| match never {})
            .boxed_unsync(),
        Ending::CutInBody => cut_in_half(body),
        Ending::Never => without_end(body),
        Ending::Padded { bytes } => padded(body, bytes),
        Ending::Drip { ms } => drip(body, Duration::from_millis(ms)),
    });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn cut_in_half(body: Bytes) -> WireBody {
    let half = body.slice(..body.len() / 2);
    let first = stream::once(async move { Ok(Frame::data(half)) });
    let cut = stream::once(async {
        clock::sleep(FLUSH).await;
        Err(Cut)
    });
    StreamBody::new(first.chain(cut)).boxed_unsync()
}

fn padded(body: Bytes, bytes: u64) -> WireBody {
    let spaces = stream::unfold(bytes, |left| async move {
        let next = usize::try_from(left).unwrap_or(usize::MAX).min(PADDING.len());
        let padding = Bytes::from_static(PADDING).slice(..next);
        let taken = u64::try_from(next).unwrap_or(left);
        (next > 0).then_some((Ok(Frame::data(padding)), left.saturating_sub(taken)))
    });
    let last = stream::once(async move { Ok(Frame::data(body)) });
    StreamBody::new(spaces.chain(last)).boxed_unsync()
}

fn drip(body: Bytes, pause: Duration) -> WireBody {
    let drops = stream::unfold(body, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        let drop = left.split_to(1);
        clock::sleep(pause).await;
        Some((Ok(Frame::data(drop)), left))
    });
    StreamBody::new(drops).boxed_unsync()
}

fn without_end(body: Bytes) -> WireBody {
    let first = stream::once(async move { Ok(Frame::data(body)) });
    let padding = stream::unfold((), |()| async {
        clock::sleep(PADDING_PAUSE).await;
        Some((Ok(Frame::data(Bytes::from_static(PADDING))), ()))
    });
    StreamBody::new(first.chain(padding)).boxed_unsync()
}
