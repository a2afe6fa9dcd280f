//! Replicas share what HubSpot allows each app of a portal: together they use each up, and never pass any.

use std::time::Duration;

use futures::future::join_all;
use hubkeep_proto::credential::v1::{OnboardPortalRequest, portal_service_client::PortalServiceClient};
use hubkeep_tests::{
    Allow, Fleet, Limits, Service, World, eventually,
    support::{handles::named, portals::OPERATOR},
};
use hubspot_sim::TokenSpec;

const A: &str = "client-0001";
const SECOND: Duration = Duration::from_secs(1);
const REPLICAS: usize = 3;
const APPS: [u64; 2] = [7_001, 7_002];
const READERS_TOKEN: &str = "pat-na1-00000000-apps-0000-0000-reader000001";
/// Calls of each app in HubSpot's window of 2 s: several windows pass in a test.
const BURSTS: [u32; 2] = [100, 190];

async fn fleet() -> Fleet {
    let mut world = World::of_portals(1).limits(&Limits {
        burst: BURSTS[0],
        burst_of_apps: [(APPS[1], BURSTS[1])].into(),
        burst_window_ms: 2_000,
        ..Limits::default()
    });
    let portal = world.portal_mut(A).expect("it is there");
    portal.tokens[0].app_id = APPS[0];
    let reader = TokenSpec::service_key(READERS_TOKEN).app(APPS[1]);
    let reader = reader.scopes(["oauth", "crm.objects.contacts.read"]);
    portal.tokens.push(reader);
    let fleet = Fleet::start(world, REPLICAS).await;
    fleet.onboard_all().await;
    let further = OnboardPortalRequest {
        client_slug: A.to_owned(),
        portal_token: READERS_TOKEN.to_owned(),
        credential_name: "reader".to_owned(),
        ..OnboardPortalRequest::default()
    };
    let mut portals = PortalServiceClient::new(fleet.channel(Service::Credential));
    let further = portals.onboard_portal(named(OPERATOR, further)).await;
    further.expect("onboarded");
    fleet
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_under_load_with_two_apps_use_both_limits_and_never_make_hubspot_refuse() {
    const CALLS: usize = 540;
    let fleet = fleet().await;
    let writer = fleet.handle(A).allow([Allow::Get, Allow::Update]);
    let reader = fleet.handle(A).allow([Allow::Get]);
    let handles = [
        writer.types(["contacts"]).issue().await,
        reader.types(["contacts"]).issue().await,
    ];
    // Callers on connections of their own, which the balancer gives to the replicas in turn.
    let callers = handles.iter().zip(["101", "102"]).flat_map(|(handle, id)| {
        let caller = || fleet.crm_as("sync").with(handle).within(60 * SECOND);
        (0..36).map(move |_| (caller(), id))
    });
    let callers: Vec<_> = callers.collect();
    join_all(callers.iter().map(async |(crm, id)| {
        for _ in 0..CALLS / 36 {
            crm.get("contacts", id).await.expect("there is time to wait");
        }
    }))
    .await;

    let journal = fleet.hubspot.journal();
    let refused: Vec<_> = journal.iter().filter(|call| call.status == Some(429)).collect();
    assert!(refused.is_empty(), "HubSpot had to refuse: {refused:?}");
    let took = |id: &str| {
        let calls = journal.iter().filter(|call| call.path.ends_with(id));
        let arrivals: Vec<i64> = calls.map(|call| call.received_at).collect();
        assert_eq!(arrivals.len(), CALLS);
        arrivals.last().expect("made") - arrivals.first().expect("made")
    };
    let (first, second) = (took("/101"), took("/102"));
    assert!(
        second * 3 < first * 2,
        "with twice as many places the second took {second} us, and the first {first}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_calls_come_later_has_its_limit_whatever_another_uses() {
    let fleet = fleet().await;
    let writer = fleet.handle(A).allow([Allow::Get, Allow::Update]);
    let writer = writer.types(["contacts"]).issue().await;
    let busy: Vec<_> = (0..90)
        .map(|_| {
            let crm = fleet.crm_as("sync").with(&writer).within(60 * SECOND);
            tokio::spawn(async move { while crm.get("contacts", "101").await.is_ok() {} })
        })
        .collect();
    let calls_of = |id: &'static str| {
        let journal = fleet.hubspot.journal();
        journal.iter().filter(|call| call.path.ends_with(id)).count()
    };
    eventually!(60 * SECOND, calls_of("/101") >= 200);
    let reader = fleet
        .handle(A)
        .allow([Allow::Get])
        .types(["contacts"])
        .issue()
        .await;
    let callers: Vec<_> = (0..REPLICAS)
        .map(|_| fleet.crm_as("sync").with(&reader).within(30 * SECOND))
        .collect();
    join_all((0..120).map(async |nth: usize| {
        let crm = &callers[nth % REPLICAS];
        crm.get("contacts", "102").await.expect("there is time to wait");
    }))
    .await;
    busy.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(calls_of("/102"), 120);
    let journal = fleet.hubspot.journal();
    assert!(
        journal.iter().all(|call| call.status != Some(429)),
        "HubSpot had to refuse"
    );
}
