//! A key that only macs, for whoever checks at every read. It is unwrapped once and kept: it opens nothing, so holding it
//! while the key-encryption key cannot be asked gives nothing away, and what it checks can still be told from what was
//! altered.

use std::{fmt, sync::Arc};

use aws_lc_rs::constant_time;

use crate::{
    Error, Keyring, Owner, Purpose,
    key::Key,
    store::{self, WrappedKey},
};

/// A key that only macs. Wiped from memory when its last clone is gone.
#[derive(Clone)]
pub struct MacKey {
    key_id: Arc<str>,
    key: Arc<Key>,
}

impl MacKey {
    /// The key's public id: that of its row in `seal_key`.
    pub fn id(&self) -> &str {
        &self.key_id
    }

    /// HMAC-SHA-256 of a message.
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.key.mac(message)
    }

    /// Whether `tag` is the mac of a message. The time that it takes tells nothing of the right one.
    pub fn is_mac_of(&self, message: &[u8], tag: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.key.mac(message), tag).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MacKey").field(&self.key_id).finish()
    }
}

impl Keyring {
    /// The owner's key for this purpose, to be kept; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read or unwrapped.
    pub async fn mac_key(&self, owner: Owner, purpose: Purpose) -> Result<Option<MacKey>, Error> {
        match store::find(&self.0.database, owner, purpose).await? {
            Some(row) => self.as_mac_key(owner, purpose, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same, made where there is none. No transaction of the caller may be open.
    ///
    /// # Errors
    /// If it cannot be read, made or unwrapped.
    pub async fn mac_key_or_make(&self, owner: Owner, purpose: Purpose) -> Result<MacKey, Error> {
        if let Some(key) = self.mac_key(owner, purpose).await? {
            return Ok(key);
        }
        self.make_if_absent(owner, purpose).await?;
        // Read again rather than used as made: another process may have been quicker, and its key is the one.
        let key = self.mac_key(owner, purpose).await?;
        key.ok_or(Error::KeyMissing { owner, purpose })
    }

    async fn as_mac_key(&self, owner: Owner, purpose: Purpose, row: WrappedKey) -> Result<MacKey, Error> {
        Ok(MacKey {
            key: Arc::new(self.unwrap(owner, purpose, &row).await?),
            key_id: row.key_id.into(),
        })
    }
}
