//! Exports give everything that was recorded before them, once, and say that they are whole.

use hubkeep_audit_log::{Event, Operation, Phase};
use hubkeep_proto::audit::v1::{
    EventFilter, ExportEventsRequest, ExportSummary, export_events_response::Message,
};
use tonic::{Code, Status};

use crate::{
    served::{Served, asked, of_client, reason},
    support::{Place, entry, everything, on_both_databases},
};

on_both_databases! {
    an_export_is_what_was_recorded_before_it,
    a_handle_exports_the_log_of_its_own_portal_and_it_is_on_record,
}

/// More than one batch for each of two portals.
const CALLS: u64 = 320;

type Exported = Result<(Vec<Event>, Vec<ExportSummary>), Status>;

async fn exported(
    served: &Served,
    caller: &str,
    handle: Option<&str>,
    request: ExportEventsRequest,
    meanwhile: bool,
) -> Exported {
    let mut client = served.client.clone();
    let opened = client.export_events(asked(caller, handle, request)).await?;
    let mut stream = opened.into_inner();
    let (mut events, mut summaries) = (Vec::new(), Vec::new());
    while let Some(response) = stream.message().await? {
        assert!(summaries.is_empty(), "nothing comes after the summary");
        match response.message.expect("one of them") {
            Message::Batch(batch) => {
                assert!((1..=250).contains(&batch.events.len()));
                events.extend(batch.events);
                if meanwhile {
                    served.record(1).await;
                }
            }
            Message::Summary(summary) => summaries.push(summary),
        }
    }
    Ok((events, summaries))
}

async fn an_export_is_what_was_recorded_before_it(place: Place) {
    let served = Served::start(place).await;
    served.record(CALLS).await;
    let before = everything(&served.log).await;
    let all = ExportEventsRequest::default();
    let (events, summaries) = exported(&served, "operator/ann", None, all, true)
        .await
        .expect("exported");
    assert_eq!(events, before);
    let whole = ExportSummary {
        event_count: 2 * CALLS,
        until_position: 2 * CALLS,
        beginnings: Vec::new(),
    };
    assert_eq!(summaries, [whole]);

    let later = ExportEventsRequest {
        filter: Some(EventFilter {
            phases: vec![Phase::Outcome.into()],
            ..EventFilter::default()
        }),
        after_position: 100,
    };
    let recount = everything(&served.log).await;
    let (events, summaries) = exported(&served, "operator/ann", None, later, false)
        .await
        .expect("exported");
    let expected: Vec<Event> = recount
        .into_iter()
        .filter(|event| event.position > 100 && entry(event).phase() == Phase::Outcome)
        .collect();
    assert_eq!(events, expected);
    assert_eq!(summaries[0].event_count, expected.len() as u64);
}

async fn a_handle_exports_the_log_of_its_own_portal_and_it_is_on_record(place: Place) {
    let served = Served::start(place).await;
    served.record(6).await;
    let of = |slug: &str| ExportEventsRequest {
        filter: of_client(slug),
        after_position: 0,
    };
    let handle = Some(served.handle.as_str());
    let (events, summaries) = exported(&served, "agent", handle, of("client-1"), false)
        .await
        .expect("exported");
    assert_eq!(events.len(), 6);
    assert!(events.iter().all(|event| event.log == "test/crm-service/1"));
    assert_eq!(summaries.len(), 1);
    let (log, newest) = served.newest().await;
    assert_eq!(
        (log.as_str(), newest.operation()),
        ("test/crm-service/1", Operation::AuditExport)
    );

    let refused = exported(&served, "agent", handle, of("client-2"), false)
        .await
        .expect_err("refused");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "PORTAL_MISMATCH")
    );
    let (_, newest) = served.newest().await;
    assert_eq!(
        (newest.phase(), newest.operation()),
        (Phase::Denied, Operation::AuditExport)
    );
}
