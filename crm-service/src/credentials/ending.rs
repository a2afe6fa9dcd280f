//! Waits, beside the feed, until what was under way for revoked grants has ended; only then is the revocation acknowledged.

use std::time::Duration;

use hubkeep_core::clock::{SharedClock, Tick};
use tokio::sync::{mpsc, watch};

use super::memory::Ending;

/// No revocation waits longer than this for what must end: requests are cut off at once, and what may still take time is
/// the record of it.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// An event that is applied.
#[derive(Debug)]
pub(super) struct Applied {
    /// Its place.
    pub(super) seq: u64,
    /// What it must wait for.
    pub(super) ending: Ending,
    /// Until when.
    pub(super) until: Tick,
}

/// Says of each event, in order, that it is done, until nobody applies any more.
pub(super) async fn acknowledge(
    mut applied: mpsc::UnboundedReceiver<Applied>,
    done: watch::Sender<u64>,
    clock: SharedClock,
) {
    while let Some(Applied { seq, ending, until }) = applied.recv().await {
        let all = async {
            for under_way in &ending {
                under_way.wait().await;
            }
        };
        if clock.timeout_at(until, all).await.is_none() {
            tracing::warn!(seq, "what was under way for revoked handles is not on record yet");
        }
        done.send_replace(seq);
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{Clock as _, MockClock, Timestamp};
    use tokio_util::task::TaskTracker;

    use super::*;

    #[tokio::test]
    async fn events_are_done_in_order_and_only_when_what_was_under_way_has_ended() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let (applies, applied) = mpsc::unbounded_channel();
        let (done, mut seen) = watch::channel(0);
        let task = tokio::spawn(acknowledge(applied, done, clock.clone()));
        let (slow, stuck) = (TaskTracker::new(), TaskTracker::new());
        let (under_way, _never_ends) = (slow.token(), stuck.token());
        let until = clock.tick().plus(PATIENCE);
        for (seq, ending) in [(1, vec![slow.clone()]), (2, Vec::new()), (3, vec![stuck.clone()])] {
            ending.iter().for_each(|tracker: &TaskTracker| {
                tracker.close();
            });
            applies.send(Applied { seq, ending, until }).expect("taken");
        }
        tokio::task::yield_now().await;
        assert_eq!(
            *seen.borrow(),
            0,
            "the first is under way, and holds up the second"
        );
        drop(under_way);
        seen.wait_for(|seq| *seq == 2).await.expect("goes on");
        clock.advance(PATIENCE);
        seen.wait_for(|seq| *seq == 3)
            .await
            .expect("nobody waits for ever");
        drop(applies);
        task.await.expect("ends");
    }
}
