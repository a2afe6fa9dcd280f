//! Who takes over what lost processes have left hears of each intent before it is closed, until it has taken it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use futures::future::BoxFuture;
use hubkeep_audit_log::{AuditLog, Entry, Error, Heir, HeirError, Outcome, Phase};
use hubkeep_core::{clock::SystemClock, random::SystemRandom};

use crate::{
    proxy::{Mode, Proxy},
    support::{Place, entry, eventually, everything, identity, on_both_databases, read_of},
};

/// Notes what it hears, and takes it or not.
#[derive(Debug, Default)]
struct Noting {
    heard: Mutex<Vec<Entry>>,
    refuses: AtomicBool,
}

impl Noting {
    fn heard(&self) -> Vec<Entry> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Heir for Noting {
    fn inherit<'a>(&'a self, intents: &'a [Entry]) -> BoxFuture<'a, Result<(), HeirError>> {
        Box::pin(async move {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.extend_from_slice(intents);
            match self.refuses.load(Ordering::SeqCst) {
                true => Err("its own database is down".into()),
                false => Ok(()),
            }
        })
    }
}

async fn opened(place: &Place, heir: &Arc<Noting>) -> Result<AuditLog, Error> {
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    AuditLog::open_for(heir.clone(), &place.config(), identity(), clock, random).await
}

async fn outcomes(log: &AuditLog) -> usize {
    let events = everything(log).await;
    let outcomes = events
        .iter()
        .filter(|event| entry(event).phase() == Phase::Outcome);
    outcomes.count()
}

async fn an_intent_is_closed_only_when_its_heir_has_it(place: Place) {
    let log = place.open().await;
    let settled = log.intent(read_of(1)).await.expect("durable");
    settled.settle(Outcome::ok()).await.expect("durable");
    let lost = log.intent(read_of(2)).await.expect("durable");
    let call_id = lost.call_id().to_string();
    log.stop().await;
    // Dropped behind the end of its log, it says nothing any more.
    drop(lost);

    let heir = Arc::new(Noting::default());
    heir.refuses.store(true, Ordering::SeqCst);
    let refused = opened(&place, &heir).await;
    assert!(matches!(refused, Err(Error::NotInherited(_))), "{refused:?}");
    heir.refuses.store(false, Ordering::SeqCst);
    let log = opened(&place, &heir).await.expect("it has taken it");
    let heard = heir.heard();
    assert_eq!(heard.len(), 2, "until it has it: {heard:?}");
    for intent in &heard {
        assert_eq!((intent.phase(), &intent.call_id), (Phase::Intent, &call_id));
    }
    assert_eq!(outcomes(&log).await, 2);
    log.stop().await;
    opened(&place, &heir).await.expect("nothing is left").stop().await;
    assert_eq!(heir.heard().len(), 2, "and never again");
}

on_both_databases!(an_intent_is_closed_only_when_its_heir_has_it);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_heir_of_a_living_replica_hears_of_what_a_lost_one_left() {
    let place = Place::postgres("living_heir");
    let proxy = Proxy::to(place.server()).await;
    let lost = place.open_through(&proxy).await;
    let heir = Arc::new(Noting::default());
    let alive = opened(&place, &heir).await.expect("opens");
    let held = lost.intent(read_of(1)).await.expect("durable");
    let call_id = held.call_id().to_string();
    heir.refuses.store(true, Ordering::SeqCst);
    proxy.set(Mode::Stall);
    proxy.cut();
    let mut intruder = place.intruder().await;
    intruder.run("UPDATE audit_replica SET seen_time = seen_time - 60000000 WHERE replica_id = (SELECT replica FROM audit_open_intent WHERE position = 1)").await;
    eventually("it is told", async || !heir.heard().is_empty()).await;
    assert_eq!(outcomes(&alive).await, 0, "it could not take it");
    heir.refuses.store(false, Ordering::SeqCst);
    eventually("it is closed", async || outcomes(&alive).await == 1).await;
    assert!(heir.heard().iter().all(|intent| intent.call_id == call_id));
    drop(held);
    alive.stop().await;
}
