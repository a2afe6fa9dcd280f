//! The key with which the service signs: made when it is first needed, and kept sealed.

use aws_lc_rs::signature::Ed25519KeyPair;
use hubkeep_core::{clock::SharedClock, database::Database, random::SharedRandom};
use hubkeep_seal::{Keyring, Owner, Place, Purpose};
use zeroize::Zeroizing;

use super::{Error, note, store};

/// Bytes of an Ed25519 seed.
const SEED: usize = 32;

/// Signs in the name of the service.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    deployment: String,
    database: Database,
    keyring: Keyring,
    clock: SharedClock,
    random: SharedRandom,
}

impl Signer {
    pub(super) const fn new(
        deployment: String,
        database: Database,
        keyring: Keyring,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        Self {
            deployment,
            database,
            keyring,
            clock,
            random,
        }
    }

    /// The deployment's name.
    pub(super) fn deployment(&self) -> &str {
        &self.deployment
    }

    /// A text as a signed note.
    pub(super) async fn sign(&self, text: &str) -> Result<String, Error> {
        Ok(note::sign(&self.name(), &self.key().await?, text))
    }

    /// What its notes are verified with.
    pub(super) async fn verifier_key(&self) -> Result<String, Error> {
        Ok(note::verifier_key(&self.name(), &self.key().await?))
    }

    fn name(&self) -> String {
        format!("{}/credential-service", self.deployment)
    }

    async fn key(&self) -> Result<Ed25519KeyPair, Error> {
        let sealed = match store::signing_key(&self.database).await? {
            Some(sealed) => sealed,
            None => self.make().await?,
        };
        let seed = self.keyring.open(&place(), &sealed).await?;
        Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Error::SigningKey)
    }

    /// Makes a key, unless another replica was quicker: then that one's is the one.
    async fn make(&self) -> Result<Vec<u8>, Error> {
        let seed = Zeroizing::new(self.random.bytes::<SEED>()?);
        let sealed = self.keyring.seal(&place(), seed.as_slice()).await?;
        store::insert_signing_key(&self.database, &sealed, self.clock.now()).await?;
        store::signing_key(&self.database).await?.ok_or(Error::SigningKey)
    }
}

const fn place() -> Place<'static> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::Signing,
        table: store::SIGNING_KEY,
        column: "sealed",
        row: "1",
        client_slug: "",
        kind: "ed25519-seed",
        generation: 1,
    }
}
