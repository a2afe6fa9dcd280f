//! Which writes are being looked for on tasks of their own, so that nobody looks for one twice at once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The calls whose writes are being looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Following(Arc<Mutex<HashSet<String>>>);

/// One of them. Dropping it says that it is looked for no more.
#[derive(Debug)]
pub(super) struct Followed {
    all: Following,
    call_id: String,
}

impl Following {
    /// Takes one up; `None` if somebody looks for it already.
    pub(super) fn take_up(&self, call_id: &str) -> Option<Followed> {
        let is_new = self.with(|calls| calls.insert(call_id.to_owned()));
        is_new.then(|| Followed {
            all: self.clone(),
            call_id: call_id.to_owned(),
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        // A set is not left half-changed.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.all.with(|calls| calls.remove(&self.call_id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_looks_for_what_somebody_looks_for() {
        let following = Following::default();
        let first = following.take_up("a").expect("nobody does");
        assert!(following.take_up("a").is_none());
        assert!(following.take_up("b").is_some());
        drop(first);
        assert!(following.take_up("a").is_some());
    }
}
