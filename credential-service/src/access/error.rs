//! Why nobody gets a handle, or a grant or a person could not be changed.

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, ServiceError},
    id::{CallerName, ClientSlug, GrantId, PersonId},
};
use thiserror::Error;

use super::Lacking;
use crate::{holders, revocations};

/// A handle was not permitted, or a grant or a person not changed.
#[derive(Debug, Error)]
pub enum Error {
    /// No grant covers the wish. Says nothing of whether there is such a portal.
    #[error("no grant lets the caller have that for {client_slug}: {} is lacking", .lacking.name())]
    Missing {
        /// The portal that was named.
        client_slug: ClientSlug,
        /// What the nearest grant does not cover.
        lacking: Lacking,
        /// The nearest grant, where one selects the portal.
        grant_id: Option<GrantId>,
    },
    /// The caller, or the person that it is, is contained.
    #[error("{0}, or the person that it is, is contained")]
    Contained(CallerName),
    /// The person is contained, and would lose a name by which it is.
    #[error("person {0} is contained")]
    PersonContained(PersonId),
    /// There is no grant of this id.
    #[error("there is no grant {0}")]
    GrantUnknown(GrantId),
    /// There is no person of this id.
    #[error("there is no person {0}")]
    PersonUnknown(PersonId),
    /// A name is another person's.
    #[error("{name} is {person_id}'s")]
    IdentityTaken {
        /// The name.
        name: String,
        /// Whose it is.
        person_id: PersonId,
    },
    /// It could not be said how a holder of handles stands.
    #[error(transparent)]
    Holders(#[from] holders::Error),
    /// The sequence of revocations failed.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// A record could not be sealed or opened.
    #[error("a record of access could not be sealed or opened")]
    Seal(#[from] hubkeep_seal::Error),
    /// The log could not be told how far a record has come, or asked.
    #[error("the log could not be told of a record of access, or asked")]
    Log(#[from] hubkeep_audit_log::Error),
    /// A record could not be written as JSON.
    #[error("a record of access could not be written")]
    Record(#[from] serde_json::Error),
    /// The database failed.
    #[error("the tables of access failed")]
    Storage(#[from] database::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } | Self::Contained(_) => ErrorKind::PermissionDenied,
            Self::GrantUnknown(_) | Self::PersonUnknown(_) => ErrorKind::NotFound,
            Self::IdentityTaken { .. } => ErrorKind::AlreadyExists,
            Self::PersonContained(_) => ErrorKind::FailedPrecondition,
            Self::Holders(error) => error.kind(),
            Self::Revocations(error) => error.kind(),
            Self::Seal(error) => error.kind(),
            Self::Log(error) => error.kind(),
            Self::Record(_) => ErrorKind::Internal,
            Self::Storage(_) => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Missing { .. } => ErrorReason::GrantMissing,
            Self::Contained(_) => ErrorReason::CallerContained,
            Self::GrantUnknown(_) => ErrorReason::GrantUnknown,
            Self::PersonUnknown(_) => ErrorReason::PersonUnknown,
            Self::IdentityTaken { .. } => ErrorReason::IdentityTaken,
            Self::PersonContained(_) => ErrorReason::PersonContained,
            Self::Holders(error) => error.reason(),
            Self::Revocations(error) => error.reason(),
            Self::Seal(error) => error.reason(),
            Self::Log(error) => error.reason(),
            Self::Record(_) => ErrorReason::Internal,
            Self::Storage(_) => ErrorReason::StorageUnavailable,
        }
    }

    fn public_message(&self) -> String {
        match self {
            Self::Missing {
                client_slug,
                grant_id: None,
                ..
            } => format!("no grant lets you have handles for {client_slug}: ask an operator for one"),
            Self::Missing {
                client_slug,
                lacking,
                grant_id: Some(grant_id),
            } => format!(
                "no grant lets you have that for {client_slug}: {grant_id} comes nearest, and does not cover the {}; ask \
                 for less, or an operator for more",
                lacking.name()
            ),
            Self::Contained(caller) => {
                format!("{caller}, or the person that it is, is contained: stop, and ask an operator")
            }
            Self::GrantUnknown(grant_id) => format!("there is no grant {grant_id}"),
            Self::PersonUnknown(person_id) => format!("there is no person {person_id}: put it first"),
            Self::IdentityTaken { name, person_id } => {
                format!("{name} is {person_id}'s: take it from {person_id} first")
            }
            Self::PersonContained(person_id) => format!(
                "{person_id} is contained, and keeps every name by which it is: lift the containment first, or name them all"
            ),
            Self::Holders(error) => error.public_message(),
            Self::Revocations(error) => error.public_message(),
            Self::Seal(error) => error.public_message(),
            Self::Log(error) => error.public_message(),
            Self::Record(_) => "an internal error; the request id finds it".to_owned(),
            Self::Storage(_) => "the service's database did not answer: try again".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Missing {
                client_slug,
                lacking,
                grant_id,
            } => {
                let portal = [
                    ("client_slug", client_slug.to_string()),
                    ("lacking", lacking.name().to_owned()),
                ];
                let nearest = grant_id.iter().map(|id| ("grant_id", id.to_string()));
                portal.into_iter().chain(nearest).collect()
            }
            Self::Contained(caller) => vec![("caller", caller.to_string())],
            Self::GrantUnknown(grant_id) => vec![("grant_id", grant_id.to_string())],
            Self::PersonUnknown(person_id)
            | Self::PersonContained(person_id)
            | Self::IdentityTaken { person_id, .. } => {
                vec![("person_id", person_id.to_string())]
            }
            Self::Holders(error) => error.metadata(),
            Self::Revocations(error) => error.metadata(),
            Self::Seal(error) => error.metadata(),
            Self::Log(error) => error.metadata(),
            Self::Record(_) | Self::Storage(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_audit_log::Failure;

    use super::*;

    fn missing(grant_id: Option<&str>) -> Error {
        Error::Missing {
            client_slug: "acme".parse().expect("valid"),
            lacking: if grant_id.is_some() {
                Lacking::Budget
            } else {
                Lacking::Portal
            },
            grant_id: grant_id.map(|id| id.parse().expect("valid")),
        }
    }

    #[test]
    fn each_error_has_its_kind_and_reason() {
        let not_json = serde_json::from_str::<u8>("x").expect_err("not JSON");
        let ann: PersonId = "ann".parse().expect("valid");
        let table = [
            (missing(None), ErrorKind::PermissionDenied, "GRANT_MISSING"),
            (
                Error::Contained("sync".parse().expect("valid")),
                ErrorKind::PermissionDenied,
                "CALLER_CONTAINED",
            ),
            (
                Error::GrantUnknown("g".parse().expect("valid")),
                ErrorKind::NotFound,
                "GRANT_UNKNOWN",
            ),
            (
                Error::PersonUnknown(ann.clone()),
                ErrorKind::NotFound,
                "PERSON_UNKNOWN",
            ),
            (
                Error::PersonContained(ann.clone()),
                ErrorKind::FailedPrecondition,
                "PERSON_CONTAINED",
            ),
            (
                Error::IdentityTaken {
                    name: "operator/ann".to_owned(),
                    person_id: ann,
                },
                ErrorKind::AlreadyExists,
                "IDENTITY_TAKEN",
            ),
            (
                Error::Holders(sqlx::Error::PoolClosed.into()),
                ErrorKind::Unavailable,
                "STORAGE_UNAVAILABLE",
            ),
            (
                Error::Revocations(revocations::Error::Broken(1)),
                ErrorKind::Internal,
                "INTERNAL",
            ),
            (
                Error::Seal(hubkeep_seal::Error::Library),
                ErrorKind::Internal,
                "INTERNAL",
            ),
            (
                Error::Log(hubkeep_audit_log::Error::Unavailable(Failure::Stopped)),
                ErrorKind::Unavailable,
                "AUDIT_UNAVAILABLE",
            ),
            (Error::Record(not_json), ErrorKind::Internal, "INTERNAL"),
            (
                Error::from(sqlx::Error::PoolClosed),
                ErrorKind::Unavailable,
                "STORAGE_UNAVAILABLE",
            ),
        ];
        for (error, kind, reason) in table {
            assert_eq!(
                (error.kind(), error.reason().wire_name()),
                (kind, reason),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_missing_is_told_with_the_nearest_grant_where_there_is_one() {
        let portal = [
            ("client_slug", "acme".to_owned()),
            ("lacking", "portal".to_owned()),
        ];
        assert_eq!(missing(None).metadata(), portal);
        let budget = [
            ("client_slug", "acme".to_owned()),
            ("lacking", "budget".to_owned()),
            ("grant_id", "nightly".to_owned()),
        ];
        assert_eq!(missing(Some("nightly")).metadata(), budget);
        assert!(missing(Some("nightly")).public_message().contains("the budget"));
    }
}
