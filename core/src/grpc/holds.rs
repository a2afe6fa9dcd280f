//! Callers who are contained: nothing of theirs is taken any more, and what is open for them ends.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    clock::{SharedClock, Tick},
    id::CallerName,
};

/// Who is contained, as far as this process has heard. Clones are of the same set.
///
/// Whoever runs a server tells it what it hears. Where that comes from elsewhere, it [counts for a while only](Self::last_for):
/// callers who act by their own authority are then refused unless it was heard of late that nobody more is contained.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    callers: Arc<watch::Sender<HashSet<CallerName>>>,
    heard: Arc<watch::Sender<Option<Tick>>>,
    /// How long what was heard counts; without one until something else is told.
    lease: Arc<OnceLock<Duration>>,
}

impl Holds {
    /// From now on what is told here counts only for so long after each moment as of which it [was heard](Self::heard). Said
    /// once, before the server starts.
    pub fn last_for(&self, lease: Duration) {
        self.lease.get_or_init(|| lease);
    }

    /// The caller is contained from now on, or is so no longer. What is open for one that is contained ends.
    pub fn set(&self, caller: &CallerName, held: bool) {
        self.callers.send_if_modified(|callers| match held {
            true => callers.insert(caller.clone()),
            false => callers.remove(caller),
        });
    }

    /// Everybody is told here who was contained at this moment.
    pub fn heard(&self, as_of: Tick) {
        self.heard.send_if_modified(|heard| {
            let newer = heard.is_none_or(|heard| as_of > heard);
            *heard = (*heard).max(Some(as_of));
            newer
        });
    }

    /// Whether the caller is contained.
    pub fn has(&self, caller: &CallerName) -> bool {
        self.callers.borrow().contains(caller)
    }

    /// Whether somebody may be contained by now of whom that was not heard.
    pub(super) fn are_stale(&self, now: Tick) -> bool {
        self.end().is_some_and(|end| end.is_none_or(|end| now >= end))
    }

    /// Waits until they are not stale, and until `until` at most. Gives whether they are not.
    pub(super) async fn known(&self, clock: &SharedClock, until: Tick) -> bool {
        let mut heard = self.heard.subscribe();
        loop {
            heard.borrow_and_update();
            if !self.are_stale(clock.tick()) {
                return true;
            }
            if clock.timeout_at(until, heard.changed()).await.is_none() {
                return false;
            }
        }
    }

    /// When what was heard counts no more; the outer one is `None` where it counts for ever, the inner where nothing was
    /// heard.
    fn end(&self) -> Option<Option<Tick>> {
        let lease = *self.lease.get()?;
        Some(self.heard.borrow().map(|heard| heard.plus(lease)))
    }

    /// Ends when the caller is contained.
    pub(super) async fn reach(self, caller: CallerName) {
        let mut callers = self.callers.subscribe();
        // The sender lives as long as this does.
        let _ = callers.wait_for(|callers| callers.contains(&caller)).await;
    }

    /// Ends when they are stale.
    pub(super) async fn go_stale(self, clock: SharedClock) {
        while let Some(Some(end)) = self.end()
            && clock.tick() < end
        {
            clock.sleep_until(end).await;
        }
        if self.lease.get().is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{MockClock, Timestamp};

    fn caller(name: &str) -> CallerName {
        name.parse().expect("valid")
    }

    #[tokio::test]
    async fn who_waits_for_a_containment_hears_of_it_and_lifting_lets_the_caller_in_again() {
        let holds = Holds::default();
        let (ann, bob) = (caller("operator/ann"), caller("operator/bob"));
        let reached = tokio::spawn(holds.clone().reach(ann.clone()));
        holds.set(&bob, true);
        assert!(holds.has(&bob) && !holds.has(&ann) && !reached.is_finished());
        holds.set(&ann, true);
        reached.await.expect("ends");
        holds.set(&ann, false);
        assert!(!holds.has(&ann) && holds.has(&bob));
    }

    #[tokio::test]
    async fn what_is_fed_is_stale_before_the_first_word_and_a_lease_after_the_last() {
        let (mock, lease) = (MockClock::at(Timestamp::from_micros(0)), Duration::from_secs(5));
        let clock: SharedClock = mock.clone();
        let holds = Holds::default();
        holds.last_for(lease);
        assert!(!Holds::default().are_stale(clock.tick()), "nobody feeds it");
        assert!(holds.are_stale(clock.tick()), "nothing was heard");
        assert!(!holds.known(&clock, clock.tick()).await);
        let waiting = tokio::spawn({
            let (holds, clock) = (holds.clone(), clock.clone());
            async move {
                holds
                    .known(&clock, clock.tick().plus(Duration::from_secs(2)))
                    .await
            }
        });
        tokio::task::yield_now().await;
        let first = clock.tick();
        holds.heard(first);
        assert!(waiting.await.expect("ends"));
        mock.advance(Duration::from_secs(4));
        holds.heard(clock.tick());
        holds.heard(first);
        mock.advance(Duration::from_secs(4));
        assert!(!holds.are_stale(clock.tick()), "the newest word counts");
        let stale = tokio::spawn(holds.clone().go_stale(clock.clone()));
        tokio::task::yield_now().await;
        assert!(!stale.is_finished());
        mock.advance(Duration::from_secs(1));
        stale.await.expect("ends");
        assert!(holds.are_stale(clock.tick()));
    }
}
