//! The handle as it travels. Promise: what is read is a whole handle, exactly as it was sent; no cut one and none with
//! another character passes; and none is ever printed.

#![no_main]

use hubkeep_core::handle_token::{HandleToken, LENGTH};
use hubkeep_fuzz::Given;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(handle) = HandleToken::parse(text)
    {
        whole(&handle, text);
    }
    // A handle of these bytes, and what becomes of it when it is cut or changed.
    let Some((secret, [at, byte, ..])) = data.split_at_checked(32) else {
        return;
    };
    let made = HandleToken::make(&Given(secret.to_vec())).expect("there are bytes");
    let text = made.expose();
    whole(&HandleToken::parse(text).expect("what was made reads back"), text);
    let at = usize::from(*at) % LENGTH;
    assert!(HandleToken::parse(&text[..at]).is_err(), "cut to {at}");
    let mut changed = text.as_bytes().to_vec();
    changed[at] = *byte & 0x7f;
    let changed = String::from_utf8(changed).expect("ASCII");
    assert_eq!(
        HandleToken::parse(&changed).is_ok(),
        changed == text,
        "changed at {at}"
    );
    assert!(
        HandleToken::parse(&format!("{text}{}", char::from(*byte))).is_err(),
        "longer"
    );
});

fn whole(handle: &HandleToken, sent: &str) {
    assert_eq!(handle.expose(), sent);
    assert_eq!(sent.len(), LENGTH);
    assert!(sent.starts_with("hk1_") && sent.is_ascii());
    assert!(!format!("{handle:?}").contains(&sent[4..12]));
}
