//! A refusal from HubSpot, or from whatever answered in its place. Promise: its status decides what it amounts to, not
//! its words; nobody waits for more than a day because of it; an id that is put on record is an id; and the status that
//! a caller is given reaches them: it fits into what HTTP/2 takes as headers everywhere.

#![no_main]

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use hubkeep_core::{
    clock::{MockClock, Timestamp},
    error::{ServiceError as _, status},
    id::RequestId,
};
use hubkeep_fuzz::{Given, headers};
use hubkeep_hubspot::{Error, Limits, Refusal, RefusalKind, fuzzing};
use libfuzzer_sys::fuzz_target;

/// The smallest limit of headers that is usual: proxies and clients in other languages have 8 KiB and more.
const MOST_HEADER_BYTES: usize = 8 * 1_024;
const DAY: Duration = Duration::from_secs(86_400);

fuzz_target!(|data: &[u8]| {
    let Some((code, rest)) = data.split_at_checked(3) else {
        return;
    };
    let code = std::str::from_utf8(code)
        .ok()
        .and_then(|text| text.parse::<u16>().ok());
    let Some(code) = code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .filter(|code| !code.is_success())
    else {
        return;
    };
    let (headers, body) = headers(rest);
    of_token(code, &headers, body);
    of_app(code, &headers, body);
});

fn of_token(code: StatusCode, headers: &HeaderMap, body: &[u8]) {
    let refusal = fuzzing::refusal(code, headers, body);
    let by_status = match (code.as_u16(), &refusal.kind) {
        (401, kind) => matches!(kind, RefusalKind::TokenRefused),
        (403, kind) => matches!(kind, RefusalKind::ScopeMissing(_) | RefusalKind::Other),
        (404, kind) => matches!(kind, RefusalKind::NotFound),
        (409, kind) => matches!(kind, RefusalKind::Conflict(_)),
        (400 | 414, kind) => matches!(kind, RefusalKind::Validation { .. }),
        (423, kind) => matches!(kind, RefusalKind::Locked(_)),
        (429, kind) => matches!(kind, RefusalKind::RateLimited { .. }),
        (477, kind) => matches!(kind, RefusalKind::Migrating(_)),
        (500..=599, kind) => matches!(kind, RefusalKind::ServerFailed),
        (_, kind) => matches!(kind, RefusalKind::Other),
    };
    assert!(by_status, "{refusal:?}");
    if let RefusalKind::Conflict(Some(id)) = &refusal.kind {
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
    }
    sound(refusal);
}

fn of_app(code: StatusCode, headers: &HeaderMap, body: &[u8]) {
    let refusal = fuzzing::refusal_of_app(code, headers, body);
    assert!(refusal.message.is_empty(), "what was asked held secrets");
    assert!(
        refusal
            .category
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    );
    if code.is_server_error() {
        assert_eq!(
            refusal.kind,
            RefusalKind::ServerFailed,
            "no consent is given up for it"
        );
    }
    sound(refusal);
}

fn sound(refusal: Refusal) {
    assert!(refusal.retry_after().is_none_or(|wait| wait <= DAY));
    assert!(refusal.message.chars().count() <= 300);
    let id = refusal.correlation_id.as_bytes();
    assert!(
        id.len() <= 64
            && id
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    );

    let error = Error::Refused(Box::new(refusal), Limits::default());
    assert!(error.retry_after().is_none_or(|wait| wait <= DAY));
    let clock = MockClock::at(Timestamp::from_micros(1));
    let request_id = RequestId::make(&*clock, &Given(vec![1])).expect("there are bytes");
    let told = status::from_error(&error, request_id).into_http::<()>();
    let bytes: usize = told
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum();
    assert!(bytes <= MOST_HEADER_BYTES, "{bytes} bytes of headers: {error}");
}
