//! One 256-bit key: what it encrypts, what is derived from it, and the commitment that proves it is this one.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time, hkdf, hmac,
};
use hubkeep_core::random::{Random, RandomError};
use thiserror::Error;
use zeroize::Zeroizing;

/// Length of every key, in bytes.
pub(crate) const KEY_LEN: usize = 32;
const TAG_LEN: usize = 16;
/// What encryption adds to a message: nonce before it, tag after it.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// The cryptographic library refused: a wrong key, altered bytes, or another place.
#[derive(Debug, Error)]
#[error("the bytes do not open with this key at this place")]
pub(crate) struct Refused;

/// A key could not be made, or not be used to encrypt.
#[derive(Debug, Error)]
pub(crate) enum EncryptError {
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("the cryptographic library refused to encrypt")]
    Library,
}

/// A key. Wiped when dropped, never printed.
pub(crate) struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    pub(crate) fn make(random: &dyn Random) -> Result<Self, RandomError> {
        let mut key = Self(Zeroizing::new([0; KEY_LEN]));
        random.fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// The key with these bytes; `None` if they are too many or too few.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Self(Zeroizing::new([0; KEY_LEN]));
        if bytes.len() != KEY_LEN {
            return None;
        }
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Nonce, ciphertext and tag.
    pub(crate) fn encrypt(
        &self,
        aad: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, EncryptError> {
        let nonce: [u8; NONCE_LEN] = random.bytes()?;
        let mut bytes = Vec::with_capacity(plaintext.len().saturating_add(OVERHEAD));
        bytes.extend_from_slice(&nonce);
        // Encrypted in a buffer of its own size from the start: growing it would leave a copy behind.
        let mut message = Zeroizing::new(plaintext.to_vec());
        let tag = self
            .cipher()
            .and_then(|cipher| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                cipher
                    .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut message)
                    .ok()
            })
            .ok_or(EncryptError::Library)?;
        bytes.extend_from_slice(&message);
        bytes.extend_from_slice(tag.as_ref());
        Ok(bytes)
    }

    /// What [`encrypt`](Self::encrypt) was given, if key, bytes and associated data are the same.
    pub(crate) fn decrypt(&self, aad: &[u8], encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let (nonce, message) = encrypted.split_at_checked(NONCE_LEN).ok_or(Refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Refused)?;
        let mut message = Zeroizing::new(message.to_vec());
        let cipher = self.cipher().ok_or(Refused)?;
        let length = cipher
            .open_in_place(nonce, Aad::from(aad), &mut message)
            .map_err(|_| Refused)?
            .len();
        message.truncate(length);
        Ok(message)
    }

    /// A keyed hash. The key of it is derived, so that no key is used with two algorithms.
    pub(crate) fn mac(&self, message: &[u8]) -> [u8; 32] {
        let derived = self.derive("mac");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, derived.as_slice()), message);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    /// Binds to this one key. AES-GCM alone does not: bytes can be made that open under two keys.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        *self.derive("commit")
    }

    pub(crate) fn committed_to(&self, commitment: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.commitment(), commitment).is_ok()
    }

    /// A public name for the key, from which it cannot be found.
    pub(crate) fn name(&self) -> String {
        let derived = self.derive("name");
        hex::encode(derived.first_chunk::<8>().unwrap_or(&[0; 8]))
    }

    fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        let info = [b"hubkeep/1".as_slice(), b"/", label.as_bytes()];
        let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(self.0.as_slice());
        // Cannot fail: 32 bytes are what one round of HKDF-SHA-256 gives.
        let filled = key
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(derived.as_mut_slice()));
        debug_assert!(filled.is_ok());
        derived
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, self.0.as_slice()).ok()?;
        Some(LessSafeKey::new(key))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::random::SystemRandom;

    use super::*;

    #[test]
    fn what_is_derived_differs_by_label_and_by_key() {
        let random = SystemRandom::shared();
        let (one, two) = (
            Key::make(&*random).expect("random"),
            Key::make(&*random).expect("random"),
        );
        assert_ne!(one.commitment(), two.commitment());
        assert_ne!(one.commitment(), one.mac(b""));
        assert_ne!(*one.derive("a"), *one.derive("b"));
        assert!(one.derive("a").iter().any(|byte| *byte != 0));
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let random = SystemRandom::shared();
        let key = Key::make(&*random).expect("random");
        let encrypted = key.encrypt(b"here", b"secret", &*random).expect("encrypts");
        assert_eq!(encrypted.len(), 6 + OVERHEAD);
        for place in 0..encrypted.len() {
            let mut altered = encrypted.clone();
            altered[place] ^= 1;
            assert!(key.decrypt(b"here", &altered).is_err(), "byte {place}");
        }
        assert!(key.decrypt(b"there", &encrypted).is_err());
        assert_eq!(*key.decrypt(b"here", &encrypted).expect("opens"), b"secret");
    }

    #[test]
    fn printing_a_key_shows_nothing() {
        let key = Key::from_bytes(&[7; 32]).expect("32 bytes");
        assert_eq!(format!("{key:?}"), "Key([redacted])");
    }
}
