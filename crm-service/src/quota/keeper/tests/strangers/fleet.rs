//! Replicas without a database, by what its transactions do: so their events can come in any order, and many of them.

use std::collections::HashMap;

use hubkeep_hubspot::Limits;
use tokio::task::JoinSet;

use super::*;
use crate::quota::Slot;

/// What HubSpot allows in ten seconds.
pub(super) const ALLOWED: usize = 100;
/// Time goes on by so much.
pub(super) const STEP: Duration = Duration::from_millis(50);
/// A replica renews its share each so many steps.
const RENEWS_EACH: u64 = 5;

/// HubSpot's side: what has arrived.
#[derive(Default)]
pub(super) struct HubSpot {
    arrived: Vec<Tick>,
    made: usize,
}

impl HubSpot {
    /// One arrives: gives the headers of its answer.
    pub(super) fn counts(&mut self, now: Tick) -> Limits {
        self.made += 1;
        self.arrived.push(now);
        self.arrived.retain(|at| now.since(*at) < 10 * SECOND);
        let counted = self.arrived.len();
        assert!(counted <= ALLOWED, "{counted} in ten seconds");
        Limits {
            max: u32::try_from(ALLOWED).ok(),
            remaining: u32::try_from(ALLOWED - counted).ok(),
            ..Limits::default()
        }
    }
}

/// A call under way.
struct Flight {
    slot: Slot,
    arrives: Tick,
    answered: Tick,
    limits: Option<Limits>,
}

/// What the database does for replicas, without one.
#[derive(Default)]
pub(super) struct Table {
    shares: Vec<Share>,
    leases: HashMap<String, Timestamp>,
}

impl Table {
    fn rows(&self) -> Vec<Held> {
        let held = |share: &Share| Held {
            share: share.clone(),
            lease_until: self.leases[&share.replica],
        };
        self.shares.iter().map(held).collect()
    }

    fn forget_the_lost(&mut self, now: Timestamp) {
        let leases = &self.leases;
        self.shares
            .retain(|share| leases[&share.replica].plus(share.interval).plus(ARRIVES_WITHIN) >= now);
    }

    fn write(&mut self, replica: &str, changed: Vec<Share>) {
        for share in changed.into_iter().filter(|share| share.of != Of::Bursts) {
            self.shares
                .retain(|row| (&row.of, &row.replica) != (&share.of, &share.replica));
            self.shares.push(share);
        }
        self.shares.retain(|row| row.replica != replica || !is_empty(row));
    }

    /// As [`Keeper::renew`].
    fn renew(&mut self, replica: &Replica, clock: &MockClock) {
        let (began, now) = (clock.tick(), clock.now());
        let Replica { keeper, portal } = replica;
        self.leases.insert(keeper.replica.clone(), now.plus(HOLDS_FOR));
        self.forget_the_lost(now);
        let mut settled = Vec::new();
        if portal.has_shares() {
            let changed = keeper.shares(portal, &self.rows(), now, &mut settled);
            self.write(&keeper.replica, changed);
        }
        settled.iter().for_each(Settled::is_had);
        keeper.lease.renewed(began);
        for Settled {
            quota, limit, here, ..
        } in settled
        {
            quota.stand_by(&limit, here);
            quota.look_again();
        }
    }

    /// As [`Keeper::leave`].
    pub(super) fn leave(&mut self, replica: &Replica, now: Timestamp) {
        let Replica { keeper, portal } = replica;
        keeper.lease.end();
        let holds_for = match portal.has_unsent() {
            true => HOLDS_FOR,
            false => Duration::ZERO,
        };
        let left = keeper.left(portal);
        self.shares.retain(|row| row.replica != keeper.replica);
        self.write(&keeper.replica, left);
        self.leases.insert(keeper.replica.clone(), now.plus(holds_for));
    }
}

/// A replica, and what it has under way.
pub(super) struct Process {
    pub(super) replica: Replica,
    under_way: Arc<Mutex<Vec<Flight>>>,
    /// The step at which it renews its share again; `None` when it is gone.
    pub(super) renews: Option<u64>,
}

/// Replicas that share a portal, step by step.
pub(super) struct Fleet<'a> {
    database: &'a Database,
    pub(super) clock: Arc<MockClock>,
    pub(super) table: Table,
    pub(super) hubspot: HubSpot,
    pub(super) processes: Vec<Process>,
    steps: u64,
    callers: JoinSet<()>,
}

impl<'a> Fleet<'a> {
    pub(super) fn of(replicas: usize, database: &'a Database) -> Self {
        let mut fleet = Self {
            database,
            clock: MockClock::at(Timestamp::from_micros(1_000_000_000)),
            table: Table::default(),
            hubspot: HubSpot::default(),
            processes: Vec::new(),
            steps: 0,
            callers: JoinSet::new(),
        };
        (0..replicas).for_each(|_| fleet.starts());
        fleet
    }

    pub(super) fn starts(&mut self) {
        let name = format!("replica-{}", self.processes.len());
        let replica = Replica::of(self.database, &self.clock, &name);
        self.table.renew(&replica, &self.clock);
        self.processes.push(Process {
            replica,
            under_way: Arc::default(),
            renews: Some(self.steps + RENEWS_EACH),
        });
    }

    /// Those that live.
    pub(super) fn living(&self) -> Vec<usize> {
        let living = self.processes.iter().enumerate();
        living
            .filter(|(_, process)| process.renews.is_some())
            .map(|(nth, _)| nth)
            .collect()
    }

    /// So many calls of one of them come, and wait a little for room. Each arrives within two seconds, and before it is answered.
    pub(super) fn calls(&mut self, nth: usize, calls: usize, answered_in: Duration) {
        let Process {
            replica, under_way, ..
        } = &self.processes[nth];
        for call in 0..calls {
            let (portal, under_way, clock) = (replica.portal.clone(), under_way.clone(), self.clock.clone());
            let way = answered_in * u32::try_from(call % 4).expect("few") / 3;
            self.callers.spawn(async move {
                if let Ok(slot) = pay(&portal, &clock, 2 * SECOND).await {
                    let now = clock.tick();
                    slot.sent(now);
                    under_way.lock().expect("not poisoned").push(Flight {
                        slot,
                        arrives: now.plus(way.min(2 * SECOND)),
                        answered: now.plus(answered_in),
                        limits: None,
                    });
                }
            });
        }
    }

    pub(super) async fn steps(&mut self, steps: usize) {
        for _ in 0..steps {
            self.clock.advance(STEP);
            self.steps += 1;
            self.calls_arrive();
            self.answers_are_heard();
            for process in &mut self.processes {
                if process.renews.is_some_and(|at| at <= self.steps) {
                    self.table.renew(&process.replica, &self.clock);
                    process.renews = Some(self.steps + RENEWS_EACH);
                }
            }
            for _ in 0..12 {
                tokio::task::yield_now().await;
            }
        }
    }

    fn calls_arrive(&mut self) {
        let now = self.clock.tick();
        let mut under_way: Vec<_> = self
            .processes
            .iter()
            .map(|process| process.under_way.lock().expect("not poisoned"))
            .collect();
        let mut arriving: Vec<_> = under_way
            .iter_mut()
            .flat_map(|flights| flights.iter_mut())
            .filter(|flight| flight.limits.is_none() && flight.arrives <= now)
            .collect();
        arriving.sort_by_key(|flight| flight.arrives);
        for flight in arriving {
            flight.limits = Some(self.hubspot.counts(flight.arrives));
        }
    }

    fn answers_are_heard(&self) {
        let now = self.clock.tick();
        for process in &self.processes {
            let mut under_way = process.under_way.lock().expect("not poisoned");
            let is_answered = |flight: &mut Flight| flight.answered <= now;
            let answered: Vec<_> = under_way.extract_if(.., is_answered).collect();
            drop(under_way);
            for flight in answered {
                flight.slot.learn(&flight.limits.expect("it has arrived"));
            }
        }
    }

    /// Calls that have reached HubSpot.
    pub(super) fn made(&self) -> usize {
        self.hubspot.made
    }

    /// How many calls each has told of that nobody here has made.
    pub(super) fn seen(&self) -> Vec<u64> {
        let seen = self.processes.iter().filter_map(|process| process.replica.seen());
        seen.collect()
    }
}

/// Pays for a call that waits so long.
pub(super) async fn pay(
    portal: &PortalQuota,
    clock: &Arc<MockClock>,
    patience: Duration,
) -> Result<Slot, Error> {
    let call = CallId::make(&**clock, &*SystemRandom::shared()).expect("made");
    let about = About::new(call, [call]);
    let payer = Payer {
        caller: &"sync".parse().expect("valid"),
        app: None,
        kind: Kind::Private,
        is_person: false,
        is_batch: false,
        about: &about,
    };
    portal
        .pay(payer, Bucket::Burst, clock.tick().plus(patience))
        .await
}
