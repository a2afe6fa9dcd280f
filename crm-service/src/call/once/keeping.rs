//! Keeps the turn of a write whose outcome is not known: HubSpot may carry it out yet, over what others would set meanwhile.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hubkeep_core::dying::watched;
use tokio_util::sync::CancellationToken;

use super::{Held, Once};
use crate::call::Call;

/// The calls whose turns are kept, each with what fires when it is known what became of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Keeping(Arc<Mutex<HashMap<String, CancellationToken>>>);

impl Keeping {
    /// It is known what became of the write of this call.
    pub(super) fn is_known(&self, call_id: &str) {
        if let Some(known) = self.kept().remove(call_id) {
            known.cancel();
        }
    }

    fn begin(&self, call_id: &str) -> CancellationToken {
        let known = CancellationToken::new();
        self.kept().insert(call_id.to_owned(), known.clone());
        known
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        // A map is not left half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Once {
    /// Keeps the turn of a call that has ended, if it has one, until HubSpot cannot be at it any more. What is read meanwhile ends
    /// that sooner only where it shows: labels that were there before are no sign that they were given.
    pub(super) fn keep_on(&self, call: &mut Call<Held>) {
        let Some(turn) = call.keeps.take() else { return };
        let call_id = call.call_id.to_string();
        let known = self.keeping.begin(&call_id);
        // It was sent before this moment, and nothing is sent again of it.
        let until = self.clock.tick().plus(self.writes.not_done_after());
        let (keeping, clock, stopping) = (self.keeping.clone(), self.clock.clone(), self.stopping.clone());
        let lasting = async move {
            tokio::select! {
                () = known.cancelled(), if turn.shows() => {}
                () = clock.sleep_until(until) => {}
                // Other replicas wait on.
                () = stopping.cancelled() => turn.leave(),
            }
            keeping.is_known(&call_id);
        };
        self.under_way.spawn(watched(lasting));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_kept_no_longer() {
        let keeping = Keeping::default();
        let known = keeping.begin("a");
        keeping.is_known("b");
        assert!(!known.is_cancelled());
        keeping.is_known("a");
        assert!(known.is_cancelled() && keeping.kept().is_empty());
    }
}
