//! The layout of sealed bytes: `HKS`, a version, the key's id, the wrapped data key with its commitment, the message.

use hubkeep_core::random::Random;
use zeroize::Zeroizing;

use crate::key::{EncryptError, KEY_LEN, Key, OVERHEAD, Refused};
use crate::place::Place;

const MAGIC: &[u8; 4] = b"HKS\x01";
const WRAPPED_LEN: usize = KEY_LEN + OVERHEAD;
const COMMITMENT_LEN: usize = 32;

/// Length of a key's id, in characters.
pub(crate) const KEY_ID_LEN: usize = 32;

/// Sealed bytes, taken apart.
pub(crate) struct Envelope<'a> {
    pub(crate) key_id: &'a str,
    wrapped: &'a [u8],
    commitment: &'a [u8],
    message: &'a [u8],
}

/// Encrypts a message with a data key of its own, and that with `key`.
pub(crate) fn seal(
    key: &Key,
    key_id: &str,
    place: &Place<'_>,
    plaintext: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, EncryptError> {
    let data_key = Key::make(random)?;
    let wrapped = key.encrypt(&place.aad("data-key", key_id), data_key.bytes(), random)?;
    let message = data_key.encrypt(&place.aad("message", key_id), plaintext, random)?;
    Ok([
        MAGIC.as_slice(),
        key_id.as_bytes(),
        &wrapped,
        &data_key.commitment(),
        &message,
    ]
    .concat())
}

impl<'a> Envelope<'a> {
    /// Takes sealed bytes apart; `None` if they are no envelope of this version.
    pub(crate) fn read(sealed: &'a [u8]) -> Option<Self> {
        let rest = sealed.strip_prefix(MAGIC)?;
        let (key_id, rest) = rest.split_at_checked(KEY_ID_LEN)?;
        let (wrapped, rest) = rest.split_at_checked(WRAPPED_LEN)?;
        let (commitment, message) = rest.split_at_checked(COMMITMENT_LEN)?;
        let key_id = std::str::from_utf8(key_id).ok()?;
        Some(Self {
            key_id,
            wrapped,
            commitment,
            message,
        })
    }

    /// The message, if it was sealed with `key` at this very place.
    pub(crate) fn open(&self, key: &Key, place: &Place<'_>) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let data_key = key.decrypt(&place.aad("data-key", self.key_id), self.wrapped)?;
        let data_key = Key::from_bytes(&data_key).ok_or(Refused)?;
        if !data_key.committed_to(self.commitment) {
            return Err(Refused);
        }
        data_key.decrypt(&place.aad("message", self.key_id), self.message)
    }
}
