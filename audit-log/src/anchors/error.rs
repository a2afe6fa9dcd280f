//! Why something cannot be anchored.

use std::path::PathBuf;

use hubkeep_core::{database, random::RandomError};
use hubkeep_seal::remote::RemoteError;
use thiserror::Error;

use crate::proofs;

/// The places to anchor in cannot be set up. Holds nothing of a secret.
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
    /// The address of the webhook is none.
    #[error("audit.anchors.webhook.url: {0}")]
    Address(#[from] hubkeep_webhook::InvalidAddress),
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Sender(#[from] hubkeep_webhook::StartError),
    /// The bucket cannot be addressed.
    #[error("audit.anchors.s3: {0}")]
    S3(String),
    /// There is nothing to anchor.
    #[error("audit.anchors names a place, and nothing is signed: set audit.proofs.key_file")]
    NotSigned,
}

/// A checkpoint is not where it should be.
#[derive(Debug, Error)]
pub(super) enum NotAnchored {
    /// It is tried again.
    #[error("{0}")]
    Failed(String),
    /// Something else lies where it belongs: there are two histories.
    #[error("something else lies there under its name")]
    Forked,
}

impl From<RemoteError> for NotAnchored {
    fn from(error: RemoteError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The work in the background could not be done now.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// There is no checkpoint that can be anchored.
    #[error(transparent)]
    Proofs(#[from] proofs::Error),
    /// Something else was found where a checkpoint belongs, and nothing is put there any more.
    #[error(
        "another checkpoint of {0} heads is anchored there already: the log was set back or rewritten since. Nothing is put \
         there any more"
    )]
    Forked(u64),
    /// The table cannot be used.
    #[error("the account of anchors failed")]
    Storage(#[from] database::Error),
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// That something is not anchored is not on record.
    #[error("it could not be noted: {0}")]
    NotNoted(Box<crate::Error>),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}
