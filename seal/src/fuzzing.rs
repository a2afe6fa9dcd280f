//! Sealing and opening with a key that lies open, for the fuzz targets in `tests/fuzz`: without a database, as
//! [`Keyring`](crate::Keyring) does it with one. A door for them alone: no build of the product has it.

use hubkeep_core::random::Random;

use crate::{
    Place,
    envelope::{self, Envelope, KEY_ID_LEN},
    key::{KEY_LEN, Key},
};

/// The length of a key's id, in characters.
pub const KEY_ID: usize = KEY_ID_LEN;

/// A place as associated data.
pub fn aad(place: &Place<'_>, level: &str, key_id: &str) -> Vec<u8> {
    place.aad(level, key_id)
}

/// A key, and its id.
#[derive(Debug)]
pub struct OpenKey {
    key: Key,
    key_id: String,
}

impl OpenKey {
    /// The key of these bytes; `None` if the id is not as long as ids are.
    pub fn new(bytes: &[u8; KEY_LEN], key_id: &str) -> Option<Self> {
        let key = Key::from_bytes(bytes)?;
        (key_id.len() == KEY_ID_LEN).then(|| Self {
            key,
            key_id: key_id.to_owned(),
        })
    }

    /// Seals a message; `None` if `random` has nothing to give.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8], random: &dyn Random) -> Option<Vec<u8>> {
        envelope::seal(&self.key, &self.key_id, place, plaintext, random).ok()
    }

    /// Opens what was sealed with this key at this very place.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let envelope = Envelope::read(sealed)?;
        if self.key_id != envelope.key_id {
            return None;
        }
        Some(envelope.open(&self.key, place).ok()?.to_vec())
    }
}
