//! Readers over gRPC.

use std::time::Duration;

use hubkeep_audit_log::{Draft, Operation, Outcome, Phase};
use hubkeep_core::{handle_token::HandleToken, random::SystemRandom};
use hubkeep_proto::audit::v1::{
    EventFilter, ListEventsRequest, StreamEventsRequest, stream_events_response::Message,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::{
    served::{Served, asked, next, of_client, reason},
    support::{Place, call_id, entry, on_both_databases, portal},
};

on_both_databases! {
    an_operator_pages_through_everything,
    a_handle_reads_the_log_of_its_own_portal_and_nothing_else,
    bad_requests_are_refused_by_name_and_on_record,
    a_stream_goes_from_history_to_now_and_ends_with_its_handle,
    a_stream_begins_where_it_is_told_and_ends_when_the_service_stops,
}

async fn an_operator_pages_through_everything(place: Place) {
    let served = Served::start(place).await;
    served.record(10).await;
    let (mut positions, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListEventsRequest {
            page_size: 8,
            page_token,
            filter: Some(EventFilter {
                phases: vec![Phase::Intent.into(), Phase::Outcome.into()],
                ..EventFilter::default()
            }),
            ..ListEventsRequest::default()
        };
        let (events, next) = served.list("operator/ann", None, request).await.expect("listed");
        assert!(events.len() <= 8);
        positions.extend(events.iter().map(|event| entry(event).entry_id.clone()));
        page_token = next;
        if page_token.is_empty() {
            break;
        }
    }
    positions.sort();
    positions.dedup();
    assert_eq!(positions.len(), 20);
    let (log, newest) = served.newest().await;
    assert_eq!(log, "test/crm-service/system");
    assert_eq!(
        (newest.phase(), newest.operation()),
        (Phase::Admin, Operation::AuditList)
    );
    assert_eq!(newest.caller, "operator/ann");
}

async fn a_handle_reads_the_log_of_its_own_portal_and_nothing_else(place: Place) {
    let served = Served::start(place).await;
    served.record(10).await;
    let claimed = Draft::system(Operation::PortalGet, call_id()).claimed_slug(portal(1).client_slug());
    served.log.admin(claimed, Outcome::ok()).await.expect("durable");
    let request = |slug: &str| ListEventsRequest {
        filter: of_client(slug),
        ..ListEventsRequest::default()
    };
    let handle = Some(served.handle.as_str());
    let (events, _) = served
        .list("agent", handle, request("client-1"))
        .await
        .expect("listed");
    assert!(events.iter().all(|event| event.log == "test/crm-service/1"));
    assert_eq!(events.len(), 11, "ten of the calls, and this reading itself");
    let (log, newest) = served.newest().await;
    assert_eq!(
        (log.as_str(), newest.operation()),
        ("test/crm-service/1", Operation::AuditList)
    );

    let mismatch = served
        .list("agent", handle, request("client-2"))
        .await
        .expect_err("refused");
    assert_eq!(reason(&mismatch), "PORTAL_MISMATCH");
    let (log, newest) = served.newest().await;
    assert_eq!(
        (log.as_str(), newest.phase()),
        ("test/crm-service/system", Phase::Denied)
    );
}

async fn bad_requests_are_refused_by_name_and_on_record(place: Place) {
    let served = Served::start(place).await;
    let other = HandleToken::make(&*SystemRandom::shared()).expect("random");
    let list = |filter: Option<EventFilter>, page_size, page_token: &str| ListEventsRequest {
        filter,
        page_size,
        page_token: page_token.to_owned(),
        ..ListEventsRequest::default()
    };
    let by_id = EventFilter {
        call_id: "7".to_owned(),
        ..EventFilter::default()
    };
    let good = || of_client("client-1");
    let known = Some(served.handle.as_str());
    let table = [
        (
            "agent",
            None,
            list(good(), 0, ""),
            Code::Unauthenticated,
            "HANDLE_MALFORMED",
        ),
        (
            "agent",
            Some("hk1_cut"),
            list(good(), 0, ""),
            Code::Unauthenticated,
            "HANDLE_MALFORMED",
        ),
        (
            "agent",
            Some(other.expose()),
            list(good(), 0, ""),
            Code::Unauthenticated,
            "HANDLE_INVALID",
        ),
        (
            "agent",
            known,
            list(None, 0, ""),
            Code::InvalidArgument,
            "INVALID_FIELD",
        ),
        (
            "agent",
            known,
            list(good(), -1, ""),
            Code::InvalidArgument,
            "INVALID_FIELD",
        ),
        (
            "agent",
            known,
            list(good(), 10_000, ""),
            Code::InvalidArgument,
            "INVALID_FIELD",
        ),
        (
            "agent",
            known,
            list(good(), 1, "nonsense"),
            Code::InvalidArgument,
            "PAGE_TOKEN_INVALID",
        ),
        (
            "operator/a",
            None,
            list(Some(by_id), 1, ""),
            Code::InvalidArgument,
            "INVALID_FIELD",
        ),
        (
            "mallory",
            known,
            list(good(), 1, ""),
            Code::PermissionDenied,
            "CALLER_NOT_ALLOWED",
        ),
    ];
    for (caller, handle, request, code, expected) in table {
        // A new second, so that each refusal is an entry of its own.
        served.clock.advance(Duration::from_secs(2));
        let refused = served
            .list(caller, handle, request.clone())
            .await
            .expect_err("refused");
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (code, expected),
            "{request:?}"
        );
        crate::support::eventually("the entry", async || {
            let (_, newest) = served.newest().await;
            newest.phase() == Phase::Denied && newest.reason().wire_name() == expected
        })
        .await;
        let (log, newest) = served.newest().await;
        let proven = newest.portal_id == 1;
        assert_eq!(log.ends_with("/1"), proven, "{request:?}");
        assert!(
            proven || newest.client_slug.is_empty(),
            "a stranger's slug is never kept"
        );
        assert_eq!(newest.caller, caller);
    }
}

async fn a_stream_goes_from_history_to_now_and_ends_with_its_handle(place: Place) {
    let served = Served::start(place).await;
    served.record(6).await;
    let request = StreamEventsRequest {
        filter: of_client("client-1"),
        ..StreamEventsRequest::default()
    };
    let mut client = served.client.clone();
    let opened = client
        .stream_events(asked("agent", Some(&served.handle), request))
        .await;
    let mut stream = opened.expect("opened").into_inner();
    let mut seen = Vec::new();
    // Six entries of the past, and the opening of this stream.
    while seen.len() < 7 {
        let Message::Event(event) = next(&mut stream).await.expect("an event") else {
            panic!("history comes first");
        };
        seen.push(event);
    }
    assert_eq!(entry(&seen[6]).operation(), Operation::AuditStream);
    assert!(matches!(
        next(&mut stream).await,
        Ok(Message::ReachedPosition(13))
    ));
    served.record(1).await;
    for phase in [Phase::Intent, Phase::Outcome] {
        match next(&mut stream).await.expect("an event") {
            Message::Event(event) => assert_eq!(entry(&event).phase(), phase),
            other => panic!("no silence yet: {other:?}"),
        }
    }
    served.clock.advance(Duration::from_secs(5));
    assert!(matches!(
        next(&mut stream).await,
        Ok(Message::ReachedPosition(15))
    ));
    served.clock.advance(Duration::from_secs(60));
    let ended = next(&mut stream).await.expect_err("the handle's time is over");
    assert_eq!(
        (ended.code(), reason(&ended).as_str()),
        (Code::Unauthenticated, "HANDLE_INVALID")
    );
}

async fn a_stream_begins_where_it_is_told_and_ends_when_the_service_stops(place: Place) {
    let served = Served::start(place).await;
    served.record(3).await;
    let mut client = served.client.clone();
    let from = |after_position, from_now| {
        let request = StreamEventsRequest {
            after_position,
            from_now,
            filter: None,
        };
        asked("operator/ann", None, request)
    };
    for nonsense in [from(3, true), from(99, false)] {
        let refused = client.stream_events(nonsense).await.expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD");
    }
    let end = served.log.end().await.expect("reads").get();
    let mut stream = client
        .stream_events(from(0, true))
        .await
        .expect("opened")
        .into_inner();
    let Ok(Message::Event(own)) = next(&mut stream).await else {
        panic!("its own opening comes after the present end");
    };
    assert_eq!(
        (own.position, entry(&own).operation()),
        (end + 1, Operation::AuditStream)
    );

    let stopped = tokio::spawn(served.running.stop());
    let ended = loop {
        match next(&mut stream).await {
            Ok(Message::ReachedPosition(_)) => {}
            Ok(other) => panic!("nothing else happened: {other:?}"),
            Err(status) => break status,
        }
    };
    assert_eq!(
        (ended.code(), reason(&ended).as_str()),
        (Code::Unavailable, "STOPPING")
    );
    assert!(ended.get_error_details().retry_info().is_some());
    stopped.await.expect("stops");
}
