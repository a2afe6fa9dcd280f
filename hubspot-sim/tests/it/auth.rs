//! Who may call, and what for.

use hubspot_sim::TokenSpec;
use serde_json::json;

use crate::caller::{ALPHA, ALPHA_TOKEN, BETA, CONTACTS, Caller, start};

#[tokio::test]
async fn an_absent_an_unknown_and_a_revoked_token_are_refused_alike() {
    let (hubspot, caller) = start();
    hubspot.revoke_token(ALPHA_TOKEN).unwrap();
    for caller in [
        Caller::of(&hubspot, ""),
        Caller::of(&hubspot, "pat-na1-nobody"),
        caller,
    ] {
        let answer = caller.get(CONTACTS).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json["category"], "INVALID_AUTHENTICATION");
        assert_eq!(answer.json["status"], "error");
    }
}

#[tokio::test]
async fn a_revocation_can_be_taken_back() {
    let (hubspot, caller) = start();
    hubspot.revoke_token(ALPHA_TOKEN).unwrap();
    hubspot.restore_token(ALPHA_TOKEN).unwrap();
    assert_eq!(caller.get(CONTACTS).await.status, 200);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let (hubspot, caller) = start();
    hubspot
        .set_scopes(ALPHA_TOKEN, ["crm.objects.contacts.read"])
        .unwrap();
    assert_eq!(caller.get(CONTACTS).await.status, 200);
    for (path, scope) in [
        ("/crm/v3/objects/companies", json!(["crm.objects.companies.read"])),
        ("/crm/v3/objects/0-3", json!(["crm.objects.deals.read"])),
        (
            "/crm/objects/2026-09/tickets",
            json!(["tickets", "crm.objects.tickets.read"]),
        ),
        ("/crm/owners/2026-09", json!(["crm.objects.owners.read"])),
    ] {
        let answer = caller.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.json["category"], "MISSING_SCOPES");
        assert_eq!(
            answer.json["errors"][0]["context"]["requiredGranularScopes"],
            scope
        );
    }
}

#[tokio::test]
async fn reading_does_not_include_writing_and_notes_go_with_contacts() {
    let (hubspot, caller) = start();
    hubspot
        .set_scopes(ALPHA_TOKEN, ["crm.objects.contacts.read"])
        .unwrap();
    assert_eq!(caller.get("/crm/v3/objects/notes").await.status, 200);
    assert_eq!(
        caller
            .post(CONTACTS, json!({ "properties": { "firstname": "x" } }))
            .await
            .status,
        403
    );
    assert_eq!(caller.delete(&format!("{CONTACTS}/101")).await.status, 403);
    assert_eq!(
        caller
            .post(
                &format!("{CONTACTS}/batch/read"),
                json!({ "inputs": [{ "id": "101" }] })
            )
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn either_spelling_of_the_ticket_scope_will_do() {
    let (hubspot, caller) = start();
    for scope in ["tickets", "crm.objects.tickets.read"] {
        hubspot.set_scopes(ALPHA_TOKEN, [scope]).unwrap();
        assert_eq!(caller.get("/crm/v3/objects/tickets").await.status, 200, "{scope}");
    }
}

#[tokio::test]
async fn a_token_tells_what_it_is() {
    let (hubspot, caller) = start();
    let second = "pat-na1-00000000-test-0000-0000-alpha0000002";
    hubspot
        .add_token(
            ALPHA,
            TokenSpec::service_key(second).app(77).user(5).scopes(["oauth"]),
        )
        .unwrap();
    let path = "/oauth/v2/private-apps/get/access-token-info";
    let answer = caller.post(path, json!({ "tokenKey": second })).await;
    assert_eq!(
        answer.json,
        json!({ "userId": 5, "hubId": ALPHA, "appId": 77, "scopes": ["oauth"] })
    );
    assert_eq!(
        Caller::of(&hubspot, "")
            .post(path, json!({ "tokenKey": second }))
            .await
            .status,
        401
    );
    assert_eq!(
        caller
            .post(path, json!({ "tokenKey": "pat-na1-nobody" }))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn one_token_opens_one_account() {
    let (hubspot, alpha) = start();
    assert!(
        hubspot
            .add_token(BETA, TokenSpec::private_app(ALPHA_TOKEN))
            .is_err()
    );
    assert_eq!(
        alpha.get("/account-info/v3/details").await.json["portalId"],
        ALPHA
    );
}
