//! Work in lanes: in each, one thing after the other; many lanes at once. Whoever is slow keeps only its own lane busy.

use std::{collections::HashMap, future::Future, hash::Hash};

use tokio::task::{Id, JoinSet};

/// What is under way, and in which lanes.
#[derive(Debug)]
pub(super) struct Lanes<L> {
    at_once: usize,
    work: JoinSet<()>,
    busy: HashMap<Id, L>,
}

impl<L: Eq + Hash> Lanes<L> {
    /// None busy yet. Of them at most so many are at the same time.
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            at_once,
            work: JoinSet::new(),
            busy: HashMap::new(),
        }
    }

    /// Whether anything more can begin.
    pub(super) fn have_room(&self) -> bool {
        self.busy.len() < self.at_once
    }

    /// Begins with this, if nothing is under way in its lane, and there is room.
    pub(super) fn begin(&mut self, lane: L, work: impl Future<Output = ()> + Send + 'static) {
        let free = self.have_room() && self.busy.values().all(|busy| *busy != lane);
        if free {
            let id = self.work.spawn(work).id();
            self.busy.insert(id, lane);
        }
    }

    /// Waits until something has ended; for ever, if nothing is under way.
    pub(super) async fn one_ended(&mut self) {
        match self.work.join_next_with_id().await {
            Some(Ok((id, ()))) => self.busy.remove(&id),
            Some(Err(error)) => self.busy.remove(&error.id()),
            None => std::future::pending().await,
        };
    }

    /// Waits until nothing is under way.
    pub(super) async fn all_ended(mut self) {
        while self.work.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// Begins something that lasts until it is let go, and gives how that is done and how it is seen to have begun.
    fn begin(
        lanes: &mut Lanes<&'static str>,
        lane: &'static str,
    ) -> (oneshot::Sender<()>, oneshot::Receiver<()>) {
        let (let_go, held) = oneshot::channel();
        let (begun, seen) = oneshot::channel();
        lanes.begin(lane, async move {
            begun.send(()).ok();
            held.await.ok();
        });
        (let_go, seen)
    }

    #[tokio::test]
    async fn one_thing_at_a_time_in_a_lane_and_no_lane_waits_for_another() {
        let mut lanes = Lanes::new(2);
        let (slow, _) = begin(&mut lanes, "slow");
        let (_again, twice) = begin(&mut lanes, "slow");
        assert!(twice.await.is_err(), "its lane is busy");
        let (quick, seen) = begin(&mut lanes, "quick");
        seen.await.expect("begun beside the slow one");
        let (_third, more) = begin(&mut lanes, "third");
        assert!(more.await.is_err() && !lanes.have_room(), "no more than two");
        drop(quick);
        lanes.one_ended().await;
        let (_third, more) = begin(&mut lanes, "third");
        more.await.expect("there is room again");
        drop(slow);
        lanes.one_ended().await;
        let (_again, anew) = begin(&mut lanes, "slow");
        anew.await.expect("its lane is free again");
    }
}
