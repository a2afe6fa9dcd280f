//! The line before a bucket: who comes first is served first.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, MutexGuard};

/// Only its head looks for room, and goes when it has found some: that each of a thousand waits costs nothing.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Tokio's mutex is handed on in the order in which it was asked for.
    head: Mutex<()>,
    waiting: AtomicUsize,
}

/// The head of the line. Who drops it gives it to the next.
pub(super) type Head<'a> = MutexGuard<'a, ()>;

impl Line {
    /// The head of the line, if nobody stands there.
    pub(super) fn try_head(&self) -> Option<Head<'_>> {
        self.head.try_lock().ok()
    }

    /// Joins at the end.
    pub(super) fn join(&self) -> Waiter<'_> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiter { line: self, before }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Somebody in the line. Dropping it leaves the line.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    line: &'a Line,
    before: usize,
}

impl<'a> Waiter<'a> {
    /// How many stood in the line before this one when it joined.
    pub(super) const fn before(&self) -> usize {
        self.before
    }

    /// Waits for the head of the line.
    pub(super) async fn head(&self) -> Head<'a> {
        self.line.head.lock().await
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.line.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
