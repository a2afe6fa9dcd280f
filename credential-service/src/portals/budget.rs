//! This service's own share of HubSpot's limits: a few calls for each app in an account, which HubSpot counts together and
//! of which crm-service leaves so many free; of a token whose app is not known yet, for the token.
//!
//! While nobody needs them crm-service lends all but one of these places to its calls. So before a call it is told, and heard it
//! is before the call is made. Where HubSpot's answer shows then that lent places still count, the other calls wait until these
//! count no more. For a token of which nobody knows yet whose it is, nobody can be told: its first call has the one place that
//! is never lent.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Tick},
    id::PortalId,
    secret::TokenFingerprint,
};
use hubkeep_hubspot::Limits;

use super::{Error, own_calls::OwnCalls, reading::Reading};

/// Calls that one app, or a token whose app is not known, may make in [`WINDOW`] in one portal: two verifications, of two
/// calls each. crm-service leaves so many free.
pub(super) const CALLS: usize = 4;
/// Calls that tokens of apps that are not known yet may make in [`WINDOW`] in one portal together: a fifth of the 100 that
/// HubSpot allows each app of the least of accounts. HubSpot's first answer tells the app.
const CALLS_OF_UNKNOWN: usize = 20;
/// The sliding window. HubSpot's own is 10 s, counted at arrival, which may come a little later than the call.
pub(super) const WINDOW: Duration = Duration::from_millis(10_100);
/// After it was told that calls come, they are made within this. crm-service leaves the places free for longer.
const TOLD_FOR: Duration = Duration::from_secs(30);

/// Who called HubSpot when, or will: places are given in the order in which they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    clock: SharedClock,
    /// Who is told before calls are made.
    own_calls: Option<OwnCalls>,
    spent: Arc<Mutex<Spent>>,
}

/// Whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Purse {
    Token(TokenFingerprint),
    /// Tokens of a portal whose app is not known.
    Portal(PortalId),
    App(PortalId, u64),
}

impl Purse {
    const fn portal(&self) -> Option<PortalId> {
        match self {
            Self::Token(_) => None,
            Self::Portal(portal) | Self::App(portal, _) => Some(*portal),
        }
    }
}

#[derive(Debug, Default)]
struct Spent {
    calls: HashMap<Purse, VecDeque<Tick>>,
    /// What HubSpot said of tokens.
    known: HashMap<TokenFingerprint, Purse>,
    /// The portals of which it was told that calls come.
    told: HashMap<PortalId, Told>,
    /// What was read last of apps, and when; of tokens whose app is not known yet, of their portal.
    read: HashMap<Purse, (Tick, Reading)>,
}

/// Since when it is known everywhere that calls come for a portal.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// Nobody heard it before.
    began: Tick,
    /// Everybody had heard it.
    heard: Tick,
}

impl Budget {
    pub(super) fn new(clock: SharedClock, own_calls: Option<OwnCalls>) -> Self {
        Self {
            clock,
            own_calls,
            spent: Arc::default(),
        }
    }

    /// HubSpot has said whose a token is, and perhaps of which app.
    pub(super) fn learn(&self, token: &TokenFingerprint, portal: PortalId, app: Option<u64>) {
        let purse = app.map_or(Purse::Portal(portal), |app| Purse::App(portal, app));
        let mut spent = self.spent();
        match (app, spent.known.get(token)) {
            (None, Some(Purse::App(known, _))) if *known == portal => {}
            _ => drop(spent.known.insert(token.clone(), purse)),
        }
    }

    /// HubSpot has said with an answer how many calls are left in the window to a token's app, if it has.
    pub(super) fn left(&self, payer: &TokenFingerprint, limits: &Limits) {
        let Some(left) = limits.remaining.and_then(|left| usize::try_from(left).ok()) else {
            return;
        };
        let now = self.clock.tick();
        let mut spent = self.spent();
        spent.forget(now);
        let Some(purse) = spent.known.get(payer).cloned() else {
            return;
        };
        let own = spent.calls.get(&purse).map_or(0, VecDeque::len);
        let max = limits.max.and_then(|max| usize::try_from(max).ok());
        let reading = Reading::of(left, own, max);
        spent.read.insert(purse, (now, reading));
    }

    /// Waits for a free place in the windows of a token and of its app, and takes it. `portal` is whose it should be. When this
    /// returns, nobody is lent any of its places.
    ///
    /// # Errors
    /// At once, if there will be none before `deadline`; or if nobody could be told that the call comes.
    pub(super) async fn take(
        &self,
        token: &TokenFingerprint,
        portal: Option<PortalId>,
        deadline: Tick,
    ) -> Result<(), Error> {
        let whose = self.spent().portal_of(token).or(portal);
        self.tell(whose, deadline).await?;
        let place = self.reserve(token, portal, deadline)?;
        self.clock.sleep_until(place).await;
        // It may have waited for so long that it is expected no more.
        self.tell(whose, deadline).await?;
        self.count(token, deadline).await
    }

    /// Waits until all replicas together have a place for the app of a token, and takes it.
    async fn count(&self, token: &TokenFingerprint, deadline: Tick) -> Result<(), Error> {
        let known = self.spent().known.get(token).cloned();
        let (Some(own_calls), Some(Purse::App(portal, app))) = (&self.own_calls, known) else {
            return Ok(());
        };
        while let Some(wait) = own_calls.count((portal, app), self.clock.now()).await? {
            let free = self.clock.tick().plus(wait);
            if free > deadline {
                return Err(Error::BudgetExhausted { wait });
            }
            self.clock.sleep_until(free).await;
        }
        Ok(())
    }

    /// Tells whoever may be lent places of a portal that a call comes, if that was not told of late.
    async fn tell(&self, portal: Option<PortalId>, deadline: Tick) -> Result<(), Error> {
        let (Some(own_calls), Some(portal)) = (&self.own_calls, portal) else {
            return Ok(());
        };
        let began = self.clock.tick();
        if self.spent().is_told(portal, began) {
            return Ok(());
        }
        let Some(is_heard) = own_calls.tell(portal, deadline).await? else {
            return Ok(());
        };
        let heard = self.clock.tick();
        if !is_heard {
            return Err(Error::BudgetExhausted {
                wait: heard.since(began),
            });
        }
        self.spent().told.insert(portal, Told { began, heard });
        Ok(())
    }

    fn reserve(
        &self,
        token: &TokenFingerprint,
        portal: Option<PortalId>,
        deadline: Tick,
    ) -> Result<Tick, Error> {
        let now = self.clock.tick();
        let mut spent = self.spent();
        spent.forget(now);
        let known = spent.known.get(token).cloned();
        let whose = known.or_else(|| portal.map(Purse::Portal));
        let no_more_lent = whose.as_ref().and_then(|whose| spent.no_more_lent(whose));
        let purses = match whose {
            Some(app @ Purse::App(..)) => vec![(app, CALLS)],
            Some(portal) => vec![(Purse::Token(token.clone()), CALLS), (portal, CALLS_OF_UNKNOWN)],
            None => vec![(Purse::Token(token.clone()), CALLS)],
        };
        let free = purses.iter().map(|(purse, calls)| spent.free(purse, *calls));
        let place = free.flatten().fold(now, Ord::max);
        let place = place.max(no_more_lent.unwrap_or(now));
        if place > deadline {
            return Err(Error::BudgetExhausted {
                wait: place.since(now),
            });
        }
        for (purse, _) in purses {
            spent.calls.entry(purse).or_default().push_back(place);
        }
        Ok(place)
    }

    pub(super) const fn clock(&self) -> &SharedClock {
        &self.clock
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spent {
    /// When a purse that allows so many calls has a place again; `None` if it has one.
    fn free(&self, purse: &Purse, calls: usize) -> Option<Tick> {
        let taken = self.calls.get(purse)?;
        let oldest = taken.len().checked_sub(calls)?;
        taken.get(oldest).map(|place| place.plus(WINDOW))
    }

    /// Whose a token is, if HubSpot has said it.
    fn portal_of(&self, token: &TokenFingerprint) -> Option<PortalId> {
        self.known.get(token).and_then(Purse::portal)
    }

    /// Whether it is known everywhere that calls come for a portal.
    fn is_told(&self, portal: PortalId, now: Tick) -> bool {
        let told = self.told.get(&portal);
        told.is_some_and(|told| now.since(told.began) < TOLD_FOR)
    }

    /// When no place of an app that was lent counts any more, where some may: by what was read of this app, or before it was known
    /// to be one. What was read of another says nothing.
    fn no_more_lent(&self, whose: &Purse) -> Option<Tick> {
        let portal = whose.portal()?;
        let told = self.told.get(&portal)?;
        let of_unknown = || self.read.get(&Purse::Portal(portal));
        let (_, reading) = self.read.get(whose).or_else(of_unknown)?;
        Some(told.heard.plus(reading.wait()))
    }

    /// What has left the window is not kept.
    fn forget(&mut self, now: Tick) {
        self.told.retain(|_, told| now.since(told.began) < TOLD_FOR);
        self.read.retain(|_, (at, _)| now.since(*at) < TOLD_FOR);
        self.calls.retain(|_, calls| {
            while calls.front().is_some_and(|call| now.since(*call) >= WINDOW) {
                calls.pop_front();
            }
            !calls.is_empty()
        });
    }
}

#[cfg(test)]
mod tests;
