use hubkeep_core::{clock::SystemClock, random::SystemRandom};

use super::*;

#[test]
fn each_error_has_its_kind_and_reason() {
    let handle_id = HandleId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
    let requested: ClientSlug = "acme".parse().expect("valid");
    let unknown = portals::Error::Unknown(requested.clone());
    let not_json = serde_json::from_str::<u8>("x").expect_err("not JSON");
    let table = [
        (
            Error::Invalid {
                cause: Cause::HandleExpired,
                handle_id: None,
                portal: None,
            },
            ErrorKind::Unauthenticated,
            "HANDLE_INVALID",
        ),
        (Error::Altered("x".to_owned()), ErrorKind::Internal, "INTERNAL"),
        (
            Error::PortalMismatch { handle_id, requested },
            ErrorKind::PermissionDenied,
            "PORTAL_MISMATCH",
        ),
        (
            Error::NotThatPortal {
                requested: "acme".parse().expect("valid"),
                expected: PortalId::new(1),
            },
            ErrorKind::PermissionDenied,
            "PORTAL_MISMATCH",
        ),
        (
            Error::Wider(handle_id, Wider("budget")),
            ErrorKind::PermissionDenied,
            "HANDLE_WIDER",
        ),
        (
            Error::TooDeep(handle_id),
            ErrorKind::FailedPrecondition,
            "HANDLE_TOO_DEEP",
        ),
        (
            Error::Scope(Vec::new()),
            ErrorKind::InvalidArgument,
            "INVALID_FIELD",
        ),
        (
            Error::BudgetSpent(handle_id, Spent::Calls),
            ErrorKind::ResourceExhausted,
            "HANDLE_BUDGET_EXHAUSTED",
        ),
        (
            Error::ReservationUnusable("used"),
            ErrorKind::Unauthenticated,
            "RESERVATION_INVALID",
        ),
        (
            Error::ActionChanged,
            ErrorKind::FailedPrecondition,
            "ACTION_CHANGED",
        ),
        (
            Error::CertificateRefused("why".to_owned()),
            ErrorKind::FailedPrecondition,
            "CERTIFICATE_REFUSED",
        ),
        (
            Error::ReadNotAllowed(handle_id, "READ_AUDIT"),
            ErrorKind::PermissionDenied,
            "OPERATION_NOT_ALLOWED",
        ),
        (
            Error::Lifetime { max_secs: 900 },
            ErrorKind::InvalidArgument,
            "INVALID_FIELD",
        ),
        (
            Error::TooMany(64),
            ErrorKind::ResourceExhausted,
            "TOO_MANY_HANDLES",
        ),
        (
            Error::Behind { seen: 2, newest: 1 },
            ErrorKind::Unavailable,
            "CREDENTIAL_SERVICE_UNAVAILABLE",
        ),
        (
            Error::Access(access::Error::Contained("sync".parse().expect("valid"))),
            ErrorKind::PermissionDenied,
            "CALLER_CONTAINED",
        ),
        (Error::Portal(unknown), ErrorKind::NotFound, "PORTAL_UNKNOWN"),
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
        (Error::Claims(not_json), ErrorKind::Internal, "INTERNAL"),
        (
            Error::from(sqlx::Error::PoolClosed),
            ErrorKind::Unavailable,
            "STORAGE_UNAVAILABLE",
        ),
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

#[test]
fn a_caller_cannot_tell_why_a_handle_is_not_valid() {
    let told = |cause| {
        let error = Error::Invalid {
            cause,
            handle_id: None,
            portal: None,
        };
        (
            error.public_message(),
            error.metadata(),
            error.kind(),
            error.retry_after(),
        )
    };
    let unknown = told(Cause::HandleUnknown);
    for cause in [
        Cause::HandleExpired,
        Cause::HandleRevoked,
        Cause::HandleOfAnotherCaller,
    ] {
        assert_eq!(told(cause), unknown);
    }
}
