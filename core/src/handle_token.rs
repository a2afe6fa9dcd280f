//! The handle as it travels: `hk1_`, 43 base62 digits of a 256-bit secret, `_`, and a checksum of 6.
//!
//! The checksum lets scanners and ourselves tell a handle from other text, and a cut one from a wrong one. It is
//! no protection: that is the secret's.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::random::{Random, RandomError};

const PREFIX: &str = "hk1_";
const SECRET_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The length of every handle, in characters.
pub const LENGTH: usize = PREFIX.len() + SECRET_DIGITS + 1 + CHECK_DIGITS;

/// The text is not a handle: wrong prefix, length, digits or checksum.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a handle: wrong prefix, length or checksum")]
pub struct MalformedHandle;

/// What else is made like a handle, and told apart by its beginning: secrets of sessions, and of the clients of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// Shows whose a request of a browser is.
    Session,
    /// Gets the next tokens.
    Refresh,
    /// A code, or the state of something that was begun: good once.
    Code,
}

impl SecretKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "hs1_",
            Self::Refresh => "hr1_",
            Self::Code => "hc1_",
        }
    }
}

/// A secret of one of these kinds, whole.
pub struct OpaqueSecret(SecretString);

impl OpaqueSecret {
    /// A new one from 256 random bits.
    ///
    /// # Errors
    /// If there is no randomness to be had.
    pub fn make(kind: SecretKind, random: &dyn Random) -> Result<Self, RandomError> {
        Ok(Self(SecretString::from(make(kind.prefix(), random)?)))
    }

    /// Reads one that somebody sent.
    ///
    /// # Errors
    /// If it is not of this kind, or not a whole one.
    pub fn parse(kind: SecretKind, text: &str) -> Result<Self, MalformedHandle> {
        is_whole(kind.prefix(), text)?;
        Ok(Self(SecretString::from(text)))
    }

    /// The secret itself. Every use of this is a place to look at twice.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for OpaqueSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueSecret([redacted])")
    }
}

/// A handle, whole. Whoever has it and the right caller's key may use it.
pub struct HandleToken {
    text: SecretString,
    /// Where a client of somebody who has signed in has presented it: it is good there only, and for whoever has it.
    presented_at: Option<Arc<str>>,
}

impl HandleToken {
    /// A new handle from 256 random bits.
    ///
    /// # Errors
    /// If there is no randomness to be had.
    pub fn make(random: &dyn Random) -> Result<Self, RandomError> {
        Ok(Self::of(SecretString::from(make(PREFIX, random)?)))
    }

    /// Reads a handle that a caller sent.
    ///
    /// # Errors
    /// If it is not a handle, or not a whole one.
    pub fn parse(text: &str) -> Result<Self, MalformedHandle> {
        is_whole(PREFIX, text)?;
        Ok(Self::of(SecretString::from(text)))
    }

    const fn of(text: SecretString) -> Self {
        Self {
            text,
            presented_at: None,
        }
    }

    /// The handle itself. Every use of this is a place to look at twice.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// The same, presented at a resource, and by no caller with a certificate.
    #[must_use]
    pub fn at(mut self, resource: &str) -> Self {
        self.presented_at = Some(resource.into());
        self
    }

    /// The resource at which it was presented; `None` where a caller presented it.
    pub fn presented_at(&self) -> Option<&Arc<str>> {
        self.presented_at.as_ref()
    }
}

impl Clone for HandleToken {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            presented_at: self.presented_at.clone(),
        }
    }
}

impl fmt::Debug for HandleToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandleToken([redacted])")
    }
}

fn make(prefix: &str, random: &dyn Random) -> Result<String, RandomError> {
    let bytes = Zeroizing::new(random.bytes::<32>()?);
    let mut text = String::with_capacity(LENGTH);
    text.push_str(prefix);
    text.push_str(&base62(&bytes));
    let check = checksum(&text);
    text.push('_');
    text.push_str(&check);
    Ok(text)
}

fn is_whole(prefix: &str, text: &str) -> Result<(), MalformedHandle> {
    let (body, check) = text.rsplit_once('_').ok_or(MalformedHandle)?;
    let digits = body.strip_prefix(prefix).ok_or(MalformedHandle)?;
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if digits.len() != SECRET_DIGITS || !all_digits || check != checksum(body) {
        return Err(MalformedHandle);
    }
    Ok(())
}

/// 256 bits as 43 digits of base 62, most significant first: long division, digit by digit.
fn base62(bytes: &[u8; 32]) -> String {
    let mut number = Zeroizing::new(*bytes);
    let mut digits = Vec::with_capacity(SECRET_DIGITS);
    for _ in 0..SECRET_DIGITS {
        let mut remainder = 0_u32;
        for byte in number.iter_mut() {
            let value = (remainder << 8) | u32::from(*byte);
            *byte = (value / 62).to_le_bytes()[0];
            remainder = value % 62;
        }
        digits.push(digit(remainder));
    }
    digits.iter().rev().collect()
}

fn checksum(text: &str) -> String {
    let mut crc = crc32fast::hash(text.as_bytes());
    let mut digits = Vec::with_capacity(CHECK_DIGITS);
    for _ in 0..CHECK_DIGITS {
        digits.push(digit(crc % 62));
        crc /= 62;
    }
    digits.iter().rev().collect()
}

fn digit(value: u32) -> char {
    let index = usize::try_from(value).unwrap_or(0);
    ALPHABET.get(index).map_or('0', |byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn every_made_handle_has_the_same_length_and_reads_back() {
        let random = SystemRandom::shared();
        for _ in 0..200 {
            let handle = HandleToken::make(&*random).expect("random");
            assert_eq!(handle.expose().len(), LENGTH);
            HandleToken::parse(handle.expose()).expect("reads back");
        }
    }

    #[test]
    fn a_cut_or_changed_handle_is_malformed() {
        let handle = HandleToken::make(&*SystemRandom::shared()).expect("random");
        let text = handle.expose();
        for length in 0..text.len() {
            assert!(HandleToken::parse(&text[..length]).is_err(), "cut to {length}");
        }
        for place in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[place] = if changed[place] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).expect("ascii");
            assert!(HandleToken::parse(&changed).is_err(), "changed at {place}");
        }
    }

    #[test]
    fn a_secret_of_one_kind_is_none_of_another() {
        use SecretKind::{Code, Refresh, Session};
        let random = SystemRandom::shared();
        for kind in [Session, Refresh, Code] {
            let secret = OpaqueSecret::make(kind, &*random).expect("random");
            assert_eq!(secret.expose().len(), LENGTH);
            assert!(HandleToken::parse(secret.expose()).is_err());
            for other in [Session, Refresh, Code] {
                assert_eq!(OpaqueSecret::parse(other, secret.expose()).is_ok(), other == kind);
            }
            assert_eq!(format!("{secret:?}"), "OpaqueSecret([redacted])");
        }
    }

    #[test]
    fn printing_a_handle_shows_nothing() {
        let handle = HandleToken::make(&*SystemRandom::shared()).expect("random");
        assert_eq!(format!("{handle:?}"), "HandleToken([redacted])");
    }

    #[test]
    fn base62_of_the_extremes() {
        assert_eq!(base62(&[0; 32]), "0".repeat(43));
        assert_eq!(base62(&[0xff; 32]).len(), 43);
        let mut one = [0; 32];
        one[31] = 62;
        assert!(base62(&one).ends_with("10"));
    }
}
