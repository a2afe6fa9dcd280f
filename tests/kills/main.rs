//! crm-service killed in the midst of writes, again and again: `make test-kills`, or by hand with another number of writes, and
//! on PostgreSQL with two replicas, of which one or the other is killed:
//! `cargo test --workspace --features hubkeep-tests/kills --test kills -- 60 postgres`
//!
//! Callers ask for each write under a request id until they know what became of it; some have none, and ask once. What HubSpot
//! received, and carried out, is the witness.
//!
//! With `points` for the number of writes it dies at every point at which it can be found suspended, of a write of each kind, or of
//! some: `make test-points`, or `... -- points sqlite Merge,Erase`

mod asking;
mod callers;
mod errands;
mod locks;
mod log;
mod moments;
mod points;
mod unnamed;
mod witnesses;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hubkeep_proto::crm::v1::WriteState;
use hubkeep_tests::{
    Hubkeep, Limits, World,
    support::{chance::Chance, keeping::Keeping},
};

use asking::Known;
use callers::Stage;
use moments::{MOMENTS, Moment};
use witnesses::{counted, every_unknown_write_is_listed, nothing_was_done_twice, unrecorded};

const A: &str = "client-0001";
const WRITES: u64 = 1_000;
const SEED: u64 = 7;
/// HubSpot, the simulator, is never at a request for longer.
const NOT_DONE_AFTER: &str = "1s";

fn main() {
    let what = std::env::args().nth(1);
    let keeping = match std::env::args().nth(2).as_deref() {
        None | Some("sqlite") => Keeping::Files,
        Some("postgres") => Keeping::fresh_on_postgres(),
        Some(other) => panic!("{other} is neither sqlite nor postgres"),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match what.as_deref() {
        Some("points") => {
            let named = std::env::args().nth(3).unwrap_or_default();
            runtime.block_on(points::each(keeping, &named));
        }
        number => {
            let number = number.map(|word| word.parse().expect("a number"));
            runtime.block_on(killed(number.unwrap_or(WRITES), keeping));
        }
    }
}

/// Everything around crm-service.
async fn around() -> Arc<Hubkeep> {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let hubkeep = Hubkeep::over(world).without_crm().start().await;
    hubkeep.onboard_all().await;
    hubkeep.hubspot.clear_journal();
    Arc::new(hubkeep)
}

async fn killed(writes: u64, keeping: Keeping) {
    let replicas = match keeping {
        Keeping::Files => 1,
        Keeping::Postgres { .. } => 2,
    };
    let hubkeep = around().await;
    let stage = Stage::new(hubkeep.clone(), keeping, replicas, writes);
    let callers = stage.callers();
    let mut chance = Chance::seeded(SEED);
    let mut kills = BTreeMap::<Moment, usize>::new();
    while stage.known() < writes {
        // Each moment in turn, and any of them in between.
        let turn = kills.values().sum::<usize>();
        let moment = match turn % 2 {
            0 => MOMENTS[turn / 2 % MOMENTS.len()],
            _ => Moment::Any,
        };
        moments::kill(&stage, moment, &mut chance).await;
        *kills.entry(moment).or_default() += 1;
    }
    for caller in callers {
        caller.await.expect("callers survive");
    }
    let open = [WriteState::UnderWay, WriteState::Unknown];
    let listed = witnesses::listed(&stage.address(), &open).await;
    let told = stage.told();
    let again = nothing_was_done_twice(&hubkeep, &told);
    let events = log::events(&hubkeep, &stage.keeping).await;
    let unrecorded = unrecorded(&hubkeep, &events);
    assert_eq!(unrecorded, 0, "reached HubSpot without a record");
    let settled = witnesses::listed(&stage.address(), &[WriteState::Done, WriteState::NotDone]).await;
    every_unknown_write_is_listed(&hubkeep, &told, &listed, &settled);
    let listed_unnamed = unnamed::are_listed_or_known(&stage.address(), hubkeep.journal(), &events).await;
    let count = |is: Known| told.iter().filter(|(_, known)| *known == is).count();
    // Where nothing gets done, or nothing is killed in its midst, all of this would hold too.
    let done = count(Known::Done) as u64;
    assert!(done * 2 >= writes, "{done} of {writes} are done");
    let turns = kills.values().sum::<usize>();
    let missing: Vec<_> = MOMENTS
        .iter()
        .filter(|moment| !kills.contains_key(moment))
        .collect();
    assert!(
        turns < 2 * MOMENTS.len() || missing.is_empty(),
        "never at {missing:?}"
    );
    // Of the few that are lost at once all may be of a kind that nobody can find.
    let losses = kills.get(&Moment::LostBefore).copied().unwrap_or(0);
    assert!(again > 0 || losses < 3, "nothing that was lost was sent again");
    println!(
        "{writes} writes, kills {turns} {kills:?}: done {}, lost on the way and done later {again}, unknown and listed, or found out later, {} {:?}, without a request id unanswered {} (of \
         these listed {listed_unnamed}); duplicates 0, unrecorded 0, forgotten 0",
        count(Known::Done),
        count(Known::Unknown),
        counted(&told, Known::Unknown),
        count(Known::Unanswered),
    );
}

/// Real time passes: the process that is killed has a clock of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "another process is waited for, and nothing is decided by how long"
)]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
