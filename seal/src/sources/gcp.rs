//! A key-encryption key in Google Cloud KMS, which never leaves it. What travels is checked by CRC-32C on both sides.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use futures::future::{BoxFuture, FutureExt as _};
use hubkeep_core::{clock::SharedClock, random::Random};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{GcpKekConfig, vault::key_of};
use crate::{
    kek::{Kek, KekError},
    key::KEY_LEN,
    remote::{Google, RemoteError, SecretText},
};

const ENDPOINT: &str = "https://cloudkms.googleapis.com";

/// A key-encryption key in Google Cloud KMS.
pub(crate) struct GcpKek {
    id: String,
    google: Google,
    key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Encrypt {
    plaintext: SecretText,
    plaintext_crc32c: String,
    additional_authenticated_data: String,
    additional_authenticated_data_crc32c: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Encrypted {
    name: String,
    ciphertext: String,
    ciphertext_crc32c: String,
    verified_plaintext_crc32c: bool,
    verified_additional_authenticated_data_crc32c: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Decrypt {
    ciphertext: String,
    ciphertext_crc32c: String,
    additional_authenticated_data: String,
    additional_authenticated_data_crc32c: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decrypted {
    plaintext: SecretText,
    plaintext_crc32c: String,
}

impl GcpKek {
    pub(crate) fn new(config: &GcpKekConfig, clock: SharedClock) -> Result<Self, RemoteError> {
        Ok(Self {
            id: format!("gcp-kms/{}", config.key),
            google: Google::new(&config.server, ENDPOINT, clock)?,
            key: config.key.clone(),
        })
    }

    async fn encrypt(&self, key: &[u8; KEY_LEN], aad: &[u8]) -> Result<Vec<u8>, KekError> {
        let question = Encrypt {
            plaintext: SecretText::new(BASE64.encode(key)),
            plaintext_crc32c: crc(key),
            additional_authenticated_data: BASE64.encode(aad),
            additional_authenticated_data_crc32c: crc(aad),
        };
        let path = format!("v1/{}:encrypt", self.key);
        let answer = self.google.ask(Method::POST, &path, Some(&question)).await?;
        let answer: Encrypted = answer.json()?;
        if !answer.name.starts_with(&format!("{}/", self.key)) {
            return Err(RemoteError::Nonsense("another key answered than was asked").into());
        }
        if !(answer.verified_plaintext_crc32c && answer.verified_additional_authenticated_data_crc32c) {
            return Err(RemoteError::Nonsense("the question was altered on its way").into());
        }
        let wrapped = BASE64
            .decode(answer.ciphertext)
            .map_err(|_| RemoteError::Nonsense("no ciphertext came"))?;
        unaltered(&wrapped, &answer.ciphertext_crc32c)?;
        Ok(wrapped)
    }

    async fn decrypt(&self, wrapped: &[u8], aad: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, KekError> {
        let question = Decrypt {
            ciphertext: BASE64.encode(wrapped),
            ciphertext_crc32c: crc(wrapped),
            additional_authenticated_data: BASE64.encode(aad),
            additional_authenticated_data_crc32c: crc(aad),
        };
        let path = format!("v1/{}:decrypt", self.key);
        let answer = match self.google.ask(Method::POST, &path, Some(&question)).await {
            Ok(answer) => answer.json::<Decrypted>()?,
            // What does not open is an invalid argument to it, and it does not say which.
            Err(RemoteError::Refused { status: 400, told }) if told.contains("Decryption failed") => {
                return Err(KekError::Refused);
            }
            Err(error) => return Err(error.into()),
        };
        let key = key_of(answer.plaintext.expose())?;
        unaltered(key.as_slice(), &answer.plaintext_crc32c)?;
        Ok(key)
    }
}

impl Kek for GcpKek {
    fn id(&self) -> &str {
        &self.id
    }

    fn wrap<'a>(
        &'a self,
        key: &'a [u8; 32],
        aad: &'a [u8],
        _random: &'a dyn Random,
    ) -> BoxFuture<'a, Result<Vec<u8>, KekError>> {
        self.encrypt(key, aad).boxed()
    }

    fn unwrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        aad: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<[u8; 32]>, KekError>> {
        self.decrypt(wrapped, aad).boxed()
    }
}

impl fmt::Debug for GcpKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpKek")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// As Google writes it: a number of 64 bits, in JSON a text.
fn crc(bytes: &[u8]) -> String {
    crc32c::crc32c(bytes).to_string()
}

fn unaltered(bytes: &[u8], told: &str) -> Result<(), RemoteError> {
    if crc(bytes) == told {
        return Ok(());
    }
    Err(RemoteError::Nonsense("the answer was altered on its way"))
}
