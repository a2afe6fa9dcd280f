//! Control over HTTP, and where the simulator listens.

use hubspot_sim::Simulator;
use serde_json::json;

use crate::caller::{ALPHA, ALPHA_TOKEN, BETA, CONTACTS, Caller, start, world};

#[tokio::test]
async fn everything_can_be_steered_over_http() {
    let (hubspot, caller) = start();
    assert_eq!(caller.get("/_sim/health").await.status, 200);
    let fault = json!({ "fault": "status", "status": 503, "portal_id": ALPHA, "times": 1 });
    assert_eq!(caller.post("/_sim/faults", fault).await.json["id"], 1);
    assert_eq!(caller.get(CONTACTS).await.status, 503);
    assert_eq!(
        caller
            .post("/_sim/revocations", json!({ "token": ALPHA_TOKEN }))
            .await
            .status,
        200
    );
    assert_eq!(caller.get(CONTACTS).await.status, 401);

    let portal = json!({ "slug": "gamma", "portal_id": 1003, "tokens": [{ "token": "pat-na1-gamma" }],
        "records": [{ "object_type": "contacts", "properties": { "email": "g@gamma.example" } }] });
    assert_eq!(caller.post("/_sim/portals", portal.clone()).await.status, 200);
    assert_eq!(caller.post("/_sim/portals", portal).await.status, 409);
    assert_eq!(
        caller
            .post(
                "/_sim/tokens",
                json!({ "portal_id": 1003, "token": "pat-na1-g2" })
            )
            .await
            .status,
        200
    );
    let gamma = Caller::of(&hubspot, "pat-na1-g2");
    assert_eq!(
        gamma.get(&format!("{CONTACTS}/101")).await.json["properties"]["email"],
        "g@gamma.example"
    );
    let change = json!({ "portal_id": 1003, "limits": { "burst": 1 }, "data_hosting_location": "eu1" });
    assert_eq!(gamma.patch("/_sim/portals", change).await.status, 200);
    assert_eq!(gamma.get(CONTACTS).await.status, 429);

    // Control requests are not HubSpot's, so the journal does not know them.
    let journal = caller.get("/_sim/journal?since=1").await.json;
    let statuses: Vec<_> = journal
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["status"].clone())
        .collect();
    assert_eq!(statuses, [401, 200, 429]);
    assert_eq!(caller.delete("/_sim/journal").await.status, 200);
    assert_eq!(caller.get("/_sim/state").await.json["journal_entries"], 0);
    assert_eq!(caller.get("/_sim/nothing").await.status, 404);
    assert_eq!(caller.post("/_sim/faults", json!({})).await.status, 400);
}

#[tokio::test]
async fn every_fault_can_be_written_in_json() {
    let (hubspot, caller) = start();
    for fault in [
        json!({ "fault": "status", "status": 500 }),
        json!({ "fault": "expired_token" }),
        json!({ "fault": "rate_limited", "policy": "TEN_SECONDLY_ROLLING" }),
        json!({ "fault": "migrating", "retry_after": 3600 }),
        json!({ "fault": "answer", "status": 400, "body": {} }),
        json!({ "fault": "html_body" }),
        json!({ "fault": "slow", "ms": 5 }),
        json!({ "fault": "hold_until_released" }),
        json!({ "fault": "cut_connection", "after_effect": true }),
        json!({ "fault": "cut_body", "method": "GET" }),
        json!({ "fault": "never_ending_body", "path_prefix": "/crm" }),
        json!({ "fault": "html_page", "status": 522 }),
        json!({ "fault": "redirect", "status": 307, "location": "http://127.0.0.1:1/" }),
        json!({ "fault": "truncated_json" }),
        json!({ "fault": "gzip_bomb" }),
        json!({ "fault": "long_body", "bytes": 7 }),
        json!({ "fault": "drip" }),
        json!({ "fault": "same_cursor" }),
        json!({ "fault": "wrong_content_type", "content_type": "text/plain" }),
        json!({ "fault": "duplicate_keys" }),
        json!({ "fault": "deep_json" }),
        json!({ "fault": "mixed_rows" }),
        json!({ "fault": "answer_of_portal", "other": BETA, "portal_id": ALPHA }),
    ] {
        let answer = caller.post("/_sim/faults", fault.clone()).await;
        assert_eq!(answer.status, 200, "{fault}: {}", answer.text);
    }
    assert_eq!(caller.get("/_sim/faults").await.json[22]["rule"]["other"], BETA);
    assert_eq!(hubspot.faults().len(), 23);
    assert_eq!(caller.delete("/_sim/faults").await.status, 200);
    assert!(hubspot.faults().is_empty());
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let error = Simulator::start_on(world(), "0.0.0.0:0".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_gentle_stop_finishes_what_is_under_way() {
    let (hubspot, caller) = start();
    caller.get(CONTACTS).await;
    hubspot.stop().await;
    assert!(caller.call(reqwest::Method::GET, CONTACTS, None).await.is_err());
}

#[tokio::test]
async fn a_token_that_is_moved_answers_for_the_other_account() {
    let (hubspot, caller) = start();
    let details = "/account-info/v3/details";
    assert_eq!(caller.get(details).await.json["portalId"], ALPHA);
    let moved = json!({ "token": ALPHA_TOKEN, "portal_id": BETA });
    assert_eq!(caller.post("/_sim/tokens/move", moved).await.status, 200);
    assert_eq!(caller.get(details).await.json["portalId"], BETA);
    hubspot.move_token(ALPHA_TOKEN, ALPHA).expect("moved back");
    assert_eq!(caller.get(details).await.json["portalId"], ALPHA);
    hubspot
        .move_token("no-such-token", ALPHA)
        .expect_err("no such token");
}
