use std::pin::pin;

use futures::{FutureExt as _, poll};
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_hubspot::associations::AssociationType;

use super::*;
use crate::crm::{Between, End, ObjectType, Pair, RecordId};

const SECOND: Duration = Duration::from_secs(1);

fn id(text: &str) -> RecordId {
    RecordId::read(text).expect("an id")
}

fn of(object_type: &str) -> ObjectType {
    ObjectType::read(object_type).expect("a type")
}

fn one(from: (&str, &str), to: (&str, &str)) -> AssociationAsk {
    AssociationAsk::Create {
        end: End {
            object_type: of(from.0),
            id: id(from.1),
            to_type: of(to.0),
        },
        to: id(to.1),
        kinds: Vec::new(),
    }
}

fn many(pairs: &[(&str, &str)]) -> AssociationAsk {
    let pair = |(from, to): &(&str, &str)| {
        let pair = Pair {
            from: id(from),
            to: id(to),
        };
        (pair, Vec::<AssociationType>::new())
    };
    AssociationAsk::LabelMany {
        between: Between {
            object_type: of("contacts"),
            to_type: of("companies"),
        },
        pairs: pairs.iter().map(pair).collect(),
    }
}

fn slug() -> ClientSlug {
    "acme".parse().expect("valid")
}

fn here(clock: &SharedClock) -> Pairs {
    Pairs::among(None, "here".to_owned(), clock.clone())
}

fn clock() -> (std::sync::Arc<MockClock>, SharedClock) {
    let clock = MockClock::at(Timestamp::from_micros(1));
    (clock.clone(), clock)
}

#[tokio::test]
async fn whoever_changes_a_pair_is_waited_for_in_whichever_direction_it_is_named() {
    let (_, clock) = clock();
    let pairs = here(&clock);
    let deadline = clock.tick().plus(10 * SECOND);
    let (slug, other) = (slug(), "globex".parse().expect("valid"));
    let first = one(("contacts", "1"), ("companies", "2"));
    let held = pairs.turn(&slug, &first, deadline).await.expect("nobody has it");
    let turned = one(("0-2", "2"), ("0-1", "1"));
    let mut same = pin!(pairs.turn(&slug, &turned, deadline));
    let batch = many(&[("7", "8"), ("1", "2")]);
    let mut among = pin!(pairs.turn(&slug, &batch, deadline));
    assert!(poll!(&mut same).is_pending() && poll!(&mut among).is_pending());
    let elsewhere = pairs.turn(&other, &turned, deadline).now_or_never();
    assert!(
        elsewhere.is_some_and(|turn| turn.is_ok()),
        "another portal's is another"
    );
    let untouched = many(&[("7", "9")]);
    let free = pairs.turn(&slug, &untouched, deadline).now_or_never();
    assert!(
        free.is_some_and(|turn| turn.is_ok()),
        "another pair of the same record is free"
    );
    drop(held);
    let same = same.await.expect("its turn");
    assert!(poll!(&mut among).is_pending());
    drop(same);
    drop(among.await.expect("its turn"));
}

#[tokio::test]
async fn whoever_came_first_goes_first_also_where_it_wants_more_pairs_than_the_others() {
    let (_, clock) = clock();
    let pairs = here(&clock);
    let deadline = clock.tick().plus(10 * SECOND);
    let slug = slug();
    let (one, other) = (many(&[("1", "2")]), many(&[("3", "4")]));
    let both = many(&[("1", "2"), ("3", "4")]);
    let held = pairs.turn(&slug, &one, deadline).await.expect("nobody has it");
    let mut wants_both = pin!(pairs.turn(&slug, &both, deadline));
    assert!(poll!(&mut wants_both).is_pending());
    let mut later = pin!(pairs.turn(&slug, &other, deadline));
    let mut last = pin!(pairs.turn(&slug, &one, deadline));
    assert!(
        poll!(&mut later).is_pending() && poll!(&mut last).is_pending(),
        "who wants two pairs would never have both"
    );
    drop(held);
    assert!(poll!(&mut later).is_pending() && poll!(&mut last).is_pending());
    let first = wants_both.now_or_never().expect("served").expect("its turn");
    assert!(poll!(&mut later).is_pending());
    drop(first);
    assert!(later.now_or_never().is_some_and(|turn| turn.is_ok()));
    assert!(last.now_or_never().is_some_and(|turn| turn.is_ok()));
}

#[tokio::test]
async fn who_waits_no_more_is_in_nobodys_way() {
    let (_, clock) = clock();
    let pairs = here(&clock);
    let deadline = clock.tick().plus(10 * SECOND);
    let slug = slug();
    let (one, other) = (many(&[("1", "2")]), many(&[("3", "4")]));
    let both = many(&[("1", "2"), ("3", "4")]);
    let held = pairs.turn(&slug, &one, deadline).await.expect("nobody has it");
    let mut gone = Box::pin(pairs.turn(&slug, &both, deadline));
    assert!(poll!(&mut gone).is_pending());
    let mut behind = pin!(pairs.turn(&slug, &other, deadline));
    assert!(poll!(&mut behind).is_pending());
    drop(gone);
    let behind = behind.now_or_never().expect("served").expect("its turn");
    let mut served = Box::pin(pairs.turn(&slug, &one, deadline));
    assert!(poll!(&mut served).is_pending());
    drop(held);
    // It has been served, and leaves before it has heard of that.
    drop(served);
    let next = pairs.turn(&slug, &one, deadline).now_or_never();
    assert!(next.is_some_and(|turn| turn.is_ok()));
    drop(behind);
}

#[tokio::test]
async fn nobody_waits_for_a_turn_beyond_its_deadline() {
    let (mock, clock) = clock();
    let pairs = here(&clock);
    let deadline = clock.tick().plus(SECOND);
    let (slug, ask) = (slug(), many(&[("1", "2")]));
    let _held = pairs.turn(&slug, &ask, deadline).await.expect("nobody has it");
    let mut late = pin!(pairs.turn(&slug, &ask, deadline));
    assert!(poll!(&mut late).is_pending());
    mock.advance(SECOND);
    assert!(matches!(late.await, Err(Error::Taken)));
}
