//! What versions of the key-encryption key promise: a rotation loses nothing, whenever it is cut off, and the old
//! version can be taken away afterwards; a key service that is down is never gone around.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use hubkeep_core::{
    clock::{MockClock, Timestamp},
    database::Database,
    error::{ErrorReason, ServiceError as _},
    id::PortalId,
    random::{Random, SystemRandom},
};
use hubkeep_seal::{
    Error, FileKek, Kek, KekError, Keks, KeksError, Keyring, MIGRATIONS, Owner, Place, Probe, Progress,
    Purpose,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

const PORTALS: u64 = 40;
const CACHED_FOR: Duration = Duration::from_secs(15 * 60);

/// A key-encryption key whose key service can be taken away.
#[derive(Debug)]
struct Remote {
    inner: FileKek,
    down: AtomicBool,
    /// How many keys it still wraps before it is gone.
    wraps_left: AtomicU64,
}

impl Remote {
    fn asked(&self) -> Result<(), KekError> {
        let down = self.down.load(Ordering::SeqCst);
        if down {
            return Err(KekError::Unavailable("nobody answers".into()));
        }
        Ok(())
    }
}

impl Kek for Remote {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn wrap<'a>(
        &'a self,
        key: &'a [u8; 32],
        aad: &'a [u8],
        random: &'a dyn Random,
    ) -> BoxFuture<'a, Result<Vec<u8>, KekError>> {
        async move {
            self.asked()?;
            let left = self.wraps_left.fetch_sub(1, Ordering::SeqCst);
            if left <= 1 {
                self.down.store(true, Ordering::SeqCst);
            }
            self.inner.wrap(key, aad, random).await
        }
        .boxed()
    }

    fn unwrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        aad: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<[u8; 32]>, KekError>> {
        async move {
            self.asked()?;
            self.inner.unwrap(wrapped, aad).await
        }
        .boxed()
    }
}

struct Bench {
    _folder: TempDir,
    database: Database,
    clock: Arc<MockClock>,
    keks: BTreeMap<u32, Arc<Remote>>,
}

impl Bench {
    /// A database, and three versions of the key-encryption key.
    async fn new() -> Self {
        let folder = TempDir::new().expect("folder");
        let config = crate::new_database(folder.path());
        let database = Database::open(&config, &[&MIGRATIONS]).await.expect("opens");
        let random = SystemRandom::shared();
        let make = |version: u32| {
            let file = folder.path().join(format!("kek-{version}"));
            let remote = Remote {
                inner: FileKek::create(&file, &*random).expect("made"),
                down: AtomicBool::new(false),
                wraps_left: AtomicU64::new(u64::MAX),
            };
            (version, Arc::new(remote))
        };
        let keks = (1..=3).map(make).collect();
        Self {
            _folder: folder,
            database,
            clock: MockClock::at(Timestamp::from_micros(0)),
            keks,
        }
    }

    /// A process that was started with these versions, of which the last wraps.
    fn process(&self, versions: &[u32], oldest_accepted: u32) -> Keyring {
        let current = *versions.last().expect("one at least");
        let keks = self.keks.iter().filter(|(version, _)| versions.contains(version));
        let keks = keks.map(|(version, kek)| (*version, kek.clone() as Arc<dyn Kek>));
        let keks = Keks::new(keks.collect(), current, oldest_accepted).expect("they fit");
        let (database, clock) = (self.database.clone(), self.clock.clone());
        Keyring::new(database, keks, CACHED_FOR, clock, SystemRandom::shared())
    }

    fn remote(&self, version: u32) -> &Remote {
        self.keks.get(&version).expect("it was made")
    }

    /// Seals something for each portal with the first version only.
    async fn seal_for_all(&self) -> Vec<Vec<u8>> {
        let keyring = self.process(&[1], 1);
        let mut sealed = Vec::new();
        for portal in 1..=PORTALS {
            sealed.push(
                keyring
                    .seal(&place(portal), &portal.to_be_bytes())
                    .await
                    .expect("seals"),
            );
        }
        sealed
    }

    /// How many keys name each version.
    async fn named(&self, keyring: &Keyring) -> BTreeMap<u32, u64> {
        let status = keyring.status(false).await.expect("reads");
        let named = status
            .versions
            .iter()
            .map(|version| (version.version, version.keys));
        named.filter(|(_, keys)| *keys > 0).collect()
    }
}

/// The purposes take turns, so that a key of each one is wrapped anew.
fn place(portal: u64) -> Place<'static> {
    let turn = Purpose::ALL
        .iter()
        .cycle()
        .nth(usize::try_from(portal).expect("small"));
    Place {
        owner: Owner::Portal(PortalId::new(portal).expect("not zero")),
        purpose: *turn.expect("there are purposes"),
        table: "sealed_secret",
        column: "sealed",
        row: "row",
        client_slug: "acme",
        kind: "portal-token",
        generation: 1,
    }
}

async fn assert_all_open(keyring: &Keyring, sealed: &[Vec<u8>]) {
    for (portal, sealed) in (1..).zip(sealed) {
        let opened = keyring.open(&place(portal), sealed).await.expect("opens");
        assert_eq!(opened.as_slice(), portal.to_be_bytes());
    }
}

#[tokio::test]
async fn a_rotation_leaves_no_key_of_the_old_version_and_everything_opens_without_it() {
    let bench = Bench::new().await;
    let sealed = bench.seal_for_all().await;
    let keyring = bench.process(&[1, 2], 1);
    let told = AtomicU64::new(0);
    let progress = |progress: Progress| {
        told.fetch_max(progress.rewrapped, Ordering::SeqCst);
        assert!(progress.total == PORTALS && progress.to_version == 2);
    };
    let ended = keyring.rewrap(progress).await.expect("rotates");
    assert_eq!(
        (ended.rewrapped, ended.failed, ended.remaining),
        (PORTALS, 0, 0),
        "{ended:?}"
    );
    assert_eq!(told.into_inner(), PORTALS, "each row is told of");
    assert_eq!(bench.named(&keyring).await, BTreeMap::from([(2, PORTALS)]));
    assert_all_open(&bench.process(&[2], 2), &sealed).await;
    let again = keyring.rewrap(|_| {}).await.expect("rotates");
    assert_eq!(
        (again.total, again.rewrapped),
        (0, 0),
        "there is nothing left to do"
    );
}

#[tokio::test]
async fn an_old_version_is_refused_where_the_policy_says_so_or_it_is_not_there() {
    let bench = Bench::new().await;
    let sealed = bench.seal_for_all().await;
    for keyring in [bench.process(&[1, 2], 2), bench.process(&[2], 1)] {
        let error = keyring.open(&place(1), &sealed[0]).await.expect_err("refused");
        assert!(matches!(error, Error::KekVersion { version: 1, .. }), "{error}");
        assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
        let ended = keyring.rewrap(|_| {}).await.expect("goes through");
        assert_eq!((ended.failed, ended.remaining), (PORTALS, PORTALS));
    }
    assert_all_open(&bench.process(&[1, 2], 1), &sealed).await;
}

#[tokio::test]
async fn a_rotation_that_is_cut_off_at_any_row_goes_on_where_it_was() {
    let bench = Bench::new().await;
    let sealed = bench.seal_for_all().await;
    let keyring = bench.process(&[1, 2], 1);
    for row in [1, 2, 3, 5, 8, 13] {
        let remote = bench.remote(2);
        remote.wraps_left.store(row, Ordering::SeqCst);
        let error = keyring.rewrap(|_| {}).await.expect_err("the key service is gone");
        assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
        remote.down.store(false, Ordering::SeqCst);
        remote.wraps_left.store(u64::MAX, Ordering::SeqCst);
        assert_all_open(&bench.process(&[1, 2], 1), &sealed).await;
    }
    let ended = keyring.rewrap(|_| {}).await.expect("rotates");
    assert!(ended.rewrapped < PORTALS && ended.remaining == 0, "{ended:?}");
    assert_all_open(&bench.process(&[2], 2), &sealed).await;
}

#[tokio::test]
async fn replicas_that_rotate_at_once_do_no_harm() {
    let bench = Bench::new().await;
    let sealed = bench.seal_for_all().await;
    let replicas: Vec<_> = (0..4).map(|_| bench.process(&[1, 2], 1)).collect();
    let ended = join_all(replicas.iter().map(|replica| replica.rewrap(|_| {}))).await;
    let mut rewrapped = 0;
    for ended in ended {
        let ended = ended.expect("rotates");
        assert_eq!((ended.failed, ended.remaining), (0, 0), "{ended:?}");
        rewrapped += ended.rewrapped;
    }
    assert_eq!(rewrapped, PORTALS, "each row was wrapped anew once");
    assert_all_open(&bench.process(&[2], 2), &sealed).await;
}

#[tokio::test]
async fn a_rotation_can_be_taken_back_while_the_old_version_is_there() {
    let bench = Bench::new().await;
    let sealed = bench.seal_for_all().await;
    bench.process(&[1, 2], 1).rewrap(|_| {}).await.expect("rotates");
    let back = bench.process(&[2, 1], 1);
    assert_eq!(
        back.rewrap(|_| {}).await.expect("rotates back").rewrapped,
        PORTALS
    );
    assert_all_open(&bench.process(&[1], 1), &sealed).await;
}

#[tokio::test]
async fn an_altered_row_fails_alone_and_is_left_as_it_is() {
    let bench = Bench::new().await;
    let sealed = bench.seal_for_all().await;
    for alteration in [
        "UPDATE seal_key SET kek_version = 2 WHERE owner = 'portal/1'",
        "UPDATE seal_key SET kek_id = 'file/0' WHERE owner = 'portal/2'",
        "UPDATE seal_key SET commitment = wrapped WHERE owner = 'portal/3'",
        "UPDATE seal_key SET owner = 'portal/0' WHERE owner = 'portal/4'",
    ] {
        sqlx::query(alteration)
            .execute(bench.database.pool())
            .await
            .expect("altered");
    }
    let keyring = bench.process(&[1, 3], 1);
    let ended = keyring.rewrap(|_| {}).await.expect("goes through");
    assert_eq!(
        (ended.rewrapped, ended.failed, ended.remaining),
        (PORTALS - 4, 4, 4),
        "{ended:?}"
    );
    for (portal, sealed) in (1..).zip(&sealed) {
        let opened = keyring.open(&place(portal), sealed).await;
        assert_eq!(opened.is_ok(), portal > 4, "portal {portal}");
    }
}

#[tokio::test]
async fn cached_keys_serve_while_the_key_service_is_down_and_then_nothing_does() {
    let bench = Bench::new().await;
    let sealed = bench.seal_for_all().await;
    let keyring = bench.process(&[1, 2], 1);
    keyring.open(&place(1), &sealed[0]).await.expect("opens");
    bench.remote(1).down.store(true, Ordering::SeqCst);
    bench.clock.advance(CACHED_FOR - Duration::from_secs(1));
    keyring
        .open(&place(1), &sealed[0])
        .await
        .expect("opens from memory");
    let error = keyring
        .open(&place(2), &sealed[1])
        .await
        .expect_err("not in memory");
    assert_eq!(error.reason(), ErrorReason::KeyUnavailable);

    bench.clock.advance(Duration::from_secs(1));
    let error = keyring
        .open(&place(1), &sealed[0])
        .await
        .expect_err("its time is over");
    assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
    // Version 2 is up all the time; what version 1 wrapped is not brought to it, nor replaced by a new key.
    assert_eq!(bench.named(&keyring).await, BTreeMap::from([(1, PORTALS)]));

    bench.remote(1).down.store(false, Ordering::SeqCst);
    keyring
        .open(&place(1), &sealed[0])
        .await
        .expect("opens when it is back");
}

#[tokio::test]
async fn unwrapped_keys_whose_time_is_over_are_wiped() {
    let bench = Bench::new().await;
    let sealed = bench.seal_for_all().await;
    let keyring = bench.process(&[1], 1);
    assert_all_open(&keyring, &sealed).await;
    assert_eq!(keyring.cached_count(), sealed.len());
    bench.clock.advance(CACHED_FOR - Duration::from_secs(1));
    keyring.wipe_expired();
    assert_eq!(keyring.cached_count(), sealed.len());
    bench.clock.advance(Duration::from_secs(1));
    keyring.wipe_expired();
    assert_eq!(keyring.cached_count(), 0);
}

#[tokio::test]
async fn the_status_tells_what_each_version_wrapped_and_whether_it_can_be_used() {
    let bench = Bench::new().await;
    bench.seal_for_all().await;
    let keyring = bench.process(&[2, 3], 2);
    keyring
        .seal(&place(PORTALS + 1), b"x")
        .await
        .expect("a key of version 3");
    bench.remote(2).down.store(true, Ordering::SeqCst);
    let status = keyring.status(true).await.expect("reads");
    assert_eq!((status.current_version, status.oldest_accepted_version), (3, 2));
    let [first, second, third] = status.versions.as_slice() else {
        panic!("{status:?}")
    };
    assert!(first.kek_id.is_none() && first.keys == PORTALS);
    assert!(matches!(second.probe, Probe::Failed(KekError::Unavailable(_))) && second.keys == 0);
    assert!(matches!(third.probe, Probe::Usable) && third.keys == 1);
}

#[tokio::test]
async fn versions_that_do_not_fit_together_are_refused_at_the_start() {
    let bench = Bench::new().await;
    let kek = |version: u32| bench.keks[&version].clone() as Arc<dyn Kek>;
    let same = Keks::new(BTreeMap::from([(1, kek(1)), (2, kek(1))]), 2, 1);
    assert!(matches!(same, Err(KeksError::SameKey(1, 2))));
    let missing = Keks::new(BTreeMap::from([(1, kek(1))]), 2, 1);
    assert!(matches!(missing, Err(KeksError::NoSuchVersion(2))));
    let too_old = Keks::new(BTreeMap::from([(1, kek(1)), (2, kek(2))]), 1, 2);
    assert!(matches!(too_old, Err(KeksError::NoSuchVersion(1))));
}
