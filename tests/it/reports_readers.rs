//! Who may have a report, what is refused, and that it is all on record.

use hubkeep_audit_log::{Entry, Operation, Phase};
use hubkeep_core::{
    clock::SystemClock,
    grpc::{AUDITOR, Roles},
};
use hubkeep_proto::crm::v1::ReportScope;
use hubkeep_tests::{
    Hubkeep, Refused, Service, World,
    support::{
        audit::Reader,
        portals::OPERATOR,
        reports::{KINDS, Kind, of, positions},
    },
};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";

async fn start() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    hubkeep
}

fn tomorrow() -> prost_types::Timestamp {
    let now = SystemClock::shared().now();
    now.plus(std::time::Duration::from_secs(24 * 60 * 60)).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_gives_reports_of_its_portal_if_it_allows_them_and_of_no_other() {
    let hubkeep = start().await;
    let records = hubkeep.handle(A).issue().await;
    let reporter = hubkeep.reporter(A).await;
    for kind in KINDS {
        let own = hubkeep.report(Reader::Holder(&reporter), kind, of(A)).await;
        assert_eq!(own.expect("its own").portal_id, hubkeep.portal_id(A));
        let refused = Refused::in_place_of(hubkeep.report(Reader::Holder(&reporter), kind, of(B)).await);
        assert_eq!(
            refused.said(),
            (Code::PermissionDenied, "PORTAL_MISMATCH"),
            "{kind:?}"
        );
        let refused = Refused::in_place_of(hubkeep.report(Reader::Holder(&records), kind, of(A)).await);
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
        assert_eq!(refused.metadata["operation"], "REPORT");
        let refused = Refused::in_place_of(hubkeep.report(Reader::Operator("stranger"), kind, of(A)).await);
        assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_MALFORMED"));
    }
    hubkeep.revoke(&reporter).await;
    let refused = hubkeep
        .report(Reader::Holder(&reporter), Kind::Usage, of(A))
        .await;
    assert_eq!(
        Refused::in_place_of(refused).said(),
        (Code::Unauthenticated, "HANDLE_INVALID")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_must_be_an_auditor_at_both_services() {
    let nobody = || Roles::new([("fleet", &["operator/*"][..]), (AUDITOR, &["operator/ann"][..])]);
    let setup = Hubkeep::over(World::of_portals(1));
    let hubkeep = setup
        .credential(move |config| config.roles = nobody())
        .start()
        .await;
    hubkeep.onboard_all().await;
    let refused = hubkeep
        .report(Reader::Operator("operator/bob"), Kind::Usage, of(A))
        .await;
    let refused = Refused::in_place_of(refused);
    assert_eq!(refused.said(), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
    assert_eq!(refused.metadata["caller"], "operator/bob");
    let made = hubkeep
        .report(Reader::Operator("operator/ann"), Kind::Usage, of(A))
        .await;
    made.expect("an auditor of both");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_made_says_what_to_change() {
    let hubkeep = start().await;
    let operator = Reader::Operator(OPERATOR);
    let faulty = |change: &dyn Fn(&mut ReportScope)| {
        let mut scope = of(A);
        change(&mut scope);
        scope
    };
    for (scope, field) in [
        (
            faulty(&|scope| scope.client_slug = "Not A Slug".to_owned()),
            "client_slug",
        ),
        (
            faulty(&|scope| scope.start_time = Some(tomorrow())),
            "scope.start_time",
        ),
        (
            faulty(&|scope| scope.start_time = Some(prost_types::Timestamp::default())),
            "scope.start_time",
        ),
        (faulty(&|scope| scope.format = 99), "scope.format"),
        (
            faulty(&|scope| scope.as_of = positions(u64::MAX, 1)),
            "scope.as_of",
        ),
    ] {
        let refused = Refused::in_place_of(hubkeep.report(operator, Kind::Usage, scope).await);
        assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"));
        assert_eq!(refused.fields, [field]);
    }
    let refused = hubkeep
        .report(operator, Kind::Subject("contacts", "not an id!"), of(A))
        .await;
    assert_eq!(Refused::in_place_of(refused).fields, ["object_id"]);
    let refused = hubkeep.report(operator, Kind::Usage, of("nobody")).await;
    assert_eq!(
        Refused::in_place_of(refused).said(),
        (Code::NotFound, "PORTAL_UNKNOWN")
    );
    let other = faulty(&|scope| scope.expected_portal_id = 7);
    let refused = hubkeep.report(operator, Kind::Usage, other).await;
    assert_eq!(
        Refused::in_place_of(refused).said(),
        (Code::PermissionDenied, "PORTAL_MISMATCH")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_and_every_refusal_of_one_is_on_record_at_both_services() {
    let hubkeep = start().await;
    let reporter = hubkeep.reporter(A).await;
    let made = hubkeep
        .report(Reader::Holder(&reporter), Kind::Scope, of(A))
        .await;
    made.expect("made");
    let refused = hubkeep
        .report(Reader::Holder(&reporter), Kind::Scope, of(B))
        .await;
    refused.expect_err("another portal");
    let ours = hubkeep.entries(Service::Crm, Phase::Admin).await;
    let report = ours.iter().find(|entry| entry.subject == "scope-report");
    let report = report.expect("on record");
    assert_eq!(report.portal_id, hubkeep.portal_id(A));
    let theirs = hubkeep.entries(Service::Credential, Phase::Admin).await;
    let is_read = |entry: &&Entry| entry.operation() == Operation::PortalRecordRead;
    let read = theirs
        .iter()
        .filter(is_read)
        .find(|entry| entry.call_id == report.call_id);
    let read = read.expect("on record there too, by the same call");
    assert_eq!(
        (read.portal_id, read.subject.as_str()),
        (report.portal_id, "sync")
    );
    let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    assert!(
        denied.iter().any(|entry| entry.subject == "scope-report"),
        "{denied:?}"
    );
}
