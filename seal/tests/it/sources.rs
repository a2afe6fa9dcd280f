//! What every source of key-encryption keys promises, the same for all of them: it opens what it wrapped, at its own place,
//! and nothing else; and whatever is wrong with it is told, within a bound, and loses nothing.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use hubkeep_core::{
    clock::{SharedClock, SystemClock},
    database::Database,
    error::{ErrorReason, ServiceError as _},
    random::SystemRandom,
};
use hubkeep_seal::{
    Config, FileKek, Kek, KekConfig, KekError, Keks, Keyring, MIGRATIONS, Owner, Purpose, VaultKekConfig,
    remote::VaultConfig,
};
use hubkeep_test_doubles::{
    trouble::{Parrot, Trouble},
    vault::{NAMESPACE, Vault},
};
use serde_json::json;
use tempfile::TempDir;

/// How long a source may take here before it is given up.
pub(crate) const LIMIT: Duration = Duration::from_millis(700);
/// How long it may take until that is told.
const BOUND: Duration = Duration::from_secs(5);

/// Opens one source.
pub(crate) async fn open(config: KekConfig) -> Arc<dyn Kek> {
    let keys = Config {
        kek_file: "".into(),
        kek: vec![config],
        ..Config::default()
    };
    let keks = Keks::open(&keys, &clock()).await.expect("opens");
    Arc::clone(&keks.current().kek)
}

fn clock() -> SharedClock {
    SystemClock::shared()
}

pub(crate) fn vault_at(url: &str, token_file: &Path, key: &str) -> KekConfig {
    KekConfig {
        version: 1,
        vault: Some(VaultKekConfig {
            server: VaultConfig {
                address: Some(url.parse().expect("an address")),
                token_file: token_file.to_owned(),
                namespace: NAMESPACE.to_owned(),
                limit: LIMIT,
                ..VaultConfig::default()
            },
            key: key.to_owned(),
            ..VaultKekConfig::default()
        }),
        ..KekConfig::default()
    }
}

/// What holds for a source, and another key of the same kind.
pub(crate) async fn keeps_the_contract(kek: &dyn Kek, other: &dyn Kek) {
    let random = SystemRandom::shared();
    assert_ne!(kek.id(), other.id(), "a key's name is its own");
    let key = [42; 32];
    let wrapped = kek.wrap(&key, b"here", &*random).await.expect("wraps");
    assert!(
        !wrapped.windows(32).any(|window| window == key),
        "it is encrypted"
    );
    assert_eq!(*kek.unwrap(&wrapped, b"here").await.expect("unwraps"), key);
    let again = kek.wrap(&key, b"here", &*random).await.expect("wraps");
    assert_ne!(again, wrapped, "two wrappings tell nothing of each other");
    let elsewhere = kek.unwrap(&wrapped, b"there").await;
    assert!(matches!(elsewhere, Err(KekError::Refused)), "{elsewhere:?}");
    other.unwrap(&wrapped, b"here").await.expect_err("another key");
    let last = wrapped.len() - 2;
    for place in [0, wrapped.len() / 2, last] {
        let mut altered = wrapped.clone();
        altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
        kek.unwrap(&altered, b"here").await.expect_err("altered");
        kek.unwrap(&wrapped[..place], b"here").await.expect_err("cut");
    }
}

/// A source that fails tells so, in time, and not as if the key were wrong.
pub(crate) async fn is_told(kek: &dyn Kek, wrapped: &[u8], what: &str) {
    let random = SystemRandom::shared();
    let clock = clock();
    let began = clock.tick();
    let wrapping = kek.wrap(&[42; 32], b"here", &*random).await;
    let unwrapping = kek.unwrap(wrapped, b"here").await;
    let took = clock.tick().since(began);
    assert!(took < BOUND, "{what}: told after {took:?}");
    for error in [
        wrapping.expect_err("cannot wrap"),
        unwrapping.expect_err("cannot unwrap"),
    ] {
        assert!(matches!(error, KekError::Unavailable(_)), "{what}: {error}");
        let told = with_causes(&error);
        assert!(told.contains(what), "{what} in: {told}");
    }
}

pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_file_keeps_the_contract() {
    let folder = TempDir::new().expect("a folder");
    let random = SystemRandom::shared();
    let make = |name: &str| FileKek::create(&folder.path().join(name), &*random).expect("made");
    keeps_the_contract(&make("a"), &make("b")).await;
}

#[tokio::test]
async fn vault_keeps_the_contract() {
    let vault = Vault::start(&["a", "b"]).await;
    let one = open(vault_at(&vault.url(), &vault.token_file(), "a")).await;
    let other = open(vault_at(&vault.url(), &vault.token_file(), "b")).await;
    keeps_the_contract(&*one, &*other).await;
}

#[tokio::test]
async fn what_is_wrong_with_vault_is_told_and_nothing_is_lost() {
    let vault = Vault::start(&["a"]).await;
    let kek = open(vault_at(&vault.url(), &vault.token_file(), "a")).await;
    let random = SystemRandom::shared();
    let wrapped = kek.wrap(&[42; 32], b"here", &*random).await.expect("wraps");
    for (trouble, told) in [
        (Trouble::Denies, "denies us: 1 error occurred"),
        (Trouble::Hangs, "did not answer within 700ms"),
        (Trouble::Nonsense, "nonsense"),
        (Trouble::Fails, "answered 500"),
    ] {
        vault.trouble().set(trouble);
        is_told(&*kek, &wrapped, told).await;
    }
    vault.trouble().set(Trouble::None);
    assert_eq!(*kek.unwrap(&wrapped, b"here").await.expect("unwraps"), [42; 32]);

    std::fs::write(vault.token_file(), "another-token").expect("written");
    is_told(&*kek, &wrapped, "denies us").await;
    std::fs::write(vault.token_file(), "\n").expect("written");
    is_told(&*kek, &wrapped, "it holds no token").await;
    std::fs::remove_file(vault.token_file()).expect("removed");
    is_told(&*kek, &wrapped, "token").await;
    let gone = open(vault_at("http://127.0.0.1:1", &vault.token_file(), "a")).await;
    is_told(&*gone, &wrapped, "token").await;
}

#[tokio::test]
async fn vault_that_is_not_there_or_speaks_of_other_things_is_told() {
    let vault = Vault::start(&["a"]).await;
    let gone = open(vault_at("http://127.0.0.1:1", &vault.token_file(), "a")).await;
    is_told(&*gone, b"vault:v1:", "cannot be reached").await;
    let unknown = open(vault_at(&vault.url(), &vault.token_file(), "c")).await;
    is_told(&*unknown, b"vault:v1:", "encryption key not found").await;
    let parrot = Parrot::saying(200, json!({ "data": { "plaintext": "", "ciphertext": "" } })).await;
    let mistaken = open(vault_at(&parrot.url(), &vault.token_file(), "a")).await;
    is_told(&*mistaken, b"vault:v1:", "nonsense").await;
}

#[tokio::test]
async fn a_version_of_a_transit_key_wraps_and_all_versions_unwrap() {
    let vault = Vault::start(&["a"]).await;
    let pinned = |version: u32| {
        let mut config = vault_at(&vault.url(), &vault.token_file(), "a");
        config.vault.as_mut().expect("set").key_version = version;
        config
    };
    let random = SystemRandom::shared();
    let (first, second) = (open(pinned(1)).await, open(pinned(2)).await);
    second
        .wrap(&[1; 32], b"", &*random)
        .await
        .expect_err("there is no second version yet");
    vault.rotate("a");
    for (kek, prefix) in [(&first, "vault:v1:"), (&second, "vault:v2:")] {
        let wrapped = kek.wrap(&[1; 32], b"", &*random).await.expect("wraps");
        assert!(wrapped.starts_with(prefix.as_bytes()));
        assert_eq!(*first.unwrap(&wrapped, b"").await.expect("unwraps"), [1; 32]);
    }
    assert_ne!(first.id(), second.id());
}

/// A keyring over these versions, the last of which wraps.
async fn keyring(database: &Database, versions: Vec<(u32, Arc<dyn Kek>)>) -> Keyring {
    let current = versions.last().expect("one at least").0;
    let keks = Keks::new(BTreeMap::from_iter(versions), current, 1).expect("they fit");
    let (clock, random) = (clock(), SystemRandom::shared());
    Keyring::new(database.clone(), keks, Duration::from_secs(60), clock, random)
}

#[tokio::test]
async fn keys_move_from_a_file_to_vault_and_a_key_service_that_answers_with_the_wrong_key_opens_nothing() {
    let folder = TempDir::new().expect("a folder");
    let config = crate::new_database(folder.path());
    let database = Database::open(&config, &[&MIGRATIONS]).await.expect("opens");
    let random = SystemRandom::shared();
    let file: Arc<dyn Kek> = Arc::new(FileKek::create(&folder.path().join("kek"), &*random).expect("made"));
    let vault = Vault::start(&["a"]).await;
    let transit = open(vault_at(&vault.url(), &vault.token_file(), "a")).await;
    let (owner, purpose) = (Owner::Service, Purpose::HandlePepper);
    let before = keyring(&database, vec![(1, file.clone())]).await;
    let mac = before.mac(owner, purpose, b"x").await.expect("a mac");

    let moving = keyring(&database, vec![(1, file), (2, transit.clone())]).await;
    vault.trouble().set(Trouble::Denies);
    let error = moving.rewrap(|_| {}).await.expect_err("it is denied");
    assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
    assert_eq!(
        moving
            .mac(owner, purpose, b"x")
            .await
            .expect("the old one serves"),
        mac
    );
    vault.trouble().set(Trouble::None);
    assert_eq!(moving.rewrap(|_| {}).await.expect("moves").rewrapped, 1);

    let after = keyring(&database, vec![(2, transit.clone())]).await;
    vault.trouble().set(Trouble::Confused);
    let error = after
        .mac(owner, purpose, b"x")
        .await
        .expect_err("that is another key");
    assert_eq!(error.reason(), ErrorReason::KeyUnavailable);
    assert!(
        error.to_string().contains("not the one that was committed to"),
        "{error}"
    );
    vault.trouble().set(Trouble::None);
    assert_eq!(after.mac(owner, purpose, b"x").await.expect("a mac"), mac);
}
