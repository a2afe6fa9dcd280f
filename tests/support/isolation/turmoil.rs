//! What happens to handles and tokens while calls are made with them.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hubspot_sim::Expire;
use tokio::{
    task::{JoinError, JoinSet},
    time::MissedTickBehavior,
};
use tonic::{Code, Status};

use super::{CALLERS, Stage, locked};

/// Within this a token is not rotated again: each time HubSpot is asked, and for that a portal has little room.
const REST: Duration = Duration::from_secs(20);
/// Upheavals under way at once. What comes to more is left out, rather than bring a busy machine to a stand.
const AT_ONCE: usize = 8;

/// How often it happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upheavals {
    /// Handles that were replaced and revoked.
    pub revocations: u64,
    /// Tokens that were rotated.
    pub rotations: u64,
    /// What a machine that was too busy did not do.
    pub unavailable: u64,
}

/// Revokes a handle and rotates a token at each beat, each in its turn.
pub(super) struct Turmoil {
    stage: Arc<Stage>,
    tokens: Vec<String>,
    beats: usize,
}

impl Turmoil {
    pub(super) fn over(stage: Arc<Stage>) -> Self {
        let portals = &stage.hubkeep.world().portals;
        let tokens = portals
            .iter()
            .map(|portal| portal.first_token().expect("it has one").to_owned());
        Self {
            tokens: tokens.collect(),
            beats: 0,
            stage,
        }
    }

    /// Until the calls have been made.
    pub(super) async fn rage(mut self) -> Upheavals {
        let mut upheavals = Upheavals::default();
        let pace = self.stage.size.pace;
        let mut beats = tokio::time::interval(pace);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut under_way = JoinSet::new();
        let rested = REST.div_duration_f64(pace).ceil() as usize;
        let each = rested.div_ceil(self.tokens.len());
        while !self.stage.calmed.load(Ordering::Acquire) {
            beats.tick().await;
            while under_way.len() >= AT_ONCE {
                upheavals.add(under_way.join_next().await);
            }
            let handle = self.beats % (self.tokens.len() * CALLERS.len());
            under_way.spawn(replaced(Arc::clone(&self.stage), handle));
            if self.beats.is_multiple_of(each) {
                let portal = (self.beats / each) % self.tokens.len();
                let new = format!("pat-na1-{}-{}", self.stage.slugs[portal], self.beats);
                let old = std::mem::replace(&mut self.tokens[portal], new.clone());
                under_way.spawn(rotated(Arc::clone(&self.stage), portal, old, new));
            }
            self.beats += 1;
        }
        while let Some(done) = under_way.join_next().await {
            upheavals.add(Some(done));
        }
        upheavals
    }
}

/// What was done, if it was: a machine that is too busy may keep a database from answering in time.
enum Done {
    Revoked,
    Rotated,
    Unavailable,
}

impl Upheavals {
    fn add(&mut self, done: Option<Result<Done, JoinError>>) {
        match done.map(|done| done.expect("as an operator does it")) {
            Some(Done::Revoked) => self.revocations += 1,
            Some(Done::Rotated) => self.rotations += 1,
            Some(Done::Unavailable) => self.unavailable += 1,
            None => {}
        }
    }
}

fn unless_unavailable<T>(answer: Result<T, Status>, done: Done) -> Done {
    match answer {
        Ok(_) => done,
        Err(status) if [Code::Unavailable, Code::DeadlineExceeded].contains(&status.code()) => {
            Done::Unavailable
        }
        Err(status) => panic!("refused: {status:?}"),
    }
}

/// Puts another handle in the place of this one, and revokes it.
async fn replaced(stage: Arc<Stage>, handle: usize) -> Done {
    let (portal, caller) = (handle / CALLERS.len(), CALLERS[handle % CALLERS.len()]);
    let new = match stage.try_issue(portal, caller).await {
        Ok(new) => new,
        refused => return unless_unavailable(refused, Done::Unavailable),
    };
    let old = std::mem::replace(&mut locked(&stage.own)[handle], new);
    // Noted before it is so: a call with it may be refused from here on.
    locked(&stage.ended).insert(old.id.clone());
    unless_unavailable(stage.hubkeep.try_revoke(&old).await, Done::Revoked)
}

/// Mints another token at HubSpot, which lets the old one live for now, and puts it in force.
async fn rotated(stage: Arc<Stage>, portal: usize, old: String, new: String) -> Done {
    let minted = stage.hubkeep.hubspot.rotate_token(&old, &new, Expire::Later);
    minted.expect("minted");
    unless_unavailable(
        stage.hubkeep.try_rotate(&stage.slugs[portal], &new).await,
        Done::Rotated,
    )
}
