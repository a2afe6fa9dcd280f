//! Those who use the log, each with what it must be able to believe.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::{Either, select};
use hubkeep_core::{
    clock::MockClock,
    id::CallId,
    random::{Random, RandomError, SharedRandom},
};
use shuttle::{
    future::yield_now,
    rand::{Rng as _, thread_rng},
};

use super::store::Ledger;
use crate::{
    CallResult, Draft, Error, Intent, Operation, Outcome, Phase, Position, appender::Appender,
    durable::Followers,
};

/// How long an entry may take to become durable.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);
/// Long enough for the writer to try again.
const A_WHILE: Duration = Duration::from_millis(300);

/// Bytes that are never the same twice, and the same in each run.
#[derive(Debug)]
pub(super) struct Counting(AtomicU64);

impl Counting {
    pub(super) fn shared() -> SharedRandom {
        Arc::new(Self(AtomicU64::new(1)))
    }
}

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        bytes.fill(0);
        bytes
            .iter_mut()
            .rev()
            .zip(count.iter().rev())
            .for_each(|(byte, of)| *byte = *of);
        Ok(())
    }
}

/// A log, and what it has really written.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) appender: Arc<Appender>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) followers: Followers,
}

impl Stage {
    fn draft(&self) -> Draft {
        let random = Counting::shared();
        let call_id = CallId::make(&**self.appender.clock(), &*random).expect("it counts");
        Draft::system(Operation::ObjectGet, call_id)
    }

    /// Readers are told of nothing that is not written.
    pub(super) fn in_order(&self) {
        assert!(
            self.followers.newest() <= self.ledger.end(),
            "told before it was written"
        );
    }

    /// Sends by an intent, and says how that ended, or forgets to.
    async fn carry_out(&self, intent: Intent) {
        let (position, entry_id) = (intent.position(), intent.entry_id());
        let written = self.ledger.at(position);
        assert_eq!(
            (written.phase(), written.entry_id),
            (Phase::Intent, entry_id.to_string())
        );
        self.ledger.send(position);
        yield_now().await;
        if thread_rng().gen_range(0..4) == 0 {
            drop(intent);
            return;
        }
        match intent.settle(Outcome::ok()).await {
            Ok(at) => {
                let outcome = self
                    .ledger
                    .outcome_of(position)
                    .expect("it was told to be durable");
                assert_eq!(outcome.result(), CallResult::Ok);
                assert_eq!(self.ledger.at(at), outcome);
            }
            Err(error) => assert!(matches!(error, Error::OutcomeNotRecorded(_)), "{error}"),
        }
        self.in_order();
    }
}

/// Sends twice, one after the other.
pub(super) async fn sends(stage: Stage) {
    for _ in 0..2 {
        if let Ok(intent) = stage.appender.intent(stage.draft()).await {
            stage.carry_out(intent).await;
        }
        stage.in_order();
    }
}

/// Wants to send, and gives up after a while if the intent is not durable by then.
pub(super) async fn gives_up(stage: Stage) {
    let patience = thread_rng().gen_range(0..12);
    let intent = pin!(stage.appender.intent(stage.draft()));
    let tired = pin!(async {
        for _ in 0..patience {
            yield_now().await;
        }
    });
    let intent = match select(intent, tired).await {
        Either::Left((intent, _)) => intent.ok(),
        Either::Right(_) => None,
    };
    if let Some(intent) = intent {
        stage.carry_out(intent).await;
    }
    stage.in_order();
}

/// Records something that is complete in itself.
pub(super) async fn records(stage: Stage) {
    let recorded = stage
        .appender
        .record(&stage.draft(), Phase::Admin, Outcome::ok())
        .await;
    if let Ok(position) = recorded {
        assert!(position > Position::START);
        assert_eq!(stage.ledger.at(position).phase(), Phase::Admin);
    }
    stage.in_order();
}

/// Time passes: enough for the writer to try again, or for everybody's deadline.
pub(super) async fn time_passes(clock: &MockClock) {
    for _ in 0..thread_rng().gen_range(1..24) {
        yield_now().await;
    }
    let late = thread_rng().gen_range(0..3) == 0;
    clock.advance(if late { DEADLINE } else { A_WHILE });
}
