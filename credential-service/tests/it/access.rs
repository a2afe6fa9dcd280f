//! Who may use what, and that every refusal is on record.

use hubkeep_proto::{
    audit::v1::{EventFilter, ListEventsRequest, audit_service_client::AuditServiceClient},
    credential::v1::{GetPortalRequest, HandleOperation, HandleScope},
};
use tonic::{Request, metadata::MetadataValue};

use crate::harness::*;

#[tokio::test]
async fn only_operators_use_portals_and_only_crm_service_redeems() {
    let bench = Bench::start().await;
    let get = GetPortalRequest {
        client_slug: "acme".to_owned(),
    };
    let refused = bench.portals(SYNC).get_portal(get).await;
    assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
    let (log, entry) = bench.last_entry().await;
    assert!(log.ends_with("/system") && entry.client_slug.is_empty() && entry.caller == SYNC);

    let mut redemption =
        hubkeep_proto::credential::v1::redemption_service_client::RedemptionServiceClient::new(
            bench.channel_of(SYNC),
        );
    let refused = redemption
        .redeem_handle(hubkeep_proto::credential::v1::RedeemHandleRequest::default())
        .await;
    assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
}

#[tokio::test]
async fn a_handle_that_allows_it_reads_the_log_of_its_own_portal_and_no_other() {
    let bench = Bench::start().await;
    let plain = bench.handle().await.handle;
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let mut reading = wish("acme");
    let operations = vec![HandleOperation::ReadAudit.into()];
    reading.scope = Some(HandleScope {
        operations,
        ..HandleScope::default()
    });
    let reading = bench
        .handles(SYNC)
        .issue_handle(reading)
        .await
        .expect("issues")
        .into_inner()
        .handle;

    let list = |caller, handle: &str, slug: &str| {
        let filter = Some(EventFilter {
            client_slug: slug.to_owned(),
            ..EventFilter::default()
        });
        let mut request = Request::new(ListEventsRequest {
            filter,
            ..ListEventsRequest::default()
        });
        let bearer = MetadataValue::try_from(format!("Bearer {handle}")).expect("ascii");
        request.metadata_mut().insert("authorization", bearer);
        let mut audit = AuditServiceClient::new(bench.channel_of(caller));
        async move { audit.list_events(request).await }
    };
    let events = list(SYNC, &reading, "acme")
        .await
        .expect("reads")
        .into_inner()
        .events;
    assert!(!events.is_empty() && events.iter().all(|event| event.log.ends_with("/1001")));
    assert_eq!(reason(&list(SYNC, &reading, "globex").await), "PORTAL_MISMATCH");
    assert_eq!(reason(&list(SYNC, &plain, "acme").await), "OPERATION_NOT_ALLOWED");
    assert_eq!(
        reason(&list("reporting", &reading, "acme").await),
        "HANDLE_INVALID"
    );
}

#[tokio::test]
async fn nothing_is_done_when_the_log_cannot_be_written() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    let asked = bench.hubspot.journal().len();
    bench.close_audit_log().await;
    assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "AUDIT_UNAVAILABLE");
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "AUDIT_UNAVAILABLE");
    assert_eq!(
        reason(&bench.onboard("globex", GLOBEX_TOKEN, GLOBEX).await),
        "AUDIT_UNAVAILABLE"
    );
    assert_eq!(
        bench.hubspot.journal().len(),
        asked,
        "HubSpot was asked without a record"
    );
}
