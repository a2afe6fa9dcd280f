//! A caller that takes all it can get leaves the others theirs: requests and streams have limits for all callers
//! together and for each.

use futures::{StreamExt as _, future};
use hubkeep_proto::{
    audit::v1::{EventFilter, StreamEventsRequest},
    credential::v1::{WatchRevocationsRequest, redemption_service_client::RedemptionServiceClient},
};
use hubkeep_tests::{
    Allow, Fault, FaultRule, Handle, Hubkeep, Limits, Refused, Service, World, eventually,
    support::{audit::Reader, handles::named, portals::OPERATOR, quota::next_quota, walks::contacts},
};
use tokio::sync::oneshot;
use tonic::{Code, Status};

const A: &str = "client-0001";

/// A crm-service with few places, of which each caller may have fewer.
async fn narrow() -> Hubkeep {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let setup = Hubkeep::over(world).crm(|config| {
        config.grpc.max_in_flight = 3;
        config.grpc.max_in_flight_per_caller = 2;
        config.grpc.max_streams = 4;
        config.grpc.max_streams_per_caller = 3;
    });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

async fn holder(hubkeep: &Hubkeep, caller: &str) -> Handle {
    let wish = hubkeep.handle(A).for_caller(caller);
    let wish = wish.allow([Allow::Get, Allow::List, Allow::Quota, Allow::ReadAudit]);
    wish.issue().await
}

fn events_of_a() -> StreamEventsRequest {
    StreamEventsRequest {
        filter: Some(EventFilter {
            client_slug: A.to_owned(),
            ..EventFilter::default()
        }),
        ..StreamEventsRequest::default()
    }
}

fn refused_for<T>(answer: Result<T, Status>, setting: &str, limit: &str) -> (Code, String) {
    let refused = Refused::in_place_of(answer);
    let told = (
        refused.metadata["setting"].as_str(),
        refused.metadata["limit"].as_str(),
    );
    assert_eq!(told, (setting, limit));
    assert!(refused.retry_after.is_some(), "there will be places again");
    (refused.code, refused.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_of_one_caller_leave_requests_and_streams_to_others_and_to_itself() {
    let hubkeep = narrow().await;
    contacts(&hubkeep.hubspot, hubkeep.portal_id(A), 5_000, 2_000);
    let greedy = holder(&hubkeep, "sync").await;
    let reader = Reader::Holder(&greedy);
    let quota = hubkeep.watch_quota(reader, A).await.expect("a first stream");
    let events = hubkeep.stream_events(Service::Crm, reader, events_of_a()).await;
    let events = events.expect("a second");
    let crm = hubkeep.crm_with_small_window("sync").with(&greedy);
    let walk = crm
        .walk("contacts", "")
        .await
        .expect("a third, which nobody reads");

    let few = ("grpc.max_streams_per_caller", "3");
    let too_many = (Code::ResourceExhausted, "TOO_MANY_AT_ONCE".to_owned());
    assert_eq!(
        refused_for(hubkeep.watch_quota(reader, A).await, few.0, few.1),
        too_many
    );
    let more = hubkeep.stream_events(Service::Crm, reader, events_of_a()).await;
    assert_eq!(refused_for(more, few.0, few.1), too_many);
    assert_eq!(
        refused_for(crm.walk("contacts", "").await, few.0, few.1),
        too_many
    );
    let own = hubkeep.crm_as("sync").with(&greedy);
    own.get("contacts", "101").await.expect("its requests are served");

    let other = holder(&hubkeep, "report").await;
    let crm_of_other = hubkeep.crm_as("report").with(&other);
    crm_of_other
        .get("contacts", "101")
        .await
        .expect("others are served");
    let mut watched = hubkeep
        .watch_quota(Reader::Holder(&other), A)
        .await
        .expect("opened");
    next_quota(&mut watched).await.expect("told");
    let operator = Reader::Operator(OPERATOR);
    let full = refused_for(hubkeep.watch_quota(operator, A).await, "grpc.max_streams", "4");
    assert_eq!(full, (Code::Unavailable, "OVERLOADED".to_owned()));

    drop((quota, events, walk));
    eventually!(hubkeep.watch_quota(operator, A).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_caller_leave_places_to_others() {
    let hubkeep = narrow().await;
    let greedy = holder(&hubkeep, "sync").await;
    let other = holder(&hubkeep, "report").await;
    let crm = hubkeep.crm_as("sync").with(&greedy);
    crm.get("contacts", "101").await.expect("read");
    let held = hubkeep.hubspot.inject(FaultRule::new(Fault::HoldUntilReleased));
    let stuck = [(); 2].map(|()| {
        let crm = crm.clone();
        tokio::spawn(async move { crm.get("contacts", "101").await })
    });
    hubkeep.hubspot.until_held(2).await;
    let more = refused_for(
        crm.get("contacts", "101").await,
        "grpc.max_in_flight_per_caller",
        "2",
    );
    assert_eq!(more, (Code::ResourceExhausted, "TOO_MANY_AT_ONCE".to_owned()));
    let quota = hubkeep.quota(Reader::Holder(&other), A).await;
    quota.expect("others are served");
    hubkeep.hubspot.release(held);
    for call in stuck {
        call.await.expect("no panic").expect("answered");
    }
    eventually!(crm.get("contacts", "101").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_of_revocations_have_places_of_their_own() {
    let setup = Hubkeep::over(World::of_portals(1))
        .without_crm()
        .credential(|config| {
            config.grpc.max_in_flight = 1;
            config.grpc.max_streams_per_caller = 1;
        });
    let hubkeep = setup.start().await;
    let mut client = RedemptionServiceClient::new(hubkeep.channel(Service::Credential));
    // A watcher goes away when both sides of its call end.
    let mut watch = async || {
        let (leaving, left) = oneshot::channel::<WatchRevocationsRequest>();
        let first = futures::stream::iter([WatchRevocationsRequest {
            redeemer_id: "01890000-0000-7000-8000-00000000000a".to_owned(),
            ..WatchRevocationsRequest::default()
        }]);
        let listening = first.chain(futures::stream::once(left).filter_map(|said| future::ready(said.ok())));
        let feed = client.watch_revocations(named("crm-service", listening)).await;
        feed.map(|feed| (feed, leaving))
    };
    let feed = watch().await.expect("opened");
    let second = refused_for(watch().await, "grpc.max_streams_per_caller", "1");
    assert_eq!(second.1, "TOO_MANY_AT_ONCE");
    hubkeep.onboard_all().await;
    drop(feed);
    eventually!(watch().await.is_ok());
}
