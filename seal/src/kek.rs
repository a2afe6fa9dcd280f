//! What wraps keys: a file today; a key service has the same shape.

use std::fmt;

use futures::future::BoxFuture;
use hubkeep_core::random::Random;
use thiserror::Error;
use zeroize::Zeroizing;

/// The key-encryption key did not do its work.
#[derive(Debug, Error)]
pub enum KekError {
    /// Another key-encryption key wrapped it, or the wrapped key was altered or moved to another row.
    #[error("the wrapped key does not open: it was altered, or another key-encryption key wrapped it")]
    Refused,
    /// It opens what it wrapped at any place: it does not authenticate associated data.
    #[error("the key does not authenticate associated data: take one of type aes256-gcm96")]
    Unbound,
    /// It cannot be used now.
    #[error("the key-encryption key cannot be used")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A key-encryption key. It wraps the keys of owners and nothing else.
pub trait Kek: fmt::Debug + Send + Sync + 'static {
    /// Its public name: the same for the same key, and stored beside all that it wrapped.
    fn id(&self) -> &str;

    /// Encrypts a 32-byte key together with `aad`.
    fn wrap<'a>(
        &'a self,
        key: &'a [u8; 32],
        aad: &'a [u8],
        random: &'a dyn Random,
    ) -> BoxFuture<'a, Result<Vec<u8>, KekError>>;

    /// Gives back the key that was wrapped, if `aad` is the same.
    fn unwrap<'a>(
        &'a self,
        wrapped: &'a [u8],
        aad: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<[u8; 32]>, KekError>>;
}
