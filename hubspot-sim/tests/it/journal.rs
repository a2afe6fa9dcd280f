//! The journal: what reached HubSpot.

use hubspot_sim::{Fault, fingerprint};
use serde_json::json;

use crate::caller::{ALPHA, ALPHA_TOKEN, CONTACTS, Caller, start};

#[tokio::test]
async fn refused_requests_are_in_it_too() {
    let (hubspot, caller) = start();
    Caller::of(&hubspot, "").get(CONTACTS).await;
    Caller::of(&hubspot, "pat-na1-nobody").get("/nowhere?x=1").await;
    hubspot.revoke_token(ALPHA_TOKEN).unwrap();
    caller.get(CONTACTS).await;
    let journal = hubspot.journal();
    let seen: Vec<_> = journal
        .iter()
        .map(|entry| (entry.seq, entry.portal_id, entry.status))
        .collect();
    assert_eq!(
        seen,
        [
            (1, None, Some(401)),
            (2, None, Some(404)),
            (3, Some(ALPHA), Some(401))
        ]
    );
    assert_eq!(
        (journal[1].path.as_str(), journal[1].query.as_str()),
        ("/nowhere", "x=1")
    );
    assert_eq!(journal[0].token_fingerprint, None);
    assert_eq!(journal[2].token_fingerprint, Some(fingerprint(ALPHA_TOKEN)));
}

#[tokio::test]
async fn it_holds_bodies_and_headers_but_no_token() {
    let (hubspot, caller) = start();
    let body = json!({ "properties": { "firstname": "x" } });
    let answer = caller.post(CONTACTS, body.clone()).await;
    caller
        .post(
            "/oauth/v2/private-apps/get/access-token-info",
            json!({ "tokenKey": ALPHA_TOKEN }),
        )
        .await;
    let journal = hubspot.journal();
    assert_eq!(journal[0].body.as_ref(), Some(&body));
    assert_eq!(journal[0].body_bytes, body.to_string().len());
    assert_eq!(journal[0].header("X-Request-Id"), Some("test-1"));
    assert_eq!(
        answer.header("x-hubspot-correlation-id"),
        Some(journal[0].correlation_id.as_str())
    );
    assert!(!serde_json::to_string(&journal).unwrap().contains(ALPHA_TOKEN));
}

#[tokio::test]
async fn a_refusal_quotes_its_correlation_id() {
    let (hubspot, caller) = start();
    hubspot.inject(Fault::Status { status: 500 });
    let first = caller.get(CONTACTS).await;
    let second = caller.get(CONTACTS).await;
    assert_eq!(
        first.json["correlationId"].as_str(),
        first.header("x-hubspot-correlation-id")
    );
    assert_ne!(first.json["correlationId"], second.json["correlationId"]);
}

#[tokio::test]
async fn it_is_read_from_any_point_and_numbers_go_on_after_clearing() {
    let (hubspot, caller) = start();
    for _ in 0..3 {
        caller.get(CONTACTS).await;
    }
    assert_eq!(
        hubspot
            .journal_since(2)
            .iter()
            .map(|entry| entry.seq)
            .collect::<Vec<_>>(),
        [3]
    );
    assert!(hubspot.journal_since(3).is_empty());
    hubspot.clear_journal();
    caller.get(CONTACTS).await;
    assert_eq!(
        hubspot
            .journal()
            .iter()
            .map(|entry| entry.seq)
            .collect::<Vec<_>>(),
        [4]
    );
    assert_eq!(hubspot.journal_since(2).len(), 1);
}
