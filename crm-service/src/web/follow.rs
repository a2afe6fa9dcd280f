//! Entries as they come, by Server-Sent Events (the HTML standard, 9.2).
//!
//! Each message carries the position that it reaches as its id, which a browser says when it comes again: so nothing is missed and
//! nothing comes twice, also over a restart. It is the stream of `AuditService`, read as fast as the browser reads, and it takes one
//! of the places for streams that its caller and all together have.

use std::{convert::Infallible, pin::Pin};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use futures::{Stream, StreamExt as _, future::BoxFuture, stream};
use hubkeep_core::{error::ServiceError as _, grpc::ShutOut};
use hubkeep_proto::audit::v1::{
    StreamEventsRequest, StreamEventsResponse, audit_service_server::AuditService as _,
    stream_events_response::Message,
};
use serde_json::{Value, json};
use tonic::Status;
use tonic_types::StatusExt as _;

use super::{
    Viewer,
    asked::{Asked, fault},
    method,
    refusal::Refusal,
    row::Row,
};

/// How long a browser waits before it comes again, in milliseconds.
const COMES_AGAIN_AFTER: u32 = 1_000;
const LAST_EVENT_ID: &str = "last-event-id";

pub(super) async fn events(State(viewer): State<Viewer>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match opened(&viewer, &parts).await {
        Ok(followed) => {
            let headers = [
                (header::CONTENT_TYPE, "text/event-stream"),
                // A proxy in between must not gather what comes.
                (header::HeaderName::from_static("x-accel-buffering"), "no"),
            ];
            (headers, Body::from_stream(messages(followed))).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

type Events = Pin<Box<dyn Stream<Item = Result<StreamEventsResponse, Status>> + Send>>;

/// What is followed, and when it ends whatever comes.
struct Followed {
    events: Events,
    shut_out: BoxFuture<'static, ShutOut>,
}

async fn opened(viewer: &Viewer, parts: &Parts) -> Result<Followed, Refusal> {
    let context = viewer.admitted(parts, method::STREAM).await?;
    let asked = Asked::of(&parts.uri);
    let faulty = |faults| Refusal::faulty(faults, &asked, &context);
    let filter = asked.filter().map_err(faulty)?;
    // Where it was, if it was here already; it says so beside what it asked first.
    let after = match last_seen(&parts.headers) {
        Some(last) => last.map_err(|given| faulty(vec![fault("after", &given)]))?,
        None => asked.position().map_err(faulty)?,
    };
    let stated = asked.first("after").is_some() || parts.headers.contains_key(LAST_EVENT_ID);
    let mut request = tonic::Request::new(StreamEventsRequest {
        after_position: after,
        from_now: !stated,
        filter: Some(filter),
    });
    request.extensions_mut().insert(context.clone());
    let stream = async {
        let opened = viewer.0.audit.stream_events(request).await;
        opened.map_err(|status| Refusal::told(&status, &asked, &context))
    };
    let events = viewer.in_time(&context, stream).await?.into_inner();
    let shut_out = viewer.0.front.shut_out(&context);
    Ok(Followed {
        events,
        shut_out: Box::pin(shut_out),
    })
}

/// The position that a browser has seen last, or what it says in place of one.
fn last_seen(headers: &HeaderMap) -> Option<Result<u64, String>> {
    let said = headers.get(LAST_EVENT_ID)?;
    let said = String::from_utf8_lossy(said.as_bytes()).into_owned();
    Some(said.parse().map_err(|_| said))
}

fn messages(followed: Followed) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let first = format!("retry: {COMES_AGAIN_AFTER}\n\n");
    let rest = stream::unfold(Some(followed), |followed| async {
        let mut followed = followed?;
        let next = tokio::select! {
            biased;
            ShutOut(error) = &mut followed.shut_out => {
                return Some((ended(error.reason().wire_name(), &error.public_message()), None));
            }
            next = followed.events.next() => next,
        };
        match next? {
            Ok(response) => Some((message(response), Some(followed))),
            Err(status) => {
                let details = status.get_error_details();
                let reason = details.error_info().map_or("", |info| info.reason.as_str());
                Some((ended(reason, status.message()), None))
            }
        }
    });
    let first = stream::once(async move { first });
    first.chain(rest).map(|message| Ok(Bytes::from(message)))
}

fn message(response: StreamEventsResponse) -> String {
    match response.message {
        Some(Message::Event(event)) => {
            let row = serde_json::to_value(Row::of(&event)).unwrap_or_default();
            named("entry", Some(event.position), &row)
        }
        Some(Message::ReachedPosition(position)) => named("reached", Some(position), &json!({})),
        // Followed is what comes, and what has come within minutes.
        Some(Message::Beginning(_)) | None => String::new(),
    }
}

/// The last message: why no more comes. It has no id, so that what was seen last stays that.
fn ended(reason: &str, why: &str) -> String {
    named("ended", None, &json!({ "reason": reason, "message": why }))
}

/// JSON has no line ends of its own: each message is one line of data.
fn named(name: &str, position: Option<u64>, data: &Value) -> String {
    let id = position
        .map(|position| format!("id: {position}\n"))
        .unwrap_or_default();
    format!("{id}event: {name}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use hubkeep_audit_log::{Entry, Event};

    use super::*;

    #[test]
    fn nothing_that_an_entry_says_begins_a_line() {
        let response = StreamEventsResponse {
            message: Some(Message::Event(Event {
                position: 7,
                entry: Some(Entry {
                    caller: "a\n\nid: 9\r\revent: ended".to_owned(),
                    ..Entry::default()
                }),
                ..Event::default()
            })),
        };
        let message = message(response);
        assert!(message.starts_with("id: 7\nevent: entry\ndata: {"), "{message}");
        assert!(message.ends_with("}\n\n"));
        assert_eq!(message.lines().count(), 4, "{message}");
        assert!(!message.contains('\r'));
    }
}
