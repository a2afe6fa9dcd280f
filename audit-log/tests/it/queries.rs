//! Lists and streams over gRPC, by every filter.

use std::time::Duration;

use hubkeep_audit_log::{CallResult, Draft, Event, Operation, Outcome, Phase, Severity};
use hubkeep_core::error::ErrorReason;
use hubkeep_proto::audit::v1::{
    EventFilter, EventOrder, ListEventsRequest, StreamEventsRequest, stream_events_response::Message,
};

use crate::{
    served::{Served, asked, next, reason},
    support::{Place, call_id, entry, on_both_databases, portal},
};

on_both_databases! {
    a_handle_finds_what_it_asks_for_in_the_log_of_its_own_portal_only,
    the_newest_come_first_where_that_is_asked_for,
    a_stream_gives_only_what_passes_its_filter,
    a_record_is_no_filter_where_no_entry_is_about_records,
}

const RECORD: [u8; 16] = [7; 16];

/// For each of two portals a call that was done, one that failed and one that was refused, ten seconds apart from each other.
async fn three_calls_each(served: &Served) {
    for outcome in [
        Outcome {
            record_refs: RECORD.to_vec(),
            ..Outcome::ok()
        },
        Outcome::failed(ErrorReason::Internal),
    ] {
        for number in [1, 2] {
            let draft = draft(number);
            let intent = served.log.intent(draft).await.expect("durable");
            intent.settle(outcome.clone()).await.expect("durable");
        }
        served.clock.advance(Duration::from_secs(10));
    }
    for number in [1, 2] {
        let outcome = Outcome::refused(ErrorReason::PortalMismatch);
        served.log.denied(draft(number), outcome).await.expect("durable");
    }
}

fn draft(number: u64) -> Draft {
    Draft::portal(&portal(number), Operation::ObjectGet, call_id())
        .caller(&"nightly-sync".parse().expect("a name"))
        .object("contacts", None)
        .http("GET", "/crm/objects/2026-09/contacts/{id}", 0)
        .attempt(1)
}

fn of_one() -> EventFilter {
    EventFilter {
        client_slug: "client-1".to_owned(),
        caller: "nightly-sync".to_owned(),
        ..EventFilter::default()
    }
}

async fn listed(served: &Served, filter: EventFilter) -> Vec<Event> {
    let request = ListEventsRequest {
        filter: Some(filter),
        ..ListEventsRequest::default()
    };
    let handle = Some(served.handle.as_str());
    let (events, next) = served.list("agent", handle, request).await.expect("listed");
    assert_eq!(next, "");
    assert!(events.iter().all(|event| event.log == "test/crm-service/1"));
    events
}

async fn a_handle_finds_what_it_asks_for_in_the_log_of_its_own_portal_only(place: Place) {
    let served = Served::start(place).await;
    three_calls_each(&served).await;
    let all = listed(&served, of_one()).await;
    assert_eq!(all.len(), 5);

    let failed = EventFilter {
        results: vec![CallResult::Failed.into(), CallResult::Unknown.into()],
        ..of_one()
    };
    let failed = listed(&served, failed).await;
    assert_eq!(failed.len(), 1);
    assert_eq!(entry(&failed[0]).result(), CallResult::Failed);

    let severe = EventFilter {
        min_severity: Severity::High.into(),
        ..of_one()
    };
    let severe = listed(&served, severe).await;
    assert_eq!(severe.len(), 1);
    assert_eq!(entry(&severe[0]).phase(), Phase::Denied);

    let first = entry(&all[0]).entry_time;
    let second = entry(&failed[0]).entry_time;
    assert_ne!(first, second);
    let before = EventFilter {
        end_time: second,
        ..of_one()
    };
    assert_eq!(listed(&served, before).await, all[..2]);
    let between = EventFilter {
        start_time: second,
        end_time: entry(&severe[0]).entry_time,
        ..of_one()
    };
    assert_eq!(listed(&served, between).await, all[2..4]);

    let record = EventFilter {
        object_ref: hex::encode(RECORD),
        ..of_one()
    };
    assert_eq!(listed(&served, record).await, all[1..2]);
    let of_type = |object_type: &str| EventFilter {
        object_type: object_type.to_owned(),
        ..of_one()
    };
    assert_eq!(listed(&served, of_type("contacts")).await, all);
    assert_eq!(listed(&served, of_type("deals")).await, []);
}

async fn the_newest_come_first_where_that_is_asked_for(place: Place) {
    let served = Served::start(place).await;
    three_calls_each(&served).await;
    let mut oldest_first = listed(&served, of_one()).await;
    oldest_first.reverse();
    let (mut newest_first, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListEventsRequest {
            filter: Some(of_one()),
            page_size: 2,
            page_token,
            order: EventOrder::NewestFirst.into(),
            after_position: 1,
            ..ListEventsRequest::default()
        };
        let listed = served.list("operator/ann", None, request.clone()).await;
        let (events, next) = listed.expect("listed");
        assert!(events.len() <= 2);
        newest_first.extend(events);
        if next.is_empty() {
            break;
        }
        page_token = next;
        // What comes meanwhile is on no page, and a token is for its own order only.
        served
            .log
            .denied(draft(1), Outcome::refused(ErrorReason::Internal))
            .await
            .expect("durable");
        let other = ListEventsRequest {
            page_token: page_token.clone(),
            order: EventOrder::OldestFirst.into(),
            ..request
        };
        let refused = served
            .list("operator/ann", None, other)
            .await
            .expect_err("refused");
        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
    }
    oldest_first.pop();
    assert_eq!(
        newest_first, oldest_first,
        "all but the first, which is not after itself"
    );
}

async fn a_stream_gives_only_what_passes_its_filter(place: Place) {
    let served = Served::start(place).await;
    three_calls_each(&served).await;
    let all = listed(&served, of_one()).await;
    let request = StreamEventsRequest {
        filter: Some(EventFilter {
            min_severity: Severity::Low.into(),
            start_time: entry(&all[2]).entry_time,
            ..of_one()
        }),
        ..StreamEventsRequest::default()
    };
    let mut client = served.client.clone();
    let opened = client
        .stream_events(asked("agent", Some(&served.handle), request))
        .await;
    let mut stream = opened.expect("opened").into_inner();
    for expected in [&all[3], &all[4]] {
        match next(&mut stream).await.expect("an event") {
            Message::Event(event) => assert_eq!(event, *expected),
            other => panic!("two are of the past, not {other:?}"),
        }
    }
    assert!(matches!(next(&mut stream).await, Ok(Message::ReachedPosition(_))));
    let intent = served.log.intent(draft(1)).await.expect("durable");
    let failed = Outcome::failed(ErrorReason::Internal);
    let position = intent.settle(failed).await.expect("durable").get();
    match next(&mut stream).await.expect("an event") {
        Message::Event(event) => assert_eq!(event.position, position, "the intent was left out"),
        other => panic!("no silence yet: {other:?}"),
    }
}

async fn a_record_is_no_filter_where_no_entry_is_about_records(place: Place) {
    let served = Served::start(place).await;
    three_calls_each(&served).await;
    let by_id = |slug: &str| ListEventsRequest {
        filter: Some(EventFilter {
            client_slug: slug.to_owned(),
            object_type: "contacts".to_owned(),
            object_id: "101".to_owned(),
            ..EventFilter::default()
        }),
        ..ListEventsRequest::default()
    };
    let handle = Some(served.handle.as_str());
    for (reader, handle, slug, expected) in [
        ("agent", handle, "client-1", "ask crm-service"),
        ("operator/ann", None, "client-2", "ask crm-service"),
        ("operator/ann", None, "client-9", "no entry of a portal"),
    ] {
        let refused = served
            .list(reader, handle, by_id(slug))
            .await
            .expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD");
        assert!(refused.message().contains(expected), "{}", refused.message());
    }
}
