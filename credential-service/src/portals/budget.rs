//! This service's own share of HubSpot's limits: a few calls for each token, which crm-service leaves free.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Tick},
    secret::TokenFingerprint,
};

use super::Error;

/// Calls that one token may make in [`WINDOW`]: two verifications, of two calls each.
const CALLS: usize = 4;
/// The sliding window. HubSpot's own is 10 s, counted at arrival, which may come a little later than the call.
const WINDOW: Duration = Duration::from_millis(10_100);

/// Who called HubSpot when, by token.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    clock: SharedClock,
    calls: Arc<Mutex<HashMap<TokenFingerprint, VecDeque<Tick>>>>,
}

impl Budget {
    pub(super) fn new(clock: SharedClock) -> Self {
        let calls = Arc::default();
        Self { clock, calls }
    }

    /// Waits for a free place in the window, and takes it.
    ///
    /// # Errors
    /// At once, if there will be none before `deadline`.
    pub(super) async fn take(&self, token: &TokenFingerprint, deadline: Tick) -> Result<(), Error> {
        while let Some(free_at) = self.try_take(token) {
            if free_at > deadline {
                let wait = free_at.since(self.clock.tick());
                return Err(Error::BudgetExhausted { wait });
            }
            self.clock.sleep_until(free_at).await;
        }
        Ok(())
    }

    /// Takes a place, or says when the oldest one becomes free.
    fn try_take(&self, token: &TokenFingerprint) -> Option<Tick> {
        let now = self.clock.tick();
        let mut all = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, calls| {
            while calls.front().is_some_and(|call| now.since(*call) >= WINDOW) {
                calls.pop_front();
            }
            !calls.is_empty()
        });
        let calls = all.entry(token.clone()).or_default();
        match calls.front() {
            Some(oldest) if calls.len() >= CALLS => Some(oldest.plus(WINDOW)),
            _ => {
                calls.push_back(now);
                None
            }
        }
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
            budget.take(&token("a"), far).await.expect("free");
            clock.advance(Duration::from_secs(1));
        }
        budget.take(&token("b"), far).await.expect("a token of its own");
        let fifth = tokio::spawn({
            let budget = budget.clone();
            async move { budget.take(&token("a"), far).await }
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
            budget.take(&token("a"), soon).await.expect("free");
        }
        let refused = budget.take(&token("a"), soon).await;
        assert!(matches!(refused, Err(Error::BudgetExhausted { wait }) if wait == WINDOW));
    }
}
