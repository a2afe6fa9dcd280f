//! One redemption at a time for each handle as one caller presents it. Many calls that come at once with a handle which is not
//! in memory would each ask credential-service, where this service is one caller among others, and has no more places than
//! they.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::memory::Key;

/// So many handles are remembered before it is looked which of them nobody redeems any more.
const LOOKED_AT: usize = 1_024;

/// Whose turn it is, handle by handle.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<Key, Weak<Turn<()>>>>>);

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

impl Turns {
    /// Waits until nobody else redeems this handle, first come first served. Nobody else does until it is dropped.
    pub(super) async fn take(&self, key: &Key) -> OwnedMutexGuard<()> {
        let turn = self.of(key);
        turn.lock_owned().await
    }

    fn of(&self, key: &Key) -> Arc<Turn<()>> {
        // A panic while the lock was held cannot leave the table half-changed.
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(key).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() >= LOOKED_AT {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::<Turn<()>>::default();
        turns.insert(key.clone(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::{grpc::Caller, handle_token::HandleToken, random::SystemRandom};

    use super::*;

    fn key() -> Key {
        let handle = HandleToken::make(&*SystemRandom::shared()).expect("random");
        let caller = Caller {
            name: "sync".parse().expect("valid"),
            thumbprint: None,
        };
        Key::of(&handle, &caller)
    }

    #[tokio::test]
    async fn of_one_handle_one_redeems_and_those_who_redeem_no_more_are_forgotten() {
        let turns = Turns::default();
        let one = key();
        let turn = turns.take(&one).await;
        let _other = turns.take(&key()).await;
        let next = tokio::spawn({
            let (turns, one) = (turns.clone(), one.clone());
            async move { drop(turns.take(&one).await) }
        });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        drop(turn);
        next.await.expect("its turn");
        for _ in 0..LOOKED_AT {
            drop(turns.take(&key()).await);
        }
        assert!(turns.0.lock().expect("whole").len() < LOOKED_AT);
    }
}
