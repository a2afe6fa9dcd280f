//! One record at a time: list, get, create, update, archive.

use hubspot_sim::{ObjectType, PortalSpec, PropertyDef, PropertyKind, Simulator, TokenSpec, World};
use serde_json::json;

use crate::caller::{ALPHA, ALPHA_TOKEN, BETA_TOKEN, CONTACTS, Caller, start};

#[tokio::test]
async fn ids_overlap_between_accounts() {
    let (hubspot, alpha) = start();
    let beta = Caller::of(&hubspot, BETA_TOKEN);
    let path = format!("{CONTACTS}/101");
    assert_eq!(
        alpha.get(&path).await.json["properties"]["email"],
        "ann@alpha.example"
    );
    assert_eq!(
        beta.get(&path).await.json["properties"]["email"],
        "ann@beta.example"
    );
}

#[tokio::test]
async fn type_ids_and_both_path_styles_reach_the_same_record() {
    let (_hubspot, caller) = start();
    let expected = caller.get(&format!("{CONTACTS}/102")).await.json;
    for path in [
        "/crm/v3/objects/contacts/102",
        "/crm/objects/2026-09/0-1/102",
        "/crm/v3/objects/0-1/102",
    ] {
        assert_eq!(caller.get(path).await.json, expected);
    }
}

#[tokio::test]
async fn a_list_is_walked_by_its_cursor() {
    let (_hubspot, caller) = start();
    let first = caller.get(&format!("{CONTACTS}?limit=2")).await.json;
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    let second = caller
        .get(&format!("{CONTACTS}?limit=2&after={after}"))
        .await
        .json;
    assert_eq!(second["results"][0]["id"], "103");
    assert_eq!(second.get("paging"), None);
    assert_eq!(caller.get(&format!("{CONTACTS}?limit=101")).await.status, 400);
}

#[tokio::test]
async fn undefined_properties_are_dropped_and_empty_ones_are_null() {
    let (_hubspot, caller) = start();
    let record = caller
        .get(&format!(
            "{CONTACTS}/101?properties=phone,nonsense&properties=email"
        ))
        .await
        .json;
    let properties = record["properties"].as_object().unwrap();
    assert!(properties["phone"].is_null());
    assert_eq!(properties["email"], "ann@alpha.example");
    assert!(!properties.contains_key("nonsense"));
    assert!(!properties.contains_key("firstname"));
    assert_eq!(properties["hs_object_id"], "101");
    assert!(properties.contains_key("lastmodifieddate"));
}

#[tokio::test]
async fn a_contact_is_found_by_e_mail() {
    let (_hubspot, caller) = start();
    let answer = caller
        .get(&format!("{CONTACTS}/BOB%40alpha.example?idProperty=email"))
        .await;
    assert_eq!(answer.json["id"], "102");
    assert_eq!(
        caller.get(&format!("{CONTACTS}/999999")).await.json["category"],
        "OBJECT_NOT_FOUND"
    );
}

#[tokio::test]
async fn an_e_mail_address_is_taken_once() {
    let (hubspot, caller) = start();
    let answer = caller
        .post(
            CONTACTS,
            json!({ "properties": { "email": "Ann@Alpha.example" } }),
        )
        .await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.json["message"], "Contact already exists. Existing ID: 101");
    assert_eq!(answer.json["category"], "CONFLICT");
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 3);
    let change = json!({ "properties": { "email": "ann@alpha.example" } });
    let moved = caller.patch(&format!("{CONTACTS}/102"), change).await;
    assert_eq!(moved.status, 409);
}

#[tokio::test]
async fn each_type_demands_its_required_properties() {
    let (_hubspot, caller) = start();
    let ticket = json!({ "subject": "s", "hs_pipeline": "0", "hs_pipeline_stage": "1" });
    for (kind, bad, good) in [
        ("contacts", json!({ "phone": "1" }), json!({ "firstname": "x" })),
        ("companies", json!({ "city": "x" }), json!({ "name": "x" })),
        (
            "deals",
            json!({ "dealname": "x" }),
            json!({ "dealname": "x", "dealstage": "closedwon", "pipeline": "default" }),
        ),
        ("tickets", json!({ "subject": "s" }), ticket),
        (
            "notes",
            json!({ "hs_note_body": "x" }),
            json!({ "hs_timestamp": "2026-09-08T00:00:00Z" }),
        ),
    ] {
        let path = format!("/crm/objects/2026-09/{kind}");
        let refused = caller.post(&path, json!({ "properties": bad })).await;
        assert_eq!(
            (refused.status, &refused.json["errors"][0]["code"]),
            (400, &json!("MISSING_REQUIRED_PROPERTY"))
        );
        let created = caller.post(&path, json!({ "properties": good })).await;
        assert_eq!(created.status, 201, "{kind}");
        assert!(created.header("location").is_some());
    }
}

#[tokio::test]
async fn an_unknown_property_is_refused_with_the_account_in_the_message() {
    let (hubspot, caller) = start();
    let path = format!("{CONTACTS}/101");
    let change = json!({ "properties": { "shoe_size": "44", "firstname": "Anna" } });
    let answer = caller.patch(&path, change.clone()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json["errors"][0]["code"], "PROPERTY_DOESNT_EXIST");
    assert!(
        answer.json["message"]
            .as_str()
            .unwrap()
            .contains("\"portalId\":1001")
    );
    assert_eq!(
        hubspot.record(ALPHA, ObjectType::Contacts, 101).unwrap()["properties"]["firstname"],
        "ann"
    );

    let shoe_size = PropertyDef::new("shoe_size", PropertyKind::Number);
    hubspot
        .define_property(ALPHA, ObjectType::Contacts, shoe_size)
        .unwrap();
    assert_eq!(
        caller.patch(&path, change).await.json["properties"]["shoe_size"],
        "44"
    );
    let wrong = caller
        .patch(&path, json!({ "properties": { "shoe_size": "large" } }))
        .await;
    assert_eq!(wrong.json["errors"][0]["code"], "INVALID_INTEGER");
}

#[tokio::test]
async fn an_empty_value_clears_and_the_history_remembers() {
    let (_hubspot, caller) = start();
    let path = format!("{CONTACTS}/101");
    assert_eq!(
        caller
            .patch(&path, json!({ "properties": { "firstname": "" } }))
            .await
            .status,
        200
    );
    let record = caller
        .get(&format!("{path}?propertiesWithHistory=firstname"))
        .await
        .json;
    assert!(record["properties"]["firstname"].is_null());
    let history = &record["propertiesWithHistory"]["firstname"];
    assert_eq!(
        (&history[0]["value"], &history[1]["value"]),
        (&json!(""), &json!("ann"))
    );
    assert_ne!(record["createdAt"], record["updatedAt"]);
}

#[tokio::test]
async fn an_archived_record_is_only_seen_by_who_asks_for_archived() {
    let (_hubspot, caller) = start();
    let path = format!("{CONTACTS}/101");
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.get(&path).await.status, 404);
    assert_eq!(
        caller
            .patch(&path, json!({ "properties": { "firstname": "x" } }))
            .await
            .status,
        404
    );
    assert_eq!(
        caller.get(&format!("{path}?archived=true")).await.json["archived"],
        true
    );
    // As HubSpot's own Python client writes it.
    let archived = caller.get(&format!("{CONTACTS}?archived=True")).await.json;
    assert_eq!(archived["results"].as_array().map(Vec::len), Some(1));
    let again = caller
        .post(
            CONTACTS,
            json!({ "properties": { "email": "ann@alpha.example" } }),
        )
        .await;
    assert_eq!((again.status, &again.json["id"]), (201, &json!("104")));
}

#[tokio::test]
async fn what_administrators_demand_is_enforced_from_2026_09_on() {
    let portal = PortalSpec::new("alpha", ALPHA)
        .token(TokenSpec::private_app(ALPHA_TOKEN))
        .condition(ObjectType::Deals, "closed_lost_reason", "dealstage", "closedlost")
        .record(
            ObjectType::Deals,
            &[("dealname", "x"), ("dealstage", "contractsent")],
        );
    let hubspot = Simulator::start(World::empty().with(portal)).expect("the simulator starts");
    let caller = Caller::of(&hubspot, ALPHA_TOKEN);
    let path = "/crm/objects/2026-09/deals/20000101";
    let lost = json!({ "properties": { "dealstage": "closedlost" } });
    let refused = caller.patch(path, lost.clone()).await;
    assert_eq!(
        (refused.status, &refused.json["errors"][0]["code"]),
        (400, &json!("MISSING_CONDITIONAL_REQUIRED_PROPERTY"))
    );
    let rows = json!({ "inputs": [{ "id": "20000101", "properties": lost["properties"] }] });
    let batch = caller.post("/crm/objects/2026-09/deals/batch/update", rows).await;
    assert_eq!(batch.status, 400);
    let both = json!({ "properties": { "dealstage": "closedlost", "closed_lost_reason": "price" } });
    assert_eq!(caller.patch(path, both).await.status, 200);
    let without = json!({ "properties": { "closed_lost_reason": "" } });
    assert_eq!(caller.patch(path, without.clone()).await.status, 400);
    assert_eq!(
        caller
            .patch(path, json!({ "properties": { "amount": "1" } }))
            .await
            .status,
        200
    );
    for older in [
        "/crm/objects/2026-03/deals/20000101",
        "/crm/v3/objects/deals/20000101",
    ] {
        assert_eq!(caller.patch(older, without.clone()).await.status, 200, "{older}");
    }
}

#[tokio::test]
async fn text_has_a_greatest_length() {
    let (_hubspot, caller) = start();
    let path = format!("{CONTACTS}/101");
    let write = |chars: usize| json!({ "properties": { "message": "é".repeat(chars) } });
    assert_eq!(caller.patch(&path, write(65_536)).await.status, 200);
    assert_eq!(caller.patch(&path, write(65_537)).await.status, 400);
}

#[tokio::test]
async fn people_archive_and_merge_too() {
    let (hubspot, caller) = start();
    hubspot.archive_by_hand(ALPHA, ObjectType::Contacts, 103).unwrap();
    let one = hubspot
        .merge_by_hand(ALPHA, ObjectType::Contacts, 101, 102)
        .unwrap();
    assert_eq!(caller.get(&format!("{CONTACTS}/103")).await.status, 404);
    assert_eq!(
        caller.get(&format!("{CONTACTS}/102")).await.json["id"],
        one.to_string()
    );
    let twice = hubspot.merge_by_hand(ALPHA, ObjectType::Contacts, 101, 102);
    twice.expect_err("they are one already");
}
