use http::{HeaderMap, StatusCode};
use hubkeep_core::{clock::SystemClock, error::status, id::RequestId, random::SystemRandom};
use serde_json::json;

use super::*;

fn refused_with(kind: RefusalKind) -> Error {
    let refusal = Refusal {
        status: 400,
        kind,
        category: String::new(),
        message: "said".to_owned(),
        correlation_id: "c-1".to_owned(),
        receipt: None,
    };
    Error::Refused(Box::new(refusal), Limits::default())
}

#[test]
fn every_refusal_has_its_kind_and_reason() {
    use {ErrorKind as K, ErrorReason as R};
    let limited = |retry_after| RefusalKind::RateLimited {
        policy: "DAILY".to_owned(),
        retry_after,
    };
    let second = Duration::from_secs(1);
    let table = [
        (RefusalKind::TokenRefused, K::FailedPrecondition, R::TokenRefused),
        (
            RefusalKind::ScopeMissing(Vec::new()),
            K::FailedPrecondition,
            R::ScopeMissing,
        ),
        (
            RefusalKind::ConsentLost,
            K::FailedPrecondition,
            R::ConsentRequired,
        ),
        (RefusalKind::AppRefused, K::FailedPrecondition, R::AppRefused),
        (RefusalKind::NotFound, K::NotFound, R::ObjectNotFound),
        (RefusalKind::Conflict(None), K::AlreadyExists, R::ObjectConflict),
        (
            RefusalKind::Validation {
                code: None,
                property: None,
            },
            K::InvalidArgument,
            R::HubspotValidation,
        ),
        (limited(None), K::ResourceExhausted, R::HubspotRateLimited),
        (RefusalKind::Locked(second), K::Unavailable, R::ObjectLocked),
        (RefusalKind::Migrating(second), K::Unavailable, R::PortalMigrating),
        (RefusalKind::ServerFailed, K::Unavailable, R::HubspotUnavailable),
        (RefusalKind::Other, K::FailedPrecondition, R::HubspotRefused),
    ];
    for (kind, expected_kind, expected_reason) in table {
        let error = refused_with(kind);
        assert_eq!(
            (error.kind(), error.reason()),
            (expected_kind, expected_reason),
            "{error}"
        );
    }
}

#[test]
fn reads_that_failed_in_passing_may_be_sent_again_and_nothing_else() {
    let limited = |retry_after| RefusalKind::RateLimited {
        policy: "x".to_owned(),
        retry_after,
    };
    assert!(refused_with(limited(Some(Duration::from_secs(10)))).is_passing());
    assert!(
        !refused_with(RefusalKind::RateLimited {
            policy: "DAILY".to_owned(),
            retry_after: Some(Duration::from_secs(10)),
        })
        .is_passing(),
        "the daily limit does not pass by waiting"
    );
    assert!(refused_with(RefusalKind::ServerFailed).is_passing());
    assert!(!refused_with(RefusalKind::TokenRefused).is_passing());
    assert!(!refused_with(RefusalKind::Migrating(Duration::from_secs(1))).is_passing());
}

#[test]
fn a_write_may_be_sent_again_only_where_it_is_certain_that_it_was_not_carried_out() {
    let limited = |policy: &str| RefusalKind::RateLimited {
        policy: policy.to_owned(),
        retry_after: Some(Duration::from_secs(1)),
    };
    let unknown = Error::OutcomeUnknown {
        call_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id"),
        hubspot_failed: true,
        detail: "cut off".to_owned(),
        receipt: None,
    };
    let table = [
        (Error::NotSent("no connection".to_owned()), true),
        (refused_with(RefusalKind::Locked(Duration::from_secs(2))), true),
        (refused_with(limited("TEN_SECONDLY_ROLLING")), true),
        (refused_with(limited("DAILY")), false),
        (refused_with(RefusalKind::ServerFailed), false),
        (
            refused_with(RefusalKind::Migrating(Duration::from_secs(1))),
            false,
        ),
        (refused_with(RefusalKind::Conflict(None)), false),
        (unknown, false),
    ];
    for (error, again) in table {
        assert_eq!(error.is_passing_for_a_write(), again, "{error}");
    }
}

#[test]
fn what_was_cut_off_by_a_revocation_asks_for_another_handle_and_is_not_sent_again() {
    let error = Error::Revoked("cut off".to_owned());
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Unauthenticated, ErrorReason::HandleInvalid)
    );
    assert!(!error.is_passing());
    assert_eq!(error.retry_after(), None);
    assert!(error.public_message().ends_with("take a new one"));
}

#[test]
fn the_metadata_names_what_the_reason_promises() {
    let error = refused_with(RefusalKind::Conflict(Some("42".to_owned())));
    let metadata = error.metadata();
    assert!(
        metadata.contains(&("existing_object_id", "42".to_owned())),
        "{metadata:?}"
    );
    assert!(
        metadata.contains(&("hubspot_correlation_id", "c-1".to_owned())),
        "{metadata:?}"
    );
}

#[test]
fn the_message_of_a_migration_names_the_delay_that_is_told_with_it() {
    let table = [
        (Duration::from_secs(1), "try again in 1 second"),
        (Duration::from_secs(30), "try again in 30 seconds"),
        (Duration::from_millis(119_001), "try again in 2 minutes"),
        (Duration::from_secs(3_600), "try again in 60 minutes"),
        (Duration::from_secs(7_201), "try again in 3 hours"),
    ];
    for (delay, expected) in table {
        let error = refused_with(RefusalKind::Migrating(delay));
        assert_eq!(error.retry_after(), Some(delay));
        let message = error.public_message();
        assert!(message.ends_with(expected), "{delay:?}: {message}");
    }
}

#[test]
fn what_hubspot_says_at_length_still_reaches_a_caller() {
    let request_id = RequestId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
    let scopes = vec!["crm.objects.contacts.sensitive.read"; 500];
    let long = "\u{1f375}?".repeat(3_000);
    for (code, body) in [
        (429, json!({ "policyName": long })),
        (429, json!({ "policyName": "LONG_".repeat(3_000) })),
        (
            409,
            json!({ "message": format!("Existing ID: {}", "7".repeat(9_000)) }),
        ),
        (418, json!({ "category": "LONG_".repeat(3_000), "message": long })),
        (
            400,
            json!({ "errors": [{ "message": long, "code": long, "context": { "propertyName": [long] } }] }),
        ),
        (
            403,
            json!({ "category": "MISSING_SCOPES", "context": { "requiredScopes": scopes } }),
        ),
    ] {
        let code = StatusCode::from_u16(code).expect("a status");
        let refusal = Refusal::of(code, &HeaderMap::new(), body.to_string().as_bytes());
        let error = Error::Refused(Box::new(refusal), Limits::default());
        let told = status::from_error(&error, request_id).into_http::<()>();
        let headers = told.headers().iter();
        let bytes: usize = headers
            .map(|(name, value)| name.as_str().len() + value.len() + 32)
            .sum();
        assert!(bytes < 8_192, "{bytes} bytes of headers: {error}");
    }
}

#[test]
fn what_hubspots_support_must_look_at_is_not_asked_again_and_says_so() {
    let of = |status: u16| {
        let status = StatusCode::from_u16(status).expect("a status");
        let refusal = Refusal::of(status, &HeaderMap::new(), b"<html>");
        Error::Refused(Box::new(refusal), Limits::default())
    };
    for status in [500, 502, 503, 504, 521, 523, 524] {
        assert!(of(status).is_passing(), "{status}");
    }
    for status in [522, 525, 526] {
        let error = of(status);
        assert!(!error.is_passing(), "{status}");
        assert_eq!(
            (error.kind(), error.retry_after()),
            (ErrorKind::Unavailable, None)
        );
        assert!(error.public_message().contains("support"), "{error}");
    }
}

#[test]
fn a_redirect_a_long_address_and_a_token_that_is_none_each_have_a_sentence() {
    let says = |status: u16, body: &str| {
        let status = StatusCode::from_u16(status).expect("a status");
        let refusal = Refusal::of(status, &HeaderMap::new(), body.as_bytes());
        Error::Refused(Box::new(refusal), Limits::default()).public_message()
    };
    assert!(says(302, "").contains("never followed"));
    assert!(says(414, "").contains("too long"));
    assert!(says(400, "").contains("does not say why"));
    let expired = |ago: &str| {
        let body = json!({ "category": "EXPIRED_AUTHENTICATION", "message": format!("expired {ago} ago.") });
        says(401, &body.to_string())
    };
    assert!(expired("75 second(s)").contains("has expired"));
    assert!(expired("20705 day(s)").contains("it is none"));
}
