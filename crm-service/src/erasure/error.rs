//! Why a portal could not be erased yet. Nobody is told but the operator who reads the service's own output: it is tried
//! again until it is done.

use hubkeep_core::{database, id::PortalId, random::RandomError};
use thiserror::Error;

use crate::{alerts, credentials, suppression, writes};

/// A portal could not be erased yet.
#[derive(Debug, Error)]
pub enum Error {
    /// The database failed.
    #[error("the table of erased portals failed")]
    Storage(#[from] database::Error),
    /// The account of writes is still there.
    #[error(transparent)]
    Writes(#[from] writes::Error),
    /// The list of erased contacts is still there.
    #[error(transparent)]
    Suppression(#[from] suppression::Error),
    /// The account of alerts is still there.
    #[error(transparent)]
    Alerts(#[from] alerts::Error),
    /// The keys could not be destroyed.
    #[error("the keys could not be destroyed")]
    Seal(#[from] hubkeep_seal::Error),
    /// The tombstone could not be written.
    #[error("the tombstone could not be written")]
    Audit(#[from] hubkeep_audit_log::Error),
    /// What was noted cannot be read.
    #[error("the erasure of portal {0} cannot be read")]
    Unreadable(PortalId),
    /// Where the tombstone stands could not be noted or read.
    #[error("the tombstone's place could not be noted or read")]
    Json(#[from] serde_json::Error),
    /// credential-service could not be told.
    #[error("credential-service could not be told: {0}")]
    Credentials(#[from] credentials::Error),
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}
