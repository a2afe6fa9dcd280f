//! Who may read a portal's quota, what it says, and that it is on record.

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::crm::v1::QuotaSource;
use hubkeep_tests::{
    Allow, Handle, Hubkeep, Refused, Service, World,
    support::{audit::Reader, portals::OPERATOR, quota::next_quota},
};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";

async fn start() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    hubkeep
}

async fn reader_of(hubkeep: &Hubkeep, slug: &str) -> Handle {
    let wish = hubkeep.handle(slug).allow([Allow::Quota]).types([]);
    wish.issue().await
}

async fn call(hubkeep: &Hubkeep, slug: &str) {
    let handle = hubkeep.handle(slug).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");
}

#[tokio::test]
async fn a_handle_that_allows_it_reads_the_quota_of_its_portal_and_no_other() {
    let hubkeep = start().await;
    call(&hubkeep, A).await;
    let reader = reader_of(&hubkeep, A).await;
    let quota = hubkeep.quota(Reader::Holder(&reader), A).await.expect("its own");
    assert_eq!(
        (
            quota.portal_id,
            quota.client_slug.as_str(),
            quota.time_zone.as_str()
        ),
        (hubkeep.portal_id(A), A, "US/Eastern")
    );
    let burst = quota.burst.expect("told");
    assert_eq!(
        (burst.limit, burst.used),
        (Some(100), Some(3)),
        "of which two are onboarding's"
    );
    // Three of credential-service's four are lent as soon as it was heard.
    let share = burst.share.expect("told");
    assert!([96, 99].contains(&share), "{share}");
    assert_eq!(burst.left, Some(share - 3));
    assert_eq!(
        (burst.source(), burst.interval.map(|i| i.seconds)),
        (QuotaSource::Header, Some(10))
    );
    let search = quota.search.expect("told");
    assert_eq!(
        (search.limit, search.used, search.source()),
        (Some(5), Some(0), QuotaSource::Assumed)
    );
    let daily = quota.daily.expect("told");
    assert_eq!(
        (daily.limit, daily.source()),
        (Some(250_000), QuotaSource::Header)
    );
    assert_eq!(daily.used, Some(3), "two of onboarding, and one");
    let seconds = |time: Option<prost_types::Timestamp>| time.expect("told").seconds;
    assert!(seconds(daily.reset_time) > seconds(quota.observe_time));

    let refused = Refused::in_place_of(hubkeep.quota(Reader::Holder(&reader), B).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "PORTAL_MISMATCH"));
    let refused = Refused::in_place_of(hubkeep.watch_quota(Reader::Holder(&reader), B).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "PORTAL_MISMATCH"));
    let refused = Refused::in_place_of(hubkeep.quota(Reader::Holder(&reader), "Not A Slug").await);
    assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"));
}

#[tokio::test]
async fn a_handle_for_records_reads_no_quota_and_one_for_the_quota_no_records() {
    let hubkeep = start().await;
    let records = hubkeep.handle(A).issue().await;
    for refused in [
        Refused::in_place_of(hubkeep.quota(Reader::Holder(&records), A).await),
        Refused::in_place_of(hubkeep.watch_quota(Reader::Holder(&records), A).await),
    ] {
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
        assert_eq!(refused.metadata["operation"], "QUOTA");
    }
    let reader = reader_of(&hubkeep, A).await;
    let crm = hubkeep.crm_as("sync").with(&reader);
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.reason, "OPERATION_NOT_ALLOWED");
}

#[tokio::test]
async fn an_operator_reads_the_quota_of_every_portal_that_was_called() {
    let hubkeep = start().await;
    let operator = Reader::Operator(OPERATOR);
    let refused = Refused::in_place_of(hubkeep.quota(operator, A).await);
    assert_eq!(refused.said(), (Code::NotFound, "PORTAL_UNKNOWN"));
    assert_eq!(refused.metadata["client_slug"], A);
    call(&hubkeep, A).await;
    let quota = hubkeep.quota(operator, A).await.expect("it was called");
    assert_eq!(
        quota.burst.expect("told").used,
        Some(3),
        "two of onboarding, and one"
    );
    let mut stream = hubkeep.watch_quota(operator, A).await.expect("it was called");
    next_quota(&mut stream).await.expect("what is left now");
    let refused = Refused::in_place_of(hubkeep.quota(operator, B).await);
    assert_eq!(refused.reason, "PORTAL_UNKNOWN");
}

#[tokio::test]
async fn a_watcher_is_told_what_changes_until_its_handle_is_revoked() {
    let hubkeep = start().await;
    call(&hubkeep, A).await;
    let reader = reader_of(&hubkeep, A).await;
    let mut stream = hubkeep
        .watch_quota(Reader::Holder(&reader), A)
        .await
        .expect("its own");
    let used = async |stream: &mut _| {
        let quota = next_quota(stream).await.expect("the handle lives");
        quota.burst.expect("told").used.expect("known")
    };
    assert_eq!(used(&mut stream).await, 3, "two of onboarding, and one");
    call(&hubkeep, A).await;
    assert_eq!(used(&mut stream).await, 4);
    hubkeep.revoke(&reader).await;
    let ended = next_quota(&mut stream).await.expect_err("the handle is dead");
    assert_eq!(
        Refused::of(&ended).said(),
        (Code::Unauthenticated, "HANDLE_INVALID")
    );
}

#[tokio::test]
async fn every_reading_is_one_entry_and_the_question_to_hubspot_is_recorded_like_a_call() {
    let hubkeep = start().await;
    let reader = reader_of(&hubkeep, A).await;
    hubkeep.quota(Reader::Holder(&reader), A).await.expect("its own");
    let mut stream = hubkeep
        .watch_quota(Reader::Holder(&reader), A)
        .await
        .expect("its own");
    next_quota(&mut stream).await.expect("what is left now");
    hubkeep
        .quota(Reader::Operator(OPERATOR), A)
        .await
        .expect("it was called");

    let admin = hubkeep.entries(Service::Crm, Phase::Admin).await;
    let told: Vec<_> = admin
        .iter()
        .map(|entry| {
            (
                entry.operation(),
                entry.portal_id,
                entry.handle_id.as_str(),
                entry.caller.as_str(),
            )
        })
        .collect();
    let portal_id = hubkeep.portal_id(A);
    assert_eq!(
        told,
        [
            (Operation::QuotaGet, portal_id, reader.id.as_str(), "sync"),
            (Operation::QuotaWatch, portal_id, reader.id.as_str(), "sync"),
            (Operation::QuotaGet, 0, "", OPERATOR),
        ]
    );
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    assert_eq!(
        intents.len(),
        1,
        "HubSpot is asked once: then its answer is fresh"
    );
    assert_eq!(
        (intents[0].operation(), intents[0].path_template.as_str()),
        (
            Operation::QuotaGet,
            "/account-info/2026-09/api-usage/daily/private-apps"
        )
    );
    assert_eq!(intents[0].call_id, admin[0].call_id);
}
