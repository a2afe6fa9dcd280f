//! In what a grant falls short of a call.

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    error::{ErrorKind, ErrorReason},
    id::ClientSlug,
};
use thiserror::Error as ThisError;

use crate::crm::{LimitedBy, ObjectType, Outside};

/// The portal that a request means. There is no default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// Its slug.
    pub client_slug: ClientSlug,
    /// Its id, where the caller has stated it; 0 where not.
    pub expected_portal_id: u64,
}

impl Meant {
    /// In what a portal is not the one that is meant.
    pub fn differs_from(&self, portal: &ProvenPortal) -> Option<Cause> {
        let expected = self.expected_portal_id;
        let other_slug = portal.client_slug() != &self.client_slug;
        let other_id = expected != 0 && expected != portal.portal_id().get();
        (other_slug || other_id).then(|| Cause::Portal {
            requested: self.client_slug.to_string(),
            // Where the slug is another's, the id is not looked at: one thing is told at a time.
            expected: (!other_slug).then_some(expected),
        })
    }
}

/// In what a grant falls short.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum Cause {
    /// It is for another portal than the request names.
    #[error("the handle is for another portal than {requested} {expected:?}")]
    Portal {
        /// The slug in the request.
        requested: String,
        /// The id in the request, where the slug fits and the id does not.
        expected: Option<u64>,
    },
    /// It does not cover the operation on the type.
    #[error("the handle does not cover {operation} on {object_type}")]
    Operation {
        /// The operation.
        operation: &'static str,
        /// The type.
        object_type: String,
    },
    /// It does not cover a property that is written or compared.
    #[error("the handle does not cover the property {property}")]
    Property {
        /// The property.
        property: String,
    },
    /// Its writes are to be approved by a human.
    #[error("the handle's writes are to be approved: {operation} is not made directly")]
    Approval {
        /// The operation.
        operation: &'static str,
    },
    /// It does not cover the record, or what the record would become.
    #[error("the handle does not cover this record of {object_type}, by its {}", .limited_by.name())]
    Record {
        /// The record's type.
        object_type: String,
        /// The limit that the record is outside of.
        limited_by: LimitedBy,
        /// The property that the values to be written must name, where it is they that put the record outside.
        property: Option<String>,
    },
}

impl Cause {
    /// A record that is there, and outside.
    pub(super) fn record(object_type: &ObjectType, limited_by: LimitedBy) -> Self {
        Self::Record {
            object_type: object_type.to_string(),
            limited_by,
            property: None,
        }
    }

    /// Values that would put a record outside.
    pub(super) fn values(object_type: &ObjectType, outside: &Outside) -> Self {
        Self::Record {
            object_type: object_type.to_string(),
            limited_by: outside.by,
            property: Some(outside.property.as_str().to_owned()),
        }
    }

    pub(super) const fn kind(&self) -> ErrorKind {
        match self {
            Self::Approval { .. } => ErrorKind::FailedPrecondition,
            _ => ErrorKind::PermissionDenied,
        }
    }

    pub(super) const fn reason(&self) -> ErrorReason {
        match self {
            Self::Portal { .. } => ErrorReason::PortalMismatch,
            Self::Operation { .. } => ErrorReason::OperationNotAllowed,
            Self::Property { .. } => ErrorReason::FieldNotAllowed,
            Self::Approval { .. } => ErrorReason::ApprovalRequired,
            Self::Record { .. } => ErrorReason::RecordNotAllowed,
        }
    }

    pub(super) fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Portal { requested, expected } => {
                let mut metadata = vec![("requested_client_slug", requested.clone())];
                metadata.extend(expected.map(|id| ("expected_portal_id", id.to_string())));
                metadata
            }
            Self::Operation {
                operation,
                object_type,
            } => {
                vec![
                    ("operation", (*operation).to_owned()),
                    ("object_type", object_type.clone()),
                ]
            }
            Self::Property { property } => vec![("property", property.clone())],
            Self::Approval { operation } => vec![("operation", (*operation).to_owned())],
            Self::Record {
                object_type,
                limited_by,
                ..
            } => vec![
                ("object_type", object_type.clone()),
                ("limited_by", limited_by.name().to_owned()),
            ],
        }
    }

    pub(super) fn advice(&self) -> String {
        match self {
            Self::Portal {
                requested,
                expected: None,
            } => {
                format!("this handle is not for {requested}: nothing was sent; take a handle for {requested}")
            }
            Self::Portal {
                requested,
                expected: Some(expected),
            } => format!(
                "this handle is for {requested}, and that is not portal {expected}: nothing was sent; find out which of \
                 the two is meant"
            ),
            Self::Operation {
                operation,
                object_type,
            } if object_type.is_empty() => {
                format!("this handle does not allow {operation}: take one that does, or ask an operator")
            }
            Self::Operation {
                operation,
                object_type,
            } => {
                format!("this handle does not allow {operation} on {object_type}: take one that does")
            }
            Self::Property { property } => {
                format!("this handle does not allow the property {property} here: take one that does")
            }
            Self::Approval { operation } => format!(
                "this handle's writes are approved by a human: {operation} is proposed, and not made directly"
            ),
            Self::Record {
                object_type,
                limited_by,
                property: Some(property),
            } => format!(
                "this handle is limited by {}: name {property} among the values to be written to {object_type}, and one \
                 that the handle allows; nothing was written",
                limited_by.name()
            ),
            Self::Record {
                object_type,
                limited_by,
                property: None,
            } => format!(
                "this handle is limited by {}, and does not allow this of {object_type}: take one that does",
                limited_by.name()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::id::PortalId;

    use super::*;

    fn differs(client_slug: &str, expected_portal_id: u64) -> Option<Cause> {
        let portal = ProvenPortal::by_redeemed_handle(
            PortalId::new(42).expect("not zero"),
            "acme".parse().expect("valid"),
        );
        let meant = Meant {
            client_slug: client_slug.parse().expect("valid"),
            expected_portal_id,
        };
        meant.differs_from(&portal)
    }

    #[test]
    fn a_portal_is_the_one_that_is_meant_by_its_slug_and_by_its_id_where_that_is_stated() {
        assert_eq!(differs("acme", 0), None);
        assert_eq!(differs("acme", 42), None);
        let keys = |cause: Option<Cause>| {
            let metadata = cause.expect("another").metadata();
            metadata.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(
            keys(differs("acme", 43)),
            ["requested_client_slug", "expected_portal_id"]
        );
        assert_eq!(keys(differs("acme", u64::MAX)).len(), 2, "no portal's id");
        assert_eq!(keys(differs("globex", 43)), ["requested_client_slug"]);
        assert_eq!(keys(differs("globex", 42)), ["requested_client_slug"]);
    }

    #[test]
    fn what_a_grant_lacks_has_its_own_reason_each() {
        let deals = "deals".to_owned();
        let table = [
            (
                Cause::Portal {
                    requested: "globex".to_owned(),
                    expected: None,
                },
                ErrorKind::PermissionDenied,
                ErrorReason::PortalMismatch,
                "requested_client_slug",
            ),
            (
                Cause::Operation {
                    operation: "GET",
                    object_type: deals.clone(),
                },
                ErrorKind::PermissionDenied,
                ErrorReason::OperationNotAllowed,
                "operation",
            ),
            (
                Cause::Property {
                    property: "email".to_owned(),
                },
                ErrorKind::PermissionDenied,
                ErrorReason::FieldNotAllowed,
                "property",
            ),
            (
                Cause::Approval { operation: "UPDATE" },
                ErrorKind::FailedPrecondition,
                ErrorReason::ApprovalRequired,
                "operation",
            ),
            (
                Cause::Record {
                    object_type: deals,
                    limited_by: LimitedBy::Pipelines,
                    property: None,
                },
                ErrorKind::PermissionDenied,
                ErrorReason::RecordNotAllowed,
                "limited_by",
            ),
        ];
        for (cause, kind, reason, key) in table {
            assert_eq!((cause.kind(), cause.reason()), (kind, reason));
            assert!(cause.metadata().iter().any(|(name, _)| *name == key), "{cause}");
        }
    }
}
