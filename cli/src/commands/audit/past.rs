//! Reads the past of a log: everything up to where it ends now.

use std::collections::{BTreeMap, VecDeque};

use hubkeep_proto::audit::v1::{
    Beginning, Event, EventFilter, EventOrder, ListEventsRequest, audit_service_client::AuditServiceClient,
};

use crate::{channel::Service, errors::Error};

/// Events in one answer: well below the 4 MiB that one may have.
const PAGE: i32 = 500;

/// Which part of the past.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The oldest, so many.
    First(usize),
    /// The newest, so many.
    Last(usize),
}

/// What was found.
#[derive(Debug)]
pub(super) struct Past {
    /// In order of position.
    pub(super) events: Vec<Event>,
    /// Whether there are others after these.
    pub(super) more: bool,
    /// The logs of which entries are gone that might be among these.
    pub(super) beginnings: Vec<Beginning>,
}

/// The events after a position that are there now, in order of position: of all these, this part.
///
/// # Errors
/// If the service refuses or is not reached.
pub(super) async fn events(
    service: &Service,
    filter: EventFilter,
    after: u64,
    part: Part,
) -> Result<Past, Error> {
    let (limit, order) = match part {
        Part::First(limit) => (limit, EventOrder::OldestFirst),
        Part::Last(limit) => (limit, EventOrder::NewestFirst),
    };
    let mut client = AuditServiceClient::new(service.connection());
    let mut request = ListEventsRequest {
        filter: Some(filter),
        order: order.into(),
        after_position: after,
        ..ListEventsRequest::default()
    };
    let (mut events, mut beginnings) = (Vec::new(), BTreeMap::new());
    let more = loop {
        let left = limit.saturating_sub(events.len());
        if left == 0 {
            break true;
        }
        request.page_size = i32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let page = client.list_events(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        events.extend(page.events);
        let told = page.beginnings.into_iter();
        beginnings.extend(told.map(|beginning| (beginning.log.clone(), beginning)));
        if page.next_page_token.is_empty() {
            break false;
        }
        request.page_token = page.next_page_token;
    };
    if let Part::Last(_) = part {
        events.reverse();
    }
    Ok(Past {
        events,
        more,
        beginnings: beginnings.into_values().collect(),
    })
}

/// The events of several logs as one: each log in its own order, whatever the clock did meanwhile, and of their next
/// ones the older first.
pub(super) fn merged(logs: impl Iterator<Item = Vec<Event>>) -> Vec<Event> {
    let mut logs: Vec<_> = logs.map(VecDeque::from).collect();
    let mut merged = Vec::new();
    loop {
        let next = logs
            .iter_mut()
            .filter(|log| !log.is_empty())
            .min_by_key(|log| log.front().map(time));
        match next.and_then(VecDeque::pop_front) {
            Some(event) => merged.push(event),
            None => return merged,
        }
    }
}

fn time(event: &Event) -> (i64, i32) {
    let time = event.entry.as_ref().and_then(|entry| entry.entry_time);
    time.map_or((0, 0), |time| (time.seconds, time.nanos))
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::audit::v1::Entry;

    use super::*;

    fn log(times: &[i64]) -> Vec<Event> {
        let event = |(position, seconds): (u64, &i64)| Event {
            position,
            entry: Some(Entry {
                entry_time: Some(prost_types::Timestamp {
                    seconds: *seconds,
                    nanos: 0,
                }),
                ..Entry::default()
            }),
            ..Event::default()
        };
        (1..).zip(times).map(event).collect()
    }

    #[test]
    fn each_log_keeps_its_order_when_the_clock_was_set_back() {
        let merged = merged([log(&[10, 40, 20]), log(&[15, 30])].into_iter());
        let told: Vec<_> = merged
            .iter()
            .map(|event| (time(event).0, event.position))
            .collect();
        assert_eq!(told, [(10, 1), (15, 1), (30, 2), (40, 2), (20, 3)]);
    }
}
