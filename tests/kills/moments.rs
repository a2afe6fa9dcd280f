//! When the process is killed.

use std::time::Duration;

use hubkeep_tests::{
    Fault, FaultRule,
    support::{chance::Chance, writes::sent_writes},
};

use super::{
    callers::Stage,
    locks::{Lock, What},
    pause,
};

/// A step of a write at which the process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// No step in particular.
    Any,
    /// Rows wait to become durable: nothing is sent.
    RowsWait,
    /// Rows are durable, and intents wait.
    IntentsWait,
    /// Some were lost on their way to HubSpot, and are looked for there, or sent again.
    LostBefore,
    /// HubSpot has carried it out, and has not answered.
    AtHubSpot,
    /// HubSpot has answered, and the outcome waits.
    OutcomesWait,
    /// The outcome is durable, and the row waits to hear of it.
    ResultsWait,
}

/// Every step.
pub const MOMENTS: [Moment; 6] = [
    Moment::RowsWait,
    Moment::IntentsWait,
    Moment::LostBefore,
    Moment::AtHubSpot,
    Moment::OutcomesWait,
    Moment::ResultsWait,
];

/// How long a state is left to come about.
const A_MOMENT: usize = 250;
/// How long writes that were lost are looked for and sent again: that begins when HubSpot cannot be at them any more.
const A_WHILE: usize = 2_500;
/// So many writes are lost at once.
const LOST_AT_ONCE: usize = 4;
/// Without calls at HubSpot nobody waits for one longer.
const LONGEST: Duration = Duration::from_secs(5);

/// Lets the process work for a while, kills it at this moment, and starts the next.
pub async fn kill(stage: &Stage, moment: Moment, chance: &mut Chance) {
    // As long as it takes to come to know some more, so that there is an end to it.
    let enough = stage.known() + chance.below(2) as u64;
    waited(async || stage.known() >= enough).await;
    let hubspot = &stage.hubkeep.hubspot;
    let mut locks = Vec::new();
    let mut longest = A_MOMENT;
    match moment {
        Moment::Any => {}
        Moment::RowsWait => locks.push(Lock::take(stage, What::Rows).await),
        Moment::IntentsWait => locks.push(Lock::take(stage, What::Log).await),
        Moment::LostBefore => {
            let so_far = lost(stage);
            hubspot.inject(FaultRule::new(Fault::CutConnection).path("/crm/"));
            waited(async || lost(stage) >= so_far + LOST_AT_ONCE).await;
            hubspot.clear_faults();
            longest = A_WHILE;
        }
        Moment::AtHubSpot | Moment::OutcomesWait | Moment::ResultsWait => {
            let hold = FaultRule::new(Fault::HoldUntilReleased)
                .path("/crm/")
                .after_effect();
            let held = hubspot.inject(hold);
            waited(async || hubspot.held() > 0).await;
            match moment {
                Moment::OutcomesWait => locks.push(Lock::take(stage, What::Log).await),
                Moment::ResultsWait => locks.push(Lock::take(stage, What::Rows).await),
                _ => {}
            }
            if moment != Moment::AtHubSpot {
                hubspot.release(held);
            }
        }
    }
    pause(Duration::from_millis(chance.below(longest) as u64)).await;
    let replica = chance.below(stage.replicas());
    stage.kill(replica);
    for lock in locks {
        lock.release().await;
    }
    stage.hubkeep.hubspot.clear_faults();
    stage.start(replica);
}

/// Waits until something holds, or for long enough.
async fn waited(mut holds: impl AsyncFnMut() -> bool) {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut left = LONGEST;
    while !holds().await && !left.is_zero() {
        pause(PAUSE).await;
        left = left.saturating_sub(PAUSE);
    }
}

/// How many writes HubSpot received and did not carry out.
fn lost(stage: &Stage) -> usize {
    let sent = sent_writes(stage.hubkeep.journal());
    sent.iter().filter(|entry| !entry.carried_out).count()
}
