//! Unwrapped keys in memory: each serves for its time, is asked for by one question at once however many want it, and is
//! fetched anew before its time is over, while it still serves.
//!
//! Written here because the time is the service's own, which tests move, and because a key that was destroyed must not
//! come back by a question that was under way: no kept crate has both.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt as _,
    channel::oneshot::{self, Receiver, Sender},
    future::Shared,
};
use hubkeep_core::clock::{SharedClock, Tick};

use crate::{
    error::Error,
    key::Key,
    place::{Owner, Purpose},
};

/// Which key.
pub(crate) type Wanted = (Owner, Purpose);
/// What a question for a key gives to all who wait for it: the key, or that there is none, or why nobody can say.
pub(crate) type Answer = Result<Option<Unwrapped>, Arc<Error>>;

/// A key is fetched anew when less than this part of its time is left.
const LAST_PART: u32 = 5;
/// Where that fails, it is tried again so many times before the key's time is over.
const TRIES: u32 = 12;

/// A key that can be used.
#[derive(Clone)]
pub(crate) struct Unwrapped {
    pub(crate) key_id: Arc<str>,
    pub(crate) key: Arc<Key>,
}

/// A key that serves, and when it is to be fetched anew.
struct Kept {
    unwrapped: Unwrapped,
    until: Tick,
    fetch_from: Tick,
}

#[derive(Default)]
struct State {
    kept: HashMap<Wanted, Kept>,
    questions: HashMap<Wanted, Shared<Receiver<Answer>>>,
    /// How often keys were forgotten: what was asked before may be about a key that was destroyed since.
    forgotten: u64,
}

/// The unwrapped keys of a process.
#[derive(Clone)]
pub(crate) struct Cache {
    kept_for: Duration,
    clock: SharedClock,
    state: Arc<Mutex<State>>,
}

/// What there is for somebody who wants a key.
pub(crate) enum Found {
    /// The key; and the question that is to be asked for it in the background, if it is time.
    Serves(Unwrapped, Option<Question>),
    /// Nothing yet: the answer, and the question that is to be asked for it, unless somebody asks it already.
    Waits(Shared<Receiver<Answer>>, Option<Question>),
}

/// The right, and the duty, to ask for a key. What it learns goes to all who wait; dropped, it says that nobody asks.
pub(crate) struct Question {
    cache: Cache,
    wanted: Wanted,
    forgotten: u64,
    tell: Option<Sender<Answer>>,
}

impl Cache {
    pub(crate) fn new(kept_for: Duration, clock: SharedClock) -> Self {
        Self {
            kept_for,
            clock,
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What could panic under the lock does not leave the state half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key, or who will bring it.
    pub(crate) fn find(&self, wanted: Wanted) -> Found {
        let now = self.clock.tick();
        let mut state = self.state();
        let is_asked = state.questions.get(&wanted).cloned();
        if let Some(kept) = state.kept.get_mut(&wanted).filter(|kept| now < kept.until) {
            let unwrapped = kept.unwrapped.clone();
            if now < kept.fetch_from || is_asked.is_some() {
                return Found::Serves(unwrapped, None);
            }
            kept.fetch_from = now.plus(self.kept_for / LAST_PART / TRIES);
            let (question, _) = self.question(&mut state, wanted);
            return Found::Serves(unwrapped, Some(question));
        }
        if let Some(answer) = is_asked {
            return Found::Waits(answer, None);
        }
        let (question, answer) = self.question(&mut state, wanted);
        Found::Waits(answer, Some(question))
    }

    /// A question of its own, which shares no other's answer: for whoever has just made the key.
    pub(crate) fn ask_apart(&self, wanted: Wanted) -> Question {
        let forgotten = self.state().forgotten;
        let (cache, tell) = (self.clone(), None);
        Question {
            cache,
            wanted,
            forgotten,
            tell,
        }
    }

    fn question(&self, state: &mut State, wanted: Wanted) -> (Question, Shared<Receiver<Answer>>) {
        let (tell, answer) = oneshot::channel();
        let answer = answer.shared();
        state.questions.insert(wanted, answer.clone());
        let question = Question {
            cache: self.clone(),
            wanted,
            forgotten: state.forgotten,
            tell: Some(tell),
        };
        (question, answer)
    }

    /// Forgets the keys of an owner. They are wiped from memory when nobody uses them any more.
    pub(crate) fn forget(&self, owner: Owner) {
        let mut state = self.state();
        state.forgotten = state.forgotten.wrapping_add(1);
        state.kept.retain(|(of, _), _| *of != owner);
    }

    /// Wipes the keys whose time is over.
    pub(crate) fn wipe_expired(&self) {
        let now = self.clock.tick();
        self.state().kept.retain(|_, kept| now < kept.until);
    }

    pub(crate) fn len(&self) -> usize {
        self.state().kept.len()
    }
}

impl Question {
    pub(crate) const fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Keeps what was learned, and tells it to all who wait. Of a failure nothing is kept: what serves goes on to its end.
    pub(crate) fn answer(mut self, answer: Answer) {
        let now = self.cache.clock.tick();
        let kept_for = self.cache.kept_for;
        let mut state = self.cache.state();
        match &answer {
            // Asked before keys were forgotten: whoever waits may use it, as if it had come at once.
            _ if state.forgotten != self.forgotten => {}
            Ok(Some(unwrapped)) => {
                let kept = Kept {
                    unwrapped: unwrapped.clone(),
                    until: now.plus(kept_for),
                    fetch_from: now.plus(kept_for.saturating_sub(kept_for / LAST_PART)),
                };
                state.kept.insert(self.wanted, kept);
            }
            Ok(None) => {
                state.kept.remove(&self.wanted);
            }
            Err(_) => {}
        }
        if let Some(tell) = self.tell.take() {
            state.questions.remove(&self.wanted);
            drop(state);
            // In the background nobody waits.
            let _ = tell.send(answer);
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.tell.take().is_some() {
            self.cache.state().questions.remove(&self.wanted);
        }
    }
}
