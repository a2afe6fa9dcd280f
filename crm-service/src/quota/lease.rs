//! Until when this replica may send by the places that it holds.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hubkeep_core::clock::Tick;

/// How long a renewal holds. Sixteen renewals fall into it.
pub(super) const HOLDS_FOR: Duration = Duration::from_secs(4);

/// One for all portals: whoever renews it can reach the database.
#[derive(Debug, Default)]
pub(super) struct Lease(Mutex<Option<Tick>>);

impl Lease {
    /// It was renewed by work that began then.
    pub(super) fn renewed(&self, began: Tick) {
        self.set(Some(began.plus(HOLDS_FOR)));
    }

    /// It is given back.
    pub(super) fn end(&self) {
        self.set(None);
    }

    /// Until when it holds, if it does now.
    pub(super) fn until(&self, now: Tick) -> Option<Tick> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| now < *until)
    }

    fn set(&self, until: Option<Tick>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}
