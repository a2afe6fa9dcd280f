//! Whether a portal's calls are sent at all: not while HubSpot moves it, nor while HubSpot does not answer for it.

use std::time::Duration;

use hubkeep_core::clock::{Tick, Timestamp};

use super::{
    about::About,
    breaker::{Breaker, Health},
    budget::Now,
    haste::Haste,
    moving::Moving,
};

/// Why a call is not let in, and after which time to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shut {
    /// The portal is moved between data centres.
    Moving(Duration),
    /// HubSpot does not answer.
    NotAnswering(Duration),
}

/// A call that was let in.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    about: About,
    /// Whether it is let through to see whether HubSpot answers again.
    trial: bool,
    /// Whether it is let through to see whether the portal has been moved.
    moving_trial: bool,
    /// Whether it is let through to see whether those are answered who have little time.
    hasty_trial: bool,
}

/// The state of one portal.
#[derive(Debug, Default)]
pub(super) struct Gate {
    moving: Moving,
    breaker: Breaker,
    haste: Haste,
}

impl Gate {
    /// Lets a call in that has so much time left, or says why not.
    pub(super) fn enter(&mut self, about: &About, left: Duration, now: Now) -> Result<Pass, Shut> {
        let mut pass = Pass {
            about: about.clone(),
            trial: false,
            moving_trial: self.moving.enter(now.tick).map_err(Shut::Moving)?,
            hasty_trial: false,
        };
        let entered = self.breaker.enter(about, now.tick).and_then(|trial| {
            pass.trial = trial;
            self.haste.enter(about, left, now.tick)
        });
        match entered {
            Ok(hasty_trial) => {
                pass.hasty_trial = hasty_trial;
                Ok(pass)
            }
            Err(wait) => {
                self.ended(&pass, Health::Unknown, now);
                Err(Shut::NotAnswering(wait))
            }
        }
    }

    /// Whether a call that was let in may still go on: not if it was shut since, and this is no trial.
    pub(super) fn still(&self, pass: &Pass, now: Tick) -> Result<(), Shut> {
        self.moving.still(pass.moving_trial, now).map_err(Shut::Moving)?;
        self.breaker
            .still(pass.trial, &pass.about, now)
            .map_err(Shut::NotAnswering)
    }

    /// A call has ended. Gives why calls are not let in from now on, where that is by this one.
    pub(super) fn ended(&mut self, pass: &Pass, health: Health, now: Now) -> Option<Shut> {
        let moves = self.moving.ended(pass.moving_trial, health, now);
        let broken = self.breaker.ended(pass.trial, &pass.about, health, now);
        let broken = self.haste.ended(pass.hasty_trial, &pass.about, health, now) || broken;
        match health {
            Health::Moves(wait) if moves => Some(Shut::Moving(wait)),
            _ if broken => Some(Shut::NotAnswering(Duration::ZERO)),
            _ => None,
        }
    }

    /// Until when calls are refused because HubSpot does not answer for this portal: all, or those with little time.
    pub(super) fn broken_until(&self) -> Option<Timestamp> {
        self.breaker.broken_until().or_else(|| self.haste.shut_until())
    }

    /// Until when calls are refused because HubSpot moves this portal.
    pub(super) fn moving_until(&self) -> Option<Timestamp> {
        self.moving.until()
    }

    /// What is known of that.
    pub(super) const fn moving(&mut self) -> &mut Moving {
        &mut self.moving
    }
}
