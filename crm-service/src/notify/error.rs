//! Why nobody can be told.

use std::path::PathBuf;

use thiserror::Error;

/// The receivers cannot be set up. Holds nothing of a secret.
#[derive(Debug, Error)]
pub enum StartError {
    /// A file with a secret cannot be used.
    #[error("{key}: the file {} cannot be used: {problem}", file.display())]
    SecretFile {
        /// The key of the configuration that names it.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An address is none.
    #[error("notify.webhook.url: {0}")]
    Address(#[from] hubkeep_webhook::InvalidAddress),
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Sender(#[from] hubkeep_webhook::StartError),
}
