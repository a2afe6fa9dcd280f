//! The seat of a call in a read that is made for several: it waits there until the answer comes, or its own deadline. Whoever leaves
//! ends nobody else's wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::sharing::Fate;
use crate::call::Error;

/// How it stands with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing is under way for it.
    Waits,
    /// An attempt is recorded for it, and under way: how that ends is on record before the call hears of it.
    Sent,
    /// It has left, or was told.
    Gone,
}

/// A seat.
#[derive(Debug)]
pub(in crate::call) struct Seat(Mutex<State>);

#[derive(Debug)]
struct State {
    standing: Standing,
    answers: Option<oneshot::Sender<Fate>>,
    /// The last attempt that was recorded for it.
    attempts: u32,
    /// What that met, if it has ended.
    met: Option<Error>,
}

impl State {
    /// What becomes of it when it leaves: it hears what the last attempt met, or goes its own way.
    fn leaves(&mut self) -> Fate {
        self.standing = Standing::Gone;
        match self.met.take() {
            Some(met) => Fate::Answered(Box::new(Err(met))),
            None => Fate::Alone {
                attempts: self.attempts,
            },
        }
    }

    fn tell(&mut self, fate: Fate) {
        self.standing = Standing::Gone;
        if let Some(answers) = self.answers.take() {
            // Nobody listens where the call has left, or was lost with its task.
            let _ = answers.send(fate);
        }
    }
}

impl Seat {
    /// A seat, and where its call hears what became of it.
    pub(super) fn new() -> (Arc<Self>, oneshot::Receiver<Fate>) {
        let (answers, answer) = oneshot::channel();
        let state = State {
            standing: Standing::Waits,
            answers: Some(answers),
            attempts: 0,
            met: None,
        };
        (Arc::new(Self(Mutex::new(state))), answer)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is done under the lock cannot panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt is about to be recorded for it. Gives whether it still waits.
    pub(super) fn board(&self, attempt: u32) -> bool {
        let mut state = self.state();
        let waits = state.standing == Standing::Waits;
        if waits {
            state.standing = Standing::Sent;
            state.attempts = attempt;
            state.met = None;
        }
        waits
    }

    /// The attempt has ended, with this for all, and there may be another; or not for this one, if it `must_leave`.
    pub(super) fn is_back(&self, met: Option<Error>, must_leave: bool) {
        let mut state = self.state();
        if state.standing != Standing::Sent {
            return;
        }
        state.standing = Standing::Waits;
        state.met = met;
        if must_leave {
            let fate = state.leaves();
            state.tell(fate);
        }
    }

    /// Its deadline is here. Gives what becomes of it; `None` if an attempt is under way for it, of which it hears in time.
    pub(super) fn leave(&self) -> Option<Fate> {
        let mut state = self.state();
        (state.standing == Standing::Waits).then(|| state.leaves())
    }

    /// Whether the attempt that is under way, or has just been answered, is recorded for it.
    pub(super) fn is_aboard(&self) -> bool {
        self.state().standing == Standing::Sent
    }

    /// The last attempt that was recorded for it.
    pub(super) fn attempts(&self) -> u32 {
        self.state().attempts
    }

    /// Tells its call what became of it, unless it has left.
    pub(super) fn tell(&self, fate: Fate) {
        self.state().tell(fate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(fate: Option<Fate>) -> Option<u32> {
        match fate {
            Some(Fate::Alone { attempts }) => Some(attempts),
            _ => None,
        }
    }

    #[test]
    fn who_waits_may_leave_and_who_is_on_record_hears_the_end_first() {
        let (seat, mut answer) = Seat::new();
        assert!(seat.board(1) && seat.is_aboard());
        assert!(seat.leave().is_none(), "an attempt is under way for it");
        seat.is_back(None, false);
        assert_eq!(alone(seat.leave()), Some(1));
        assert!(!seat.board(2), "it has left");
        seat.is_back(None, true);
        assert!(answer.try_recv().is_err(), "and is not told twice");
    }

    #[test]
    fn who_leaves_between_two_attempts_hears_what_the_last_one_met() {
        let (seat, mut answer) = Seat::new();
        assert!(seat.board(1));
        seat.is_back(Some(Error::TooLate), true);
        let told = answer.try_recv().expect("told at once");
        assert!(matches!(told, Fate::Answered(result) if matches!(*result, Err(Error::TooLate))));
        assert!(!seat.board(2));
    }
}
