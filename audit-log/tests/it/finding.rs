//! What is looked for in a log is found, from either end, by whatever part of the index there is.

use hubkeep_audit_log::{
    AuditLog, CallResult, Entry, Event, Filter, ObjectRef, Operation, Outcome, Phase, Position, Search,
    Severity,
};
use hubkeep_core::clock::Timestamp;

use crate::{
    filled::{BEGAN, fill, record},
    support::{Place, entry, everything, on_both_databases, portal, read_of},
};

on_both_databases! {
    ; on two threads:
    what_is_found_is_what_passes_whatever_is_indexed,
    a_damaged_index_hides_nothing,
    pages_stay_what_they_were_while_entries_arrive,
}

/// More than one large span, some small ones, and some entries in none.
const COUNT: u64 = 70_200;

/// Every so-and-so-many page would take long: pages are large, but several.
const PAGE: usize = 700;

/// A filter, and the same said in other words.
type Case = (&'static str, Filter, fn(&Entry) -> bool);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((BEGAN + seconds) * 1_000_000)
}

fn seconds(entry: &Entry) -> i64 {
    entry.entry_time.expect("a time").seconds - BEGAN
}

fn cases() -> Vec<Case> {
    vec![
        (
            "a portal and an operation",
            Filter {
                portal_id: Some(portal(3).portal_id()),
                client_slug: Some(portal(3).client_slug().clone()),
                operations: vec![Operation::ObjectUpdate, Operation::OwnerList],
                ..Filter::all()
            },
            |entry| {
                entry.portal_id == 3
                    && [Operation::ObjectUpdate, Operation::OwnerList].contains(&entry.operation())
            },
        ),
        (
            "a caller whose outcome is not known",
            Filter {
                caller: Some("caller-2".parse().expect("a name")),
                results: vec![CallResult::Unknown],
                ..Filter::all()
            },
            |entry| entry.caller == "caller-2" && entry.result() == CallResult::Unknown,
        ),
        (
            "what wants to be looked at, in ten minutes",
            Filter {
                min_severity: Some(Severity::Medium),
                start_time: Some(at(40_000)),
                end_time: Some(at(40_600)),
                ..Filter::all()
            },
            |entry| {
                (40_000..40_600).contains(&seconds(entry))
                    && (entry.phase() == Phase::Denied || entry.result() == CallResult::Unknown)
            },
        ),
        (
            "the last of it",
            Filter {
                start_time: Some(at(70_100)),
                phases: vec![Phase::Outcome],
                ..Filter::all()
            },
            |entry| seconds(entry) >= 70_100 && entry.phase() == Phase::Outcome,
        ),
        (
            "a record that entries are about",
            Filter {
                object_ref: Some(ObjectRef(record(1_000_000 + 77))),
                ..Filter::all()
            },
            |entry| entry.object_ref == hex::encode(record(1_000_000 + 77)),
        ),
        (
            "a record that searches gave, of a type",
            Filter {
                object_ref: Some(ObjectRef(record(66 * 5 + 2))),
                object_type: Some("deals".to_owned()),
                ..Filter::all()
            },
            |entry| {
                let names = entry.record_refs.chunks(16).any(|one| one == record(66 * 5 + 2));
                names && entry.object_type == "deals"
            },
        ),
        (
            "nobody",
            Filter {
                caller: Some("nobody".parse().expect("a name")),
                ..Filter::all()
            },
            |_| false,
        ),
    ]
}

/// All that is found, page after page, as positions.
async fn found(log: &AuditLog, filter: &Filter, newest_first: bool) -> Vec<u64> {
    let mut search = Search {
        newest_first,
        ..Search::oldest(filter.clone(), PAGE)
    };
    let mut found = Vec::new();
    loop {
        let page = log.find(&search).await.expect("the log reads");
        let Some(last) = page.last() else {
            return found;
        };
        match newest_first {
            true => search.before = Some(Position(last.position)),
            false => search.after = Position(last.position),
        }
        found.extend(page.iter().map(|event| event.position));
    }
}

async fn assert_found(log: &AuditLog, all: &[Event], moment: &str) {
    for (about, filter, passes) in cases() {
        let passing = all.iter().filter(|event| passes(entry(event)));
        let mut expected: Vec<u64> = passing.map(|event| event.position).collect();
        assert_eq!(
            expected.is_empty(),
            about == "nobody",
            "{about}: the case shows something"
        );
        assert_eq!(found(log, &filter, false).await, expected, "{about}, {moment}");
        expected.reverse();
        assert_eq!(
            found(log, &filter, true).await,
            expected,
            "{about}, {moment}, newest first"
        );
    }
}

async fn what_is_found_is_what_passes_whatever_is_indexed(place: Place) {
    fill(&place, COUNT).await;
    let log = place.open().await;
    let all = everything(&log).await;
    assert_eq!(all.len(), usize::try_from(COUNT).expect("small"));
    // The index is made meanwhile.
    assert_found(&log, &all, "while the index is made").await;
    log.bring_index_up_to_date().await.expect("indexed");
    assert_found(&log, &all, "with an index").await;
    let unindexed = place.intruder().await.indexed().await;
    assert_eq!(unindexed, (68, 1), "spans of both kinds, and entries in none");
}

async fn a_damaged_index_hides_nothing(place: Place) {
    fill(&place, 3_000).await;
    let log = place.open().await;
    log.bring_index_up_to_date().await.expect("indexed");
    let mut intruder = place.intruder().await;
    intruder
        .change("UPDATE audit_index SET places = (SELECT leaf FROM audit_entry WHERE position = 1)")
        .await;
    let all = everything(&log).await;
    for (about, filter, passes) in cases() {
        let passing = all.iter().filter(|event| passes(entry(event)));
        let expected: Vec<u64> = passing.map(|event| event.position).collect();
        assert_eq!(found(&log, &filter, false).await, expected, "{about}");
    }
}

async fn pages_stay_what_they_were_while_entries_arrive(place: Place) {
    fill(&place, 2_500).await;
    let log = place.open().await;
    let filter = Filter {
        client_slug: Some(portal(1).client_slug().clone()),
        ..Filter::all()
    };
    let mut before = found(&log, &filter, true).await;
    let mut search = Search::newest(filter.clone(), 90);
    let mut seen = Vec::new();
    loop {
        let page = log.find(&search).await.expect("the log reads");
        let Some(last) = page.last() else { break };
        search.before = Some(Position(last.position));
        seen.extend(page.iter().map(|event| event.position));
        let intent = log.intent(read_of(1)).await.expect("durable");
        intent.settle(Outcome::ok()).await.expect("durable");
    }
    assert_eq!(seen, before);
    assert!(seen.len() > 300, "several pages");
    before.reverse();
    let now = found(&log, &filter, false).await;
    assert_eq!(now[..before.len()], before, "what is new comes after");
    assert!(now.len() > before.len());
}
