//! Replicas of crm-service share each portal's limits: together they use them up and never pass them, and who cannot renew
//! its share sends nothing.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubkeep_tests::{
    Crm, Fleet, Hubkeep, Limits, Proxy, Refused, Service, World, eventually, support::trouble::socket_of,
};
use tonic::Code;

const A: &str = "client-0001";
const SECOND: Duration = Duration::from_secs(1);
const REPLICAS: usize = 3;
/// Calls in HubSpot's window of 2 s, of which four are kept free: several windows pass in a test.
const BURST: u32 = 100;

fn world() -> World {
    World::of_portals(1).limits(&Limits {
        burst: BURST,
        burst_window_ms: 2_000,
        ..Limits::default()
    })
}

async fn fleet() -> Fleet {
    let fleet = Fleet::start(world(), REPLICAS).await;
    fleet.onboard_all().await;
    fleet
}

fn arrivals(fleet: &Fleet) -> Vec<i64> {
    let journal = fleet.hubspot.journal();
    let refused: Vec<_> = journal.iter().filter(|call| call.status == Some(429)).collect();
    let before = |at: i64| {
        let window = journal
            .iter()
            .filter(|call| (at - 2_000_000..=at).contains(&call.received_at));
        let others = window.clone().filter(|call| !call.path.starts_with("/crm/"));
        let others: Vec<_> = others
            .map(|call| (call.received_at, call.path.as_str()))
            .collect();
        (window.count(), others)
    };
    let told: Vec<_> = refused
        .iter()
        .map(|call| (call, before(call.received_at)))
        .collect();
    assert!(refused.is_empty(), "HubSpot had to refuse: {told:?}");
    let calls = journal.iter().filter(|call| call.path.starts_with("/crm/"));
    calls.map(|call| call.received_at).collect()
}

/// Callers on connections of their own, which the balancer gives to the replicas in turn.
async fn callers(fleet: &Fleet, count: usize) -> Vec<Crm> {
    let handle = fleet.handle(A).issue().await;
    let caller = || fleet.crm_as("sync").with(&handle).within(30 * SECOND);
    (0..count).map(|_| caller()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_under_load_use_a_limit_up_and_never_make_hubspot_refuse() {
    let fleet = fleet().await;
    let callers = callers(&fleet, 60).await;
    join_all(callers.iter().map(async |crm| {
        for _ in 0..10 {
            crm.get("contacts", "101").await.expect("there is time to wait");
        }
    }))
    .await;
    let arrivals = arrivals(&fleet);
    assert_eq!(arrivals.len(), 600);
    let used = thousandths_used(&arrivals);
    // Of a window of 2 s a busy machine loses five times as much as of HubSpot's 10 s.
    assert!(used >= 850, "{used} of 1000 of what is crm-service's was used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_three_replicas_gets_no_more_than_a_caller_of_one() {
    /// Each always has more calls waiting than it gets places.
    const AT_ONCE: usize = 120;
    /// By then each has its part, and by then it was seen: in windows of 96 places.
    const SETTLED: usize = 6 * 96;
    const SEEN: usize = 12 * 96;
    let fleet = fleet().await;
    let mut calling = Vec::new();
    for (caller, id, replicas) in [("everywhere", "101", 0..REPLICAS), ("once", "102", 0..1)] {
        let handle = fleet.handle(A).for_caller(caller).issue().await;
        for replica in replicas {
            let crm = fleet
                .crm_through(replica, caller)
                .with(&handle)
                .within(30 * SECOND);
            calling.extend((0..AT_ONCE).map(|_| {
                let crm = crm.clone();
                tokio::spawn(async move { while crm.get("contacts", id).await.is_ok() {} })
            }));
        }
    }
    eventually!(60 * SECOND, arrivals(&fleet).len() >= SEEN);
    calling.iter().for_each(tokio::task::JoinHandle::abort);
    let journal = fleet.hubspot.journal();
    let calls = journal.iter().filter(|call| call.path.starts_with("/crm/"));
    let seen: Vec<_> = calls.skip(SETTLED).take(SEEN - SETTLED).collect();
    let of_once = seen.iter().filter(|call| call.path.ends_with("/102")).count();
    let percent = of_once * 100 / seen.len();
    // It would be a sixth of them if each replica's line were one of its own.
    assert!((38..=62).contains(&percent), "{percent} of 100 were its own");
}

/// How full HubSpot's window was on average, of what is crm-service's, in thousandths: from the first full one until the load
/// begins to end.
fn thousandths_used(arrivals: &[i64]) -> usize {
    const WINDOW: i64 = 2_000_000;
    let end = arrivals[arrivals.len() - BURST as usize];
    let mut counts = Vec::new();
    let mut now = arrivals[0] + WINDOW;
    while now < end {
        let inside = arrivals.iter().filter(|at| (now - WINDOW..now).contains(*at));
        counts.push(inside.count());
        now += 10_000;
    }
    counts.iter().sum::<usize>() * 1_000 / counts.len() / (BURST as usize - 4)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_alone_with_a_portal_has_its_whole_limit_and_gives_it_to_who_needs_it() {
    let fleet = fleet().await;
    let callers = callers(&fleet, REPLICAS).await;
    // One replica after the other has all the calls.
    for crm in &callers {
        let calls = join_all((0..100).map(async |_| crm.get("contacts", "101").await)).await;
        let made = calls.iter().filter(|call| call.is_ok()).count();
        assert_eq!(made, 100, "all are made in 30 s");
    }
    let arrivals = arrivals(&fleet);
    let took = arrivals.last().expect("made") - arrivals.first().expect("made");
    assert!(
        took < 16_000_000,
        "300 calls by one replica after the other took {took} us"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stops_gives_its_places_back_when_they_count_no_more() {
    let mut fleet = fleet().await;
    let handle = fleet.handle(A).issue().await;
    let crm = fleet.crm_as("sync").with(&handle).within(30 * SECOND);
    join_all((0..90).map(async |_| crm.get("contacts", "101").await.expect("made"))).await;
    for _ in 1..REPLICAS {
        fleet.retire(Service::Crm).await;
    }
    let last = fleet.crm_as("sync").with(&handle).within(30 * SECOND);
    join_all((0..200).map(async |_| last.get("contacts", "101").await.expect("made"))).await;
    let arrivals = arrivals(&fleet);
    assert_eq!(arrivals.len(), 290);
    let took = arrivals.last().expect("made") - arrivals.first().expect("made");
    assert!(took < 14_000_000, "290 calls took {took} us");
}

/// A Hubkeep on PostgreSQL, whose crm-service reaches its data through this proxy.
async fn behind(proxy: &Arc<Proxy>) -> Hubkeep {
    let through = Arc::clone(proxy);
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()))
        .postgres()
        .crm(move |config| {
            let url = &mut config.database.url;
            let server = socket_of(url);
            through.lead_to(server);
            *url = url.replace(&server.to_string(), &through.address().to_string());
        });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_renew_its_share_sends_nothing_until_it_can() {
    let proxy = Arc::new(Proxy::open().await);
    let hubkeep = behind(&proxy).await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).within(5 * SECOND);
    // Lists name no record: nothing but the share is needed from the database.
    crm.list("contacts").await.expect("served");
    proxy.freeze();
    eventually!(crm.list("contacts").await.is_err());
    let refused = Refused::in_place_of(crm.list("contacts").await);
    assert_eq!(refused.said(), (Code::Unavailable, "STORAGE_UNAVAILABLE"));
    assert!(refused.retry_after.is_some());
    let before = hubkeep.hubspot_calls().len();
    for _ in 0..5 {
        crm.list("contacts").await.expect_err("the share is not renewed");
    }
    assert_eq!(hubkeep.hubspot_calls().len(), before, "nothing was sent");
    proxy.restore();
    eventually!(20 * SECOND, crm.list("contacts").await.is_ok());
}
