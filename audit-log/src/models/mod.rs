//! The group commit of a log, in orders that a checker chooses: who waits, who gives up, where the store fails, and when
//! time passes. Each run holds what was told against what was written.

mod store;
mod tasks;

use std::sync::Arc;

use hubkeep_core::clock::{MockClock, SharedClock, Timestamp};
use shuttle::{
    Config, Runner,
    future::{JoinHandle, block_on, spawn, yield_now},
    scheduler::{PctScheduler, RandomScheduler, Scheduler},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::store::FailingStore;
use self::{
    store::{Ledger, Troubles},
    tasks::{Counting, DEADLINE, Stage, gives_up, records, sends, time_passes},
};
use crate::{
    Identity, Position, appender::Appender, durable::Durable, durable::Followers, gate::Gate,
    payloads::Sealer, recent::Recent, spill::Unwritten, store::Store, writer::Writer,
};

/// Runs by each way of choosing. A mistake of the sort that is looked for is found within some hundred.
const RUNS: usize = 1_500;
/// Changes of task at the worst place, as the second way chooses them.
const DEPTH: usize = 4;
/// More looks than it takes the writer, in whatever order, to close what is open.
const ROUNDS: usize = 5_000;
/// More steps than a run takes. One that does not end is a find too.
const STEPS: usize = 200_000;

/// Runs the model again and again, each time in another order.
fn in_many_orders(troubles: Troubles) {
    run(RandomScheduler::new(RUNS), troubles);
    run(PctScheduler::new(DEPTH, RUNS), troubles);
}

fn run(scheduler: impl Scheduler + 'static, troubles: Troubles) {
    let mut config = Config::new();
    config.stack_size = 0x8_0000;
    config.max_steps = shuttle::MaxSteps::FailAfter(STEPS);
    Runner::new(scheduler, config).run(move || block_on(life_of_a_log(troubles)));
}

/// A log from its start to its end: two who send, one of whom may give up; one who records; a store in trouble.
async fn life_of_a_log(troubles: Troubles) {
    let mock = MockClock::at(Timestamp::from_micros(1));
    let clock: SharedClock = Arc::<MockClock>::clone(&mock);
    let identity = Identity {
        deployment: "model".to_owned(),
        service: "model",
        instance: "here".to_owned(),
    };
    let (appender, waiting) = Appender::new(
        identity,
        Arc::clone(&clock),
        Counting::shared(),
        DEADLINE,
        (Gate::default(), Sealer::new(false)),
    );
    let ledger = Ledger::shared();
    let durable = Durable::at(Position::START);
    let stage = Stage {
        appender: Arc::new(appender),
        ledger: Arc::clone(&ledger),
        followers: Followers::of(&durable),
    };
    let closing = CancellationToken::new();
    let writer = Writer {
        waiting,
        store: Store::Failing(FailingStore::new(Arc::clone(&ledger), troubles)),
        durable,
        recent: Recent::default(),
        clock: Arc::clone(&clock),
        closing: closing.clone(),
        patience: DEADLINE,
        unwritten: Unwritten::default(),
        taken: Vec::new(),
    };
    let writing = spawn(writer.run());
    let working = [
        spawn(sends(stage.clone())),
        spawn(gives_up(stage.clone())),
        spawn(records(stage.clone())),
    ];
    while !working.iter().all(JoinHandle::is_finished) {
        time_passes(&mock).await;
    }
    for task in working {
        task.await.expect("its promises are kept");
    }
    // From here on the store works, unless it is gone: whatever is open is closed by the writer itself.
    ledger.heal();
    let mut rounds = 0;
    while !ledger.is_settled() {
        rounds += 1;
        assert!(rounds < ROUNDS, "an intent stays open though the store works");
        mock.advance(DEADLINE);
        yield_now().await;
    }
    closing.cancel();
    writing.await.expect("the writer ends");
    stage.in_order();
    ledger.in_order();
}

#[test]
fn what_is_told_to_be_durable_is_written_and_every_intent_ends_once_while_the_store_fails_now_and_then() {
    in_many_orders(Troubles {
        fails: true,
        ..Troubles::default()
    });
}

#[test]
fn an_answer_that_is_lost_after_the_commit_sends_nothing_and_leaves_nothing_open() {
    in_many_orders(Troubles {
        fails: true,
        loses_answers: true,
        ..Troubles::default()
    });
}

#[test]
fn a_store_that_ends_in_the_middle_makes_nobody_believe_what_is_not_so() {
    in_many_orders(Troubles {
        fails: true,
        ends: true,
        ..Troubles::default()
    });
}
