use super::*;

fn read(status: u16, body: &str) -> Refusal {
    Refusal::of(
        StatusCode::from_u16(status).expect("a status"),
        &HeaderMap::new(),
        body.as_bytes(),
    )
}

#[test]
fn a_missing_scope_names_the_scopes() {
    let refusal = read(
        403,
        r#"{"category":"MISSING_SCOPES","errors":[{"message":"m","context":{"requiredGranularScopes":["a","b"]}}]}"#,
    );
    assert_eq!(
        refusal.kind,
        RefusalKind::ScopeMissing(vec!["a".to_owned(), "b".to_owned()])
    );
}

#[test]
fn a_conflict_names_the_existing_record() {
    let refusal = read(
        409,
        r#"{"message":"Contact already exists. Existing ID: 123","category":"CONFLICT"}"#,
    );
    assert_eq!(refusal.kind, RefusalKind::Conflict(Some("123".to_owned())));
}

#[test]
fn the_daily_limit_is_not_waited_for_but_the_others_are() {
    let wait = |policy: &str| read(429, &format!(r#"{{"policyName":"{policy}"}}"#)).retry_after();
    assert_eq!(wait("DAILY"), None);
    assert_eq!(wait("TEN_SECONDLY_ROLLING"), Some(Duration::from_secs(10)));
    assert_eq!(wait("SECONDLY"), Some(Duration::from_secs(1)));
}

#[test]
fn a_body_that_is_no_json_is_still_sorted_by_its_status() {
    assert_eq!(
        read(502, "<html>Bad gateway</html>").kind,
        RefusalKind::ServerFailed
    );
    assert_eq!(read(401, "").kind, RefusalKind::TokenRefused);
    assert_eq!(read(418, "").kind, RefusalKind::Other);
    let migrating = read(477, "");
    assert_eq!(migrating.retry_after(), Some(MIGRATION));
}

#[test]
fn a_lost_consent_is_told_from_a_refused_app_and_from_what_passes() {
    let read = |status: u16, body: &str| {
        let status = StatusCode::from_u16(status).expect("a status");
        Refusal::of_app(status, &HeaderMap::new(), body.as_bytes())
    };
    let kind = |status, body| read(status, body).kind;
    for lost in [
        r#"{"error":"invalid_grant","status":"BAD_REFRESH_TOKEN","message":"refresh token is invalid"}"#,
        r#"{"status":"BAD_HUB","message":"missing or unknown hub id","error":"access_denied"}"#,
    ] {
        assert_eq!(kind(400, lost), RefusalKind::ConsentLost, "{lost}");
    }
    for app in [
        r#"{"error":"invalid_client","status":"BAD_CLIENT_SECRET"}"#,
        r#"{"status":"BAD_CLIENT_ID"}"#,
        "",
        "<html>",
    ] {
        assert_eq!(kind(400, app), RefusalKind::AppRefused, "{app}");
    }
    assert_eq!(kind(401, ""), RefusalKind::AppRefused);
    assert_eq!(kind(502, "<html>"), RefusalKind::ServerFailed);
    assert!(matches!(kind(429, "{}"), RefusalKind::RateLimited { .. }));
    let repeated = read(400, r#"{"status":"BAD_x_1","message":"client_secret=s3cret"}"#);
    assert_eq!(
        (repeated.category.as_str(), repeated.message.as_str()),
        ("BAD__", "")
    );
}

#[test]
fn a_property_that_does_not_exist_is_named() {
    let refusal = read(
        400,
        r#"{"category":"VALIDATION_ERROR","message":"x","errors":[{"message":"Property \"foo\" does not exist",
           "code":"PROPERTY_DOESNT_EXIST","context":{"propertyName":["foo"]}}]}"#,
    );
    let expected = RefusalKind::Validation {
        code: Some("PROPERTY_DOESNT_EXIST".to_owned()),
        property: Some("foo".to_owned()),
    };
    assert_eq!(refusal.kind, expected);
    assert_eq!(refusal.message, "Property \"foo\" does not exist");
}

#[test]
fn every_status_that_hubspot_documents_amounts_to_what_it_says() {
    use RefusalKind as K;
    let second = Duration::from_secs;
    let table = [
        (401, K::TokenRefused, None),
        (404, K::NotFound, None),
        (409, K::Conflict(None), None),
        (423, K::Locked(second(2)), Some(second(2))),
        (477, K::Migrating(MIGRATION), Some(MIGRATION)),
        (500, K::ServerFailed, Some(second(1))),
        (502, K::ServerFailed, Some(second(1))),
        (503, K::ServerFailed, Some(second(1))),
        (504, K::ServerFailed, Some(second(1))),
        (521, K::ServerFailed, Some(second(1))),
        (522, K::ServerFailed, None),
        (523, K::ServerFailed, Some(second(1))),
        (524, K::ServerFailed, Some(second(1))),
        (525, K::ServerFailed, None),
        (526, K::ServerFailed, None),
        (302, K::Other, None),
        (403, K::Other, None),
    ];
    for (status, kind, wait) in table {
        let refusal = read(status, "");
        assert_eq!((&refusal.kind, refusal.retry_after()), (&kind, wait), "{status}");
    }
    assert!(matches!(read(414, "").kind, K::Validation { .. }));
}

#[test]
fn a_lock_is_waited_for_two_seconds_at_least_and_a_migration_as_long_as_hubspot_says() {
    let wait = |status: u16, seconds: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, seconds.parse().expect("a value"));
        let status = StatusCode::from_u16(status).expect("a status");
        Refusal::of(status, &headers, b"")
            .retry_after()
            .map(|wait| wait.as_secs())
    };
    assert_eq!(wait(423, "0"), Some(2));
    assert_eq!(wait(423, "9"), Some(9));
    assert_eq!(wait(477, "5400"), Some(5_400));
    assert_eq!(wait(477, "86400"), Some(86_400));
    assert_eq!(wait(477, "999999999"), Some(86_400), "a day at most");
    assert_eq!(wait(477, "Wed, 21 Oct 2026 07:28:00 GMT"), Some(3_600));
}

#[test]
fn a_token_that_expired_is_told_from_one_that_is_not_known_and_from_what_is_none() {
    let fault = |message: &str, category: &str| {
        let body = serde_json::json!({ "message": message, "category": category });
        read(401, &body.to_string()).token_fault()
    };
    let expired = "EXPIRED_AUTHENTICATION";
    assert_eq!(
        fault(
            "The OAuth token used to make this call expired 75 second(s) ago.",
            expired
        ),
        Some(TokenFault::Expired)
    );
    assert_eq!(
        fault(
            "The OAuth token used to make this call expired 3 day(s) ago.",
            expired
        ),
        Some(TokenFault::Expired)
    );
    assert_eq!(
        fault(
            "The OAuth token used to make this call expired 20705 day(s) ago.",
            expired
        ),
        Some(TokenFault::NotAToken)
    );
    assert_eq!(
        fault("Authentication credentials not found.", "INVALID_AUTHENTICATION"),
        Some(TokenFault::NotKnown)
    );
    assert_eq!(read(401, "<html>").token_fault(), Some(TokenFault::NotKnown));
    assert_eq!(read(404, "").token_fault(), None);
}

#[test]
fn a_401_is_of_the_token_unless_its_category_says_otherwise_and_a_403_never_is() {
    let is_of_the_token = |status: u16, category: &str| {
        let body = serde_json::json!({ "message": "m", "category": category });
        read(status, &body.to_string()).is_of_the_token()
    };
    assert!(is_of_the_token(401, "EXPIRED_AUTHENTICATION"));
    assert!(is_of_the_token(401, "INVALID_AUTHENTICATION"));
    assert!(is_of_the_token(401, ""));
    assert!(read(401, "<html>").is_of_the_token());
    assert!(!is_of_the_token(401, "USER_DOES_NOT_HAVE_PERMISSIONS"));
    assert!(!is_of_the_token(403, "MISSING_SCOPES"));
    assert!(!is_of_the_token(403, "INVALID_AUTHENTICATION"));
}

#[test]
fn a_property_that_the_account_requires_is_named() {
    for (code, name) in [
        ("MISSING_CONDITIONAL_REQUIRED_PROPERTY", "lead_tier"),
        ("MISSING_REQUIRED_PROPERTY", "contact_type"),
    ] {
        let body = serde_json::json!({
            "category": "VALIDATION_ERROR",
            "message": "m",
            "errors": [{ "message": "is required", "code": code, "context": { "propertyName": [name] } }]
        });
        let expected = RefusalKind::Validation {
            code: Some(code.to_owned()),
            property: Some(name.to_owned()),
        };
        assert_eq!(read(400, &body.to_string()).kind, expected);
    }
}

#[test]
fn what_is_odd_in_one_field_does_not_take_the_others_with_it() {
    let refusal = read(
        429,
        r#"{"policyName":"DAILY","message":null,"errors":null,"context":[],"category":7,"correlationId":"c-1"}"#,
    );
    assert_eq!(
        (refusal.retry_after(), refusal.correlation_id.as_str()),
        (None, "c-1")
    );
    assert!(matches!(refusal.kind, RefusalKind::RateLimited { ref policy, .. } if policy == "DAILY"));
    let scopes = read(
        403,
        r#"{"category":"MISSING_SCOPES","errors":[7,{"context":{"requiredScopes":"a"}}]}"#,
    );
    assert_eq!(scopes.kind, RefusalKind::ScopeMissing(vec!["a".to_owned()]));
    let deep = format!(r#"{{"category":{}"#, "[".repeat(100_000));
    assert_eq!(read(404, &deep).kind, RefusalKind::NotFound);
}

#[test]
fn a_row_of_a_batch_amounts_to_what_a_call_of_its_own_would() {
    let row = |json: serde_json::Value| Refusal::of_row(&json);
    let taken = row(serde_json::json!({
        "category": "CONFLICT", "message": "Contact already exists. Existing ID: 123"
    }));
    assert_eq!(
        (taken.status, &taken.kind),
        (409, &RefusalKind::Conflict(Some("123".to_owned())))
    );
    let absent = row(serde_json::json!({ "category": "OBJECT_NOT_FOUND", "message": "m" }));
    assert_eq!((absent.status, &absent.kind), (404, &RefusalKind::NotFound));
    let embedded = row(serde_json::json!({
        "category": "VALIDATION_ERROR",
        "message": "Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"missing\\\" does not \
                    exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"missing\",\"portalId\":1}]"
    }));
    let expected = RefusalKind::Validation {
        code: Some("PROPERTY_DOESNT_EXIST".to_owned()),
        property: Some("missing".to_owned()),
    };
    assert_eq!((embedded.status, &embedded.kind), (400, &expected));
    assert_eq!(embedded.message, "Property \"missing\" does not exist");
    let strange = row(serde_json::json!(["what"]));
    assert_eq!((strange.status, &strange.kind), (207, &RefusalKind::Other));
}

#[test]
fn a_row_without_an_answer_is_an_error_that_says_whether_something_may_have_happened() {
    use crate::{Effect, Error};
    use hubkeep_core::{clock::SystemClock, id::CallId, random::SystemRandom};
    let call_id = CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
    let error = |row: RowRefusal, effect| row.into_error(effect, call_id);
    assert!(matches!(
        error(RowRefusal::Unknown, Effect::Write),
        Error::OutcomeUnknown { .. }
    ));
    assert!(matches!(
        error(RowRefusal::Unknown, Effect::Read),
        Error::NoAnswer { .. }
    ));
    let refused = error(RowRefusal::not_found(), Effect::Write);
    assert!(matches!(refused, Error::Refused(refusal, _) if refusal.kind == RefusalKind::NotFound));
}
