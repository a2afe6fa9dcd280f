//! What is older than entries are kept goes, and nothing else; what is left stays provable.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::{BoxFuture, join_all};
use hubkeep_audit_log::{
    AuditLog, Beginning, Entry, Error, Event, Filter, Heir, HeirError, Hold, Intent, Keep, Operation,
    Outcome, Position, Search,
    anchors::Webhook,
    proofs::{self, Which},
};
use hubkeep_core::{
    clock::{Clock as _, MockClock, Timestamp},
    random::SystemRandom,
};

use crate::{
    anchors::{in_time, mock, passing, proven},
    proofs::record,
    support::{Place, entry, identity, on_both_databases, read_of},
};

pub(crate) const ONE: &str = "test/crm-service/1";
const TWO: &str = "test/crm-service/2";
/// Longer than the 25 months that entries are kept.
pub(crate) const LONG: Duration = Duration::from_secs(26 * 2_630_016);

on_both_databases! {
    old_entries_go_in_whole_bundles_and_what_is_left_stays_provable,
    nothing_goes_while_an_intent_is_open_before_it,
    an_entry_that_is_young_keeps_all_that_come_after_it,
    a_log_that_is_held_is_not_pruned_until_it_is_released,
    an_entry_that_somebody_has_changed_is_not_pruned_away,
    entries_are_kept_for_ever_where_that_is_said,
    nothing_goes_that_is_not_anchored_where_it_should_be,
    the_service_s_own_log_is_pruned_too,
    what_an_heir_needs_stays_however_old_it_is,
}

/// Calls of a portal, many at once.
pub(crate) async fn calls(log: &AuditLog, portal: u64, calls: usize) {
    join_all((0..calls).map(|_| record(log, portal, 1))).await;
}

/// Time goes by until a log begins there.
pub(crate) async fn pruned_to(log: &AuditLog, name: &str, first_index: u64, clock: &MockClock) -> Beginning {
    in_time(clock, "old entries go", async || {
        let begins = log.beginning(name).await.expect("reads");
        begins.is_some_and(|begins| begins.first_index == first_index)
    })
    .await;
    log.beginning(name).await.expect("reads").expect("pruned")
}

/// So much time goes by that it is looked several times what may go.
pub(crate) async fn looked_at(clock: &MockClock) {
    let until = clock.tick().plus(Duration::from_secs(4 * 60));
    in_time(clock, "time goes by", async || clock.tick() >= until).await;
}

/// All that is left of a log, with its leaves; without a gap.
pub(crate) async fn left(log: &AuditLog, name: &str) -> Vec<Event> {
    let filter = Filter {
        log: Some(name.to_owned()),
        ..Filter::all()
    };
    let events = log.find(&Search::oldest(filter, 100_000)).await.expect("reads");
    let first = events.first().expect("never empty").index;
    for (event, index) in events.iter().zip(first..) {
        assert_eq!(event.index, index, "no gap");
    }
    events
}

/// What announced prunings of a log.
pub(crate) async fn announcements(log: &AuditLog, name: &str) -> Vec<Event> {
    let mut events = left(log, name).await;
    events.retain(|event| entry(event).operation() == Operation::AuditPrune);
    events
}

/// A log of 600 entries, the last of which is old, and then some that are young. With the sizes of two checkpoints from before.
async fn aged(place: &Place, clock: &Arc<MockClock>) -> (AuditLog, [u64; 2]) {
    let log = place.open_at(Arc::clone(clock) as _).await;
    calls(&log, 1, 50).await;
    calls(&log, 2, 5).await;
    proven(&log, 1, 100, clock).await;
    calls(&log, 1, 250).await;
    proven(&log, 1, 600, clock).await;
    clock.advance(LONG);
    calls(&log, 1, 20).await;
    (log, [100, 600])
}

async fn old_entries_go_in_whole_bundles_and_what_is_left_stays_provable(place: Place) {
    let place = place.proven();
    let (clock, _) = mock();
    let (log, sizes) = aged(&place, &clock).await;
    let begins = pruned_to(&log, ONE, 512, &clock).await;
    assert!(begins.newest_pruned_time < clock.now().minus(LONG));
    let events = left(&log, ONE).await;
    assert_eq!(events[0].index, 512);
    let said = announcements(&log, ONE).await;
    let [said] = said.as_slice() else {
        panic!("one announcement: {said:?}")
    };
    let pruning = entry(said).pruning.clone().expect("what goes");
    assert_eq!((pruning.from_index, pruning.below_index), (0, 512));
    assert!(said.index >= 640 && (512..=said.index).contains(&pruning.checkpoint_size));
    let covering = log
        .checkpoint(ONE, Some(pruning.checkpoint_size))
        .await
        .expect("signed");
    assert_eq!(pruning.checkpoint_root, covering.root);
    assert!(left(&log, TWO).await[0].index == 0, "what fills no bundle stays");

    proven(&log, 1, 641, &clock).await;
    for index in [0, 3, 511, 512, 640] {
        log.inclusion(ONE, Which::Index(index), None)
            .await
            .expect("proven by its hash");
    }
    for old in sizes {
        log.consistency(ONE, old, None).await.expect("grows out of it");
    }
    log.consistency(ONE, sizes[0], Some(sizes[1]))
        .await
        .expect("both are older");
    let gone = log.inclusion(ONE, Which::Position(Position(3)), None).await;
    assert!(
        matches!(
            gone,
            Err(Error::Proofs(proofs::Error::Pruned { first_index: 512, .. }))
        ),
        "{gone:?}"
    );
    let stays = Which::Position(Position(events[0].position));
    log.inclusion(ONE, stays, None)
        .await
        .expect("its bytes are those of the tree");

    log.stop().await;
    let log = place.open_at(Arc::clone(&clock) as _).await;
    calls(&log, 1, 1).await;
    assert_eq!(left(&log, ONE).await.last().expect("some").index, 642);
    proven(&log, 1, 643, &clock).await;
    looked_at(&clock).await;
    assert_eq!(announcements(&log, ONE).await.len(), 1, "nothing goes twice");
}

async fn nothing_goes_while_an_intent_is_open_before_it(place: Place) {
    let place = place.proven();
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    let open: Intent = log.intent(read_of(1)).await.expect("durable");
    calls(&log, 1, 300).await;
    proven(&log, 1, 601, &clock).await;
    clock.advance(LONG);
    looked_at(&clock).await;
    assert_eq!(log.beginning(ONE).await.expect("reads"), None);
    open.settle(Outcome::ok()).await.expect("durable");
    pruned_to(&log, ONE, 512, &clock).await;
}

async fn an_entry_that_is_young_keeps_all_that_come_after_it(place: Place) {
    let place = place.proven();
    let (clock, _) = mock();
    // A clock that was far ahead when the log was opened first.
    let ahead = MockClock::at(clock.now().plus(LONG));
    let log = place.open_at(ahead).await;
    record(&log, 1, 1).await;
    log.stop().await;
    let log = place.open_at(Arc::clone(&clock) as _).await;
    calls(&log, 1, 300).await;
    calls(&log, 2, 300).await;
    proven(&log, 1, 602, &clock).await;
    clock.advance(LONG);
    pruned_to(&log, TWO, 512, &clock).await;
    assert_eq!(log.beginning(ONE).await.expect("reads"), None);
    let retained = log
        .retained("", 10, ONE)
        .await
        .expect("reads")
        .pop()
        .expect("a log");
    let next = retained.next_time.expect("some day");
    assert!(next > clock.now(), "{next:?}");
    clock.advance(LONG);
    pruned_to(&log, ONE, 512, &clock).await;
}

async fn a_log_that_is_held_is_not_pruned_until_it_is_released(place: Place) {
    let place = place.proven();
    let (clock, _) = mock();
    let (log, _) = aged(&place, &clock).await;
    let hold = Hold {
        operator: "operator/ann".to_owned(),
        reason: "case 7".to_owned(),
        hold_time: clock.now(),
    };
    log.hold(ONE, &hold).await.expect("held");
    let again = Hold {
        reason: "another".to_owned(),
        ..hold.clone()
    };
    log.hold(ONE, &again).await.expect("held on");
    looked_at(&clock).await;
    assert_eq!(log.beginning(ONE).await.expect("reads"), None);
    let retained = log
        .retained("", 10, ONE)
        .await
        .expect("reads")
        .pop()
        .expect("a log");
    assert_eq!(
        (retained.hold, retained.next_time, retained.first_index),
        (Some(hold), None, 0)
    );
    log.release(ONE).await.expect("released");
    pruned_to(&log, ONE, 512, &clock).await;
}

async fn an_entry_that_somebody_has_changed_is_not_pruned_away(place: Place) {
    let place = place.proven();
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    calls(&log, 1, 300).await;
    calls(&log, 2, 300).await;
    proven(&log, 1, 600, &clock).await;
    let change = "UPDATE audit_entry SET leaf = (SELECT leaf FROM audit_entry WHERE log = 'test/crm-service/1' \
        AND log_index = 7) WHERE log = 'test/crm-service/1' AND log_index = 8";
    place.intruder().await.change(change).await;
    clock.advance(LONG);
    pruned_to(&log, TWO, 512, &clock).await;
    looked_at(&clock).await;
    assert_eq!(
        log.beginning(ONE).await.expect("reads"),
        None,
        "it is evidence of that"
    );
}

async fn entries_are_kept_for_ever_where_that_is_said(place: Place) {
    let mut place = place.proven();
    place.keep = Keep::for_ever();
    let (clock, _) = mock();
    let (log, _) = aged(&place, &clock).await;
    looked_at(&clock).await;
    assert_eq!(log.beginning(ONE).await.expect("reads"), None);
    assert!(announcements(&log, ONE).await.is_empty());
}

async fn nothing_goes_that_is_not_anchored_where_it_should_be(place: Place) {
    let mut place = place.proven();
    place.anchors.webhook = Some(Webhook {
        url: "http://127.0.0.1:9/".parse().expect("an address"),
        secret_file: place.secret("webhook", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
    });
    place.anchors.delivery.attempts = 1;
    let (clock, _) = mock();
    let (log, _) = aged(&place, &clock).await;
    looked_at(&clock).await;
    assert_eq!(log.beginning(ONE).await.expect("reads"), None);
    assert!(announcements(&log, ONE).await.is_empty());
    log.stop().await;
    place.anchors.webhook = None;
    let log = place.open_at(Arc::clone(&clock) as _).await;
    pruned_to(&log, ONE, 512, &clock).await;
}

async fn the_service_s_own_log_is_pruned_too(place: Place) {
    let place = place.proven();
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    let draft = || hubkeep_audit_log::Draft::system(Operation::KeyStatus, crate::support::call_id());
    join_all((0..300).map(|_| log.admin(draft(), Outcome::ok()))).await;
    passing(&clock, "it is signed", async || {
        let newest = log.checkpoint("test/crm-service/system", None).await;
        newest.is_ok_and(|newest| newest.size >= 300)
    })
    .await;
    clock.advance(LONG);
    let begins = pruned_to(&log, "test/crm-service/system", 256, &clock).await;
    assert!(begins.pruned_time > Timestamp::from_micros(0));
    assert_eq!(announcements(&log, "test/crm-service/system").await.len(), 1);
}

/// Needs entries since a time.
#[derive(Debug)]
struct Needing(Mutex<Option<Timestamp>>);

impl Heir for Needing {
    fn inherit<'a>(&'a self, _: &'a [Entry]) -> BoxFuture<'a, Result<(), HeirError>> {
        Box::pin(async { Ok(()) })
    }

    fn needs_since(&self) -> BoxFuture<'_, Result<Option<Timestamp>, HeirError>> {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(async move { Ok(since) })
    }
}

async fn what_an_heir_needs_stays_however_old_it_is(place: Place) {
    let place = place.proven();
    let (clock, shared) = mock();
    let heir = Arc::new(Needing(Mutex::new(Some(clock.now()))));
    let (config, random) = (place.config(), SystemRandom::shared());
    let opened = AuditLog::open_for(heir.clone(), &config, identity(), shared, random);
    let log = opened.await.expect("opens");
    calls(&log, 1, 300).await;
    proven(&log, 1, 600, &clock).await;
    clock.advance(LONG);
    looked_at(&clock).await;
    assert_eq!(log.beginning(ONE).await.expect("reads"), None);
    *heir.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    pruned_to(&log, ONE, 512, &clock).await;
}
