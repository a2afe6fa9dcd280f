//! The keys of all owners: made when first needed, kept wrapped in the database, unwrapped for a while in memory.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Tick},
    database::Database,
    random::SharedRandom,
};
use zeroize::Zeroizing;

use crate::{
    envelope::{self, Envelope, KEY_ID_LEN},
    error::Error,
    kek::Kek,
    key::Key,
    place::{Owner, Place, Purpose, aad_of_key},
    store::{self, WrappedKey},
};

/// How long an unwrapped key may be used before its row and the key-encryption key are asked again.
const CACHED_FOR: Duration = Duration::from_secs(15 * 60);

/// Seals, opens and macs with keys that never leave it.
#[derive(Clone)]
pub struct Keyring(Arc<Shared>);

struct Shared {
    database: Database,
    kek: Arc<dyn Kek>,
    clock: SharedClock,
    random: SharedRandom,
    unwrapped: RwLock<HashMap<(Owner, Purpose), Unwrapped>>,
}

#[derive(Clone)]
struct Unwrapped {
    key_id: Arc<str>,
    key: Arc<Key>,
    until: Tick,
}

impl Keyring {
    /// A keyring over the table `seal_key` of this database.
    pub fn new(database: Database, kek: Arc<dyn Kek>, clock: SharedClock, random: SharedRandom) -> Self {
        let unwrapped = RwLock::default();
        Self(Arc::new(Shared {
            database,
            kek,
            clock,
            random,
            unwrapped,
        }))
    }

    /// Seals a message. The same message sealed twice gives different bytes.
    ///
    /// Makes the owner's key if there is none; that writes to the database, so no transaction of the caller may be
    /// open at the time.
    ///
    /// # Errors
    /// If the owner's key cannot be read, made or unwrapped.
    pub async fn seal(&self, place: &Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let unwrapped = self.get_or_make(place.owner, place.purpose).await?;
        let random = &*self.0.random;
        Ok(envelope::seal(
            &unwrapped.key,
            &unwrapped.key_id,
            place,
            plaintext,
            random,
        )?)
    }

    /// Opens what was sealed at this very place.
    ///
    /// # Errors
    /// If any field of the place differs, a byte was altered, or the key cannot be read or unwrapped.
    pub async fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let broken = || Error::Broken {
            table: place.table,
            column: place.column,
            row: place.row.to_owned(),
        };
        let envelope = Envelope::read(sealed).ok_or_else(broken)?;
        let missing = || Error::KeyMissing {
            owner: place.owner,
            purpose: place.purpose,
        };
        let unwrapped = self.get(place.owner, place.purpose).await?.ok_or_else(missing)?;
        if *unwrapped.key_id != *envelope.key_id {
            return Err(broken());
        }
        envelope.open(&unwrapped.key, place).map_err(|_| broken())
    }

    /// HMAC-SHA-256 of a message under the owner's key for this purpose. Makes the key as [`seal`](Self::seal) does.
    ///
    /// # Errors
    /// If the owner's key cannot be read, made or unwrapped.
    pub async fn mac(&self, owner: Owner, purpose: Purpose, message: &[u8]) -> Result<[u8; 32], Error> {
        Ok(self.get_or_make(owner, purpose).await?.key.mac(message))
    }

    async fn get_or_make(&self, owner: Owner, purpose: Purpose) -> Result<Unwrapped, Error> {
        if let Some(unwrapped) = self.get(owner, purpose).await? {
            return Ok(unwrapped);
        }
        let made = self.make(owner, purpose).await?;
        store::insert_if_absent(&self.0.database, owner, purpose, &made, self.0.clock.now()).await?;
        // Read again rather than used as made: another process may have been quicker, and its key is the one.
        self.get(owner, purpose)
            .await?
            .ok_or(Error::KeyMissing { owner, purpose })
    }

    async fn get(&self, owner: Owner, purpose: Purpose) -> Result<Option<Unwrapped>, Error> {
        if let Some(cached) = self.cached(owner, purpose) {
            return Ok(Some(cached));
        }
        let Some(row) = store::find(&self.0.database, owner, purpose).await? else {
            return Ok(None);
        };
        let unwrapped = self.unwrap(owner, purpose, row).await?;
        let mut cache = self.0.unwrapped.write().unwrap_or_else(PoisonError::into_inner);
        cache.insert((owner, purpose), unwrapped.clone());
        Ok(Some(unwrapped))
    }

    fn cached(&self, owner: Owner, purpose: Purpose) -> Option<Unwrapped> {
        let cache = self.0.unwrapped.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.0.clock.tick();
        cache
            .get(&(owner, purpose))
            .filter(|cached| now < cached.until)
            .cloned()
    }

    async fn unwrap(&self, owner: Owner, purpose: Purpose, row: WrappedKey) -> Result<Unwrapped, Error> {
        let WrappedKey {
            key_id,
            kek_id,
            wrapped,
            commitment,
        } = row;
        if kek_id != self.0.kek.id() {
            let present = self.0.kek.id().to_owned();
            return Err(Error::OtherKek {
                key_id,
                wrapped_by: kek_id,
                present,
            });
        }
        let aad = aad_of_key(&key_id, owner, purpose, &kek_id);
        let bytes = match self.0.kek.unwrap(&wrapped, &aad).await {
            Ok(bytes) => bytes,
            Err(source) => return Err(Error::Kek { key_id, source }),
        };
        match Key::from_bytes(bytes.as_slice()).filter(|key| key.committed_to(&commitment)) {
            Some(key) => Ok(Unwrapped {
                key_id: key_id.into(),
                key: Arc::new(key),
                until: self.0.clock.tick().plus(CACHED_FOR),
            }),
            None => Err(Error::KeyAltered { key_id }),
        }
    }

    async fn make(&self, owner: Owner, purpose: Purpose) -> Result<WrappedKey, Error> {
        let random = &*self.0.random;
        let key = Key::make(random)?;
        let key_id = hex::encode(random.bytes::<{ KEY_ID_LEN / 2 }>()?);
        let kek_id = self.0.kek.id().to_owned();
        let aad = aad_of_key(&key_id, owner, purpose, &kek_id);
        let commitment = key.commitment().to_vec();
        match self.0.kek.wrap(key.bytes(), &aad, random).await {
            Ok(wrapped) => Ok(WrappedKey {
                key_id,
                kek_id,
                wrapped,
                commitment,
            }),
            Err(source) => Err(Error::Kek { key_id, source }),
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("kek", &self.0.kek.id())
            .finish_non_exhaustive()
    }
}
