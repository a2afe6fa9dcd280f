//! The leaf of an entry. Promise: an entry that reads is written as the same bytes ever after, whoever reads and writes
//! it, so that its hash stands; and whatever strangers send, a leaf stays small and holds no character that could forge
//! a line.

#![no_main]

use hubkeep_audit_log::{
    Draft, Entry, Operation, Outcome, QuotaLeft,
    fuzzing::{leaf, leaf_of},
};
use hubkeep_core::{
    clock::{MockClock, Timestamp},
    id::CallId,
};
use hubkeep_fuzz::Given;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

/// More than the bounded texts of an entry can come to.
const MOST_BYTES: usize = 16 * 1_024;

fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = Entry::decode(data) {
        let kept = leaf(&entry);
        assert_eq!(kept.len(), entry.encoded_len());
        let read = Entry::decode(&*kept).expect("what was written reads");
        assert_eq!(read, entry);
        assert_eq!(leaf(&read), kept, "the same entry gave other bytes");
    }
    from_strangers(data);
});

fn from_strangers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let clock = MockClock::at(Timestamp::from_micros(1));
    let call_id = CallId::make(&*clock, &Given(vec![1])).expect("there are bytes");
    let draft = Draft::system(Operation::Other, call_id)
        .object(&text, Some(&text))
        .http(&text, &text, u64::MAX)
        .subject(&text)
        .attempt(u32::MAX);
    let number = data.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
    let outcome = Outcome {
        hubspot_correlation_id: text.clone().into_owned(),
        quota_left: Some(QuotaLeft {
            daily: Some(number),
            interval: Some(number),
        }),
        ..Outcome::ok()
    };
    let kept = leaf_of(&draft, outcome.clone());
    assert_eq!(kept, leaf_of(&draft, outcome), "the same draft gave other bytes");
    assert!(kept.len() <= MOST_BYTES, "{} bytes", kept.len());
    let entry = Entry::decode(&*kept).expect("what was written reads");
    let texts = [
        &entry.object_type,
        &entry.object_ref,
        &entry.http_method,
        &entry.path_template,
        &entry.subject,
        &entry.hubspot_correlation_id,
    ];
    for told in texts {
        assert!(!told.chars().any(char::is_control), "{told:?}");
    }
}
