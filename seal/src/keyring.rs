//! The keys of all owners: made when first needed, kept wrapped in the database, unwrapped for a while in memory.

use std::{fmt, sync::Arc, time::Duration};

use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::Database,
    random::{Random, SharedRandom},
};
use zeroize::Zeroizing;

use crate::{
    destroy,
    envelope::{self, Envelope, KEY_ID_LEN},
    error::Error,
    kek::KekError,
    keks::{Keks, Versioned},
    key::Key,
    place::{Owner, Place, Purpose, aad_of_key},
    store::{self, WrappedKey},
    unwrapped::{Cache, Found, Question, Unwrapped},
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
    unwrapped: Cache,
}

impl Keyring {
    /// A keyring over the table `seal_key` of this database. An unwrapped key serves for `cached_for`, also while the
    /// key-encryption key cannot be asked; after that nothing opens, and no other key is tried. A key that is used is
    /// fetched anew before its time is over, in the background, and needs a runtime for that.
    pub fn new(
        database: Database,
        keks: Keks,
        cached_for: Duration,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        let unwrapped = Cache::new(cached_for, clock.clone());
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

    /// The same for many messages: a function that is kept no longer than what it is called for.
    ///
    /// # Errors
    /// As [`mac`](Self::mac).
    pub async fn macs(
        &self,
        owner: Owner,
        purpose: Purpose,
    ) -> Result<impl Fn(&[u8]) -> [u8; 32] + Send + Sync + use<>, Error> {
        let key = self.get_or_make(owner, purpose).await?.key;
        Ok(move |message: &[u8]| key.mac(message))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn forget_unwrapped(&self, owner: Owner) {
        self.0.unwrapped.forget(owner);
    }

    async fn get_or_make(&self, owner: Owner, purpose: Purpose) -> Result<Unwrapped, Error> {
        if let Some(unwrapped) = self.get(owner, purpose).await? {
            return Ok(unwrapped);
        }
        self.make_if_absent(owner, purpose).await?;
        // Read again rather than used as made: another process may have been quicker, and its key is the one. And by a
        // question of our own: one that is under way may have been asked before there was a key.
        let question = self.0.unwrapped.ask_apart((owner, purpose));
        let fetched = self.fetch(owner, purpose).await?;
        question.answer(Ok(fetched.clone()));
        fetched.ok_or(Error::KeyMissing { owner, purpose })
    }

    /// Makes the owner's key, unless another process is quicker.
    pub(crate) async fn make_if_absent(&self, owner: Owner, purpose: Purpose) -> Result<(), Error> {
        if destroy::is_destroyed(&self.0.database, owner).await? {
            return Err(Error::KeyMissing { owner, purpose });
        }
        let made = self.make(owner, purpose).await?;
        store::insert_if_absent(&self.0.database, owner, purpose, &made, self.0.clock.now()).await?;
        Ok(())
    }

    async fn get(&self, owner: Owner, purpose: Purpose) -> Result<Option<Unwrapped>, Error> {
        match self.0.unwrapped.find((owner, purpose)) {
            Found::Serves(unwrapped, question) => {
                self.ask(question, move |error| {
                    tracing::warn!(%error, %owner, %purpose, "a key could not be fetched anew: it serves to its end");
                });
                Ok(Some(unwrapped))
            }
            Found::Waits(answer, question) => {
                // Whoever waits is told.
                self.ask(question, |_| ());
                let abandoned = |_| Error::Kek {
                    key_id: format!("for {purpose} of {owner}"),
                    source: KekError::Unavailable("the question for it was not carried through".into()),
                };
                answer.await.map_err(abandoned)?.map_err(Error::shared)
            }
        }
    }

    /// Fetches a key on a task of its own: whoever wants it may go away, and others wait for the same answer.
    fn ask(&self, question: Option<Question>, note: impl Fn(&Error) + Send + 'static) {
        let Some(question) = question else { return };
        let keyring = self.clone();
        tokio::spawn(async move {
            let (owner, purpose) = question.wanted();
            let fetched = keyring.fetch(owner, purpose).await;
            if let Err(error) = &fetched {
                note(error);
            }
            question.answer(fetched.map_err(Arc::new));
        });
    }

    /// Reads a key's row, and has it unwrapped.
    async fn fetch(&self, owner: Owner, purpose: Purpose) -> Result<Option<Unwrapped>, Error> {
        let Some(row) = store::find(&self.0.database, owner, purpose).await? else {
            return Ok(None);
        };
        Ok(Some(Unwrapped {
            key: Arc::new(self.unwrap(owner, purpose, &row).await?),
            key_id: row.key_id.into(),
        }))
    }

    /// Wipes the unwrapped keys whose time is over. They would not be used any more, but lie in memory until then.
    pub fn wipe_expired(&self) {
        self.0.unwrapped.wipe_expired();
    }

    /// How many unwrapped keys are in memory.
    pub fn cached_count(&self) -> usize {
        self.0.unwrapped.len()
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
