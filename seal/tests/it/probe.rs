//! What the probe of a key-encryption key finds out that its use would not.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use hubkeep_core::{
    clock::SystemClock,
    database::Database,
    random::{Random, SystemRandom},
};
use hubkeep_seal::{FileKek, Kek, KekError, Keks, Keyring, MIGRATIONS, Probe};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A key that does not look at associated data.
#[derive(Debug)]
struct Careless(FileKek);

impl Kek for Careless {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn wrap<'a>(
        &'a self,
        key: &'a [u8; 32],
        _aad: &'a [u8],
        random: &'a dyn Random,
    ) -> BoxFuture<'a, Result<Vec<u8>, KekError>> {
        self.0.wrap(key, b"", random)
    }

    fn unwrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        _aad: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<[u8; 32]>, KekError>> {
        self.0.unwrap(wrapped, b"")
    }
}

#[tokio::test]
async fn a_key_that_does_not_authenticate_the_place_is_found_out() {
    let folder = TempDir::new().expect("folder");
    let config = crate::new_database(folder.path());
    let database = Database::open(&config, &[&MIGRATIONS]).await.expect("opens");
    let random = SystemRandom::shared();
    let file = FileKek::create(&folder.path().join("kek"), &*random).expect("made");
    let keks = Keks::single(Arc::new(Careless(file)));
    let cached_for = Duration::from_secs(60);
    let keyring = Keyring::new(database, keks, cached_for, SystemClock::shared(), random);
    let status = keyring.status(true).await.expect("reads");
    assert!(matches!(
        status.versions[0].probe,
        Probe::Failed(KekError::Unbound)
    ));
}
