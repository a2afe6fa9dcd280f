//! Containment, with the simulator's journal as witness: what is contained reaches HubSpot no more once it is said to be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hubkeep_core::clock::SystemClock;
use hubkeep_tests::{
    Crm, Hubkeep, Limits, Proxy, World, eventually,
    support::{
        containing::{Holder, portal, reach},
        crm_process::CrmProcess,
        fleet::Fleet,
    },
};
use hubspot_sim::{Fault, FaultRule, JournalEntry};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const A: &str = "client-0001";
const B: &str = "client-0002";
/// Callers at once, of each portal.
const CALLERS: usize = 8;
/// A lease, its margin, and what a machine under load may add.
const LAPSED_WITHIN: Duration = Duration::from_secs(9);

/// Callers that call and call, refused or not.
struct Load {
    tasks: JoinSet<()>,
    calls: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Load {
    fn of(callers: impl IntoIterator<Item = Crm>) -> Self {
        let (calls, stop) = (Arc::<AtomicUsize>::default(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        for crm in callers {
            let (calls, stop) = (calls.clone(), stop.clone());
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    let _ = crm.get("contacts", "101").await;
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Self { tasks, calls, stop }
    }

    /// Waits until so many more were made, or tried.
    async fn go_on(&self, more: usize) {
        let until = self.calls.load(Ordering::SeqCst) + more;
        eventually!(
            Duration::from_secs(30),
            self.calls.load(Ordering::SeqCst) >= until
        );
    }

    async fn end(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no panic");
        }
    }
}

/// Calls of this portal that reached HubSpot after the entry of this number.
fn after(journal: &[JournalEntry], seq: u64, portal_id: u64) -> usize {
    let of_portal = |entry: &&JournalEntry| entry.portal_id == Some(portal_id) && entry.seq > seq;
    journal.iter().filter(of_portal).count()
}

fn newest(journal: &[JournalEntry]) -> u64 {
    journal.last().map_or(0, |entry| entry.seq)
}

fn world() -> World {
    World::of_portals(2).limits(&Limits::unlimited())
}

#[tokio::test(flavor = "multi_thread")]
async fn when_containing_has_returned_nothing_of_it_reaches_hubspot_whatever_the_load() {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard_all().await;
    hubkeep.hubspot.inject(FaultRule::new(Fault::Slow { ms: 20 }));
    let mut callers = Vec::new();
    let mut handle_of_a = None;
    for slug in [A, B] {
        let handle = hubkeep.handle(slug).issue().await;
        callers.extend(std::iter::repeat_n(hubkeep.crm_as("sync").with(&handle), CALLERS));
        handle_of_a.get_or_insert(handle);
    }
    let load = Load::of(callers);
    load.go_on(100).await;
    let (a, b) = (hubkeep.portal_id(A), hubkeep.portal_id(B));
    let id = handle_of_a.expect("issued").id;
    for holder in [Holder::HandleId(id), portal(A)] {
        let contained = hubkeep.contain(holder).await.expect("contains");
        let seen = newest(&hubkeep.hubspot_calls());
        assert_eq!(contained.reach, reach(1, 0, 0));
        load.go_on(200).await;
        let calls = hubkeep.hubspot_calls();
        assert_eq!(after(&calls, seen, a), 0, "nothing of what is contained");
        assert!(after(&calls, seen, b) > 0, "and the other portal goes on");
    }
    load.end().await;
    hubkeep.lift(portal(A)).await.expect("lifts");
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("served again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_service_that_is_cut_off_stops_within_its_lease_and_containing_says_so() {
    let setup = Hubkeep::over(world()).between_services(Proxy::open().await);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep
        .crm_as("sync")
        .with(&handle)
        .within(Duration::from_secs(2));
    eventually!(crm.get("contacts", "101").await.is_ok());
    let load = Load::of(std::iter::repeat_n(crm.clone(), CALLERS));
    load.go_on(50).await;
    hubkeep.between_services().go_silent();
    let (clock, a) = (SystemClock::shared(), hubkeep.portal_id(A));
    let began = clock.tick();
    let contained = hubkeep.contain(portal(A)).await.expect("contains");
    let seen = newest(&hubkeep.hubspot_calls());
    assert_eq!(contained.reach, reach(0, 1, 0));
    let took = clock.tick().since(began);
    assert!(took < LAPSED_WITHIN, "{took:?}");
    load.go_on(CALLERS).await;
    assert_eq!(after(&hubkeep.hubspot_calls(), seen, a), 0);
    hubkeep.between_services().restore();
    eventually!(
        Duration::from_secs(20),
        hubkeep.contain(portal(A)).await.expect("contains").reach == reach(1, 0, 0)
    );
    load.go_on(CALLERS).await;
    load.end().await;
    assert_eq!(after(&hubkeep.hubspot_calls(), seen, a), 0, "nor when it is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_service_that_is_killed_holds_containing_up_no_longer_than_its_lease() {
    let CrmProcess { hubkeep, process, .. } = CrmProcess::start(world()).await;
    eventually!(
        Duration::from_secs(20),
        hubkeep.contain(portal(B)).await.expect("contains").reach == reach(1, 0, 0)
    );
    drop(process);
    let clock = SystemClock::shared();
    let began = clock.tick();
    let contained = hubkeep.contain(portal(A)).await.expect("contains");
    assert_eq!(contained.reach, reach(0, 1, 0));
    let took = clock.tick().since(began);
    assert!(took < LAPSED_WITHIN, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_of_crm_service_has_acknowledged_whichever_replica_heard_it() {
    let fleet = Fleet::start(world(), 2).await;
    fleet.onboard_all().await;
    let handle = fleet.handle(A).issue().await;
    let callers = (0..CALLERS).map(|_| fleet.crm_as("sync").with(&handle));
    let load = Load::of(callers);
    load.go_on(50).await;
    let contained = fleet.contain(portal(A)).await.expect("contains");
    let seen = newest(&fleet.hubspot.journal());
    assert_eq!(contained.reach, reach(2, 0, 0));
    load.go_on(100).await;
    let a = fleet.hubspot.portal_id(A).expect("in the world");
    assert_eq!(after(&fleet.hubspot.journal(), seen, a), 0);
    load.end().await;
}
