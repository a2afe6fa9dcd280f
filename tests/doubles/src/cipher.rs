//! AES-256-GCM with a random nonce before and the tag after, as key services encrypt.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};

/// A key that never leaves its service.
pub struct Cipher(RandomizedNonceKey);

impl Cipher {
    /// A new key.
    pub fn new() -> Self {
        let mut key = [0; 32];
        rand::fill(&mut key).expect("random");
        Self(RandomizedNonceKey::new(&AES_256_GCM, &key).expect("a key"))
    }

    /// Encrypts.
    pub fn encrypt(&self, plaintext: &[u8], aad: &[u8]) -> Vec<u8> {
        let mut bytes = plaintext.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(aad), &mut bytes)
            .expect("encrypts");
        [nonce.as_ref().as_slice(), &bytes].concat()
    }

    /// Decrypts; `None` if it was not encrypted so.
    pub fn decrypt(&self, encrypted: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = encrypted.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = rest.to_vec();
        let plaintext = self.0.open_in_place(nonce, Aad::from(aad), &mut bytes).ok()?;
        Some(plaintext.to_vec())
    }
}

impl Default for Cipher {
    fn default() -> Self {
        Self::new()
    }
}
