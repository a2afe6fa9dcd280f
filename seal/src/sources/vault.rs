//! A key-encryption key in the transit engine of Vault or OpenBao, which never leaves it.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use futures::future::{BoxFuture, FutureExt as _};
use hubkeep_core::{config::Fault, random::Random};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    kek::{Kek, KekError},
    key::KEY_LEN,
    remote::{RemoteError, SecretText, Vault, VaultConfig},
};

/// A key of the transit engine. It must be of a type that authenticates associated data: `aes256-gcm96`, the default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct VaultKekConfig {
    /// Which Vault.
    pub server: VaultConfig,
    /// Where the engine is mounted. "transit" unless set.
    pub mount: String,
    /// The key's name.
    pub key: String,
    /// The version of the key that wraps; 0 for the newest. What older ones wrapped opens either way.
    pub key_version: u32,
    /// Whether the key was made with `derived=true`: then a context is sent, too.
    pub derived: bool,
}

impl Default for VaultKekConfig {
    fn default() -> Self {
        Self {
            server: VaultConfig::default(),
            mount: "transit".to_owned(),
            key: String::new(),
            key_version: 0,
            derived: false,
        }
    }
}

impl VaultKekConfig {
    pub(crate) fn validate(&self, faults: &mut Vec<Fault>) {
        self.server.validate("keys.kek.vault.server", faults);
        for (name, value) in [("mount", &self.mount), ("key", &self.key)] {
            let fit = |letter: char| {
                letter.is_ascii_alphanumeric() || "-_.".contains(letter) || (letter == '/' && name == "mount")
            };
            if value.is_empty() || value.contains("..") || !value.chars().all(fit) {
                let problem = "must be letters, digits, '-', '_' and '.'";
                faults.push(Fault::new(format!("keys.kek.vault.{name}"), problem));
            }
        }
    }
}

/// A key-encryption key in a transit engine.
#[derive(Debug)]
pub(crate) struct VaultKek {
    id: String,
    vault: Vault,
    mount: String,
    key: String,
    key_version: u32,
    derived: bool,
}

#[derive(Serialize)]
struct Encrypt<'a> {
    plaintext: SecretText,
    associated_data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_version: Option<u32>,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Serialize)]
struct Decrypt<'a> {
    ciphertext: &'a str,
    associated_data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: SecretText,
}

impl VaultKek {
    pub(crate) fn new(config: &VaultKekConfig) -> Result<Self, RemoteError> {
        let vault = Vault::new(&config.server)?;
        let version = match config.key_version {
            0 => String::new(),
            version => format!("/v{version}"),
        };
        let namespace = vault.namespace().trim_matches('/');
        let id = format!("vault/{namespace}/{}/{}{version}", config.mount, config.key);
        Ok(Self {
            id,
            vault,
            mount: config.mount.clone(),
            key: config.key.clone(),
            key_version: config.key_version,
            derived: config.derived,
        })
    }

    async fn encrypt(&self, key: &[u8; KEY_LEN], aad: &[u8]) -> Result<Vec<u8>, KekError> {
        let associated_data = BASE64.encode(aad);
        let question = Encrypt {
            plaintext: SecretText::new(BASE64.encode(key)),
            associated_data: &associated_data,
            context: self.derived.then_some(associated_data.as_str()),
            key_version: (self.key_version != 0).then_some(self.key_version),
        };
        let path = format!("{}/encrypt/{}", self.mount, self.key);
        let answer: Encrypted = self.vault.data(Method::POST, &path, Some(&question)).await?;
        let prefix = match self.key_version {
            0 => "vault:v".to_owned(),
            version => format!("vault:v{version}:"),
        };
        if !answer.ciphertext.starts_with(&prefix) {
            return Err(RemoteError::Nonsense("another version of the key wrapped than was asked to").into());
        }
        Ok(answer.ciphertext.into_bytes())
    }

    async fn decrypt(&self, wrapped: &[u8], aad: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, KekError> {
        let associated_data = BASE64.encode(aad);
        let question = Decrypt {
            ciphertext: std::str::from_utf8(wrapped).map_err(|_| KekError::Refused)?,
            associated_data: &associated_data,
            context: self.derived.then_some(associated_data.as_str()),
        };
        let path = format!("{}/decrypt/{}", self.mount, self.key);
        let answer: Result<Decrypted, _> = self.vault.data(Method::POST, &path, Some(&question)).await;
        match answer {
            Ok(answer) => key_of(answer.plaintext.expose()),
            Err(RemoteError::Refused { status: 400, told }) if is_about_the_ciphertext(&told) => {
                Err(KekError::Refused)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Kek for VaultKek {
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

/// A key as services send it: 32 bytes in base64.
pub(super) fn key_of(text: &str) -> Result<Zeroizing<[u8; KEY_LEN]>, KekError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    match BASE64.decode_slice(text, key.as_mut_slice()) {
        Ok(KEY_LEN) => Ok(key),
        _ => Err(RemoteError::Nonsense("what it unwrapped is not a key").into()),
    }
}

/// Whether it looked at the ciphertext and found it altered, moved, or another key's.
fn is_about_the_ciphertext(told: &str) -> bool {
    ["message authentication failed", "invalid ciphertext"]
        .iter()
        .any(|words| told.contains(words))
}
