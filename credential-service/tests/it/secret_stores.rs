//! What every secret store promises, the same for all of them: bytes come back as they were put, only under their own id, and
//! only if the transaction that named them was committed; what no row names is swept; and whatever is wrong with a store is
//! told within a bound.

use std::{path::Path, sync::Arc, time::Duration};

use hubkeep_core::{
    clock::{MockClock, SystemClock, Timestamp},
    database::Database,
    error::{ErrorReason, ServiceError as _},
    random::SystemRandom,
};
use hubkeep_credential_service::{
    MIGRATIONS,
    secret_store::{Config, Error, SecretStore, StoreKind, VaultKvConfig},
};
use hubkeep_seal::remote::VaultConfig;
use hubkeep_test_doubles::{
    trouble::Trouble,
    vault::{NAMESPACE, Vault},
};
use tempfile::TempDir;

use crate::{
    harness::{ACME_TOKEN, Bench, GLOBEX, GLOBEX_TOKEN, SYNC, reason},
    password_store::PasswordStore,
};

pub(crate) const LIMIT: Duration = Duration::from_millis(1_500);
const BOUND: Duration = Duration::from_secs(8);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SEALED: &[u8] = b"HKS\x01 sealed bytes, of any kind \x00\xff";

/// A database, and a clock that tests move.
pub(crate) struct Shelf {
    _folder: TempDir,
    database: Database,
    clock: Arc<MockClock>,
}

impl Shelf {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().expect("folder");
        let config = crate::new_database(folder.path());
        let tables = [&hubkeep_seal::MIGRATIONS, &MIGRATIONS];
        Self {
            database: Database::open(&config, &tables).await.expect("opens"),
            _folder: folder,
            clock: MockClock::at(Timestamp::from_micros(1_795_000_000_000_000)),
        }
    }

    /// The stores as a process has them that was started with this configuration.
    pub(crate) async fn stores(&self, config: &Config) -> SecretStore {
        let (database, clock) = (self.database.clone(), self.clock.clone());
        let built = SecretStore::build(config, "test", database, clock, SystemRandom::shared()).await;
        built.expect("it can be addressed")
    }

    async fn put(&self, stores: &SecretStore, id: &str, commit: bool) -> Result<(), Error> {
        let resting = stores.lay(id, SEALED.to_vec()).await?;
        let mut transaction = self.database.begin().await?;
        stores.put(&mut transaction, &resting).await?;
        if commit {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(())
    }

    async fn delete(&self, stores: &SecretStore, id: &str, commit: bool) -> bool {
        let mut transaction = self.database.begin().await.expect("begins");
        let deleted = stores.delete(&mut transaction, id).await.expect("deletes");
        let ended = if commit {
            transaction.commit().await
        } else {
            transaction.rollback().await
        };
        ended.expect("ends");
        deleted
    }

    /// What holds for every store. `outside` says that bytes rest elsewhere than in the database.
    pub(crate) async fn keeps_the_contract(&self, config: &Config, outside: bool) {
        let stores = self.stores(config).await;
        let missing = stores.get("portal/1/token/1").await;
        assert!(matches!(missing, Err(Error::Missing(_))), "{missing:?}");
        for id in ["portal/1/token/1", "portal/2/token/1"] {
            self.put(&stores, id, true).await.expect("puts");
        }
        let another_process = self.stores(config).await;
        assert_eq!(
            another_process.get("portal/1/token/1").await.expect("there"),
            SEALED
        );

        self.put(&stores, "portal/1/token/1", true)
            .await
            .expect_err("the id is taken");
        assert_eq!(stores.get("portal/1/token/1").await.expect("still there"), SEALED);
        self.put(&stores, "portal/3/token/1", false)
            .await
            .expect("rolled back");
        let undone = stores.get("portal/3/token/1").await;
        assert!(matches!(undone, Err(Error::Missing(_))), "{undone:?}");

        assert!(self.delete(&stores, "portal/2/token/1", false).await);
        assert_eq!(stores.get("portal/2/token/1").await.expect("rolled back"), SEALED);
        assert!(self.delete(&stores, "portal/2/token/1", true).await);
        assert!(!self.delete(&stores, "portal/2/token/1", true).await);
        let gone = stores.get("portal/2/token/1").await;
        assert!(matches!(gone, Err(Error::Missing(_))), "{gone:?}");

        assert_eq!(stores.sweep().await.expect("sweeps"), 0, "nothing is old enough");
        self.clock.advance(DAY);
        let left = if outside { 3 } else { 0 };
        assert_eq!(
            stores.sweep().await.expect("sweeps"),
            left,
            "taken, rolled back, deleted"
        );
        assert_eq!(stores.sweep().await.expect("sweeps"), 0);
        assert_eq!(stores.get("portal/1/token/1").await.expect("still there"), SEALED);
    }

    /// A store that fails says so in time, and what was put before is there when it is well again.
    pub(crate) async fn is_told(&self, config: &Config, what: &str) {
        let stores = self.stores(config).await;
        let (clock, id) = (SystemClock::shared(), "portal/1/token/9");
        let began = clock.tick();
        let laid = stores.lay(id, SEALED.to_vec()).await.map(|_| ());
        let swept = stores.sweep().await.map(|_| ());
        let took = clock.tick().since(began);
        assert!(took < BOUND, "{what}: told after {took:?}");
        let error = laid.expect_err("it cannot be put");
        assert_eq!(error.reason(), ErrorReason::SecretStoreUnavailable, "{error}");
        let told = with_causes(&error);
        assert!(told.contains(what), "{what} in: {told}");
        // Where the names can be read without the store's help, there is nothing to tell.
        if let Err(error) = swept {
            assert_eq!(error.reason(), ErrorReason::SecretStoreUnavailable, "{error}");
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn in_vault(vault: &Vault) -> Config {
    at_vault(&vault.url(), &vault.token_file())
}

fn at_vault(url: &str, token_file: &Path) -> Config {
    Config {
        store: StoreKind::Vault,
        vault: Some(VaultKvConfig {
            server: VaultConfig {
                address: Some(url.parse().expect("an address")),
                token_file: token_file.to_owned(),
                namespace: NAMESPACE.to_owned(),
                limit: LIMIT,
                ..VaultConfig::default()
            },
            ..VaultKvConfig::default()
        }),
        ..Config::default()
    }
}

#[tokio::test]
async fn the_database_keeps_the_contract() {
    Shelf::new()
        .await
        .keeps_the_contract(&Config::default(), false)
        .await;
}

#[tokio::test]
async fn vault_keeps_the_contract() {
    let vault = Vault::start(&[]).await;
    Shelf::new()
        .await
        .keeps_the_contract(&in_vault(&vault), true)
        .await;
    assert_eq!(vault.secrets().len(), 1, "only what a row names is left");
}

#[tokio::test]
async fn pass_keeps_the_contract() {
    let store = PasswordStore::new();
    Shelf::new()
        .await
        .keeps_the_contract(&store.config(LIMIT), true)
        .await;
}

#[tokio::test]
async fn what_is_wrong_with_vault_is_told() {
    let (vault, shelf) = (Vault::start(&[]).await, Shelf::new().await);
    for (trouble, told) in [
        (Trouble::Denies, "denies us"),
        (Trouble::Hangs, "did not answer within 1.5s"),
        (Trouble::Fails, "answered 500"),
    ] {
        vault.trouble().set(trouble);
        shelf.is_told(&in_vault(&vault), told).await;
    }
    let gone = at_vault("http://127.0.0.1:1", &vault.token_file());
    shelf.is_told(&gone, "cannot be reached").await;
}

#[tokio::test]
async fn what_is_wrong_with_pass_is_told() {
    let (store, shelf) = (PasswordStore::new(), Shelf::new().await);
    let with = |script: &str| {
        let mut config = store.config(LIMIT);
        config.pass.as_mut().expect("set").program = store.program(script);
        config
    };
    let cannot = "echo 'gpg: decryption failed: No secret key' >&2; exit 2";
    shelf.is_told(&with(cannot), "No secret key").await;
    shelf
        .is_told(&with("exec sleep 60"), "did not answer within 1.5s")
        .await;
    let mut none = store.config(LIMIT);
    none.pass.as_mut().expect("set").program = "/nowhere/pass".into();
    shelf.is_told(&none, "cannot be reached").await;
}

#[tokio::test]
async fn what_was_put_in_one_store_is_read_there_after_another_has_taken_its_place() {
    let (vault, shelf) = (Vault::start(&[]).await, Shelf::new().await);
    let (before, after) = (Config::default(), in_vault(&vault));
    shelf
        .put(&shelf.stores(&before).await, "portal/1/token/1", true)
        .await
        .expect("puts");
    let stores = shelf.stores(&after).await;
    shelf.put(&stores, "portal/1/token/2", true).await.expect("puts");
    for id in ["portal/1/token/1", "portal/1/token/2"] {
        assert_eq!(stores.get(id).await.expect("there"), SEALED, "{id}");
    }
    let error = shelf
        .stores(&before)
        .await
        .get("portal/1/token/2")
        .await
        .expect_err("its store is not configured");
    assert!(matches!(error, Error::NoSuchStore(_)), "{error}");
}

#[tokio::test]
async fn bytes_that_were_laid_down_long_ago_are_not_named_any_more() {
    let (vault, shelf) = (Vault::start(&[]).await, Shelf::new().await);
    let stores = shelf.stores(&in_vault(&vault)).await;
    let resting = stores
        .lay("portal/1/token/1", SEALED.to_vec())
        .await
        .expect("lays");
    shelf.clock.advance(Duration::from_secs(11 * 60));
    let mut transaction = shelf.database.begin().await.expect("begins");
    let late = stores.put(&mut transaction, &resting).await;
    assert!(matches!(late, Err(Error::TooLate(_))), "{late:?}");
}

#[tokio::test]
async fn what_others_keep_in_the_same_store_is_never_swept() {
    let (vault, shelf) = (Vault::start(&[]).await, Shelf::new().await);
    let config = in_vault(&vault);
    let elsewhere = SecretStore::build(
        &config,
        "another-deployment",
        shelf.database.clone(),
        shelf.clock.clone(),
        SystemRandom::shared(),
    )
    .await
    .expect("it can be addressed");
    elsewhere
        .lay("portal/1/token/1", SEALED.to_vec())
        .await
        .expect("lays");
    shelf.clock.advance(2 * DAY);
    assert_eq!(shelf.stores(&config).await.sweep().await.expect("sweeps"), 0);
    assert_eq!(vault.secrets().len(), 1);
}

#[tokio::test]
async fn a_service_whose_tokens_rest_in_vault_serves_none_that_was_moved_and_says_when_vault_is_down() {
    let vault = Vault::start(&[]).await;
    let secrets = in_vault(&vault);
    let bench = Bench::start_with(|config| config.secrets = secrets).await;
    let handle = bench.handle().await.handle;
    let redeemed = bench.redeem(&handle, SYNC).await.expect("redeems");
    assert_eq!(redeemed.portal_token, ACME_TOKEN);
    let resting = vault.secrets();
    let text = format!("{resting:?}");
    assert!(resting.len() == 1 && !text.contains(ACME_TOKEN), "{text}");

    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    vault.trouble().set(Trouble::Confused);
    let moved = bench.redeem(&handle, SYNC).await;
    assert_eq!(
        reason(&moved),
        "TOKEN_UNREADABLE",
        "globex's bytes open nothing of acme's"
    );
    for trouble in [Trouble::Denies, Trouble::Hangs, Trouble::Fails] {
        vault.trouble().set(trouble);
        assert_eq!(
            reason(&bench.redeem(&handle, SYNC).await),
            "SECRET_STORE_UNAVAILABLE",
            "{trouble:?}"
        );
        let refused = bench.onboard("umbra", "pat-na1-acme-other", 0).await;
        assert_ne!(reason(&refused), "OK");
    }
    vault.trouble().set(Trouble::None);
    assert_eq!(
        bench.redeem(&handle, SYNC).await.expect("redeems").portal_token,
        ACME_TOKEN
    );
}
