//! Who has which pairs in this process, and who waits for some: whoever came first goes first, at each pair.

use std::collections::{HashSet, VecDeque};

use tokio::sync::oneshot;

/// The pairs that are taken, and those who wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    taken: HashSet<String>,
    waiting: VecDeque<Waiter>,
    newest: u64,
}

/// Somebody who came, and is told when it is its turn.
#[derive(Debug)]
struct Waiter {
    number: u64,
    pairs: Vec<String>,
    served: oneshot::Sender<()>,
}

impl Queue {
    /// Joins the end of the line for these pairs. Gives the number under which one stands there, and hears of the turn.
    pub(super) fn join(&mut self, pairs: Vec<String>) -> (u64, oneshot::Receiver<()>) {
        self.newest = self.newest.saturating_add(1);
        let (served, turn) = oneshot::channel();
        self.waiting.push_back(Waiter {
            number: self.newest,
            pairs,
            served,
        });
        self.serve();
        (self.newest, turn)
    }

    /// Ends a turn, or gives up waiting for it.
    pub(super) fn leave(&mut self, number: u64, pairs: &[String]) {
        let waiting = self.waiting.len();
        self.waiting.retain(|waiter| waiter.number != number);
        if self.waiting.len() == waiting {
            for pair in pairs {
                self.taken.remove(pair);
            }
        }
        self.serve();
    }

    /// Serves everybody whose pairs are free, and wanted by nobody who came before.
    fn serve(&mut self) {
        let mut wanted = HashSet::new();
        let waiting = std::mem::take(&mut self.waiting);
        for waiter in waiting {
            let is_free = |pair: &String| !self.taken.contains(pair) && !wanted.contains(pair);
            if waiter.pairs.iter().all(is_free) {
                self.taken.extend(waiter.pairs);
                // Who is gone gives the pairs back as soon as it leaves.
                let _ = waiter.served.send(());
            } else {
                wanted.extend(waiter.pairs.iter().cloned());
                self.waiting.push_back(waiter);
            }
        }
    }
}
