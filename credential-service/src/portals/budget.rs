//! This service's own share of HubSpot's limits: a few calls for each app in an account, which HubSpot counts together and
//! of which crm-service leaves so many free; of a token whose app is not known yet, for the token.

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

use super::Error;

/// Calls that one app, or a token whose app is not known, may make in [`WINDOW`] in one portal: two verifications, of two
/// calls each. crm-service leaves so many free.
const CALLS: usize = 4;
/// Calls that tokens of apps that are not known yet may make in [`WINDOW`] in one portal together: a fifth of the 100 that
/// HubSpot allows each app of the least of accounts. HubSpot's first answer tells the app.
const CALLS_OF_UNKNOWN: usize = 20;
/// The sliding window. HubSpot's own is 10 s, counted at arrival, which may come a little later than the call.
const WINDOW: Duration = Duration::from_millis(10_100);

/// Who called HubSpot when, or will: places are given in the order in which they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    clock: SharedClock,
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

#[derive(Debug, Default)]
struct Spent {
    calls: HashMap<Purse, VecDeque<Tick>>,
    /// What HubSpot said of tokens.
    known: HashMap<TokenFingerprint, Purse>,
}

impl Budget {
    pub(super) fn new(clock: SharedClock) -> Self {
        let spent = Arc::default();
        Self { clock, spent }
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

    /// Waits for a free place in the windows of a token and of its app, and takes it. `portal` is whose it should be.
    ///
    /// # Errors
    /// At once, if there will be none before `deadline`.
    pub(super) async fn take(
        &self,
        token: &TokenFingerprint,
        portal: Option<PortalId>,
        deadline: Tick,
    ) -> Result<(), Error> {
        let place = self.reserve(token, portal, deadline)?;
        self.clock.sleep_until(place).await;
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
        let purses = match known.or_else(|| portal.map(Purse::Portal)) {
            Some(app @ Purse::App(..)) => vec![(app, CALLS)],
            Some(portal) => vec![(Purse::Token(token.clone()), CALLS), (portal, CALLS_OF_UNKNOWN)],
            None => vec![(Purse::Token(token.clone()), CALLS)],
        };
        let free = purses.iter().map(|(purse, calls)| spent.free(purse, *calls));
        let place = free.flatten().fold(now, Ord::max);
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

    /// What has left the window is not kept.
    fn forget(&mut self, now: Tick) {
        self.calls.retain(|_, calls| {
            while calls.front().is_some_and(|call| now.since(*call) >= WINDOW) {
                calls.pop_front();
            }
            !calls.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{Clock as _, MockClock, Timestamp};

    use super::*;

    fn token(name: &str) -> TokenFingerprint {
        TokenFingerprint::from_stored(name.to_owned())
    }

    #[tokio::test]
    async fn the_fifth_call_waits_until_the_first_has_left_hubspots_window_and_other_tokens_do_not_wait() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let budget = Budget::new(clock.clone());
        let far = clock.tick().plus(Duration::from_secs(60));
        for _ in 0..CALLS {
            budget.take(&token("a"), None, far).await.expect("free");
            clock.advance(Duration::from_secs(1));
        }
        budget
            .take(&token("b"), None, far)
            .await
            .expect("a token of its own");
        let fifth = tokio::spawn({
            let budget = budget.clone();
            async move { budget.take(&token("a"), None, far).await }
        });
        clock.advance(Duration::from_millis(6_099));
        tokio::task::yield_now().await;
        assert!(!fifth.is_finished());
        clock.advance(Duration::from_millis(1));
        fifth
            .await
            .expect("ran")
            .expect("the first does not count any more");
    }

    #[tokio::test]
    async fn a_caller_who_cannot_wait_so_long_is_told_at_once() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let budget = Budget::new(clock.clone());
        let soon = clock.tick().plus(Duration::from_secs(2));
        for _ in 0..CALLS {
            budget.take(&token("a"), None, soon).await.expect("free");
        }
        let refused = budget.take(&token("a"), None, soon).await;
        assert!(matches!(refused, Err(Error::BudgetExhausted { wait }) if wait == WINDOW));
    }

    #[tokio::test]
    async fn the_tokens_of_one_app_share_a_window_whatever_is_known_of_them_and_another_apps_do_not_wait() {
        let portal = PortalId::new(7).expect("not zero");
        for known in [false, true] {
            let clock = MockClock::at(Timestamp::from_micros(0));
            let budget = Budget::new(clock.clone());
            let soon = clock.tick().plus(Duration::from_secs(2));
            let together = if known { CALLS } else { CALLS_OF_UNKNOWN };
            for nth in 0..=together {
                let token = token(&nth.to_string());
                if known {
                    budget.learn(&token, portal, Some(1));
                }
                let taken = budget.take(&token, Some(portal), soon).await;
                assert_eq!(taken.is_ok(), nth < together, "{nth}");
            }
            budget.learn(&token("other"), portal, Some(2));
            budget
                .take(&token("other"), Some(portal), soon)
                .await
                .expect("another app");
        }
    }

    #[tokio::test]
    async fn who_asks_first_is_served_first() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let budget = Budget::new(clock.clone());
        let far = clock.tick().plus(Duration::from_secs(60));
        let places: Vec<Tick> = (0..9)
            .map(|_| {
                budget
                    .reserve(&token("a"), None, far)
                    .expect("before the deadline")
            })
            .collect();
        let start = clock.tick();
        let waits: Vec<u32> = places
            .iter()
            .map(|place| {
                let wait = place.since(start).as_micros();
                u32::try_from(wait / WINDOW.as_micros()).expect("few")
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 1, 1, 1, 2]);
    }
}
