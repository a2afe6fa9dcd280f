use super::*;

#[test]
fn each_error_has_its_kind_and_reason() {
    let client_slug: ClientSlug = "acme".parse().expect("valid");
    let slug = || client_slug.clone();
    let rotation_id: RotationId = "0199f3a0-0000-7000-8000-000000000001".parse().expect("valid");
    let consumer = || "billing".parse::<CallerName>().expect("valid");
    let failed = ErrorKind::FailedPrecondition;
    let table = [
        (
            Error::Unknown(rotation_id),
            ErrorKind::NotFound,
            "ROTATION_UNKNOWN",
        ),
        (
            Error::TokenUnchanged {
                client_slug: slug(),
                name: CredentialName::default(),
            },
            ErrorKind::AlreadyExists,
            "TOKEN_UNCHANGED",
        ),
        (
            Error::ScopesNarrower(vec!["a".to_owned()]),
            failed,
            "SCOPES_NARROWER",
        ),
        (Error::OldTokenRefused(rotation_id), failed, "OLD_TOKEN_REFUSED"),
        (
            Error::State {
                rotation_id,
                state: State::Done,
            },
            failed,
            "ROTATION_STATE",
        ),
        (
            Error::ConsumerUnknown(consumer()),
            ErrorKind::NotFound,
            "CONSUMER_UNKNOWN",
        ),
        (
            Error::ConsumerBehind {
                name: consumer(),
                rotations: vec![rotation_id.to_string()],
            },
            failed,
            "CONSUMER_BEHIND",
        ),
        (
            Error::TaskEnded {
                rotation_id,
                consumer: consumer(),
                why: "dropped".to_owned(),
            },
            failed,
            "TASK_ENDED",
        ),
        (
            Error::ConsumerDiffers(consumer()),
            ErrorKind::AlreadyExists,
            "CONSUMER_DIFFERS",
        ),
        (
            Error::ConsumerPortalsUnknown(vec![slug()]),
            ErrorKind::NotFound,
            "CONSUMER_PORTALS_UNKNOWN",
        ),
        (
            Error::FingerprintMismatch {
                rotation_id,
                expected: TokenFingerprint::from_stored("0".repeat(16)),
            },
            failed,
            "FINGERPRINT_MISMATCH",
        ),
        (
            Error::StoreVersionMismatch {
                rotation_id,
                expected: 7,
            },
            failed,
            "STORE_VERSION_MISMATCH",
        ),
        (
            Error::Contended(slug()),
            ErrorKind::Unavailable,
            "ROTATION_CONTENDED",
        ),
        (
            Error::Portals(portals::Error::Unknown(slug())),
            ErrorKind::NotFound,
            "PORTAL_UNKNOWN",
        ),
        (
            Error::Vault(vault::Error::NotText("x".to_owned())),
            ErrorKind::Internal,
            "INTERNAL",
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
            Error::from(sqlx::Error::PoolClosed),
            ErrorKind::Unavailable,
            "STORAGE_UNAVAILABLE",
        ),
        (Error::BrokenRow("x".to_owned()), ErrorKind::Internal, "INTERNAL"),
        (Error::Random(RandomError), ErrorKind::Internal, "INTERNAL"),
    ];
    for (error, kind, reason) in table {
        assert_eq!(
            (error.kind(), error.reason().wire_name()),
            (kind, reason),
            "{error}"
        );
        assert_eq!(
            error.retry_after().is_some(),
            matches!(error, Error::Contended(_))
        );
    }
}
