//! What callers with little time have found out of a portal that answers nobody.
//!
//! Each has waited too short to say that HubSpot does not answer: it answers slowly at times. But where many have waited so long,
//! one after the other, and HubSpot has answered nobody in between, the next one who would wait no longer is not answered either.
//! So those alone are refused who have about as little time as was waited: an impatient caller shuts nobody out who would
//! have waited, and the first answer to anybody ends it.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::clock::{Tick, Timestamp};

use super::{about::About, breaker::Health, budget::Now};

/// Who has as much time as this finds out by itself how the portal is.
const PATIENT: Duration = Duration::from_secs(2);
/// So many waits in a row must have been in vain: about as many different things, or all about the one that is asked for.
const IN_VAIN: usize = 6;
/// Waits that are remembered.
const REMEMBERED: usize = 32;
/// For so long.
const REMEMBERED_FOR: Duration = Duration::from_secs(120);
/// Who was refused comes again after this at first; after twice as long each time the one that is let through to see is not
/// answered either.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// While that one is under way, others are told to come again after this.
const TRIAL: Duration = Duration::from_secs(1);

/// A wait in vain.
#[derive(Debug)]
struct Wait {
    about: About,
    waited: Duration,
    at: Tick,
}

#[derive(Clone, Copy, Debug)]
struct Shut {
    until: (Tick, Timestamp),
    pause: Duration,
    /// Whether one call is let through to see.
    trial: bool,
}

/// What is known of one portal.
#[derive(Debug, Default)]
pub(super) struct Haste {
    /// The waits since HubSpot has last answered anybody, one for each call.
    waits: VecDeque<Wait>,
    shut: Option<Shut>,
}

impl Haste {
    /// Lets a call in that has so much time left, or says after which time to come again. Gives whether it is let through to see.
    pub(super) fn enter(&mut self, about: &About, left: Duration, now: Tick) -> Result<bool, Duration> {
        self.forget(now);
        if left >= PATIENT || !self.is_in_vain(about, left) {
            return Ok(false);
        }
        let Some(shut) = &mut self.shut else {
            return Ok(false);
        };
        let wait = shut.until.0.since(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        if shut.trial {
            return Err(TRIAL);
        }
        shut.trial = true;
        Ok(true)
    }

    /// A call has ended. Gives whether others are refused by that from now on.
    pub(super) fn ended(&mut self, trial: bool, about: &About, health: Health, now: Now) -> bool {
        if trial && let Some(shut) = &mut self.shut {
            shut.trial = false;
        }
        match health {
            Health::Answers | Health::Moves(_) => {
                *self = Self::default();
                false
            }
            Health::Silent(waited) => self.waited(trial, about, waited, now),
            // A failure says enough by itself, and is counted elsewhere.
            Health::Fails | Health::Unknown => false,
        }
    }

    fn waited(&mut self, trial: bool, about: &About, waited: Duration, now: Now) -> bool {
        self.forget(now.tick);
        let same = self
            .waits
            .iter_mut()
            .find(|wait| wait.about.call() == about.call());
        match same {
            // An attempt more of one call is no second witness.
            Some(wait) => wait.waited = wait.waited.max(waited),
            None => {
                if self.waits.len() >= REMEMBERED {
                    self.waits.pop_front();
                }
                self.waits.push_back(Wait {
                    about: about.clone(),
                    waited,
                    at: now.tick,
                });
            }
        }
        let pause = match self.shut {
            Some(Shut { pause, .. }) if trial => pause.saturating_mul(2).min(LONGEST_PAUSE),
            None if self.is_in_vain(about, waited) => FIRST_PAUSE,
            _ => return false,
        };
        self.shut = Some(Shut {
            until: (now.tick.plus(pause), now.time.plus(pause)),
            pause,
            trial: false,
        });
        !trial
    }

    /// Whether others have waited in vain for about as long as a call would that has so much time left.
    fn is_in_vain(&self, about: &About, left: Duration) -> bool {
        let as_long = |wait: &&Wait| wait.waited.saturating_mul(4) >= left.saturating_mul(3);
        let mut of_this = 0;
        let mut things: Vec<&About> = Vec::new();
        for wait in self.waits.iter().filter(as_long) {
            of_this += usize::from(wait.about.meets(about));
            if !things.iter().any(|thing| thing.meets(&wait.about)) {
                things.push(&wait.about);
            }
        }
        of_this >= IN_VAIN || things.len() >= IN_VAIN
    }

    fn forget(&mut self, now: Tick) {
        self.waits.retain(|wait| now.since(wait.at) < REMEMBERED_FOR);
        if self.waits.is_empty() {
            self.shut = None;
        }
    }

    /// Until when calls with little time are refused, if they are.
    pub(super) fn shut_until(&self) -> Option<Timestamp> {
        self.shut.map(|shut| shut.until.1)
    }
}

#[cfg(test)]
mod tests;
