//! What keeps new entries out while the log is in trouble: known here before anybody waits for the writer.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Failure, room::Lack};

/// The way in for what is new. What was done is recorded whatever this says. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether there is any reason at all: asked for each entry.
    is_closed: AtomicBool,
    reasons: Mutex<Reasons>,
}

#[derive(Debug, Default)]
struct Reasons {
    /// A disk that is nearly full.
    lack: Option<Lack>,
    /// The logs that lack outcomes of calls which have ended.
    behind: HashSet<String>,
}

impl Gate {
    /// Says which disk is nearly full, if one is.
    pub(crate) fn lacks(&self, lack: Option<Lack>) {
        self.change(|reasons| reasons.lack = lack);
    }

    /// Says which logs lack outcomes: all others have theirs.
    pub(crate) fn are_behind(&self, logs: HashSet<String>) {
        if logs.is_empty() && !self.0.is_closed.load(Ordering::Acquire) {
            return;
        }
        self.change(|reasons| reasons.behind = logs);
    }

    /// Lets an entry pass.
    ///
    /// # Errors
    /// If a disk is nearly full.
    pub(crate) fn entry(&self) -> Result<(), Failure> {
        let Some(reasons) = self.reasons() else {
            return Ok(());
        };
        match &reasons.lack {
            Some(lack) => Err(Failure::NoRoom(lack.clone())),
            None => Ok(()),
        }
    }

    /// Lets the intent of a call pass that goes to this log.
    ///
    /// # Errors
    /// As [`entry`](Self::entry), and if the log lacks outcomes of earlier calls.
    pub(crate) fn intent(&self, log: &str) -> Result<(), Failure> {
        self.entry()?;
        match self.reasons() {
            Some(reasons) if reasons.behind.contains(log) => Err(Failure::Behind),
            _ => Ok(()),
        }
    }

    fn reasons(&self) -> Option<MutexGuard<'_, Reasons>> {
        let is_closed = self.0.is_closed.load(Ordering::Acquire);
        is_closed.then(|| self.lock())
    }

    fn change(&self, change: impl FnOnce(&mut Reasons)) {
        let mut reasons = self.lock();
        change(&mut reasons);
        let is_closed = reasons.lack.is_some() || !reasons.behind.is_empty();
        self.0.is_closed.store(is_closed, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Reasons> {
        // Each change is one assignment: whoever panics leaves nothing half done.
        self.0.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_logs_that_are_behind_take_no_intents_and_take_them_again_when_they_are_not() {
        let gate = Gate::default();
        gate.intent("one").expect("open");
        gate.are_behind(HashSet::from(["one".to_owned()]));
        assert!(matches!(gate.intent("one"), Err(Failure::Behind)));
        gate.intent("other").expect("it has its outcomes");
        gate.entry().expect("what is no call is written behind them");
        gate.are_behind(HashSet::new());
        gate.intent("one").expect("open again");
    }
}
