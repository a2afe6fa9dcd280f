//! Turns among replicas, on a PostgreSQL.

use std::sync::Arc;

use futures::poll;
use hubkeep_core::{
    clock::{MockClock, SystemClock, Timestamp},
    database::Config,
    id::ClientSlug,
    random::SystemRandom,
};
use hubkeep_seal::{FileKek, Keks};
use hubkeep_test_postgres::{Fresh, fresh};

use super::*;
use crate::{
    crm::{AssociationAsk, End, ObjectType, RecordId},
    pairs::{Pairs, Turn},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Several replicas over one database.
struct Bench {
    shared: Shared,
    clock: SharedClock,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let Fresh {
            url, password_file, ..
        } = fresh("pairs");
        let config = Config {
            url,
            password_file: Some(password_file),
            ..Config::default()
        };
        let migrations = [&hubkeep_seal::MIGRATIONS, &crate::MIGRATIONS];
        let database = Database::open(&config, &migrations).await.expect("opened");
        let folder = tempfile::tempdir().expect("a folder");
        let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
        let kek = FileKek::create(&folder.path().join("kek"), &*random).expect("a key file");
        let keks = Keks::single(Arc::new(kek));
        let keyring = Keyring::new(database.clone(), keks, MINUTE, clock.clone(), random);
        Self {
            shared: Shared {
                database,
                keyring,
                quiet_after: MINUTE,
            },
            clock,
            _folder: folder,
        }
    }

    fn replica(&self, name: &str) -> Pairs {
        Pairs::among(Some(self.shared.clone()), name.to_owned(), self.clock.clone())
    }

    async fn turn(&self, replica: &Pairs, to: &str) -> Turn {
        let deadline = self.clock.tick().plus(MINUTE);
        let turn = replica.turn(&slug(), &pair(to), deadline).await;
        turn.expect("its turn")
    }

    async fn rows(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT pair FROM pair_turn ORDER BY pair")
            .fetch_all(self.shared.database.pool())
            .await
            .expect("read")
    }

    /// A turn that a replica had, which was lost so many seconds ago; in so many, where that is negative.
    async fn lost(&self, pair: &str, seconds: i64) {
        let until = self.clock.now().as_micros() - seconds * 1_000_000;
        sqlx::query("INSERT INTO pair_turn (pair, holder, until_time) VALUES ($1, 'gone/7', $2)")
            .bind(pair)
            .bind(until)
            .execute(self.shared.database.pool())
            .await
            .expect("inserted");
    }

    /// Waits until the table holds these pairs and no others.
    async fn until_there_are(&self, pairs: &[&str]) {
        let waiting = async {
            while self.rows().await != pairs {
                self.clock.sleep(Duration::from_millis(20)).await;
            }
        };
        let came = self.clock.timeout(Duration::from_secs(10), waiting).await;
        assert!(came.is_some(), "{:?}", self.rows().await);
    }
}

fn slug() -> ClientSlug {
    "acme".parse().expect("valid")
}

fn pair(to: &str) -> AssociationAsk {
    AssociationAsk::Create {
        end: End {
            object_type: ObjectType::contacts(),
            id: RecordId::read("101").expect("an id"),
            to_type: ObjectType::read("companies").expect("a type"),
        },
        to: RecordId::read(to).expect("an id"),
        kinds: Vec::new(),
    }
}

#[tokio::test]
async fn replicas_wait_for_each_other_and_what_lies_in_the_table_names_no_record() {
    let bench = Bench::new().await;
    let (one, other) = (bench.replica("one"), bench.replica("other"));
    let held = bench.turn(&one, "7").await;
    let deadline = bench.clock.tick().plus(Duration::from_millis(400));
    let refused = other.turn(&slug(), &pair("7"), deadline).await;
    assert!(matches!(refused, Err(Error::Taken)), "{refused:?}");
    let free = bench.turn(&other, "8").await;
    let rows = bench.rows().await;
    assert_eq!(rows.len(), 2);
    let guessed = {
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"pair acme companies/7 contacts/101");
        hex::encode(digest)
    };
    assert!(!rows.contains(&guessed), "whoever guesses an id finds it");
    drop((held, free));
    drop(bench.turn(&other, "7").await);
}

#[tokio::test]
async fn what_lost_replicas_have_left_is_cleared_away_and_nothing_else() {
    let bench = Bench::new().await;
    bench.lost("a", 3).await;
    bench.lost("b", 3_000).await;
    bench.lost("c", -60).await;
    drop(bench.turn(&bench.replica("one"), "7").await);
    bench.until_there_are(&["c"]).await;
}

#[tokio::test]
async fn a_pair_whose_replica_was_lost_is_taken_by_another() {
    let bench = Bench::new().await;
    let names = crate::pairs::names(&slug(), &pair("7"));
    let keys = bench.shared.keys(&names).await.expect("made");
    bench.lost(&keys[0], 1).await;
    let held = bench.turn(&bench.replica("one"), "7").await;
    assert_eq!(bench.rows().await, keys);
    drop(held);
    bench.until_there_are(&[]).await;
}

#[tokio::test]
async fn a_turn_that_was_taken_without_a_word_is_had_when_it_is_asked_for_again() {
    let bench = Bench::new().await;
    let keys = ["a".to_owned(), "b".to_owned()];
    for _ in 0..2 {
        let taken = store::take(&bench.shared.database, "one/1", &keys, MINUTE).await;
        assert!(taken.expect("the database answers"));
    }
    let other = store::take(&bench.shared.database, "other/1", &keys, MINUTE).await;
    assert!(!other.expect("the database answers"));
}

#[tokio::test]
async fn a_database_that_fails_ends_the_wait_long_before_the_deadline() {
    let bench = Bench::new().await;
    let keys = bench.shared.keys(&["x".to_owned()]).await.expect("made");
    bench.shared.database.close().await;
    let mock = MockClock::at(Timestamp::from_micros(1));
    let clock: SharedClock = mock.clone();
    let deadline = clock.tick().plus(5 * MINUTE);
    let mut taking = Box::pin(bench.shared.take(&clock, ("one/1", &keys), deadline));
    let mut waited = Duration::ZERO;
    let ended = loop {
        if let std::task::Poll::Ready(ended) = poll!(&mut taking) {
            break ended;
        }
        let step = Duration::from_millis(50);
        mock.advance(step);
        waited += step;
        assert!(waited < MINUTE, "it waits for a database that is gone");
        tokio::task::yield_now().await;
    };
    assert!(
        matches!(ended, Err(Error::Storage(_) | Error::Silent)),
        "{ended:?}"
    );
}

#[tokio::test]
async fn other_replicas_wait_until_hubspot_cannot_be_at_what_a_lost_one_has_sent() {
    let bench = Bench::new().await;
    let deadline = bench.clock.tick().plus(MINUTE);
    let turn = bench.replica("one").turn(&slug(), &pair("7"), deadline).await;
    let turn = turn.expect("its turn");
    turn.leave();
    drop(turn);
    let soon = bench.clock.tick().plus(Duration::from_millis(400));
    let refused = bench.replica("other").turn(&slug(), &pair("7"), soon).await;
    assert!(matches!(refused, Err(Error::Taken)), "{refused:?}");
    let until: i64 = sqlx::query_scalar("SELECT until_time FROM pair_turn")
        .fetch_one(bench.shared.database.pool())
        .await
        .expect("it is there");
    let quiet = bench
        .clock
        .now()
        .plus(deadline.since(bench.clock.tick()) + MINUTE);
    let off = (until - quiet.as_micros()).unsigned_abs();
    assert!(
        off < 10_000_000,
        "what is sent at the deadline HubSpot may carry out later: {off}"
    );
}
