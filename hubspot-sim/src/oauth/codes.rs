//! Codes: what a consent gives to the browser, for the app to turn into tokens.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::accounts::Portal;

/// How long a code lives, in microseconds.
pub(super) const LIFETIME: i64 = 600 * 1_000_000;

/// A consent that waits for its app.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) portal: Arc<Portal>,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) user_id: u64,
    pub(crate) scopes: Vec<String>,
    /// The S256 challenge, where one was sent.
    pub(crate) challenge: Option<String>,
    pub(crate) ends: i64,
}

/// Why a code gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is unknown, used, over, or another app's.
    Code,
    /// It was sent elsewhere.
    RedirectUri,
    /// The verifier is not the challenge's.
    Verifier,
}

impl Code {
    /// Whether this presenter gets what is behind it.
    pub(super) fn fits(
        &self,
        client_id: &str,
        redirect_uri: &str,
        verifier: &str,
        now: i64,
    ) -> Result<(), Refused> {
        if self.client_id != client_id || self.ends <= now {
            return Err(Refused::Code);
        }
        if self.redirect_uri != redirect_uri {
            return Err(Refused::RedirectUri);
        }
        match &self.challenge {
            Some(challenge) if *challenge != s256(verifier) => Err(Refused::Verifier),
            _ => Ok(()),
        }
    }
}

/// base64url, without padding, of the SHA-256.
fn s256(verifier: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let hash = Sha256::digest(verifier.as_bytes());
    let mut text = String::new();
    for three in hash.chunks(3) {
        let bits = three
            .iter()
            .fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for nth in 0..=three.len() {
            let index = usize::try_from((bits >> (18 - 6 * nth)) & 63).unwrap_or(0);
            text.push(DIGITS.get(index).map_or('A', |digit| char::from(*digit)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_of_rfc_7636_is_its_verifiers() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(s256(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
