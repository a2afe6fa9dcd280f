//! What the keys in memory promise: however many want one, the key service is asked once; who uses it never waits for the
//! key service again; and an outage is noticed when a key's time is over, not before and not later.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use hubkeep_core::{
    clock::{MockClock, SystemClock, Timestamp},
    database::Database,
    error::{ErrorReason, ServiceError as _},
    id::PortalId,
    random::{Random, SystemRandom},
};
use hubkeep_seal::{FileKek, Kek, KekError, Keks, Keyring, MIGRATIONS, Owner, Place, Purpose};
use tempfile::TempDir;
use tokio::sync::{Semaphore, watch};
use zeroize::Zeroizing;

const CACHED_FOR: Duration = Duration::from_secs(15 * 60);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// How long anything may take that ought to happen at once.
const BOUND: Duration = Duration::from_secs(10);

/// A key service that counts what it is asked, and answers when it is let.
#[derive(Debug)]
struct Service {
    inner: FileKek,
    asked: watch::Sender<usize>,
    down: AtomicBool,
    answers: Semaphore,
}

impl Kek for Service {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn wrap<'a>(
        &'a self,
        key: &'a [u8; 32],
        aad: &'a [u8],
        random: &'a dyn Random,
    ) -> BoxFuture<'a, Result<Vec<u8>, KekError>> {
        self.inner.wrap(key, aad, random)
    }

    fn unwrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        aad: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<[u8; 32]>, KekError>> {
        async move {
            self.asked.send_modify(|times| *times += 1);
            self.answers.acquire().await.expect("open").forget();
            if self.down.load(Ordering::SeqCst) {
                return Err(KekError::Unavailable("nobody answers".into()));
            }
            self.inner.unwrap(wrapped, aad).await
        }
        .boxed()
    }
}

struct Bench {
    _folder: TempDir,
    clock: Arc<MockClock>,
    service: Arc<Service>,
    database: Database,
    keyring: Keyring,
    sealed: Vec<u8>,
}

impl Bench {
    /// A process that has nothing in memory, and a sealed value of portal 42.
    async fn new() -> Self {
        let folder = TempDir::new().expect("folder");
        let config = crate::new_database(folder.path());
        let database = Database::open(&config, &[&MIGRATIONS]).await.expect("opens");
        let random = SystemRandom::shared();
        let service = Arc::new(Service {
            inner: FileKek::create(&folder.path().join("kek"), &*random).expect("made"),
            asked: watch::Sender::new(0),
            down: AtomicBool::new(false),
            answers: Semaphore::new(1_000_000),
        });
        let clock = MockClock::at(Timestamp::from_micros(0));
        let process = || {
            let keks = Keks::single(service.clone());
            Keyring::new(
                database.clone(),
                keks,
                CACHED_FOR,
                clock.clone(),
                SystemRandom::shared(),
            )
        };
        let sealed = process().seal(&place(), b"token").await.expect("seals");
        service.asked.send_replace(0);
        let keyring = process();
        Self {
            _folder: folder,
            clock,
            service,
            database,
            keyring,
            sealed,
        }
    }

    async fn open(&self) -> Result<(), hubkeep_seal::Error> {
        self.keyring.open(&place(), &self.sealed).await.map(drop)
    }

    fn asked(&self) -> usize {
        *self.service.asked.borrow()
    }

    /// Waits until the key service was asked so often, and, where it may answer, until that was taken in.
    async fn is_asked(&self, times: usize) {
        let mut asked = self.service.asked.subscribe();
        let wait = asked.wait_for(|asked| *asked >= times);
        let asked = SystemClock::shared()
            .timeout(BOUND, wait)
            .await
            .map(|asked| asked.map(|asked| *asked));
        assert_eq!(asked.expect("in time").expect("open"), times);
        taken_in().await;
    }

    /// From now on the key service answers only as often as it is let.
    fn hold_answers(&self) {
        let all = self.service.answers.available_permits();
        self.service.answers.forget_permits(all);
    }
}

/// Lets the tasks of this thread do what they can without waiting for anything.
async fn taken_in() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn owner() -> Owner {
    Owner::Portal(PortalId::new(42).expect("not zero"))
}

fn place() -> Place<'static> {
    Place {
        owner: owner(),
        purpose: Purpose::Credential,
        table: "sealed_secret",
        column: "sealed",
        row: "row-1",
        client_slug: "acme",
        kind: "portal-token",
        generation: 1,
    }
}

#[tokio::test]
async fn a_hundred_who_want_a_key_at_once_are_one_question() {
    let bench = Bench::new().await;
    for round in 1..=3 {
        for opened in join_all((0..100).map(|_| bench.open())).await {
            opened.expect("opens");
        }
        assert_eq!(bench.asked(), round);
        bench.clock.advance(CACHED_FOR);
    }
}

#[tokio::test]
async fn a_hundred_who_want_a_key_in_an_outage_are_one_question_and_all_are_told() {
    let bench = Bench::new().await;
    bench.service.down.store(true, Ordering::SeqCst);
    for refused in join_all((0..100).map(|_| bench.open())).await {
        let error = refused.expect_err("nobody answers");
        assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
    }
    assert_eq!(bench.asked(), 1);
    bench.service.down.store(false, Ordering::SeqCst);
    bench.open().await.expect("a failure is not kept");
}

#[tokio::test]
async fn whoever_goes_away_does_not_take_the_answer_with_him() {
    let bench = Bench::new().await;
    bench.hold_answers();
    assert!(bench.open().now_or_never().is_none(), "it waits, and goes away");
    bench.is_asked(1).await;
    bench.service.answers.add_permits(1);
    bench.open().await.expect("opens");
    assert_eq!(bench.asked(), 1, "by the answer that the first did not wait for");
}

#[tokio::test]
async fn a_key_that_is_used_is_fetched_anew_before_its_time_is_over_and_nobody_waits() {
    let bench = Bench::new().await;
    bench.open().await.expect("opens");
    bench.clock.advance(12 * MINUTE - SECOND);
    bench.open().await.expect("opens");
    tokio::task::yield_now().await;
    assert_eq!(bench.asked(), 1, "it is not time yet");
    bench.clock.advance(SECOND);
    bench.hold_answers();
    for _ in 0..100 {
        bench.open().now_or_never().expect("at once").expect("opens");
    }
    bench.is_asked(2).await;
    bench.service.answers.add_permits(1);
    taken_in().await;
    // The first answer is over by then, and only the second one serves.
    bench.clock.advance(10 * MINUTE);
    bench.open().now_or_never().expect("at once").expect("opens");
    assert_eq!(bench.asked(), 2);
}

#[tokio::test]
async fn an_outage_is_noticed_when_a_key_s_time_is_over_and_not_before() {
    let bench = Bench::new().await;
    bench.open().await.expect("opens");
    bench.service.down.store(true, Ordering::SeqCst);
    bench.clock.advance(12 * MINUTE);
    for fetched in 2..=4 {
        for _ in 0..100 {
            bench.open().now_or_never().expect("at once").expect("opens");
        }
        // Again and again, but not at each use.
        bench.is_asked(fetched).await;
        bench.clock.advance(15 * SECOND);
    }
    bench.clock.advance(3 * MINUTE - 46 * SECOND);
    bench.open().now_or_never().expect("at once").expect("opens");
    bench.is_asked(5).await;
    bench.clock.advance(SECOND);
    let error = bench.open().await.expect_err("its time is over");
    assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
    bench.service.down.store(false, Ordering::SeqCst);
    bench.open().await.expect("it is back");
}

#[tokio::test]
async fn a_key_that_is_destroyed_while_it_is_asked_for_does_not_come_back() {
    let bench = Bench::new().await;
    bench.hold_answers();
    let opening = bench.open();
    tokio::pin!(opening);
    assert!(opening.as_mut().now_or_never().is_none());
    bench.is_asked(1).await;
    let mut transaction = bench.database.begin().await.expect("begins");
    bench
        .keyring
        .destroy(&mut transaction, owner())
        .await
        .expect("destroyed");
    transaction.commit().await.expect("commits");
    bench.keyring.forget(owner());
    bench.service.answers.add_permits(1_000);
    opening.await.expect("it was asked for before");
    assert_eq!(bench.keyring.cached_count(), 0);
    let error = bench.open().await.expect_err("destroyed");
    assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
}
