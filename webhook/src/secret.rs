//! What deliveries are signed with.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hubkeep_core::{
    clock::Timestamp,
    random::{Random, RandomError},
};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use thiserror::Error;

const PREFIX: &str = "whsec_";
/// Bytes of a secret that is made here.
const MADE: usize = 32;

/// Not a secret of the form that Standard Webhooks asks for. Nothing of it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be whsec_ and the base64 of 24 to 64 random bytes")]
pub struct InvalidSecret;

/// The key of a receiver's signatures. Wiped when it is dropped.
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// Reads `whsec_<base64>`; the prefix may be left out.
    ///
    /// # Errors
    /// If it is not base64 of 24 to 64 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidSecret)?;
        if (24..=64).contains(&bytes.len()) {
            Ok(Self(bytes.into()))
        } else {
            Err(InvalidSecret)
        }
    }

    /// A new secret.
    ///
    /// # Errors
    /// If there is no randomness to be had.
    pub fn make(random: &dyn Random) -> Result<Self, RandomError> {
        Ok(Self(random.bytes::<MADE>()?.to_vec().into()))
    }

    /// The secret as its receiver keeps it: `whsec_<base64>`.
    pub fn reveal(&self) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(self.0.expose_secret())).into()
    }

    /// The header `webhook-signature` of this delivery.
    pub(crate) fn sign(&self, id: &str, second: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose_secret());
        let mut signing = hmac::Context::with_key(&key);
        signing.update(format!("{id}.{second}.").as_bytes());
        signing.update(body);
        format!("v1,{}", STANDARD.encode(signing.sign()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// The whole second in which this is.
pub(crate) const fn second(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use hubkeep_core::random::SystemRandom;

    use super::*;

    /// The example of the specification.
    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("valid");
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_has_24_to_64_bytes_and_is_never_repeated_or_printed() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        assert!(Secret::parse(&of(24)).is_ok() && Secret::parse(&of(64)).is_ok());
        for bad in ["", "whsec_", "whsec_!", &of(23), &of(65)] {
            assert_eq!(Secret::parse(bad).err(), Some(InvalidSecret), "{bad}");
        }
        let secret = Secret::make(&*SystemRandom::shared()).expect("random");
        let shown = secret.reveal();
        assert!(Secret::parse(shown.expose_secret()).is_ok());
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
    }
}
