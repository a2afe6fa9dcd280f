//! Values that must not be seen: no `Debug` that shows them, no `Display`, no `Clone` by accident, wiped when dropped.

use std::fmt;

use aws_lc_rs::digest;
use secrecy::{ExposeSecret as _, SecretString};

/// A HubSpot token. Outside the vault and the HubSpot client nobody has a reason to [`expose`](Self::expose) it.
pub struct PortalToken(SecretString);

impl PortalToken {
    /// Wraps a token.
    pub fn new(token: String) -> Self {
        Self(SecretString::from(token))
    }

    /// The token itself. Every use of this is a place to look at twice.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Tells tokens apart and reveals none.
    pub fn fingerprint(&self) -> TokenFingerprint {
        let hash = digest::digest(&digest::SHA256, self.expose().as_bytes());
        let hex = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}"));
        TokenFingerprint(hex.collect())
    }
}

impl fmt::Debug for PortalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortalToken({})", self.fingerprint())
    }
}

/// The first 16 hexadecimal digits of a token's SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenFingerprint(String);

impl TokenFingerprint {
    /// A fingerprint as it was stored.
    pub fn from_stored(hex: String) -> Self {
        Self(hex)
    }

    /// The 16 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_a_token_shows_its_fingerprint_only() {
        let token = PortalToken::new("pat-na1-not-a-real-token".to_owned());
        let printed = format!("{token:?}");
        assert!(!printed.contains("pat-na1"), "{printed}");
        assert_eq!(token.fingerprint().as_str().len(), 16);
    }
}
