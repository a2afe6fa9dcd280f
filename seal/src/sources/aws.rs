//! A key-encryption key in AWS KMS, which never leaves it.

use std::fmt;

use aws_lc_rs::digest;
use aws_sdk_kms::{Client, error::SdkError, operation::decrypt::DecryptError, primitives::Blob};
use futures::future::{BoxFuture, FutureExt as _};
use hubkeep_core::random::Random;
use zeroize::{Zeroize as _, Zeroizing};

use super::AwsKekConfig;
use crate::{
    kek::{Kek, KekError},
    key::KEY_LEN,
    remote::{RemoteError, aws_lost, aws_settings},
};

/// The word of the encryption context. It is shown in CloudTrail in the clear, so it holds a hash and nothing else.
const CONTEXT: &str = "hubkeep-place";

/// A key-encryption key in AWS KMS.
pub(crate) struct AwsKek {
    id: String,
    client: Client,
    config: AwsKekConfig,
}

impl AwsKek {
    pub(crate) async fn new(config: &AwsKekConfig) -> Result<Self, RemoteError> {
        let region = config
            .region()
            .ok_or_else(|| RemoteError::Unusable("key_arn is not the ARN of a key".to_owned()))?;
        let settings = aws_settings(&config.server, region).await;
        Ok(Self {
            id: format!("aws-kms/{}", config.key_arn),
            client: Client::new(&settings),
            config: config.clone(),
        })
    }

    /// Whether it was our key that did it.
    fn is_ours(&self, key_id: Option<&str>) -> Result<(), RemoteError> {
        if key_id == Some(self.config.key_arn.as_str()) {
            return Ok(());
        }
        Err(RemoteError::Nonsense("another key answered than was asked"))
    }

    async fn encrypt(&self, key: &[u8; KEY_LEN], aad: &[u8]) -> Result<Vec<u8>, KekError> {
        let answer = self
            .client
            .encrypt()
            .key_id(&self.config.key_arn)
            .encryption_context(CONTEXT, hash(aad))
            .plaintext(Blob::new(key.as_slice()))
            .send()
            .await
            .map_err(|error| aws_lost(error, &self.config.server))?;
        self.is_ours(answer.key_id())?;
        let wrapped = answer.ciphertext_blob.map(Blob::into_inner);
        wrapped.ok_or_else(|| RemoteError::Nonsense("no ciphertext came").into())
    }

    async fn decrypt(&self, wrapped: &[u8], aad: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, KekError> {
        let answer = self
            .client
            .decrypt()
            .key_id(&self.config.key_arn)
            .encryption_context(CONTEXT, hash(aad))
            .ciphertext_blob(Blob::new(wrapped))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(said)) if is_about_the_ciphertext(said.err()) => {
                return Err(KekError::Refused);
            }
            Err(error) => return Err(aws_lost(error, &self.config.server).into()),
        };
        self.is_ours(answer.key_id())?;
        let mut plaintext = answer.plaintext.map(Blob::into_inner).unwrap_or_default();
        let key = <[u8; KEY_LEN]>::try_from(plaintext.as_slice()).map(Zeroizing::new);
        plaintext.zeroize();
        key.map_err(|_| RemoteError::Nonsense("what it unwrapped is not a key").into())
    }
}

impl Kek for AwsKek {
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

impl fmt::Debug for AwsKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKek")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn hash(aad: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, aad))
}

/// Whether it looked at the ciphertext and found it altered, moved, or another key's.
fn is_about_the_ciphertext(error: &DecryptError) -> bool {
    error.is_invalid_ciphertext_exception() || error.is_incorrect_key_exception()
}
