//! What an act on a portal as a whole can end with.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, FieldViolation, ServiceError},
    id::{ClientSlug, PortalId},
    random::RandomError,
};
use thiserror::Error;

use crate::{access, handles, holders, portals, revocations, rotation};

/// A portal was not suspended, resumed, contained or erased.
#[derive(Debug, Error)]
pub enum Error {
    /// The id that was named to confirm an erasure is not the portal's.
    #[error("the id that was named is not that of {0}")]
    OtherPortal(ClientSlug),
    /// The keys here are destroyed, and crm-service has not confirmed that its own are.
    #[error("crm-service has not confirmed the erasure of {0}")]
    Pending(ClientSlug),
    /// Somebody else changed it at the same moment.
    #[error("portal {0} was changed by somebody else")]
    Contended(ClientSlug),
    /// The note of an erasure is missing or cannot be read.
    #[error("the erasure of portal {0} cannot be read")]
    Unreadable(PortalId),
    /// The key with which the service signs cannot be used.
    #[error("the signing key cannot be used")]
    SigningKey,
    /// The room of portals refused.
    #[error(transparent)]
    Portals(#[from] portals::Error),
    /// The room of handles refused.
    #[error(transparent)]
    Handles(#[from] handles::Error),
    /// Whose names are whose cannot be read.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// The room of holders refused.
    #[error(transparent)]
    Holders(#[from] holders::Error),
    /// The room of rotations refused.
    #[error(transparent)]
    Rotations(#[from] rotation::Error),
    /// The feed failed.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// Keys could not be used or destroyed.
    #[error("keys could not be used or destroyed")]
    Seal(#[from] hubkeep_seal::Error),
    /// The tombstone could not be written.
    #[error("the tombstone could not be written")]
    Audit(#[from] hubkeep_audit_log::Error),
    /// The database failed.
    #[error("the tables of the fleet failed")]
    Storage(#[from] database::Error),
    /// A tombstone could not be written as JSON.
    #[error("a tombstone could not be noted")]
    Json(#[from] serde_json::Error),
    /// No randomness for a key.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// How soon asking again is worth it.
const SOON: Duration = Duration::from_secs(1);
const ID_RULE: &str = "must be the id of the portal that this slug stands for";

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::OtherPortal(_) => ErrorKind::InvalidArgument,
            Self::Pending(_) | Self::Contended(_) | Self::Storage(_) => ErrorKind::Unavailable,
            Self::Unreadable(_) | Self::SigningKey | Self::Json(_) | Self::Random(_) => ErrorKind::Internal,
            Self::Portals(error) => error.kind(),
            Self::Handles(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Holders(error) => error.kind(),
            Self::Rotations(error) => error.kind(),
            Self::Revocations(error) => error.kind(),
            Self::Seal(error) => error.kind(),
            Self::Audit(error) => error.kind(),
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::OtherPortal(_) => ErrorReason::InvalidField,
            Self::Pending(_) => ErrorReason::ErasurePending,
            Self::Contended(_) | Self::Storage(_) => ErrorReason::StorageUnavailable,
            Self::Unreadable(_) | Self::SigningKey | Self::Json(_) | Self::Random(_) => ErrorReason::Internal,
            Self::Portals(error) => error.reason(),
            Self::Handles(error) => error.reason(),
            Self::Access(error) => error.reason(),
            Self::Holders(error) => error.reason(),
            Self::Rotations(error) => error.reason(),
            Self::Revocations(error) => error.reason(),
            Self::Seal(error) => error.reason(),
            Self::Audit(error) => error.reason(),
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::OtherPortal(_) => format!("expected_portal_id: {ID_RULE}"),
            Self::Pending(slug) => format!(
                "{slug} is erased here; crm-service has not confirmed yet that its keys are destroyed too: ask again \
                 for the certificate, and see that crm-service runs"
            ),
            Self::Contended(slug) => format!("somebody else changed {slug} at this moment: try again"),
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
            Self::Unreadable(_) | Self::SigningKey | Self::Json(_) | Self::Random(_) => {
                "an internal error; the request id finds it".to_owned()
            }
            Self::Portals(error) => error.public_message(),
            Self::Handles(error) => error.public_message(),
            Self::Access(error) => error.public_message(),
            Self::Holders(error) => error.public_message(),
            Self::Rotations(error) => error.public_message(),
            Self::Revocations(error) => error.public_message(),
            Self::Seal(error) => error.public_message(),
            Self::Audit(error) => error.public_message(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Pending(slug) => vec![("client_slug", slug.to_string())],
            Self::Portals(error) => error.metadata(),
            Self::Handles(error) => error.metadata(),
            Self::Access(error) => error.metadata(),
            Self::Holders(error) => error.metadata(),
            Self::Revocations(error) => error.metadata(),
            Self::Rotations(error) => error.metadata(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Pending(_) | Self::Contended(_) => Some(SOON),
            Self::Portals(error) => error.retry_after(),
            Self::Handles(error) => error.retry_after(),
            Self::Rotations(error) => error.retry_after(),
            _ => None,
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::OtherPortal(_) => vec![FieldViolation {
                field: "expected_portal_id".to_owned(),
                description: ID_RULE.to_owned(),
            }],
            Self::Portals(error) => error.field_violations(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let slug: ClientSlug = "acme".parse().expect("a slug");
        let id = PortalId::new(7).expect("an id");
        let not_json = serde_json::from_str::<u8>("x").expect_err("not JSON");
        let defect = (ErrorKind::Internal, "INTERNAL");
        let table = [
            (
                Error::OtherPortal(slug.clone()),
                (ErrorKind::InvalidArgument, "INVALID_FIELD"),
            ),
            (
                Error::Pending(slug.clone()),
                (ErrorKind::Unavailable, "ERASURE_PENDING"),
            ),
            (
                Error::Contended(slug.clone()),
                (ErrorKind::Unavailable, "STORAGE_UNAVAILABLE"),
            ),
            (Error::Unreadable(id), defect),
            (Error::SigningKey, defect),
            (
                Error::Portals(portals::Error::Unknown(slug)),
                (ErrorKind::NotFound, "PORTAL_UNKNOWN"),
            ),
            (
                Error::Handles(handles::Error::TooMany(1)),
                (ErrorKind::ResourceExhausted, "TOO_MANY_HANDLES"),
            ),
            (
                Error::Holders(holders::Error::NotContained("caller x".to_owned())),
                (ErrorKind::NotFound, "CONTAINMENT_UNKNOWN"),
            ),
            (
                Error::Rotations(rotation::Error::from(sqlx::Error::PoolClosed)),
                (ErrorKind::Unavailable, "STORAGE_UNAVAILABLE"),
            ),
            (Error::Revocations(revocations::Error::Broken(1)), defect),
            (Error::Seal(hubkeep_seal::Error::Library), defect),
            (
                Error::Audit(hubkeep_audit_log::Error::Unavailable(
                    hubkeep_audit_log::Failure::Stopped,
                )),
                (ErrorKind::Unavailable, "AUDIT_UNAVAILABLE"),
            ),
            (
                Error::from(sqlx::Error::PoolClosed),
                (ErrorKind::Unavailable, "STORAGE_UNAVAILABLE"),
            ),
            (Error::Json(not_json), defect),
            (Error::Random(RandomError), defect),
        ];
        for (error, expected) in table {
            assert_eq!((error.kind(), error.reason().wire_name()), expected, "{error}");
        }
    }
}
