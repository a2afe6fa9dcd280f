//! What counts as a foreign or an unrecorded request.

use super::*;

fn request(portal_id: u64, fingerprint: &str, intent: &str) -> JournalEntry {
    JournalEntry {
        seq: 1,
        received_at: 0,
        method: "GET".to_owned(),
        path: String::new(),
        query: String::new(),
        token_fingerprint: Some(fingerprint.to_owned()),
        portal_id: Some(portal_id),
        body_bytes: 0,
        body: None,
        headers: vec![(ENTRY_HEADER.to_owned(), intent.to_owned())],
        correlation_id: String::new(),
        status: Some(200),
        carried_out: true,
    }
}

fn intent(portal_id: u64, fingerprint: &str) -> Entry {
    Entry {
        entry_id: "one".to_owned(),
        portal_id,
        token_fingerprint: fingerprint.to_owned(),
        ..Entry::default()
    }
}

#[test]
fn a_request_with_another_portals_token_is_foreign() {
    assert!(!is_foreign(&request(1, "a", "one"), &intent(1, "")));
    assert!(is_foreign(&request(2, "a", "one"), &intent(1, "")));
}

#[test]
fn before_the_portal_is_proven_the_token_must_be_the_one_on_record() {
    assert!(!is_foreign(&request(2, "a", "one"), &intent(0, "a")));
    assert!(is_foreign(&request(2, "a", "one"), &intent(0, "b")));
}

#[test]
fn a_request_is_recorded_only_by_the_very_intent_it_names() {
    let entry = intent(1, "");
    let intents = HashMap::from([("one", &entry)]);
    assert!(intent_of(&request(1, "a", "one"), &intents).is_some());
    assert!(intent_of(&request(1, "a", "two"), &intents).is_none());
    let nameless = JournalEntry {
        headers: Vec::new(),
        ..request(1, "a", "one")
    };
    assert!(intent_of(&nameless, &intents).is_none());
}

#[test]
fn nothing_happened_is_not_a_kept_promise() {
    assert!(!Promises::default().are_kept());
}

#[test]
fn the_summary_has_the_names_that_scripts_read() {
    let summary = Promises::default().summary();
    for name in [
        "portals_onboarded",
        "rows_refused",
        "calls",
        "audit_events",
        "cross_portal_requests_sent",
        "unrecorded_calls",
    ] {
        assert!(summary[name].is_u64(), "{name}");
    }
}
