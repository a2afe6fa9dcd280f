//! What is said on the feed: who listens, what is applied, and that this process lives.
//!
//! Each message has a number, which comes back when credential-service has noted it. What is known here is as old as the
//! newest message of which that is so, by this machine's own clock: credential-service counts on it that nothing is served
//! from memory 5 s after that.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, stream};
use hubkeep_core::{
    clock::{SharedClock, Tick},
    id::RedeemerId,
};
use hubkeep_proto::credential::v1::WatchRevocationsRequest;
use tokio::sync::watch;

/// There is always something to say after this.
const PERIOD: Duration = Duration::from_secs(1);
/// So many numbers may be on their way at once; older ones are worth nothing by then.
const MAX_SENT: usize = 256;

#[derive(Default)]
struct Sent {
    newest: u64,
    /// When the messages were sent that have not come back.
    ticks: VecDeque<(u64, Tick)>,
}

/// What this process says on the feed.
pub(super) struct Pulse {
    id: RedeemerId,
    /// Up to where everything is applied, and what was under way for it has ended.
    ended: watch::Receiver<u64>,
    clock: SharedClock,
    sent: Mutex<Sent>,
}

impl Pulse {
    /// For a process of this id, which acknowledges what `ended` says.
    pub(super) fn new(id: RedeemerId, ended: watch::Receiver<u64>, clock: SharedClock) -> Self {
        Self {
            id,
            ended,
            clock,
            sent: Mutex::default(),
        }
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that is said on one stream, which begins after a place: at once, whenever more has ended, and each
    /// second.
    pub(super) fn messages(
        self: Arc<Self>,
        after: u64,
    ) -> impl Stream<Item = WatchRevocationsRequest> + Send + 'static {
        // On a new stream no older number comes back.
        self.sent().ticks.clear();
        let first = WatchRevocationsRequest {
            applied_seq: after,
            redeemer_id: self.id.to_string(),
            echo: 0,
        };
        let ended = self.ended.clone();
        let later = stream::unfold((self, ended, true), |(pulse, mut ended, at_once)| async move {
            if !at_once {
                tokio::select! {
                    () = pulse.clock.sleep(PERIOD) => {}
                    // Without a sender there is nothing more to acknowledge.
                    Ok(()) = ended.changed() => {}
                }
            }
            let applied_seq = *ended.borrow_and_update();
            let message = WatchRevocationsRequest {
                applied_seq,
                redeemer_id: String::new(),
                echo: pulse.number(),
            };
            Some((message, (pulse, ended, false)))
        });
        futures::StreamExt::chain(stream::iter([first]), later)
    }

    /// The number of a message that is sent now.
    fn number(&self) -> u64 {
        let now = self.clock.tick();
        let mut sent = self.sent();
        sent.newest = sent.newest.saturating_add(1);
        let number = sent.newest;
        if sent.ticks.len() == MAX_SENT {
            sent.ticks.pop_front();
        }
        sent.ticks.push_back((number, now));
        number
    }

    /// When the message was sent whose number came back. Those before it are not waited for any more.
    pub(super) fn came_back(&self, echo: u64) -> Option<Tick> {
        let mut sent = self.sent();
        let mut said = None;
        while let Some((number, tick)) = sent.ticks.front().copied()
            && number <= echo
        {
            said = (number == echo).then_some(tick);
            sent.ticks.pop_front();
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use hubkeep_core::{
        clock::{Clock as _, MockClock, Timestamp},
        random::SystemRandom,
    };

    use super::*;

    #[tokio::test]
    async fn what_is_known_is_as_old_as_the_message_that_came_back() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let id = RedeemerId::make(&*clock, &*SystemRandom::shared()).expect("random");
        let (ends, ended) = watch::channel(7);
        let pulse = Arc::new(Pulse::new(id, ended, clock.clone()));
        let mut said = Box::pin(pulse.clone().messages(9));
        let first = said.next().await.expect("said");
        assert_eq!(
            (first.applied_seq, first.redeemer_id, first.echo),
            (9, id.to_string(), 0)
        );
        let at_once = said.next().await.expect("said");
        assert_eq!((at_once.applied_seq, at_once.echo), (7, 1));
        let sent = clock.tick();
        clock.advance(Duration::from_millis(400));
        ends.send_replace(9);
        let ack = said.next().await.expect("said");
        assert_eq!((ack.applied_seq, ack.echo), (9, 2));
        assert_eq!(pulse.came_back(0), None);
        assert_eq!(pulse.came_back(1), Some(sent));
        assert_eq!(pulse.came_back(1), None, "once");
        assert_eq!(pulse.came_back(3), None, "never sent");
        let _on_another_stream = pulse.clone().messages(9);
        assert_eq!(pulse.came_back(2), None, "of a stream that is gone");
    }
}
