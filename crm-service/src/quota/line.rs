//! The line before a bucket. One of those who wait looks for room for all, and wakes whoever is served.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hubkeep_core::clock::Tick;
use tokio::sync::oneshot;

use super::{
    Error,
    app::App,
    callers::Callers,
    class::Class,
    gate::Pass,
    kind::Kind,
    limit::Limit,
    paid::{Paid, Who},
    queue::{Queue, Ticket},
};

/// Somebody who waits.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) caller: Arc<str>,
    /// With whose token it calls.
    pub(super) app: App,
    pub(super) kind: Kind,
    pub(super) deadline: Tick,
    pub(super) pass: Pass,
    /// What it has paid, or why it is not served.
    pub(super) reply: oneshot::Sender<Result<Due, Error>>,
}

impl Waiter {
    /// Of whom its call is, of this class.
    pub(super) fn who(&self, class: Class) -> Who {
        Who {
            kind: self.kind,
            is_person: class == Class::Person,
        }
    }
}

/// What was paid for somebody; given back if nobody takes it.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) paid: Option<Paid>,
    pub(super) quota: super::PortalQuota,
}

impl Due {
    pub(super) const fn take(&mut self) -> Option<Paid> {
        self.paid.take()
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        if let Some(paid) = self.paid.take() {
            self.quota.give_back(&paid);
        }
    }
}

/// The line.
#[derive(Debug, Default)]
pub(super) struct Line {
    queue: Mutex<Queue<Waiter>>,
    callers: Mutex<Callers>,
    /// Whoever holds it looks for room. It is handed on in the order in which it was asked for.
    pub(super) looks: tokio::sync::Mutex<()>,
}

impl Line {
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue<Waiter>> {
        // What is done under the lock cannot panic half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who was served.
    pub(super) fn callers(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue().len()
    }
}

/// The lines of a portal: one before each limit.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bursts: Mutex<BTreeMap<App, Arc<Line>>>,
    search: Arc<Line>,
    associations: Arc<Line>,
}

impl Lines {
    pub(super) fn of(&self, limit: &Limit) -> Arc<Line> {
        match limit {
            Limit::Burst(app) => {
                let mut bursts = self.bursts.lock().unwrap_or_else(PoisonError::into_inner);
                bursts.entry(app.clone()).or_default().clone()
            }
            Limit::Search => self.search.clone(),
            Limit::Associations => self.associations.clone(),
        }
    }
}

/// A place in the line. Dropping it leaves the line.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    pub(super) line: &'a Line,
    pub(super) ticket: Ticket,
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.line.queue().leave(&self.ticket);
    }
}
