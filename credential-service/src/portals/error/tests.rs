//! The table of what each error is told as.

use super::*;

#[test]
fn each_error_has_its_kind_and_reason() {
    let client_slug: ClientSlug = "acme".parse().expect("valid");
    let portal_id = PortalId::new(7).expect("not zero");
    let slug = || client_slug.clone();
    let table = [
        (Error::Unknown(slug()), ErrorKind::NotFound, "PORTAL_UNKNOWN"),
        (
            Error::Suspended(slug()),
            ErrorKind::FailedPrecondition,
            "PORTAL_SUSPENDED",
        ),
        (
            Error::Contained(slug()),
            ErrorKind::PermissionDenied,
            "PORTAL_CONTAINED",
        ),
        (
            Error::Erased(slug()),
            ErrorKind::FailedPrecondition,
            "PORTAL_ERASED",
        ),
        (
            Error::NotAgain {
                client_slug: slug(),
                portal_id,
            },
            ErrorKind::FailedPrecondition,
            "PORTAL_ERASED",
        ),
        (
            Error::RollbackSuspected(slug()),
            ErrorKind::FailedPrecondition,
            "PORTAL_ROLLBACK_SUSPECTED",
        ),
        (
            Error::Altered("acme".to_owned()),
            ErrorKind::FailedPrecondition,
            "PORTAL_ALTERED",
        ),
        (Error::RowKeyMissing, ErrorKind::Unavailable, "KEY_UNAVAILABLE"),
        (
            Error::StoreVersion(sqlx::Error::PoolClosed.into()),
            ErrorKind::Unavailable,
            "STORAGE_UNAVAILABLE",
        ),
        (
            Error::CredentialUnknown {
                client_slug: slug(),
                name: CredentialName::default(),
            },
            ErrorKind::NotFound,
            "CREDENTIAL_UNKNOWN",
        ),
        (
            Error::AccessTokens(crate::access_tokens::Error::ConsentLost),
            ErrorKind::FailedPrecondition,
            "CONSENT_REQUIRED",
        ),
        (Error::TokenForm, ErrorKind::InvalidArgument, "INVALID_FIELD"),
        (
            Error::SlugTaken {
                client_slug: slug(),
                portal_id,
            },
            ErrorKind::AlreadyExists,
            "CLIENT_SLUG_TAKEN",
        ),
        (
            Error::AlreadyOnboarded {
                client_slug: slug(),
                portal_id,
            },
            ErrorKind::AlreadyExists,
            "PORTAL_ALREADY_ONBOARDED",
        ),
        (
            Error::TokenDiffers {
                client_slug: slug(),
                portal_id,
            },
            ErrorKind::AlreadyExists,
            "TOKEN_DIFFERS",
        ),
        (
            Error::TokenHeld {
                client_slug: slug(),
                portal_id,
                credential: CredentialName::default(),
            },
            ErrorKind::AlreadyExists,
            "TOKEN_HELD",
        ),
        (
            Error::Contended(slug()),
            ErrorKind::Unavailable,
            "STORAGE_UNAVAILABLE",
        ),
        (
            Error::TokenOfAnotherPortal {
                expected: portal_id,
                actual: portal_id,
            },
            ErrorKind::FailedPrecondition,
            "TOKEN_OF_ANOTHER_PORTAL",
        ),
        (
            Error::IdentityUnclear {
                account: portal_id,
                token: portal_id,
            },
            ErrorKind::FailedPrecondition,
            "TOKEN_IDENTITY_UNCLEAR",
        ),
        (
            Error::TokenUnknown,
            ErrorKind::FailedPrecondition,
            "TOKEN_REFUSED",
        ),
        (
            Error::RowDuplicate {
                row: 2,
                first_row: 1,
                what: Repeated::Token,
            },
            ErrorKind::AlreadyExists,
            "IMPORT_ROW_DUPLICATE",
        ),
        (
            Error::BudgetExhausted { wait: Duration::ZERO },
            ErrorKind::ResourceExhausted,
            "BUDGET_EXHAUSTED",
        ),
        (
            Error::HubSpot(hubkeep_hubspot::Error::NotSent(String::new())),
            ErrorKind::Unavailable,
            "HUBSPOT_UNAVAILABLE",
        ),
        (
            Error::Seal(hubkeep_seal::Error::Library),
            ErrorKind::Internal,
            "INTERNAL",
        ),
        (
            Error::Vault(vault::Error::NotText("x".to_owned())),
            ErrorKind::Internal,
            "INTERNAL",
        ),
        (
            Error::from(sqlx::Error::PoolClosed),
            ErrorKind::Unavailable,
            "STORAGE_UNAVAILABLE",
        ),
        (Error::BrokenRow(7), ErrorKind::Internal, "INTERNAL"),
        (Error::Random(RandomError), ErrorKind::Internal, "INTERNAL"),
    ];
    for (error, kind, reason) in table {
        assert_eq!(
            (error.kind(), error.reason().wire_name()),
            (kind, reason),
            "{error}"
        );
    }
}
