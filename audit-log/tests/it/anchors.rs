//! What the heads have come to is kept by others too, and it is noted where it is not.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{
    AuditLog, Error, Failure, Filter, Operation, Outcome, Position,
    anchors::{self, Webhook},
};
use hubkeep_core::{
    clock::{Clock as _, MockClock, SharedClock, Timestamp},
    error::{ErrorReason, ServiceError as _},
};
use hubkeep_test_doubles::{
    keeper::{Keeper, Taken},
    trouble::Trouble,
};

use crate::{
    proofs::{read_note, record},
    support::{Place, entry, eventually, on_both_databases, read_of},
};

pub(crate) const HEADS: &str = "test/crm-service/heads";
pub(crate) const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

on_both_databases! {
    a_receiver_is_given_the_newest_heads_signed_and_once_an_interval,
    a_log_that_is_opened_again_anchors_what_is_left_and_nothing_twice,
    a_receiver_that_is_down_holds_up_nothing_and_is_noted_until_it_has_caught_up,
    a_place_that_is_named_anew_gets_the_newest_heads_and_the_old_one_is_not_missed,
    writes_are_refused_while_it_lasts_too_long_and_reads_are_not,
}

/// A log whose heads go to this receiver.
pub(crate) fn anchored(place: Place, keeper: &Keeper) -> Place {
    let mut place = place.proven();
    let secret_file = place.secret("webhook", SECRET);
    place.anchors = anchors::Config {
        webhook: Some(Webhook {
            url: keeper.url(),
            secret_file,
        }),
        every: MINUTE,
        late_by: MINUTE,
        ..anchors::Config::default()
    };
    place.anchors.delivery.attempts = 1;
    place
}

pub(crate) fn mock() -> (Arc<MockClock>, SharedClock) {
    let clock = MockClock::at(Timestamp::from_micros(1_795_369_525_000_000));
    (clock.clone(), clock)
}

/// Moves a clock by small steps, so that whoever sleeps on it gets on, until `done` says so.
pub(crate) async fn passing(clock: &MockClock, what: &str, done: impl AsyncFnMut() -> bool) {
    in_steps(Duration::from_millis(5), clock, what, done).await;
}

/// The same where it may take minutes of that clock.
pub(crate) async fn in_time(clock: &MockClock, what: &str, done: impl AsyncFnMut() -> bool) {
    in_steps(Duration::from_millis(200), clock, what, done).await;
}

async fn in_steps(step: Duration, clock: &MockClock, what: &str, mut done: impl AsyncFnMut() -> bool) {
    eventually(what, async || {
        clock.advance(step);
        done().await
    })
    .await;
}

/// So much time goes by, in steps that leave whoever wakes up the time to do what it wants to do.
pub(crate) async fn go_by(clock: &MockClock, time: Duration) {
    let until = clock.tick().plus(time);
    while clock.tick() < until {
        clock.advance(Duration::from_secs(5));
        let mut looks = 0;
        passing(clock, "some looks", async || {
            looks += 1;
            looks > 10
        })
        .await;
    }
}

/// The log of this portal has a checkpoint of so many entries, and the heads name it.
pub(crate) async fn proven(log: &AuditLog, portal: u64, size: u64, clock: &MockClock) {
    let name = format!("test/crm-service/{portal}");
    let line = format!("{name}\n{size}\n");
    passing(clock, "the heads name it", async || {
        let head = log.head(&name).await.expect("reads");
        head.is_some_and(|head| head.line.starts_with(line.as_bytes()))
    })
    .await;
}

/// The sizes that a receiver has taken. One whose answer was lost may have come twice.
fn sizes(keeper: &Keeper) -> Vec<u64> {
    let mut sizes: Vec<u64> = keeper.taken().iter().map(size_of).collect();
    sizes.dedup();
    sizes
}

fn size_of(taken: &Taken) -> u64 {
    taken.body["data"]["size"].as_u64().expect("a size")
}

/// Waits until the receiver has the newest heads.
pub(crate) async fn kept(log: &AuditLog, keeper: &Keeper, clock: &MockClock) -> Taken {
    let mut newest = None;
    in_time(clock, "the newest heads are anchored", async || {
        let size = log.checkpoint(HEADS, None).await.map_or(0, |heads| heads.size);
        newest = keeper
            .taken()
            .pop()
            .filter(|taken| size > 0 && size_of(taken) == size);
        newest.is_some()
    })
    .await;
    newest.expect("there")
}

/// What is noted of anchors, as reason and subject.
pub(crate) async fn notes(log: &AuditLog) -> Vec<(ErrorReason, String)> {
    let filter = Filter {
        operations: vec![Operation::AuditUnanchored],
        ..Filter::all()
    };
    let noted = log.list(&filter, Position::START, 1_000).await.expect("reads");
    noted
        .iter()
        .map(|event| (entry(event).reason(), entry(event).subject.clone()))
        .collect()
}

async fn a_receiver_is_given_the_newest_heads_signed_and_once_an_interval(place: Place) {
    let keeper = Keeper::start(SECRET).await;
    let place = anchored(place, &keeper);
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    record(&log, 1, 2).await;
    proven(&log, 1, 4, &clock).await;
    let first = kept(&log, &keeper, &clock).await;
    let (origin, size, ..) = read_note(
        first.body["data"]["note"].as_str().expect("a note"),
        &log.verifier_keys().await.expect("keys"),
    );
    assert_eq!((origin.as_str(), size), (HEADS, size_of(&first)));
    assert_eq!(first.body["type"], "audit.checkpoint");

    let before = sizes(&keeper);
    record(&log, 2, 1).await;
    proven(&log, 2, 2, &clock).await;
    go_by(&clock, MINUTE / 2).await;
    assert_eq!(sizes(&keeper), before, "not before the interval is over");
    go_by(&clock, MINUTE / 2).await;
    let second = kept(&log, &keeper, &clock).await;
    assert!(size_of(&second) > size_of(&first) && second.id != first.id);
    let after = sizes(&keeper);
    go_by(&clock, 3 * MINUTE).await;
    assert_eq!(sizes(&keeper), after, "nothing is new");
    assert_eq!((log.unanchored_for(), notes(&log).await), (None, Vec::new()));
    log.stop().await;
}

async fn a_log_that_is_opened_again_anchors_what_is_left_and_nothing_twice(place: Place) {
    let keeper = Keeper::start(SECRET).await;
    let place = anchored(place, &keeper);
    let (clock, shared) = mock();
    let log = place.open_at(shared.clone()).await;
    record(&log, 1, 1).await;
    proven(&log, 1, 2, &clock).await;
    kept(&log, &keeper, &clock).await;
    record(&log, 1, 1).await;
    proven(&log, 1, 4, &clock).await;
    log.stop().await;
    let before = sizes(&keeper);
    // Nobody runs for long: what is left is brought there by who comes next, and is not late for it.
    clock.advance(48 * 60 * MINUTE);
    let log = place.open_at(shared.clone()).await;
    let newest = kept(&log, &keeper, &clock).await;
    go_by(&clock, MINUTE / 2).await;
    let after = sizes(&keeper);
    assert_eq!(after, [before, vec![size_of(&newest)]].concat());
    assert_eq!(notes(&log).await, []);
    log.stop().await;
    let log = place.open_at(shared).await;
    go_by(&clock, 2 * MINUTE).await;
    assert_eq!(sizes(&keeper), after, "it is there already");
    log.stop().await;
}

async fn a_receiver_that_is_down_holds_up_nothing_and_is_noted_until_it_has_caught_up(place: Place) {
    let keeper = Keeper::start(SECRET).await;
    keeper.switch().set(Trouble::Hangs);
    let place = anchored(place, &keeper);
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    record(&log, 1, 1).await;
    proven(&log, 1, 2, &clock).await;
    passing(&clock, "it is tried", async || keeper.tries() > 0).await;
    record(&log, 1, 1).await;
    go_by(&clock, MINUTE * 3 / 2).await;
    assert!(log.unanchored_for().is_some_and(|age| age >= MINUTE));
    assert_eq!(notes(&log).await, [], "not late yet");
    go_by(&clock, 6 * MINUTE).await;
    let noted = notes(&log).await;
    assert_eq!(noted.len(), 2, "once in five minutes: {noted:?}");
    let host = keeper.url();
    let host = host.strip_suffix("/anchors?key=s3cret").expect("its end");
    for (reason, subject) in &noted {
        assert_eq!(*reason, ErrorReason::AuditUnavailable);
        assert!(
            subject.starts_with(&format!("webhook {host}: not anchored, for ")),
            "{subject}"
        );
    }
    keeper.switch().set(Trouble::None);
    go_by(&clock, 2 * MINUTE).await;
    kept(&log, &keeper, &clock).await;
    go_by(&clock, 6 * MINUTE).await;
    assert_eq!((log.unanchored_for(), notes(&log).await), (None, noted));
    log.stop().await;
}

async fn a_place_that_is_named_anew_gets_the_newest_heads_and_the_old_one_is_not_missed(place: Place) {
    let (up, down) = (Keeper::start(SECRET).await, Keeper::start(SECRET).await);
    down.switch().set(Trouble::Hangs);
    let place = anchored(place, &down);
    let (clock, shared) = mock();
    let log = place.open_at(shared.clone()).await;
    record(&log, 1, 1).await;
    proven(&log, 1, 2, &clock).await;
    passing(&clock, "it is tried", async || down.tries() > 0).await;
    log.stop().await;
    // Another address is another place, which has nothing yet.
    let mut place = place;
    place.anchors.webhook.as_mut().expect("one").url = up.url();
    let log = place.open_at(shared).await;
    kept(&log, &up, &clock).await;
    go_by(&clock, 3 * MINUTE).await;
    assert_eq!(
        notes(&log).await,
        [],
        "the place that is named no more is not missed"
    );
    log.stop().await;
}

async fn writes_are_refused_while_it_lasts_too_long_and_reads_are_not(place: Place) {
    let keeper = Keeper::start(SECRET).await;
    keeper.switch().set(Trouble::Fails);
    let mut place = anchored(place, &keeper);
    place.anchors.block_writes_after = 3 * MINUTE;
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    record(&log, 1, 1).await;
    proven(&log, 1, 2, &clock).await;
    let write = || read_of(1).operation(Operation::ObjectUpdate);
    go_by(&clock, 2 * MINUTE).await;
    log.intent(write())
        .await
        .expect("not yet")
        .settle(Outcome::ok())
        .await
        .expect("durable");
    go_by(&clock, MINUTE * 3 / 2).await;
    let refused = log.intent(write()).await.expect_err("too long");
    assert!(
        matches!(&refused, Error::Unavailable(Failure::Unanchored(age)) if *age > 3 * MINUTE),
        "{refused:?}"
    );
    assert!(refused.public_message().contains("audit.anchors"));
    record(&log, 1, 1).await;
    keeper.switch().set(Trouble::None);
    go_by(&clock, MINUTE).await;
    kept(&log, &keeper, &clock).await;
    passing(&clock, "it is anchored", async || log.unanchored_for().is_none()).await;
    log.intent(write())
        .await
        .expect("again")
        .settle(Outcome::ok())
        .await
        .expect("durable");
    log.stop().await;
}

#[tokio::test]
async fn of_two_replicas_one_anchors() {
    let keeper = Keeper::start(SECRET).await;
    let place = anchored(Place::postgres("of_two_replicas_one_anchors"), &keeper);
    let (clock, shared) = mock();
    let one = place.open_at(shared.clone()).await;
    let other = place.open_at(shared).await;
    for round in 1..=3_u64 {
        record(&one, 1, 1).await;
        proven(&other, 1, 2 * round, &clock).await;
        go_by(&clock, MINUTE).await;
        kept(&one, &keeper, &clock).await;
    }
    let taken = keeper.taken();
    let each: Vec<u64> = taken.iter().map(size_of).collect();
    assert!(each.is_sorted_by(|one, next| one < next), "each once: {each:?}");
    one.stop().await;
    record(&other, 1, 1).await;
    proven(&other, 1, 8, &clock).await;
    go_by(&clock, MINUTE).await;
    kept(&other, &keeper, &clock).await;
    other.stop().await;
}

#[tokio::test]
async fn a_log_that_is_not_signed_has_nothing_to_anchor_and_does_not_open() {
    let keeper = Keeper::start(SECRET).await;
    let mut place = anchored(Place::postgres("nothing_to_anchor"), &keeper);
    place.proofs.key_file = None;
    let refused = place.try_open().await.map(|_| ());
    let Err(Error::Anchors(anchors::StartError::NotSigned)) = refused else {
        panic!("{refused:?}");
    };
}
