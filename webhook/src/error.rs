//! What can become of a delivery, other than an answer that it was taken.

use thiserror::Error as ThisError;

/// The sender could not be built.
#[derive(Debug, ThisError)]
#[error("the HTTP client for deliveries could not be set up")]
pub struct StartError(#[from] pub(crate) reqwest::Error);

/// A delivery that was not taken. Holds neither the address's path and query, nor the secret, nor what was answered.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum Error {
    /// The receiver said no, and will say so again.
    #[error("the receiver refused with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// How often it was tried.
        attempts: u32,
    },
    /// No attempt was taken: the receiver failed, was not reached, or did not answer in time.
    #[error("not taken in {attempts} attempts: {detail}")]
    Failed {
        /// How often it was tried.
        attempts: u32,
        /// What became of the last attempt, for the log.
        detail: String,
    },
}

impl Error {
    /// How often it was tried.
    pub const fn attempts(&self) -> u32 {
        match self {
            Self::Refused { attempts, .. } | Self::Failed { attempts, .. } => *attempts,
        }
    }
}
