//! Chance, passed in. [`SystemRandom`] is the real one; tests may give a repeatable one.

use std::{fmt, sync::Arc};

use aws_lc_rs::rand::SecureRandom as _;
use thiserror::Error;

/// The machine gave no random bytes. Nothing secret can be made without them.
#[derive(Debug, Error)]
#[error("the system's random number generator failed")]
pub struct RandomError;

/// A source of random bytes fit for keys.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// If the source has none to give; `bytes` must then not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// A source of random bytes, shared by everything in a process.
pub type SharedRandom = Arc<dyn Random>;

impl dyn Random {
    /// An array of random bytes.
    ///
    /// # Errors
    /// As [`Random::fill`].
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], RandomError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// The operating system's generator, through the cryptographic library.
#[derive(Debug)]
pub struct SystemRandom(aws_lc_rs::rand::SystemRandom);

impl SystemRandom {
    /// The system's generator, ready to share.
    pub fn shared() -> SharedRandom {
        Arc::new(Self(aws_lc_rs::rand::SystemRandom::new()))
    }
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        self.0.fill(bytes).map_err(|_| RandomError)
    }
}
