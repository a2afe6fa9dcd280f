//! A report over a time of which entries are gone says so.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubkeep_audit_log::{Draft, Operation, Outcome, ProvenPortal};
use hubkeep_core::{
    clock::{Clock as _, MockClock, SystemClock, Timestamp},
    id::{CallId, PortalId},
    random::SystemRandom,
};
use hubkeep_proto::crm::v1::ReportScope;
use hubkeep_tests::{
    Hubkeep, Service, World, eventually,
    support::{
        audit::Reader,
        evidence_pruned::as_time_goes,
        portals::OPERATOR,
        reports::{Kind, json, of},
    },
};

const A: &str = "client-0001";
const MONTH: Duration = Duration::from_secs(2_630_016);

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_are_gone_are_a_gap_of_the_reports_that_would_have_them_and_of_no_other() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let fast = |proofs: &mut hubkeep_audit_log::proofs::Config| {
        proofs.every = Duration::ZERO;
        proofs.pause = Duration::from_millis(10);
    };
    let setup = Hubkeep::over(World::of_portals(1))
        .clock(Arc::clone(&clock) as _)
        .credential(move |config| fast(&mut config.audit.proofs))
        .crm(move |config| fast(&mut config.audit.proofs));
    let hubkeep = setup.start().await;
    as_time_goes(&clock, hubkeep.onboard_all()).await;
    let begun = clock.now();
    let id = PortalId::new(hubkeep.portal_id(A)).expect("an id");
    let portal = ProvenPortal::by_redeemed_handle(id, A.parse().expect("a slug"));
    let services = [Service::Crm, Service::Credential];
    for service in services {
        let log = hubkeep.audit_log(service);
        let one = async || {
            let call_id = CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
            let done = Draft::portal(&portal, Operation::HandleIssue, call_id);
            log.admin(done, Outcome::ok()).await.expect("durable");
        };
        join_all((0..300).map(|_| one())).await;
    }
    eventually!({
        clock.advance(Duration::from_millis(200));
        let mut signed = true;
        for service in services {
            let log = hubkeep.audit_log(service);
            let newest = log.checkpoint(&log.log_of(id), None).await;
            signed &= newest.is_ok_and(|newest| newest.size >= 300);
        }
        signed
    });
    let operator = Reader::Operator(OPERATOR);
    let scope = |start: Timestamp, end: Timestamp| ReportScope {
        start_time: Some(start.into()),
        end_time: Some(end.into()),
        ..of(A)
    };
    let whole = as_time_goes(&clock, hubkeep.report(operator, Kind::Processing, of(A)))
        .await
        .expect("made");
    assert!(
        !whole.gaps.iter().any(|gap| gap.contains("are gone")),
        "{:?}",
        whole.gaps
    );
    assert_eq!(
        json(&whole)["report"]["annex"]["retention"],
        "25 months",
        "what the log is set to"
    );

    clock.advance(MONTH * 26);
    eventually!({
        clock.advance(Duration::from_millis(500));
        let mut pruned = true;
        for service in services {
            let log = hubkeep.audit_log(service);
            pruned &= log.beginning(&log.log_of(id)).await.expect("reads").is_some();
        }
        pruned
    });
    let now = clock.now();
    let old = as_time_goes(
        &clock,
        hubkeep.report(operator, Kind::Processing, scope(begun, now)),
    )
    .await
    .expect("made");
    let gaps: Vec<&String> = old.gaps.iter().filter(|gap| gap.contains("are gone")).collect();
    assert_eq!(gaps.len(), 2, "of both logs: {:?}", old.gaps);
    assert!(gaps[0].contains("index 256"), "{gaps:?}");
    let usage = as_time_goes(&clock, hubkeep.report(operator, Kind::Usage, scope(begun, now)))
        .await
        .expect("made");
    assert_eq!(
        usage.gaps.iter().filter(|gap| gap.contains("are gone")).count(),
        1
    );
    let young = scope(now.minus(MONTH), now);
    let young = as_time_goes(&clock, hubkeep.report(operator, Kind::Processing, young))
        .await
        .expect("made");
    assert!(
        !young.gaps.iter().any(|gap| gap.contains("are gone")),
        "{:?}",
        young.gaps
    );
}
