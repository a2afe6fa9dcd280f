//! What sealing promises: a value opens at its own place, with its own key, unaltered, and nowhere else.

use std::{sync::Arc, time::Duration};

use hubkeep_core::{
    clock::SystemClock,
    database::Database,
    error::{ErrorReason, ServiceError as _},
    id::PortalId,
    random::SystemRandom,
};
use hubkeep_seal::{Error, FileKek, Keks, Keyring, MIGRATIONS, Owner, Place, Purpose};
use tempfile::TempDir;

const SECRET: &[u8] = b"pat-na1-not-a-real-token";

struct Bench {
    folder: TempDir,
    database: Database,
}

impl Bench {
    async fn new() -> Self {
        let folder = TempDir::new().expect("folder");
        let database = open(&folder).await;
        Self { folder, database }
    }

    /// A keyring as one process has it: nothing in memory, over the database that all share.
    fn keyring(&self, kek: &str) -> Keyring {
        let path = self.folder.path().join(kek);
        let random = SystemRandom::shared();
        let kek = FileKek::open(&path)
            .or_else(|_| FileKek::create(&path, &*random))
            .expect("a key file");
        Keyring::new(
            self.database.clone(),
            Keks::single(Arc::new(kek)),
            Duration::from_secs(15 * 60),
            SystemClock::shared(),
            random,
        )
    }
}

async fn open(folder: &TempDir) -> Database {
    let config = crate::new_database(folder.path());
    Database::open(&config, &[&MIGRATIONS]).await.expect("opens")
}

fn portal(id: u64) -> Owner {
    Owner::Portal(PortalId::new(id).expect("not zero"))
}

fn place() -> Place<'static> {
    Place {
        owner: portal(42),
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
async fn what_is_sealed_opens_at_its_place_also_in_another_process() {
    let bench = Bench::new().await;
    let sealed = bench.keyring("kek").seal(&place(), SECRET).await.expect("seals");
    assert!(!sealed.windows(SECRET.len()).any(|window| window == SECRET));
    let opened = bench.keyring("kek").open(&place(), &sealed).await.expect("opens");
    assert_eq!(*opened, SECRET);
}

#[tokio::test]
async fn the_same_message_never_gives_the_same_bytes() {
    let bench = Bench::new().await;
    let keyring = bench.keyring("kek");
    let one = keyring.seal(&place(), SECRET).await.expect("seals");
    let two = keyring.seal(&place(), SECRET).await.expect("seals");
    assert_ne!(one, two);
}

#[tokio::test]
async fn it_opens_nowhere_else() {
    let bench = Bench::new().await;
    let keyring = bench.keyring("kek");
    let sealed = keyring.seal(&place(), SECRET).await.expect("seals");
    // So that the other owners and purposes have keys of their own, and it is not for the want of one.
    for (owner, purpose) in [
        (portal(43), Purpose::Credential),
        (portal(42), Purpose::HandleClaims),
    ] {
        keyring.mac(owner, purpose, b"").await.expect("makes a key");
    }
    let elsewhere = [
        (
            "owner",
            Place {
                owner: portal(43),
                ..place()
            },
        ),
        (
            "purpose",
            Place {
                purpose: Purpose::HandleClaims,
                ..place()
            },
        ),
        (
            "table",
            Place {
                table: "handle",
                ..place()
            },
        ),
        (
            "column",
            Place {
                column: "claims",
                ..place()
            },
        ),
        (
            "row",
            Place {
                row: "row-2",
                ..place()
            },
        ),
        (
            "client_slug",
            Place {
                client_slug: "globex",
                ..place()
            },
        ),
        (
            "kind",
            Place {
                kind: "refresh-token",
                ..place()
            },
        ),
        (
            "generation",
            Place {
                generation: 2,
                ..place()
            },
        ),
    ];
    for (field, place) in elsewhere {
        let error = keyring.open(&place, &sealed).await.expect_err(field);
        assert!(matches!(error, Error::Broken { .. }), "{field}: {error}");
    }
}

#[tokio::test]
async fn sealed_bytes_swapped_between_rows_or_portals_do_not_open() {
    let bench = Bench::new().await;
    let keyring = bench.keyring("kek");
    let other_row = Place {
        row: "row-2",
        ..place()
    };
    let other_portal = Place {
        owner: portal(43),
        client_slug: "globex",
        ..place()
    };
    let mine = keyring.seal(&place(), SECRET).await.expect("seals");
    for other in [other_row, other_portal] {
        let theirs = keyring.seal(&other, b"another secret").await.expect("seals");
        keyring.open(&place(), &theirs).await.expect_err("not mine");
        keyring.open(&other, &mine).await.expect_err("not theirs");
    }
}

#[tokio::test]
async fn every_altered_or_cut_byte_is_refused() {
    let bench = Bench::new().await;
    let keyring = bench.keyring("kek");
    let sealed = keyring.seal(&place(), SECRET).await.expect("seals");
    for index in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[index] ^= 1;
        keyring.open(&place(), &altered).await.expect_err("altered");
        keyring.open(&place(), &sealed[..index]).await.expect_err("cut");
    }
}

#[tokio::test]
async fn another_key_file_opens_nothing_and_the_error_names_the_key() {
    let bench = Bench::new().await;
    let sealed = bench.keyring("kek").seal(&place(), SECRET).await.expect("seals");
    let error = bench
        .keyring("another")
        .open(&place(), &sealed)
        .await
        .expect_err("another KEK");
    assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
    let key_id: String = sqlx::query_scalar("SELECT key_id FROM seal_key")
        .fetch_one(bench.database.pool())
        .await
        .expect("one key");
    assert!(error.to_string().contains(&key_id), "{error}");
}

#[tokio::test]
async fn an_altered_row_of_a_wrapped_key_is_refused() {
    for alteration in [
        "UPDATE seal_key SET commitment = (SELECT commitment FROM seal_key WHERE owner = 'portal/43') \
         WHERE owner = 'portal/42'",
        "UPDATE seal_key SET wrapped = (SELECT wrapped FROM seal_key WHERE owner = 'portal/43') \
         WHERE owner = 'portal/42'",
        "UPDATE seal_key SET key_id = 'x' WHERE owner = 'portal/42'",
        "UPDATE seal_key SET owner = CASE owner WHEN 'portal/42' THEN 'portal/1' ELSE 'portal/42' END",
        "UPDATE seal_key SET purpose = 'handle-claims' WHERE owner = 'portal/42'",
        "DELETE FROM seal_key",
    ] {
        let bench = Bench::new().await;
        let keyring = bench.keyring("kek");
        let sealed = keyring.seal(&place(), SECRET).await.expect("seals");
        keyring
            .mac(portal(43), Purpose::Credential, b"")
            .await
            .expect("a second key");
        sqlx::query(alteration)
            .execute(bench.database.pool())
            .await
            .expect("altered");
        let fresh = bench.keyring("kek");
        let error = fresh.open(&place(), &sealed).await.expect_err(alteration);
        assert_eq!(
            error.reason(),
            ErrorReason::KeyUnavailable,
            "{alteration}: {error}"
        );
    }
}

#[tokio::test]
async fn processes_that_race_for_the_first_key_end_with_the_same_one() {
    let bench = Bench::new().await;
    let racers = (0..16).map(|_| {
        let keyring = bench.keyring("kek");
        tokio::spawn(async move { keyring.mac(Owner::Service, Purpose::HandlePepper, b"x").await })
    });
    let racers: Vec<_> = racers.collect();
    let mut macs = Vec::new();
    for racer in racers {
        macs.push(racer.await.expect("ran").expect("a key"));
    }
    macs.dedup();
    assert_eq!(macs.len(), 1);
}

#[tokio::test]
async fn a_mac_differs_by_message_purpose_and_owner() {
    let bench = Bench::new().await;
    let keyring = bench.keyring("kek");
    let mut macs = Vec::new();
    for (owner, purpose, message) in [
        (Owner::Service, Purpose::HandlePepper, b"a"),
        (Owner::Service, Purpose::HandlePepper, b"b"),
        (Owner::Service, Purpose::ObjectRef, b"a"),
        (portal(42), Purpose::HandlePepper, b"a"),
    ] {
        macs.push(keyring.mac(owner, purpose, message).await.expect("a mac"));
    }
    macs.sort_unstable();
    macs.dedup();
    assert_eq!(macs.len(), 4);
}

#[tokio::test]
async fn a_mac_key_serves_on_when_its_row_is_gone_and_is_not_made_again_by_asking() {
    let bench = Bench::new().await;
    let keyring = bench.keyring("kek");
    let (owner, purpose) = (Owner::Service, Purpose::Rows);
    let none = keyring.mac_key(owner, purpose).await.expect("reads");
    assert!(none.is_none(), "asking makes no key");
    let key = keyring.mac_key_or_make(owner, purpose).await.expect("made");
    let tag = key.mac(b"row");
    assert_eq!(
        tag,
        keyring.mac(owner, purpose, b"row").await.expect("the same key")
    );
    assert_eq!(format!("{key:?}"), format!("MacKey(\"{}\")", key.id()));
    sqlx::query("DELETE FROM seal_key")
        .execute(bench.database.pool())
        .await
        .expect("altered");
    assert!(key.is_mac_of(b"row", &tag));
    for (message, tag) in [
        (b"raw".as_slice(), tag.as_slice()),
        (b"row", &tag[..31]),
        (b"row", &[]),
    ] {
        assert!(!key.is_mac_of(message, tag));
    }
    let fresh = bench.keyring("kek");
    assert!(fresh.mac_key(owner, purpose).await.expect("reads").is_none());
    let another = fresh.mac_key_or_make(owner, purpose).await.expect("made");
    assert_ne!((another.id(), another.mac(b"row")), (key.id(), tag));
}

#[tokio::test]
async fn printing_a_keyring_shows_the_name_of_its_key_only() {
    let bench = Bench::new().await;
    let keyring = bench.keyring("kek");
    keyring.seal(&place(), SECRET).await.expect("seals");
    let key = std::fs::read(bench.folder.path().join("kek")).expect("readable");
    let printed = format!("{keyring:?} {:?}", bench.database);
    assert!(
        !printed.contains(&hex::encode(&key)) && printed.contains("file/"),
        "{printed}"
    );
}
