//! What can become of a rotation, or of what is asked about one.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    id::{CallerName, ClientSlug, CredentialName, RotationId},
    random::RandomError,
    secret::TokenFingerprint,
};
use thiserror::Error;

use super::state::State;
use crate::{portals, revocations, vault};

/// Something about a rotation, or about a consumer, was not done.
#[derive(Debug, Error)]
pub enum Error {
    /// No rotation with this id.
    #[error("there is no rotation {0}")]
    Unknown(RotationId),
    /// The portal holds this very token, and not by the last rotation of the credential.
    #[error("credential {name} of {client_slug} holds this very token")]
    TokenUnchanged {
        /// The portal.
        client_slug: ClientSlug,
        /// The credential that holds it.
        name: CredentialName,
    },
    /// The new token lacks scopes.
    #[error("the new token lacks scopes of the old one: {}", .0.join(", "))]
    ScopesNarrower(Vec<String>),
    /// The old token is dead.
    #[error("HubSpot refuses the old token of rotation {0}")]
    OldTokenRefused(RotationId),
    /// Not where the rotation stands.
    #[error("rotation {rotation_id} is {state}")]
    State {
        /// The rotation.
        rotation_id: RotationId,
        /// Where it stands.
        state: State,
    },
    /// No consumer of this name.
    #[error("there is no consumer {0}")]
    ConsumerUnknown(CallerName),
    /// A consumer has open tasks, and nobody said why it should be removed nevertheless.
    #[error("consumer {name} is behind with {} rotations", .rotations.len())]
    ConsumerBehind {
        /// The consumer.
        name: CallerName,
        /// The rotations that wait for it.
        rotations: Vec<String>,
    },
    /// A task that is over was acknowledged.
    #[error("the task of {consumer} in rotation {rotation_id} has ended")]
    TaskEnded {
        /// The rotation.
        rotation_id: RotationId,
        /// The consumer.
        consumer: CallerName,
        /// Why, in the words that stand with it.
        why: String,
    },
    /// A consumer of this name is registered otherwise.
    #[error("consumer {0} is registered otherwise")]
    ConsumerDiffers(CallerName),
    /// A consumer was to be registered for portals that there are not.
    #[error("no portals: {}", joined(.0))]
    ConsumerPortalsUnknown(Vec<ClientSlug>),
    /// The consumer runs on another token.
    #[error("the token in force by rotation {rotation_id} is {expected}")]
    FingerprintMismatch {
        /// The rotation.
        rotation_id: RotationId,
        /// The token in force.
        expected: TokenFingerprint,
    },
    /// The consumer's store is not one in which the token in force can be.
    #[error("rotation {rotation_id} was switched at store version {expected}")]
    StoreVersionMismatch {
        /// The rotation.
        rotation_id: RotationId,
        /// The version of the switch.
        expected: u64,
    },
    /// Others change the portal's credentials at the same time.
    #[error("credentials of {0} kept changing")]
    Contended(ClientSlug),
    /// The room of portals refused.
    #[error(transparent)]
    Portals(#[from] portals::Error),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The sequence of revocations failed.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// A webhook's address could not be sealed or opened.
    #[error("a webhook's address could not be sealed or opened")]
    Seal(#[from] hubkeep_seal::Error),
    /// The database failed.
    #[error("the tables of rotations failed")]
    Storage(#[from] database::Error),
    /// A row cannot be read.
    #[error("the row {0} of rotations or consumers cannot be read")]
    BrokenRow(String),
    /// No randomness for an id or a secret.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// How soon a contended rotation may be tried again.
const SOON: Duration = Duration::from_millis(500);
/// How many rotations a message names.
const NAMED: usize = 5;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Error {
    /// The other room's own error, where one refused.
    fn inner(&self) -> Option<&dyn ServiceError> {
        match self {
            Self::Portals(error) => Some(error),
            Self::Vault(error) => Some(error),
            Self::Revocations(error) => Some(error),
            Self::Seal(error) => Some(error),
            _ => None,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown(_) | Self::ConsumerUnknown(_) | Self::ConsumerPortalsUnknown(_) => {
                ErrorKind::NotFound
            }
            Self::TokenUnchanged { .. } | Self::ConsumerDiffers(_) => ErrorKind::AlreadyExists,
            Self::ScopesNarrower(_)
            | Self::OldTokenRefused(_)
            | Self::State { .. }
            | Self::ConsumerBehind { .. }
            | Self::TaskEnded { .. }
            | Self::FingerprintMismatch { .. }
            | Self::StoreVersionMismatch { .. } => ErrorKind::FailedPrecondition,
            Self::Contended(_) | Self::Storage(_) => ErrorKind::Unavailable,
            Self::BrokenRow(_) | Self::Random(_) => ErrorKind::Internal,
            Self::Portals(error) => error.kind(),
            Self::Vault(error) => error.kind(),
            Self::Revocations(error) => error.kind(),
            Self::Seal(error) => error.kind(),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Unknown(_) => ErrorReason::RotationUnknown,
            Self::TokenUnchanged { .. } => ErrorReason::TokenUnchanged,
            Self::ScopesNarrower(_) => ErrorReason::ScopesNarrower,
            Self::OldTokenRefused(_) => ErrorReason::OldTokenRefused,
            Self::State { .. } => ErrorReason::RotationState,
            Self::ConsumerUnknown(_) => ErrorReason::ConsumerUnknown,
            Self::ConsumerBehind { .. } => ErrorReason::ConsumerBehind,
            Self::TaskEnded { .. } => ErrorReason::TaskEnded,
            Self::ConsumerDiffers(_) => ErrorReason::ConsumerDiffers,
            Self::ConsumerPortalsUnknown(_) => ErrorReason::ConsumerPortalsUnknown,
            Self::FingerprintMismatch { .. } => ErrorReason::FingerprintMismatch,
            Self::StoreVersionMismatch { .. } => ErrorReason::StoreVersionMismatch,
            Self::Contended(_) => ErrorReason::RotationContended,
            Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::BrokenRow(_) | Self::Random(_) => ErrorReason::Internal,
            Self::Portals(error) => error.reason(),
            Self::Vault(error) => error.reason(),
            Self::Revocations(error) => error.reason(),
            Self::Seal(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Unknown(id) => format!("there is no rotation {id}: list them"),
            Self::TokenUnchanged { client_slug, name } => format!(
                "credential {name} of {client_slug} holds this very token already: make a new one at HubSpot"
            ),
            Self::ScopesNarrower(missing) => format!(
                "the new token lacks {}: give it these scopes at HubSpot, or allow it to be narrower",
                missing.join(", ")
            ),
            Self::OldTokenRefused(_) => {
                "HubSpot refuses the old token, so it cannot be put back: rotate to a new one".to_owned()
            }
            Self::State { state, .. } => format!("the rotation is {state}, which does not allow this"),
            Self::ConsumerUnknown(name) => {
                format!("there is no consumer {name}: an operator must register it")
            }
            Self::ConsumerBehind { name, rotations } => format!(
                "{name} has not acknowledged {}: wait for it, or say why it need not (a reason)",
                some_of(rotations)
            ),
            Self::TaskEnded { why, .. } => format!("nothing is waited for any more: {why}"),
            Self::ConsumerDiffers(name) => {
                format!(
                    "consumer {name} is registered with other portals, tags, address or deadline: remove it first"
                )
            }
            Self::ConsumerPortalsUnknown(slugs) => format!(
                "there is no portal {}: look for a slip of the pen, or onboard first",
                joined(slugs)
            ),
            Self::FingerprintMismatch { expected, .. } => {
                format!("the token in force is {expected}: read it anew, then acknowledge")
            }
            Self::StoreVersionMismatch { expected, .. } => {
                format!("the token was put in force at store version {expected}: read the store anew")
            }
            Self::Contended(slug) => format!("credentials of {slug} are being changed by others: try again"),
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::BrokenRow(_) | Self::Random(_) => "an internal error; the request id finds it".to_owned(),
            Self::Portals(error) => error.public_message(),
            Self::Vault(error) => error.public_message(),
            Self::Revocations(error) => error.public_message(),
            Self::Seal(error) => error.public_message(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Revocations(error) => error.metadata(),
            Self::Unknown(id) | Self::OldTokenRefused(id) => vec![("rotation_id", id.to_string())],
            Self::TokenUnchanged { client_slug, name } => vec![
                ("client_slug", client_slug.to_string()),
                ("credential_name", name.to_string()),
            ],
            Self::ScopesNarrower(missing) => vec![("missing_scopes", missing.join(","))],
            Self::State { rotation_id, state } => vec![
                ("rotation_id", rotation_id.to_string()),
                ("state", state.to_string()),
            ],
            Self::ConsumerUnknown(name) | Self::ConsumerDiffers(name) => {
                vec![("consumer_name", name.to_string())]
            }
            Self::ConsumerBehind { name, rotations } => vec![
                ("consumer_name", name.to_string()),
                ("open_tasks", rotations.len().to_string()),
            ],
            Self::TaskEnded {
                rotation_id,
                consumer,
                ..
            } => vec![
                ("rotation_id", rotation_id.to_string()),
                ("consumer_name", consumer.to_string()),
            ],
            Self::ConsumerPortalsUnknown(slugs) => vec![("client_slugs", joined(slugs))],
            Self::FingerprintMismatch {
                rotation_id,
                expected,
            } => vec![
                ("rotation_id", rotation_id.to_string()),
                ("expected_token_fingerprint", expected.to_string()),
            ],
            Self::StoreVersionMismatch {
                rotation_id,
                expected,
            } => vec![
                ("rotation_id", rotation_id.to_string()),
                ("expected_store_version", expected.to_string()),
            ],
            Self::Contended(slug) => vec![("client_slug", slug.to_string())],
            _ => self.inner().map(ServiceError::metadata).unwrap_or_default(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Contended(_) => Some(SOON),
            _ => self.inner().and_then(ServiceError::retry_after),
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        let inner = self.inner().map(ServiceError::field_violations);
        inner.unwrap_or_default()
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        self.inner().and_then(ServiceError::quota_violation)
    }
}

/// The first of many rotations, and how many more there are.
fn some_of(rotations: &[String]) -> String {
    let first: Vec<&str> = rotations.iter().take(NAMED).map(String::as_str).collect();
    let more = rotations.len().saturating_sub(first.len());
    let first = first.join(", ");
    match (rotations.len(), more) {
        (1, _) => format!("rotation {first}"),
        (_, 0) => format!("rotations {first}"),
        _ => format!("rotations {first} and {more} more"),
    }
}

/// Slugs with commas between them.
fn joined(slugs: &[ClientSlug]) -> String {
    slugs.iter().map(ClientSlug::as_str).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
