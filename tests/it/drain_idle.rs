//! A stop waits for nobody who only listens, refuses what comes late, and is told before it begins.

use std::time::Duration;

use hubkeep_core::clock::SystemClock;
use hubkeep_proto::{
    audit::v1::{EventFilter, StreamEventsRequest, audit_service_client::AuditServiceClient},
    credential::v1::{WatchRevocationsRequest, redemption_service_client::RedemptionServiceClient},
};
use hubkeep_tests::{
    Allow, BOUND, Crm, Fault, FaultRule, Hubkeep, Proxy, Refused, Service, World, eventually,
    support::{
        crm_process::{CrmProcess, channel},
        handles::named,
    },
};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

const A: &str = "client-0001";
/// What a stop may take when nothing is in flight: a tenth of the drain time.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_only_listens_holds_up_a_stop() {
    let mut stage = CrmProcess::start(World::of_portals(1)).await;
    let auditor = stage.hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
    let mut health = stage.watch_health().await;
    let request = StreamEventsRequest {
        filter: Some(EventFilter {
            client_slug: A.to_owned(),
            ..EventFilter::default()
        }),
        ..StreamEventsRequest::default()
    };
    let request = stage.crm(&auditor).request(request);
    let mut audit = AuditServiceClient::new(stage.channel());
    let mut events = audit.stream_events(request).await.expect("opened").into_inner();
    // One that is open and idle, and one whose other side is there and says nothing, not even that it goes.
    let handle = stage.hubkeep.handle(A).issue().await;
    let idle = stage.crm(&handle);
    idle.get("contacts", "101").await.expect("read");
    let proxy = Proxy::to(stage.address()).await;
    let stuck = Crm::of(channel(&format!("http://{}", proxy.address())), &handle.caller).with(&handle);
    stuck.get("contacts", "101").await.expect("read");
    proxy.freeze();

    stage.process.ask_to_stop();
    let mut ended = None;
    eventually!(BOUND, {
        ended = events.message().await.err();
        ended.is_some()
    });
    assert_eq!(Refused::of(&ended.expect("it ended")).reason, "STOPPING");
    health.hears_the_stop().await;
    stage.process.ends_within(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_an_old_connection_is_refused_when_the_stop_has_begun() {
    let mut stage = CrmProcess::start(World::of_portals(1)).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let held = stage
        .hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased));
    let direct = stage.crm(&handle);
    let begun = tokio::spawn(async move { direct.get("contacts", "101").await });
    stage.hubkeep.hubspot.until_held(1).await;
    let proxy = Proxy::to(stage.address()).await;
    let over_proxy = channel(&format!("http://{}", proxy.address()));
    let mut old = HealthClient::new(over_proxy.clone());
    old.check(HealthCheckRequest::default()).await.expect("open");
    let mut health = stage.watch_health().await;
    // The caller does not hear that it should go away, and sends what it has.
    proxy.freeze_answers();
    stage.process.ask_to_stop();
    health.hears_the_stop().await;
    let late = Crm::of(over_proxy, &handle.caller).with(&handle).within(BOUND);
    let before = proxy.requested();
    let (refused, ()) = futures::join!(late.update("contacts", "101", &[("firstname", "late")]), async {
        eventually!(proxy.requested() > before + 100);
        proxy.restore();
    });
    let refused = refused.expect_err("it came too late");
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    stage.hubkeep.hubspot.release(held);
    begun.await.expect("no panic").expect("answered");
    stage.process.ends_within(SOON).await;
    assert_eq!(
        stage.hubkeep.hubspot_calls().len(),
        1,
        "only what had begun was sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_lingers_it_serves_and_says_that_it_will_not() {
    let mut stage = CrmProcess::with(World::of_portals(1), &[("HUBKEEP__GRPC__LINGER", "2s")]).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let mut health = stage.watch_health().await;
    stage.process.ask_to_stop();
    assert_eq!(health.next().await, Ok(ServingStatus::NotServing));
    let mut probe = HealthClient::new(stage.channel());
    let probed = probe.check(HealthCheckRequest::default()).await;
    assert_eq!(
        probed.expect("told").into_inner().status(),
        ServingStatus::NotServing
    );
    stage.crm(&handle).get("contacts", "101").await.expect("served");
    stage.process.ends_within(SOON + SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_though_calls_are_in_flight() {
    let mut stage = CrmProcess::start(World::of_portals(1)).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let crm = stage.crm(&handle);
    stage
        .hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased));
    let stuck = tokio::spawn(async move { crm.get("contacts", "101").await });
    stage.hubkeep.hubspot.until_held(1).await;
    let mut health = stage.watch_health().await;
    stage.process.ask_to_stop();
    assert_eq!(health.next().await, Ok(ServingStatus::NotServing));
    stage.process.ask_to_stop();
    stage.process.ends_within(SOON).await;
    stuck
        .await
        .expect("no panic")
        .expect_err("nobody is left to answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_of_revocations_ends_with_a_word_when_credential_service_stops() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    let mut client = RedemptionServiceClient::new(hubkeep.channel(Service::Credential));
    let first = futures::stream::iter([WatchRevocationsRequest {
        redeemer_id: "01890000-0000-7000-8000-00000000000a".to_owned(),
        ..WatchRevocationsRequest::default()
    }]);
    let listening = tokio_stream::StreamExt::chain(first, futures::stream::pending());
    let watched = client.watch_revocations(named("crm-service", listening)).await;
    let mut feed = watched.expect("opened").into_inner();
    let clock = SystemClock::shared();
    let began = clock.tick();
    let (ended, _folder) = futures::join!(
        async {
            loop {
                if let Err(ended) = feed.message().await {
                    return ended;
                }
            }
        },
        hubkeep.stop()
    );
    assert_eq!(Refused::of(&ended).said(), (Code::Unavailable, "STOPPING"));
    assert!(clock.tick().since(began) < SOON, "it was not waited for");
}
