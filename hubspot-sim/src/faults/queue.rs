//! The faults that wait, and which of them befalls a request.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::{Fault, FaultId, FaultRule};
use crate::lock::lock;

/// The faults that wait for a request, in the order in which they were injected.
#[derive(Debug)]
pub(crate) struct Faults {
    queue: Mutex<Queue>,
    /// How many answers are held now.
    held: watch::Sender<usize>,
    /// So that the ordinary request pays for no lock.
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct Queue {
    rules: Vec<Queued>,
    last_id: u64,
}

#[derive(Debug)]
struct Queued {
    id: FaultId,
    rule: FaultRule,
    gate: watch::Sender<bool>,
}

/// What befalls one request.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// The fault proper.
    pub(crate) fault: Option<FaultRule>,
    /// Milliseconds of delay.
    pub(crate) delay_ms: u64,
    /// A gate that opens on release.
    pub(crate) gate: Option<watch::Receiver<bool>>,
}

impl Faults {
    /// No fault.
    pub(crate) fn none() -> Self {
        Self {
            queue: Mutex::default(),
            held: watch::Sender::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Adds a fault behind those that already wait.
    pub(crate) fn inject(&self, rule: FaultRule) -> FaultId {
        let mut queue = lock(&self.queue);
        queue.last_id += 1;
        let id = FaultId(queue.last_id);
        queue.rules.push(Queued {
            id,
            rule,
            gate: watch::Sender::new(false),
        });
        self.waiting.store(queue.rules.len(), Ordering::Release);
        id
    }

    /// The faults that wait.
    pub(crate) fn list(&self) -> Vec<(FaultId, FaultRule)> {
        lock(&self.queue)
            .rules
            .iter()
            .map(|queued| (queued.id, queued.rule.clone()))
            .collect()
    }

    /// Takes what befalls this request: the first fault proper that matches, and the first delay of each sort.
    pub(crate) fn take(&self, portal_id: Option<u64>, method: &str, path: &str) -> Fate {
        let mut fate = Fate::default();
        if self.waiting.load(Ordering::Acquire) == 0 {
            return fate;
        }
        let mut queue = lock(&self.queue);
        for queued in &mut queue.rules {
            if !queued.rule.befalls(portal_id, method, path) {
                continue;
            }
            match &queued.rule.fault {
                Fault::Slow { ms } if fate.delay_ms == 0 => fate.delay_ms = *ms,
                Fault::HoldUntilReleased if fate.gate.is_none() => fate.gate = Some(queued.gate.subscribe()),
                fault if !fault.is_delay() && fate.fault.is_none() => fate.fault = Some(queued.rule.clone()),
                _ => continue,
            }
            queued.rule.times = queued.rule.times.map(|left| left.saturating_sub(1));
        }
        // A spent hold stays: its gate must still open for the answers that it holds.
        queue
            .rules
            .retain(|queued| queued.rule.times != Some(0) || queued.rule.fault == Fault::HoldUntilReleased);
        self.waiting.store(queue.rules.len(), Ordering::Release);
        fate
    }

    /// Lets go of the answers that this fault holds and ends it.
    pub(crate) fn release(&self, id: FaultId) {
        self.end(|queued| queued.id == id);
    }

    /// Ends all faults and lets go of every held answer.
    pub(crate) fn clear(&self) {
        self.end(|_| true);
    }

    fn end(&self, ends: impl Fn(&Queued) -> bool) {
        let mut queue = lock(&self.queue);
        queue.rules.retain(|queued| {
            let ends = ends(queued);
            if ends {
                queued.gate.send_replace(true);
            }
            !ends
        });
        self.waiting.store(queue.rules.len(), Ordering::Release);
    }

    /// Waits at the gate until it opens.
    pub(crate) async fn wait_at(&self, mut gate: watch::Receiver<bool>) {
        self.held.send_modify(|held| *held += 1);
        let _leaving = Leaving(&self.held);
        // An error means that the fault is gone, which also lets go.
        drop(gate.wait_for(|open| *open).await);
    }

    /// How many answers are held now.
    pub(crate) fn held(&self) -> usize {
        *self.held.borrow()
    }

    /// Waits until at least `n` answers are held.
    pub(crate) async fn until_held(&self, n: usize) {
        drop(self.held.subscribe().wait_for(|held| *held >= n).await);
    }
}

/// Counts a held answer out again, also when its caller hangs up.
struct Leaving<'a>(&'a watch::Sender<usize>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held = held.saturating_sub(1));
    }
}
