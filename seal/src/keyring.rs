//! The keys of all owners: made when first needed, kept wrapped in the database, unwrapped for a while in memory.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Tick, Timestamp},
    database::Database,
    random::{Random, SharedRandom},
};
use zeroize::Zeroizing;

use crate::{
    destroy,
    envelope::{self, Envelope, KEY_ID_LEN},
    error::Error,
    keks::{Keks, Versioned},
    key::Key,
    place::{Owner, Place, Purpose, aad_of_key},
    store::{self, WrappedKey},
};

/// Seals, opens and macs with keys that never leave it.
#[derive(Clone)]
pub struct Keyring(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) keks: Keks,
    /// How long an unwrapped key may be used before its row and the key-encryption key are asked again.
    pub(crate) cached_for: Duration,
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
    /// A keyring over the table `seal_key` of this database. An unwrapped key serves for `cached_for`, also while the
    /// key-encryption key cannot be asked; after that nothing opens, and no other key is tried.
    pub fn new(
        database: Database,
        keks: Keks,
        cached_for: Duration,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        let unwrapped = RwLock::default();
        Self(Arc::new(Shared {
            database,
            keks,
            cached_for,
            clock,
            random,
            unwrapped,
        }))
    }

    /// The version of the key-encryption key that wraps.
    pub fn current_version(&self) -> u32 {
        self.0.keks.current().version
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

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn forget_unwrapped(&self, owner: Owner) {
        let mut cache = self.0.unwrapped.write().unwrap_or_else(PoisonError::into_inner);
        cache.retain(|(of, _), _| *of != owner);
    }

    async fn get_or_make(&self, owner: Owner, purpose: Purpose) -> Result<Unwrapped, Error> {
        if let Some(unwrapped) = self.get(owner, purpose).await? {
            return Ok(unwrapped);
        }
        if destroy::is_destroyed(&self.0.database, owner).await? {
            return Err(Error::KeyMissing { owner, purpose });
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
        let unwrapped = Unwrapped {
            key: Arc::new(self.unwrap(owner, purpose, &row).await?),
            key_id: row.key_id.into(),
            until: self.0.clock.tick().plus(self.0.cached_for),
        };
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

    /// Wipes the unwrapped keys whose time is over. They would not be used any more, but lie in memory until then.
    pub fn wipe_expired(&self) {
        let now = self.0.clock.tick();
        let mut cache = self.0.unwrapped.write().unwrap_or_else(PoisonError::into_inner);
        cache.retain(|_, cached| now < cached.until);
    }

    /// How many unwrapped keys are in memory.
    pub fn cached_count(&self) -> usize {
        let cache = self.0.unwrapped.read().unwrap_or_else(PoisonError::into_inner);
        cache.len()
    }

    pub(crate) async fn unwrap(
        &self,
        owner: Owner,
        purpose: Purpose,
        row: &WrappedKey,
    ) -> Result<Key, Error> {
        let WrappedKey { key_id, kek_id, .. } = row;
        let kek = self.0.keks.that_wrapped(key_id, kek_id, row.kek_version)?;
        let aad = aad_of_key(key_id, owner, purpose, kek_id);
        let bytes = kek
            .unwrap(&row.wrapped, &aad)
            .await
            .map_err(|source| Error::Kek {
                key_id: key_id.clone(),
                source,
            })?;
        Key::from_bytes(bytes.as_slice())
            .filter(|key| key.committed_to(&row.commitment))
            .ok_or_else(|| Error::KeyAltered {
                key_id: key_id.clone(),
            })
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.0.random
    }

    async fn make(&self, owner: Owner, purpose: Purpose) -> Result<WrappedKey, Error> {
        let random = &*self.0.random;
        let key = Key::make(random)?;
        let key_id = hex::encode(random.bytes::<{ KEY_ID_LEN / 2 }>()?);
        self.wrap(owner, purpose, key_id, &key).await
    }

    /// Wraps a key with the current key-encryption key.
    pub(crate) async fn wrap(
        &self,
        owner: Owner,
        purpose: Purpose,
        key_id: String,
        key: &Key,
    ) -> Result<WrappedKey, Error> {
        let Versioned { version, kek } = self.0.keks.current();
        let aad = aad_of_key(&key_id, owner, purpose, kek.id());
        let wrapped = kek.wrap(key.bytes(), &aad, &*self.0.random).await;
        match wrapped {
            Ok(wrapped) => Ok(WrappedKey {
                key_id,
                kek_id: kek.id().to_owned(),
                kek_version: *version,
                wrapped,
                commitment: key.commitment().to_vec(),
            }),
            Err(source) => Err(Error::Kek { key_id, source }),
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("kek", &self.0.keks.current().kek.id())
            .finish_non_exhaustive()
    }
}
