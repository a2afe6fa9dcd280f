//! The vault: tokens go in sealed, and leave by [`Vault::open`] only.

mod error;

use hubkeep_core::{
    database::Transaction,
    id::{ClientSlug, PortalId},
    secret::PortalToken,
};
use hubkeep_seal::{Keyring, Owner, Place, Purpose};

pub use error::Error;

use crate::secret_store::{self, Resting, SecretStore};

/// Which token of which portal.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The portal.
    pub portal_id: PortalId,
    /// Its slug.
    pub client_slug: ClientSlug,
    /// The version of its credential, from 1.
    pub version: u64,
}

/// A token, sealed, on its way into the vault.
#[derive(Debug)]
pub struct SealedToken(Resting);

/// Where tokens are.
#[derive(Clone, Debug)]
pub struct Vault {
    keyring: Keyring,
    secrets: SecretStore,
}

impl Vault {
    /// A vault over this store.
    pub const fn build(keyring: Keyring, secrets: SecretStore) -> Self {
        Self { keyring, secrets }
    }

    /// Seals a token for its place, and lays it down where it will rest, unless that is the database. No transaction may
    /// be open: it may make the portal's key, and a secret store takes its time.
    ///
    /// # Errors
    /// If the portal's key cannot be used or made, or the secret store fails.
    pub async fn seal(&self, credential: &Credential, token: &PortalToken) -> Result<SealedToken, Error> {
        let secret_id = credential.secret_id();
        let place = credential.place(&secret_id);
        let sealed = self.keyring.seal(&place, token.expose().as_bytes()).await?;
        Ok(SealedToken(self.secrets.lay(&secret_id, sealed).await?))
    }

    /// Puts a sealed token into the vault, as part of the transaction that also writes what refers to it.
    ///
    /// # Errors
    /// If this version of the credential is there already, or the database fails.
    pub async fn put(&self, transaction: &mut Transaction, token: &SealedToken) -> Result<(), Error> {
        Ok(self.secrets.put(transaction, &token.0).await?)
    }

    /// Takes every token of a portal out of the vault, unopened, as part of a transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove(&self, transaction: &mut Transaction, portal_id: PortalId) -> Result<(), Error> {
        Ok(self.secrets.remove(transaction, &tokens_of(portal_id)).await?)
    }

    /// Takes one token out of the vault, unopened, as part of a transaction; `false` if it is not there.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove_one(
        &self,
        transaction: &mut Transaction,
        credential: &Credential,
    ) -> Result<bool, Error> {
        Ok(self.secrets.delete(transaction, &credential.secret_id()).await?)
    }

    /// Opens a token. The only way by which one leaves the vault.
    ///
    /// # Errors
    /// If it is not there, lies where it was not put, was altered, or its key cannot be used.
    pub async fn open(&self, credential: &Credential) -> Result<PortalToken, Error> {
        let secret_id = credential.secret_id();
        let sealed = self.secrets.get(&secret_id).await?;
        let opened = self.keyring.open(&credential.place(&secret_id), &sealed).await?;
        let token = std::str::from_utf8(&opened).map_err(|_| Error::NotText(secret_id))?;
        Ok(PortalToken::new(token.to_owned()))
    }
}

/// How the ids of a portal's tokens begin.
fn tokens_of(portal_id: PortalId) -> String {
    format!("portal/{portal_id}/token/")
}

impl Credential {
    /// The name under which it lies in the vault.
    pub fn secret_id(&self) -> String {
        format!("{}{}", tokens_of(self.portal_id), self.version)
    }

    fn place<'a>(&'a self, secret_id: &'a str) -> Place<'a> {
        Place {
            owner: Owner::Portal(self.portal_id),
            purpose: Purpose::Credential,
            table: secret_store::TABLE,
            column: secret_store::COLUMN,
            row: secret_id,
            client_slug: self.client_slug.as_str(),
            kind: "portal-token",
            generation: self.version,
        }
    }
}
