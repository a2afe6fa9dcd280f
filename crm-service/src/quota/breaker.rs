//! A portal that does not answer is left alone for a while, so that its callers hear of it at once and wait nowhere.
//!
//! What counts are failures of *different* requests: of one call once, however many attempts it takes, and of several requests
//! about one record once as long as HubSpot answers others. So a record for which HubSpot always fails shuts nobody else out.
//! Where nothing else was answered, because nothing else was asked, requests about that record alone are left alone; the first
//! other one goes through, and says how the portal is.
//!
//! Small enough to be kept here: crates for circuit breakers wrap calls and read the machine's clock, and none knows of a
//! call that ended without a word about the other side.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::{
    clock::{Tick, Timestamp},
    id::CallId,
};

use super::{about::About, budget::Now};

/// What a failure adds. An answer takes one off: more than a third must fail.
const FAILURE: u32 = 2;
/// At this it is broken off: after six failures on end.
const BROKEN_AT: u32 = 12;
/// Of so many different requests, so that it is broken off for all.
const DIFFERENT: usize = 6;
/// Failures that are remembered: more than are needed.
const REMEMBERED: usize = 16;
/// For so long after it has failed last.
const REMEMBERED_FOR: Duration = Duration::from_secs(120);
/// While HubSpot has answered another request within this, the failures of the same one say nothing of the portal.
const ANSWERED_LATELY: Duration = Duration::from_secs(30);
/// How long a portal is left alone at first; twice as long after each trial that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// While a trial is under way, others are told to come again after this.
const TRIAL: Duration = Duration::from_secs(1);

/// What a call has shown of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers, whatever it says.
    Answers,
    /// It answers that the portal is moved between data centres, for so long.
    Moves(Duration),
    /// It failed, or gave no answer in time.
    Fails,
    /// It gave no answer within this time, and was asked for one no longer: too short to say that it fails.
    Silent(Duration),
    /// Nothing: the call was not sent, or was given up by us.
    Unknown,
}

/// What has failed of late. No two are about one thing.
#[derive(Debug)]
struct Failed {
    about: About,
    /// The calls that have counted.
    calls: Vec<CallId>,
    at: Tick,
}

#[derive(Debug)]
struct Open {
    until: (Tick, Timestamp),
    pause: Duration,
    /// Whether one call is let through to see.
    trial: bool,
    /// Whether different requests have failed; else only those are refused that are about what has failed.
    for_all: bool,
    /// What the last trial was about.
    spoiled: Option<About>,
}

/// The state of one portal.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    points: u32,
    failed: VecDeque<Failed>,
    /// When HubSpot last answered.
    answered: Option<Tick>,
    open: Option<Open>,
}

impl Breaker {
    /// Lets a call in, or says after which time to come again. Gives whether it is the one that is let through to see.
    pub(super) fn enter(&mut self, about: &About, now: Tick) -> Result<bool, Duration> {
        let has_failed = self.has_failed(about);
        let Some(open) = &mut self.open else {
            return Ok(false);
        };
        if !open.for_all && !has_failed {
            return Ok(false);
        }
        let mut until = open.until.0;
        // What has just failed is not tried again before others had time to come.
        if open.spoiled.as_ref().is_some_and(|spoiled| spoiled.meets(about)) {
            until = until.plus(open.pause);
        }
        let left = until.since(now);
        if !left.is_zero() {
            return Err(left);
        }
        if open.trial {
            return Err(TRIAL);
        }
        open.trial = true;
        Ok(true)
    }

    /// Whether a call that was let in may still go on: not if it was broken off since, and this is no trial.
    pub(super) fn still(&self, trial: bool, about: &About, now: Tick) -> Result<(), Duration> {
        match &self.open {
            Some(open) if !trial && (open.for_all || self.has_failed(about)) => {
                Err(open.until.0.since(now).max(TRIAL))
            }
            _ => Ok(()),
        }
    }

    /// A call has ended. Gives whether it is broken off by that.
    pub(super) fn ended(&mut self, trial: bool, about: &About, health: Health, now: Now) -> bool {
        match health {
            Health::Answers | Health::Moves(_) => {
                self.has_answered(trial, about, now.tick);
                false
            }
            Health::Fails => self.has_not_answered(trial, about, now),
            Health::Silent(_) | Health::Unknown => {
                if trial && let Some(open) = &mut self.open {
                    open.trial = false;
                }
                false
            }
        }
    }

    fn has_answered(&mut self, trial: bool, about: &About, now: Tick) {
        match &self.open {
            // What was under way when it was broken off says nothing new.
            Some(open) if open.for_all && !trial => return,
            Some(_) => {
                self.open = None;
                self.points = 0;
            }
            None => self.points = self.points.saturating_sub(1),
        }
        self.failed.retain(|failed| !failed.about.meets(about));
        self.answered = Some(now);
    }

    fn has_not_answered(&mut self, trial: bool, about: &About, now: Now) -> bool {
        let counts = self.note(about, now.tick);
        let for_all = self.failed.len() >= DIFFERENT;
        let Some(open) = &mut self.open else {
            if counts {
                self.points = self.points.saturating_add(FAILURE);
            }
            if self.points < BROKEN_AT {
                return false;
            }
            self.open = Some(Open {
                until: (now.tick.plus(FIRST_PAUSE), now.time.plus(FIRST_PAUSE)),
                pause: FIRST_PAUSE,
                trial: false,
                for_all,
                spoiled: None,
            });
            return true;
        };
        let was_for_all = open.for_all;
        open.for_all |= for_all;
        if trial {
            let again = open.spoiled.as_ref().is_some_and(|spoiled| spoiled.meets(about));
            // The same request once more is no more than was known.
            if !again {
                open.pause = open.pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
            open.until = (now.tick.plus(open.pause), now.time.plus(open.pause));
            open.trial = false;
            open.spoiled = Some(about.clone());
        }
        open.for_all && !was_for_all
    }

    /// Remembers a failure. Gives whether it says something of the portal.
    fn note(&mut self, about: &About, now: Tick) -> bool {
        self.failed.retain(|failed| now.since(failed.at) < REMEMBERED_FOR);
        let lately = self.answered.is_some_and(|at| now.since(at) < ANSWERED_LATELY);
        if let Some(known) = self.failed.iter_mut().find(|failed| failed.about.meets(about)) {
            known.at = now;
            // As many as are needed to break it off.
            if lately || known.calls.len() >= REMEMBERED || known.calls.contains(&about.call()) {
                return false;
            }
            known.calls.push(about.call());
            return true;
        }
        if self.failed.len() >= REMEMBERED {
            self.failed.pop_front();
        }
        self.failed.push_back(Failed {
            about: about.clone(),
            calls: vec![about.call()],
            at: now,
        });
        true
    }

    fn has_failed(&self, about: &About) -> bool {
        self.failed.iter().any(|failed| failed.about.meets(about))
    }

    /// Until when calls are refused for all, if they are.
    pub(super) fn broken_until(&self) -> Option<Timestamp> {
        self.open
            .as_ref()
            .filter(|open| open.for_all)
            .map(|open| open.until.1)
    }
}

#[cfg(test)]
mod tests;
