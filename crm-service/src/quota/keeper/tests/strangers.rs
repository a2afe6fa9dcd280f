//! What replicas see of somebody else who uses the token: not each other, and him however little they call themselves.

use hubkeep_hubspot::Limits;
use proptest::prelude::*;

use super::*;

mod fleet;

use fleet::{ALLOWED, Fleet, STEP, pay};

/// What becomes of a replica.
#[derive(Clone, Copy, Debug)]
enum Event {
    Calls(usize, Duration),
    /// Its next renewals come so many steps later.
    IsLate(u64),
    Dies,
    Leaves,
    /// Another one starts.
    Starts,
}

impl Event {
    fn happens(self, fleet: &mut Fleet<'_>, whom: usize) {
        let living = fleet.living();
        let Some(nth) = living.get(whom % living.len().max(1)).copied() else {
            return fleet.starts();
        };
        match self {
            Self::Calls(calls, answered_in) => fleet.calls(nth, calls, answered_in),
            Self::IsLate(steps) => {
                let renews = &mut fleet.processes[nth].renews;
                *renews = renews.map(|at| at + steps);
            }
            Self::Dies => fleet.processes[nth].renews = None,
            Self::Leaves => {
                fleet.processes[nth].renews = None;
                let now = fleet.clock.now();
                fleet.table.leave(&fleet.processes[nth].replica, now);
            }
            Self::Starts if living.len() < 4 => fleet.starts(),
            Self::Starts => {}
        }
    }
}

fn some_event() -> impl Strategy<Value = Event> {
    let calls = (1_usize..40, 20_u64..2_500);
    prop_oneof![
        24 => calls.prop_map(|(calls, millis)| Event::Calls(calls, Duration::from_millis(millis))),
        3 => (1_u64..120).prop_map(Event::IsLate),
        1 => Just(Event::Dies),
        1 => Just(Event::Leaves),
        2 => Just(Event::Starts),
    ]
}

/// A database that is not asked.
async fn unused() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = DatabaseConfig {
        url: format!("sqlite://{}", folder.path().join("quota.db").display()),
        ..DatabaseConfig::default()
    };
    let opened = Database::open(&config, &[]).await;
    (folder, opened.expect("opened"))
}

#[test]
fn replicas_are_never_taken_for_somebody_else_however_late_they_are_and_whenever_they_start_or_die() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (_folder, database) = runtime.block_on(unused());
    let events = proptest::collection::vec((some_event(), 0_usize..4, 1_usize..30), 30..70);
    proptest!(ProptestConfig::with_cases(12), |(events in events)| {
        runtime.block_on(async {
            let mut fleet = Fleet::of(3, &database);
            for (event, whom, steps) in &events {
                event.happens(&mut fleet, *whom);
                fleet.steps(*steps).await;
                assert_eq!(fleet.seen(), [0; 0], "after {} calls", fleet.made());
            }
        });
    });
}

/// Each of three replicas makes a call, and waits two seconds.
async fn one_each(fleet: &mut Fleet<'_>) {
    (0..3).for_each(|nth| fleet.calls(nth, 1, 2 * STEP));
    fleet.steps(40).await;
}

#[tokio::test]
async fn somebody_who_calls_less_than_replicas_may_is_seen_and_each_of_his_calls_is_told_once() {
    let (_folder, database) = unused().await;
    let mut fleet = Fleet::of(3, &database);
    for _ in 0..20 {
        one_each(&mut fleet).await;
    }
    assert_eq!((fleet.made(), fleet.seen()), (60, vec![]));
    let held = fleet.processes.iter().map(|process| process.replica.share());
    assert_eq!(held.sum::<usize>(), WHOLE, "all of it may be used by them");
    let now = fleet.clock.tick();
    for _ in 0..60 {
        fleet.hubspot.counts(now);
    }
    for _ in 0..3 {
        one_each(&mut fleet).await;
    }
    let seen: u64 = fleet.seen().iter().sum();
    assert!((40..=56).contains(&seen), "{seen} were told of 60 less four");
    // They give way to him: HubSpot need refuse none.
    (0..3).for_each(|nth| fleet.calls(nth, WHOLE, STEP));
    fleet.steps(20).await;
}

/// Each replica calls, and HubSpot says that so many of a hundred are left.
async fn hear(replicas: &[&Replica], clock: &Arc<MockClock>, left: u32) {
    for replica in replicas {
        let paid = pay(&replica.portal, clock, 5 * SECOND);
        let (paid, ()) = tokio::join!(paid, pass(clock, replicas, 1));
        let slot = paid.expect("there is room");
        slot.sent(clock.tick());
        slot.learn(&Limits {
            max: u32::try_from(ALLOWED).ok(),
            remaining: Some(left),
            ..Limits::default()
        });
    }
}

#[tokio::test]
async fn what_each_replica_has_made_is_told_over_the_database() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let replicas = ["a", "b", "c"].map(|name| Replica::of(&database, &clock, name));
    let all: Vec<&Replica> = replicas.iter().collect();
    let seen = || {
        all.iter()
            .filter_map(|replica| replica.seen())
            .collect::<Vec<_>>()
    };
    pass(&clock, &all, 1).await;
    for _ in 0..8 {
        hear(&all, &clock, 90).await;
    }
    assert_eq!(
        seen(),
        [0; 0],
        "each has made three or four of the ten that count"
    );
    // And now 50 more, which is less than the other two may make.
    hear(&all, &clock, 40).await;
    pass(&clock, &all, 1).await;
    let calls: u64 = seen().iter().sum();
    assert!((40..=50).contains(&calls), "{calls} were told, once");
}
