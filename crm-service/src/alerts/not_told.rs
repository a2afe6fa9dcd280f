//! Why an alert did not reach somebody.

use thiserror::Error;

use crate::credentials;

/// It was not told, or nothing came of it.
#[derive(Debug, Error)]
pub(super) enum NotTold {
    /// The receiver did not take it.
    #[error(transparent)]
    Receiver(#[from] hubkeep_webhook::Error),
    /// Nothing was contained, or nobody knows.
    #[error("what it is about is not contained")]
    NotContained(#[source] credentials::Error),
}

impl NotTold {
    /// Whether the same would become of everything else for the same receiver now.
    pub(super) const fn concerns_all(&self) -> bool {
        match self {
            Self::Receiver(error) => matches!(error, hubkeep_webhook::Error::Failed { .. }),
            Self::NotContained(_) => true,
        }
    }
}
