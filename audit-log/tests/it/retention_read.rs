//! Whoever reads where entries are gone is told so.

use futures::StreamExt as _;
use hubkeep_audit_log::{Filter, Operation, Position, Tailed};
use hubkeep_proto::audit::v1::{
    ExportEventsRequest, GetCheckpointRequest, GetProofRequest, GetRetentionRequest, HoldLogRequest,
    ListEventsRequest, ReleaseLogRequest, StreamEventsRequest, export_events_response, get_proof_request::Of,
    stream_events_response::Message,
};
use tonic::Code;

use crate::{
    anchors::proven,
    retention::{LONG, ONE, calls, pruned_to},
    served::{Served, asked, next, of_client, reason},
    support::{Place, on_both_databases},
};

const OPERATOR: &str = "operator/ann";

on_both_databases! {
    a_stream_from_the_beginning_says_first_where_the_log_begins,
    every_page_says_what_might_have_been_on_it,
    an_export_says_what_is_not_in_it,
    a_proof_of_an_entry_that_is_gone_is_refused_with_a_reason_of_its_own,
    operators_see_how_far_back_logs_reach_and_hold_them_on_record,
}

/// Of client-1 there are 600 old entries, of which 512 are gone; of client-2 ten.
async fn pruned(place: Place) -> Served {
    let served = Served::start(place.proven()).await;
    calls(&served.log, 1, 300).await;
    calls(&served.log, 2, 5).await;
    proven(&served.log, 1, 600, &served.clock).await;
    served.clock.advance(LONG);
    pruned_to(&served.log, ONE, 512, &served.clock).await;
    served
}

async fn a_stream_from_the_beginning_says_first_where_the_log_begins(place: Place) {
    let served = pruned(place).await;
    let mut tail = Box::pin(served.log.tail(Position::START, Filter::all()));
    let first = tail.next().await.expect("goes on").expect("reads");
    let Tailed::Begins(begins) = first else {
        panic!("a silent gap: {first:?}")
    };
    assert_eq!((begins.log.as_str(), begins.first_index), (ONE, 512));

    let open = |filter, after_position| {
        let request = StreamEventsRequest {
            after_position,
            filter,
            ..StreamEventsRequest::default()
        };
        let mut client = served.client.clone();
        async move {
            let opened = client.stream_events(asked(OPERATOR, None, request)).await;
            let mut stream = opened.expect("opens").into_inner();
            next(&mut stream).await.expect("goes on")
        }
    };
    for filter in [None, of_client("client-1")] {
        let Message::Beginning(begins) = open(filter, 0).await else {
            panic!("a silent gap")
        };
        assert_eq!((begins.log.as_str(), begins.first_index), (ONE, 512));
        let behind = open(None, begins.pruned_until_position).await;
        assert!(
            matches!(behind, Message::Event(_)),
            "nothing is missing behind it: {behind:?}"
        );
    }
    let other = open(of_client("client-2"), 0).await;
    assert!(
        matches!(other, Message::Event(_)),
        "of another nothing is: {other:?}"
    );
}

async fn every_page_says_what_might_have_been_on_it(place: Place) {
    let served = pruned(place).await;
    let list = |newest_first: bool, page_token: String, page_size| {
        let request = ListEventsRequest {
            filter: of_client("client-1"),
            order: if newest_first { 2 } else { 1 },
            page_size,
            page_token,
            ..ListEventsRequest::default()
        };
        let mut client = served.client.clone();
        async move {
            let listed = client.list_events(asked(OPERATOR, None, request)).await;
            listed.expect("listed").into_inner()
        }
    };
    let oldest = list(false, String::new(), 10).await;
    assert_eq!(oldest.beginnings.len(), 1);
    assert_eq!(
        (oldest.events[0].index, oldest.beginnings[0].first_index),
        (512, 512)
    );
    let second = list(false, oldest.next_page_token, 10).await;
    assert!(second.beginnings.is_empty(), "nothing was ever between these");
    let newest = list(true, String::new(), 10).await;
    assert!(newest.beginnings.is_empty());
    let all = list(true, String::new(), 1_000).await;
    assert_eq!(all.beginnings.len(), 1);
}

async fn an_export_says_what_is_not_in_it(place: Place) {
    let served = pruned(place).await;
    let exported = served
        .client
        .clone()
        .export_events(asked(OPERATOR, None, ExportEventsRequest::default()))
        .await;
    let mut stream = exported.expect("opens").into_inner();
    let mut summary = None;
    while let Some(response) = stream.message().await.expect("goes on") {
        if let Some(export_events_response::Message::Summary(last)) = response.message {
            summary = Some(last);
        }
    }
    let told = summary.expect("whole").beginnings;
    assert_eq!((told.len(), told[0].first_index), (1, 512));
}

async fn a_proof_of_an_entry_that_is_gone_is_refused_with_a_reason_of_its_own(place: Place) {
    let served = pruned(place).await;
    let proof = |of| {
        let request = GetProofRequest {
            log: ONE.to_owned(),
            of: Some(of),
            ..GetProofRequest::default()
        };
        let mut client = served.client.clone();
        async move { client.get_proof(asked(OPERATOR, None, request)).await }
    };
    let gone = proof(Of::Position(1)).await.expect_err("gone");
    assert_eq!(
        (gone.code(), reason(&gone).as_str()),
        (Code::NotFound, "AUDIT_PRUNED")
    );
    proof(Of::Index(0))
        .await
        .expect("by its hash, to whoever holds it");
    let never = proof(Of::Position(1_000_000)).await.expect_err("never was");
    assert_eq!(reason(&never), "PROOF_UNKNOWN");
    let request = GetCheckpointRequest {
        log: ONE.to_owned(),
        ..GetCheckpointRequest::default()
    };
    let given = served
        .client
        .clone()
        .get_checkpoint(asked(OPERATOR, None, request))
        .await;
    let given = given.expect("given").into_inner();
    assert_eq!(given.beginning.expect("begins").first_index, 512);
    assert_eq!(given.pruned_hashes.len(), 1, "512 leaves are one whole subtree");
}

async fn operators_see_how_far_back_logs_reach_and_hold_them_on_record(place: Place) {
    let served = pruned(place).await;
    let mut client = served.client.clone();
    let shown = client
        .get_retention(asked(OPERATOR, None, GetRetentionRequest::default()))
        .await;
    let shown = shown.expect("shown").into_inner();
    assert_eq!(shown.keep, "25 months");
    let one = shown.logs.iter().find(|log| log.log == ONE).expect("there");
    assert_eq!(
        (one.first_index, one.beginning.is_some(), one.hold.is_none()),
        (512, true, true)
    );

    let hold = HoldLogRequest {
        client_slug: "client-1".to_owned(),
        reason: "case 7".to_owned(),
        ..HoldLogRequest::default()
    };
    let held = client
        .hold_log(asked(OPERATOR, None, hold.clone()))
        .await
        .expect("held");
    let held = held.into_inner().log.expect("a log").hold.expect("held");
    assert_eq!(
        (held.operator.as_str(), held.reason.as_str()),
        (OPERATOR, "case 7")
    );
    let (log, said) = served.newest().await;
    assert_eq!(
        (log.as_str(), said.operation(), said.subject.as_str()),
        (ONE, Operation::AuditHold, "case 7")
    );
    let silent = HoldLogRequest {
        reason: " ".to_owned(),
        ..hold.clone()
    };
    let silent = client
        .hold_log(asked(OPERATOR, None, silent))
        .await
        .expect_err("no reason");
    assert_eq!(silent.code(), Code::InvalidArgument);
    let client_own = client.hold_log(asked("agent", Some(&served.handle), hold)).await;
    let refused = client_own.expect_err("no operator");
    assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
    let release = ReleaseLogRequest {
        log: ONE.to_owned(),
        reason: "settled".to_owned(),
        ..ReleaseLogRequest::default()
    };
    let released = client
        .release_log(asked(OPERATOR, None, release))
        .await
        .expect("released");
    assert!(released.into_inner().log.expect("a log").hold.is_none());
}
