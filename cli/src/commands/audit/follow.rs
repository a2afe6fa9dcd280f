//! Follows a log for ever: when the connection breaks, another is opened where the last one was.

use std::time::Duration;

use hubkeep_core::clock::SharedClock;
use hubkeep_proto::audit::v1::{
    Event, EventFilter, StreamEventsRequest, audit_service_client::AuditServiceClient,
    stream_events_response::Message,
};
use tokio::sync::mpsc;

use super::retention::begins;
use crate::{
    channel::Service,
    errors::Error,
    output::{FAINT, Output},
};

const SHORTEST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Where to begin.
#[derive(Clone, Debug)]
pub(crate) enum Beginning {
    /// With the first event after this position.
    After(u64),
    /// With what comes from now on.
    Now,
}

impl Beginning {
    const fn request(&self, filter: EventFilter) -> StreamEventsRequest {
        let (after_position, from_now) = match self {
            Self::After(position) => (*position, false),
            Self::Now => (0, true),
        };
        StreamEventsRequest {
            after_position,
            from_now,
            filter: Some(filter),
        }
    }
}

/// Sends every event of a service's log to `events`, until nobody takes them.
///
/// # Errors
/// If the first connection fails, or the service refuses for a reason that waiting does not mend.
pub(crate) async fn events(
    service: Service,
    filter: EventFilter,
    mut from: Beginning,
    clock: SharedClock,
    events: mpsc::Sender<Event>,
    output: Output,
) -> Result<(), Error> {
    let service = service.without_timeout();
    let mut wait = SHORTEST_WAIT;
    let mut ever_opened = false;
    loop {
        let mut opened = false;
        let ended = one_connection(&service, &filter, &mut from, &mut opened, (&events, &output)).await;
        ever_opened |= opened;
        match ended {
            Ok(Ended::NobodyListens) => return Ok(()),
            Ok(Ended::Closed) => {}
            Err(error) if ever_opened && error.may_pass() => {}
            Err(error) => return Err(error),
        }
        if opened {
            wait = SHORTEST_WAIT;
            output.note(&format!(
                "{FAINT}{}: connection lost, trying again{FAINT:#}",
                service.name()
            ))?;
        }
        clock.sleep(wait).await;
        wait = wait.saturating_mul(2).min(LONGEST_WAIT);
    }
}

enum Ended {
    /// The service closed the stream.
    Closed,
    /// Our own side is done.
    NobodyListens,
}

/// Opens a stream and reads it to its end, moving `from` along.
async fn one_connection(
    service: &Service,
    filter: &EventFilter,
    from: &mut Beginning,
    opened: &mut bool,
    (events, output): (&mpsc::Sender<Event>, &Output),
) -> Result<Ended, Error> {
    let mut client = AuditServiceClient::new(service.connection());
    let stream = client.stream_events(from.request(filter.clone())).await;
    let mut stream = stream.map_err(|status| service.ended(status))?.into_inner();
    *opened = true;
    loop {
        let next = stream.message().await.map_err(|status| service.ended(status))?;
        match next.map(|response| response.message) {
            None => return Ok(Ended::Closed),
            Some(None) => {}
            Some(Some(Message::Beginning(beginning))) => output.note(&begins(&beginning))?,
            Some(Some(Message::ReachedPosition(position))) => *from = Beginning::After(position),
            Some(Some(Message::Event(event))) => {
                *from = Beginning::After(event.position);
                if events.send(event).await.is_err() {
                    return Ok(Ended::NobodyListens);
                }
            }
        }
    }
}
