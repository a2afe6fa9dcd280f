//! What associations can be called.

use hubspot_sim::ObjectType;
use serde_json::json;

use crate::caller::{ALPHA, start};

const LABELS: &str = "/crm/associations/2026-09/contacts/companies/labels";

#[tokio::test]
async fn hubspots_own_are_listed_from_either_side() {
    let (_hubspot, caller) = start();
    let there = caller.get(LABELS).await.json;
    assert_eq!(
        there["results"],
        json!([
            { "category": "HUBSPOT_DEFINED", "typeId": 279, "label": null },
            { "category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary" },
        ])
    );
    for (from, to, plain) in [
        ("companies", "contacts", 280),
        ("deals", "contacts", 3),
        ("contacts", "deals", 4),
        ("deals", "companies", 341),
        ("tickets", "deals", 28),
        ("notes", "tickets", 228),
        ("tasks", "contacts", 204),
        ("tickets", "companies", 339),
    ] {
        let labels = caller
            .get(&format!("/crm/v4/associations/{from}/{to}/labels"))
            .await
            .json;
        assert_eq!(labels["results"][0]["typeId"], plain, "{from} to {to}");
    }
}

#[tokio::test]
async fn an_account_defines_its_own_and_their_numbers_begin_again_at_one() {
    let (_hubspot, caller) = start();
    let body = json!({ "label": "Employer", "name": "employer", "inverseLabel": "Employee" });
    let made = caller.post(LABELS, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        made.json["results"],
        json!([
            { "category": "USER_DEFINED", "typeId": 1, "label": "Employer" },
            { "category": "USER_DEFINED", "typeId": 2, "label": "Employee" },
        ])
    );
    assert_eq!(caller.post(LABELS, body).await.status, 409);
    assert_eq!(caller.post(LABELS, json!({ "label": "x" })).await.status, 400);
    let back = caller
        .get("/crm/v4/associations/companies/contacts/labels")
        .await
        .json;
    assert_eq!(
        back["results"][2],
        json!({ "category": "USER_DEFINED", "typeId": 2, "label": "Employee" })
    );
    let other_words = json!({ "associationTypeId": 1, "label": "Works at" });
    assert_eq!(caller.put(LABELS, other_words).await.status, 204);
    assert_eq!(caller.get(LABELS).await.json["results"][2]["label"], "Works at");
}

#[tokio::test]
async fn a_label_that_is_removed_is_gone_from_the_records() {
    let (hubspot, caller) = start();
    let company = hubspot
        .seed(ALPHA, ObjectType::Companies, &[("name", "One")])
        .unwrap();
    caller
        .post(LABELS, json!({ "label": "Employer", "name": "employer" }))
        .await;
    let (contact, company) = ((ObjectType::Contacts, 101), (ObjectType::Companies, company));
    hubspot.associate(ALPHA, contact, company, &[1], &[1]).unwrap();
    let list = "/crm/objects/2026-09/contacts/101/associations/companies";
    let types = |list: &serde_json::Value| list["results"][0]["associationTypes"].as_array().map(Vec::len);
    assert_eq!(types(&caller.get(list).await.json), Some(3));
    assert_eq!(caller.delete(&format!("{LABELS}/1")).await.status, 204);
    assert_eq!(
        types(&caller.get(list).await.json),
        Some(2),
        "HubSpot's own number 1 stays"
    );
    assert_eq!(caller.delete(&format!("{LABELS}/1")).await.status, 404);
}
