//! What is read of a request's metadata: handle, caller, deadline, request id. Promise: each is read only from what is
//! wholly one, by a rule that is written here a second time; the first header of a name counts, but of two handles none.

#![no_main]

use std::time::Duration;

use http::HeaderMap;
use hubkeep_core::{
    grpc::{CALLER_HEADER, REQUEST_ID_HEADER, bearer_handle, fuzzing},
    handle_token::HandleToken,
};
use hubkeep_fuzz::{digits, headers, text};
use libfuzzer_sys::fuzz_target;
use tonic::metadata::MetadataMap;

fuzz_target!(|data: &[u8]| {
    let (headers, _) = headers(data);
    handle(&headers);
    caller(&headers);
    timeout(&headers);
    request_id(&headers);
});

fn handle(headers: &HeaderMap) {
    let read = bearer_handle(&MetadataMap::from_headers(headers.clone())).ok();
    let sent = text(headers, "authorization").and_then(|text| {
        let (scheme, handle) = text.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case("bearer ").then(|| handle.trim())
    });
    // Which of two counts must not be a matter of who reads.
    let alone = headers.get_all("authorization").iter().count() == 1;
    let sent = sent.filter(|_| alone);
    let whole = sent.filter(|sent| HandleToken::parse(sent).is_ok());
    assert_eq!(read.as_ref().map(HandleToken::expose), whole);
}

fn caller(headers: &HeaderMap) {
    let read = fuzzing::stated_caller(headers);
    let Some(stated) = headers.get(CALLER_HEADER) else {
        assert_eq!(read.expect("nothing was stated").as_str(), "operator/dev");
        return;
    };
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/@".contains(byte);
    let stated = stated.as_bytes();
    let is_name =
        (1..=128).contains(&stated.len()) && stated[0].is_ascii_alphanumeric() && stated.iter().all(inner);
    match read {
        Ok(name) => {
            assert!(is_name, "{name} is no name");
            assert_eq!(name.as_str().as_bytes(), stated);
        }
        Err(error) => {
            assert!(!is_name, "a name was refused: {error}");
            // What was stated may be anything, and is not repeated.
            let stated = String::from_utf8_lossy(stated);
            assert!(stated.len() < 16 || !error.to_string().contains(&*stated));
        }
    }
}

fn timeout(headers: &HeaderMap) {
    let expected = text(headers, "grpc-timeout").and_then(|text| {
        let (amount, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let amount = digits(amount).filter(|_| amount.len() <= 8)?;
        let nanos: u128 = match unit {
            "H" => 3_600_000_000_000,
            "M" => 60_000_000_000,
            "S" => 1_000_000_000,
            "m" => 1_000_000,
            "u" => 1_000,
            "n" => 1,
            _ => return None,
        };
        Some(amount * nanos)
    });
    assert_eq!(
        fuzzing::timeout(headers).map(|timeout: Duration| timeout.as_nanos()),
        expected
    );
}

fn request_id(headers: &HeaderMap) {
    let Some(read) = fuzzing::request_id(headers) else {
        return;
    };
    let sent = text(headers, REQUEST_ID_HEADER).expect("it was read");
    let sent = sent.trim_start_matches("urn:uuid:").to_ascii_lowercase();
    let hex = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>();
    assert_eq!(hex(&sent), hex(&read.to_string()));
    assert!(
        sent.chars().all(|c| c.is_ascii_hexdigit() || "-{}".contains(c)),
        "{sent}"
    );
}
