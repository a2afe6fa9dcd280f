//! What is on the list after each step of two erasures, in all orders.

use hubkeep_core::database::Config;
use tempfile::TempDir;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1);
const ADDRESS: &str = "9f";

/// What happens to one of two erasures of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begins,
    Fails,
    Happens,
    /// Its process is killed, or what came of it cannot be noted.
    IsLost,
}
use Step::{Begins, Fails, Happens, IsLost};

/// A step of the first or of the second.
type Event = (usize, Step);

/// The orders in which two that begin once and end once can do so.
const ORDERS: [[usize; 4]; 6] = [
    [0, 0, 1, 1],
    [0, 1, 0, 1],
    [0, 1, 1, 0],
    [1, 0, 0, 1],
    [1, 0, 1, 0],
    [1, 1, 0, 0],
];

async fn database() -> (Database, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        url: format!("sqlite://{}", folder.path().join("crm-service.db").display()),
        ..Config::default()
    };
    let database = Database::open(&config, &[&crate::MIGRATIONS]).await;
    (database.expect("opened"), folder)
}

fn of(portal: i64, erasure: usize) -> Of {
    let erasure = format!("01890a5d-ac96-774b-bcce-{erasure:012x}");
    Of {
        portal: PortalId::from_i64(portal).expect("not zero"),
        erasure: erasure.parse().expect("a call"),
    }
}

async fn take(database: &Database, portal: i64, (erasure, step): Event) {
    let of = of(portal, erasure);
    let references = BTreeSet::from([ADDRESS.to_owned()]);
    let taken = match step {
        Begins => insert(database, &of, &references, NOW).await,
        Fails => delete(database, &of).await,
        Happens => keep(database, &of, NOW).await,
        IsLost => Ok(()),
    };
    taken.expect("taken");
}

async fn is_listed(database: &Database, portal: i64) -> bool {
    let portal = PortalId::from_i64(portal).expect("not zero");
    let asked = [ADDRESS.to_owned(), "a0".to_owned()];
    let listed = listed(database, portal, &asked).await.expect("read");
    assert!(!listed.contains("a0"), "nobody put it there");
    let listed = listed.contains(ADDRESS);
    assert_eq!(is_empty(database, portal).await.expect("read"), !listed);
    listed
}

fn events(order: [usize; 4], ends: [Step; 2]) -> Vec<Event> {
    let mut begun = [false; 2];
    let event = |erasure: usize| {
        let step = if begun[erasure] { ends[erasure] } else { Begins };
        begun[erasure] = true;
        (erasure, step)
    };
    order.into_iter().map(event).collect()
}

/// Whether somebody who was erased, or may have been, would be created again if the address were not there.
fn must_be_listed(taken: &[Event]) -> bool {
    let last = |erasure: usize| taken.iter().rev().find(|(of, _)| *of == erasure);
    let stands = |erasure| last(erasure).is_some_and(|(_, step)| *step != Fails);
    stands(0) || stands(1)
}

#[tokio::test]
async fn an_address_is_on_the_list_while_any_erasure_has_happened_or_may_have_and_no_longer() {
    let (database, _folder) = database().await;
    let mut portal = 0;
    for order in ORDERS {
        for first in [Fails, Happens, IsLost] {
            for second in [Fails, Happens, IsLost] {
                // A list of its own for each.
                portal += 1;
                let events = events(order, [first, second]);
                for count in 1..=events.len() {
                    take(&database, portal, events[count - 1]).await;
                    let taken = &events[..count];
                    let listed = is_listed(&database, portal).await;
                    assert_eq!(listed, must_be_listed(taken), "{taken:?}");
                }
            }
        }
    }
    assert_eq!(portal, 54);
}

#[tokio::test]
async fn the_orders_of_two_erasures_come_to_what_is_promised() {
    let (database, _folder) = database().await;
    let table: [(&str, &[Event], bool); 7] = [
        ("one that fails", &[(0, Begins), (0, Fails)], false),
        (
            "the first fails, the second happens",
            &[(0, Begins), (1, Begins), (0, Fails), (1, Happens)],
            true,
        ),
        (
            "the second is refused while the first is under way",
            &[(0, Begins), (1, Begins), (1, Fails)],
            true,
        ),
        (
            "both fail",
            &[(0, Begins), (1, Begins), (1, Fails), (0, Fails)],
            false,
        ),
        (
            "the first is lost, the second refused",
            &[(0, Begins), (0, IsLost), (1, Begins), (1, Fails)],
            true,
        ),
        (
            "the first is lost, the second happens",
            &[(0, Begins), (0, IsLost), (1, Begins), (1, Happens)],
            true,
        ),
        (
            "the first has happened, the second is refused",
            &[(0, Begins), (0, Happens), (1, Begins), (1, Fails)],
            true,
        ),
    ];
    for (portal, (name, events, listed)) in (1..).zip(table) {
        for event in events {
            take(&database, portal, *event).await;
        }
        assert_eq!(is_listed(&database, portal).await, listed, "{name}");
    }
}

#[tokio::test]
async fn what_an_older_version_has_left_for_an_erasure_stays_on_the_list() {
    let (database, _folder) = database().await;
    let mut transaction = database.begin().await.expect("begun");
    let left = "INSERT INTO suppressed_address (portal_id, reference, create_time, pending_for) VALUES (1, $1, 1, 'older')";
    let left = sqlx::query(left).bind(ADDRESS).execute(&mut transaction).await;
    left.expect("left");
    transaction.commit().await.expect("committed");
    for event in [(0, Begins), (0, Fails)] {
        take(&database, 1, event).await;
        assert!(is_listed(&database, 1).await, "{event:?}");
    }
    for event in [(0, Begins), (0, Happens)] {
        take(&database, 1, event).await;
    }
    // As the older version takes back what its own erasure has put there.
    let mut transaction = database.begin().await.expect("begun");
    let taken_back = "DELETE FROM suppressed_address WHERE pending_for = 'older'";
    let done = sqlx::query(taken_back).execute(&mut transaction).await;
    assert_eq!(done.expect("asked").rows_affected(), 0);
    transaction.commit().await.expect("committed");
    assert!(is_listed(&database, 1).await);
}

#[tokio::test]
async fn erasures_that_have_not_said_how_they_ended_are_listed_when_they_are_old_enough() {
    let (database, _folder) = database().await;
    for event in [(0, Begins), (1, Begins), (2, Begins), (1, Happens)] {
        take(&database, 1, event).await;
    }
    take(&database, 2, (3, Begins)).await;
    let listed = async |before: i64, after: &str, limit: u32| {
        let before = Timestamp::from_micros(before);
        let found = open(&database, before, after, limit).await.expect("read");
        let each = found.into_iter();
        each.map(|of| (of.portal.as_i64(), of.erasure))
            .collect::<Vec<_>>()
    };
    let erasure = |number: usize| of(1, number).erasure;
    assert_eq!(listed(1, "", 9).await, []);
    let all = [(1, erasure(0)), (1, erasure(2)), (2, erasure(3))];
    assert_eq!(listed(2, "", 9).await, all);
    let first = erasure(0).to_string();
    assert_eq!(listed(2, &first, 1).await, all[1..2]);
}

#[tokio::test]
async fn a_portal_that_is_erased_leaves_no_list() {
    let (database, _folder) = database().await;
    for portal in [1, 2] {
        for event in [(0, Begins), (0, Happens), (1, Begins)] {
            take(&database, portal, event).await;
        }
    }
    let mut transaction = database.begin().await.expect("begun");
    let erased = PortalId::from_i64(1).expect("not zero");
    let forgotten = forget_portal(&mut transaction, erased).await;
    forgotten.expect("forgotten");
    transaction.commit().await.expect("committed");
    assert!(!is_listed(&database, 1).await);
    assert!(is_listed(&database, 2).await);
}

#[tokio::test]
async fn of_many_that_are_looked_up_at_once_each_that_is_listed_is_found() {
    let (database, _folder) = database().await;
    let of = of(1, 0);
    let all: Vec<String> = (0..2 * AT_ONCE + 7)
        .map(|number| format!("{number:04}"))
        .collect();
    let some: BTreeSet<String> = all.iter().step_by(3).cloned().collect();
    insert(&database, &of, &some, NOW).await.expect("written");
    assert_eq!(listed(&database, of.portal, &all).await.expect("read"), some);
    let other = PortalId::from_i64(2).expect("not zero");
    assert!(listed(&database, other, &all).await.expect("read").is_empty());
}
