//! Who reads together with others waits as long as it would alone: it ends its own wait and nobody else's, and what a person waits
//! for does not wait behind a batch.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{CallResult, Cause, Entry, Operation, Phase};
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_proto::crm::v1::GetObjectResponse;
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, ObjectType, Refused, Service, World, eventually,
    support::audit::Reader,
};
use tokio::task::JoinHandle;
use tonic::{Code, Status};

const A: &str = "client-0001";
const NOW: i64 = 1_795_366_800_000_000;
const BATCH_READ: &str = "/crm/objects/2026-09/contacts/batch/read";
/// So many records fill a batch, which goes then without waiting for more.
const FULL: usize = 100;
const SHORT: Duration = Duration::from_secs(6);
const LONG: Duration = Duration::from_secs(60);

type Reading = JoinHandle<Result<GetObjectResponse, Status>>;

/// Time stands still, so that who gathers goes when the batch is full, and not before.
struct Stage {
    hubkeep: Hubkeep,
    clock: Arc<MockClock>,
    crm: Crm,
    /// A batch of records.
    ids: Vec<u64>,
}

impl Stage {
    async fn start(limits: &Limits) -> Self {
        let clock = MockClock::at(Timestamp::from_micros(NOW));
        let setup = Hubkeep::over(World::of_portals(1).limits(limits)).crm(|config| {
            config.coalesce.window = Duration::from_millis(5);
            config.quota.batch_callers = ["nightly".to_owned()].into();
        });
        let hubkeep = setup.clock(clock.clone()).start().await;
        hubkeep.onboard_all().await;
        let handle = hubkeep.handle(A).issue().await;
        let crm = hubkeep.crm_as("sync").with(&handle).within(LONG);
        crm.get("contacts", "101")
            .await
            .expect("HubSpot tells its limits");
        hubkeep.hubspot.clear_journal();
        let id = hubkeep.portal_id(A);
        let seeded = (0..FULL).map(|number| {
            let email = format!("reader{number}@example.com");
            let seeded = hubkeep
                .hubspot
                .seed(id, ObjectType::Contacts, &[("email", &email)]);
            seeded.expect("seeded")
        });
        let ids = seeded.collect();
        Self {
            hubkeep,
            clock,
            crm,
            ids,
        }
    }

    fn read(&self, crm: &Crm, id: u64) -> Reading {
        let crm = crm.clone();
        tokio::spawn(async move { crm.get("contacts", &id.to_string()).await })
    }

    /// A read that HubSpot holds, and so many others that have gathered meanwhile, whose read it holds too; the one with the least
    /// time first.
    async fn gathered(&self, of: impl Fn(usize) -> Crm) -> (Reading, Vec<Reading>) {
        let hold = FaultRule::new(Fault::HoldUntilReleased).path("/crm/objects/2026-09/contacts/101");
        self.hubkeep.hubspot.inject(hold.times(1));
        let first = self.read(&self.crm, 101);
        self.hubkeep.hubspot.until_held(1).await;
        self.hubkeep
            .hubspot
            .inject(FaultRule::new(Fault::HoldUntilReleased).path(BATCH_READ));
        let each = self.ids.iter().enumerate();
        let others = each.map(|(number, id)| self.read(&of(number), *id)).collect();
        self.hubkeep.hubspot.until_held(2).await;
        (first, others)
    }

    /// Time passes, in steps in which the services hear of each other.
    async fn pass(&self, by: Duration) {
        let step = Duration::from_millis(500);
        for _ in 0..by.as_millis() / step.as_millis() {
            self.clock.advance(step);
            tokio::task::yield_now().await;
        }
    }

    async fn outcomes(&self) -> Vec<Entry> {
        let mut entries = self.hubkeep.entries(Service::Crm, Phase::Outcome).await;
        entries.retain(|entry| entry.operation() == Operation::ObjectGet && !entry.physical_id.is_empty());
        entries
    }

    fn batches(&self) -> usize {
        let calls = self.hubkeep.hubspot_calls();
        calls.iter().filter(|call| call.path == BATCH_READ).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_in_a_hurry_ends_its_own_wait_and_the_others_are_answered_by_the_same_call() {
    let stage = Stage::start(&Limits::unlimited()).await;
    let (short, long) = (stage.crm.clone().within(SHORT), stage.crm.clone());
    let of = |number| if number == 0 { short.clone() } else { long.clone() };
    let (first, mut others) = stage.gathered(of).await;
    let hurried = others.remove(0);
    stage.pass(SHORT).await;
    let refused = Refused::in_place_of(hurried.await.expect("no panic"));
    assert_eq!(refused.said(), (Code::Unavailable, "HUBSPOT_UNAVAILABLE"));
    assert!(others.iter().all(|other| !other.is_finished()), "they wait on");
    let left = stage.outcomes().await;
    assert_eq!(left.len(), 1, "it is on record before it is told");
    assert_eq!(
        (left[0].result(), left[0].cause()),
        (CallResult::Unknown, Cause::Timeout)
    );

    stage.hubkeep.hubspot.clear_faults();
    for (other, id) in others.into_iter().zip(&stage.ids[1..]) {
        let read = other.await.expect("no panic").expect("read");
        assert_eq!(read.object.expect("told").object_id, id.to_string());
    }
    first.await.expect("no panic").expect("read");
    assert_eq!(stage.batches(), 1, "one call for all of them");
    let outcomes = stage.outcomes().await;
    let unknown = outcomes
        .iter()
        .filter(|entry| entry.result() == CallResult::Unknown);
    assert_eq!(unknown.count(), 1);
    let ok = outcomes.iter().filter(|entry| entry.result() == CallResult::Ok);
    assert_eq!(ok.count(), FULL - 1);
    let of_one_call = outcomes.iter().filter(|entry| entry.call_id == left[0].call_id);
    assert_eq!(of_one_call.count(), 1, "nothing is said of it twice");
    assert_eq!(outcomes.len(), FULL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_goes_on_for_the_latest_deadline_of_those_who_still_wait_and_no_longer() {
    let stage = Stage::start(&Limits::unlimited()).await;
    let (short, long) = (stage.crm.clone().within(SHORT), stage.crm.clone());
    let of = |number| if number == 0 { long.clone() } else { short.clone() };
    let (first, mut others) = stage.gathered(of).await;
    // The one that would have waited longest hangs up.
    others.remove(0).abort();
    stage.pass(SHORT).await;
    for other in others {
        let refused = Refused::in_place_of(other.await.expect("no panic"));
        assert_eq!(refused.said(), (Code::Unavailable, "HUBSPOT_UNAVAILABLE"));
    }
    // HubSpot holds the first read still, and notices that nobody waits for the other.
    eventually!(stage.hubkeep.hubspot.held() == 1);
    eventually!(stage.outcomes().await.len() == FULL);
    let outcomes = stage.outcomes().await;
    assert!(outcomes.iter().all(|entry| entry.result() == CallResult::Unknown));
    stage.hubkeep.hubspot.clear_faults();
    first.await.expect("no panic").expect("read");
    assert_eq!(stage.batches(), 1, "it was cut off, and not made again");
}

async fn waits(stage: &Stage) -> usize {
    let handle = stage
        .hubkeep
        .handle(A)
        .allow([Allow::Quota])
        .types([])
        .issue()
        .await;
    let quota = stage.hubkeep.quota(Reader::Holder(&handle), A).await;
    let burst = quota.expect("told").burst.expect("told");
    usize::try_from(burst.waiting_count).expect("fits")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_reads_does_not_wait_behind_a_batch_that_reads_the_like() {
    const WRITES: usize = 40;
    let limits = Limits {
        burst: 30,
        ..Limits::default()
    };
    let stage = Stage::start(&limits).await;
    let of_person = stage.hubkeep.handle(A).for_person("ann").issue().await;
    let person = stage.hubkeep.crm_as("sync").with(&of_person).within(LONG);
    person
        .get("contacts", "102")
        .await
        .expect("there are people here");
    let of_batch = stage.hubkeep.handle(A).for_caller("nightly").issue().await;
    let nightly = stage.hubkeep.crm_as("nightly").with(&of_batch).within(LONG);

    // All places are used, but for those that are kept for people.
    let writes: Vec<_> = (0..WRITES)
        .map(|_| {
            let crm = stage.crm.clone();
            tokio::spawn(async move { crm.update("contacts", "105", &[("firstname", "x")]).await })
        })
        .collect();
    let served = || writes.iter().filter(|write| write.is_finished()).count();
    eventually!({
        let waiting = waits(&stage).await;
        waiting > 0 && waiting + served() == WRITES
    });
    let before = waits(&stage).await;
    let (one, two) = (stage.read(&nightly, 101), stage.read(&nightly, 103));
    eventually!(waits(&stage).await > before);
    let read = person.get("contacts", "104").await.expect("it has a place");
    assert_eq!(read.object.expect("told").object_id, "104");
    assert!(!one.is_finished() && !two.is_finished(), "the batch waits");
    for task in [one, two] {
        task.abort();
    }
    for write in writes {
        write.abort();
    }
}
