//! Property definitions, and the history of values.

use hubspot_sim::{ObjectType, PropertyDef, PropertyKind, TokenSpec};
use serde_json::{Value, json};

use crate::caller::{ALPHA, BETA_TOKEN, CONTACTS, Caller, start};

const PROPERTIES: &str = "/crm/properties/2026-09/contacts";

fn shoe_size() -> Value {
    json!({
        "name": "shoe_size", "label": "Shoe size", "groupName": "contactinformation", "type": "enumeration",
        "fieldType": "select", "options": [
            { "label": "Small", "value": "s", "displayOrder": 0, "hidden": false },
            { "label": "Large", "value": "l", "displayOrder": 1, "hidden": true },
        ],
    })
}

#[tokio::test]
async fn hubspots_own_properties_are_listed() {
    let (_hubspot, caller) = start();
    let all = caller.get(PROPERTIES).await.json;
    let named = |name: &str| {
        all["results"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == name)
            .cloned()
    };
    let email = named("email").expect("an e-mail address");
    assert_eq!(
        (&email["type"], &email["fieldType"]),
        (&json!("string"), &json!("text"))
    );
    assert_eq!(email["hubspotDefined"], true);
    let id = named("hs_object_id").expect("an id");
    assert_eq!(id["modificationMetadata"]["readOnlyValue"], true);
    let one = caller.get("/crm/v3/properties/contacts/lifecyclestage").await;
    assert_eq!((one.status, &one.json["type"]), (200, &json!("enumeration")));
    let none = caller.get(&format!("{PROPERTIES}/nonsense")).await;
    assert_eq!(
        (none.status, &none.json["category"]),
        (404, &json!("OBJECT_NOT_FOUND"))
    );
}

#[tokio::test]
async fn a_property_is_defined_and_then_written() {
    let (hubspot, caller) = start();
    let record = format!("{CONTACTS}/101");
    let write = |value: &str| json!({ "properties": { "shoe_size": value } });
    assert_eq!(caller.patch(&record, write("s")).await.status, 400);
    let made = caller.post(PROPERTIES, shoe_size()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        made.json["options"][1],
        json!({ "label": "Large", "value": "l", "displayOrder": 1, "hidden": true })
    );
    assert_eq!(caller.post(PROPERTIES, shoe_size()).await.status, 409);
    assert_eq!(
        caller.patch(&record, write("s")).await.json["properties"]["shoe_size"],
        "s"
    );
    let refused = caller.patch(&record, write("xl")).await;
    assert_eq!(refused.json["errors"][0]["code"], "INVALID_OPTION");
    // Another account has no such property.
    let beta = Caller::of(&hubspot, BETA_TOKEN);
    assert_eq!(beta.get(&format!("{PROPERTIES}/shoe_size")).await.status, 404);

    let change = json!({ "label": "Size", "options": [{ "label": "XL", "value": "xl" }] });
    let changed = caller.patch(&format!("{PROPERTIES}/shoe_size"), change).await;
    assert_eq!((changed.status, &changed.json["label"]), (200, &json!("Size")));
    assert_eq!(caller.patch(&record, write("xl")).await.status, 200);

    assert_eq!(
        caller.delete(&format!("{PROPERTIES}/shoe_size")).await.status,
        204
    );
    assert_eq!(
        caller.patch(&record, write("xl")).await.json["errors"][0]["code"],
        "PROPERTY_DOESNT_EXIST"
    );
    let archived = caller.get(&format!("{PROPERTIES}?archived=true")).await.json;
    assert_eq!(archived["results"][0]["name"], "shoe_size");
    assert_eq!(archived["results"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_no_property_is_not_defined() {
    let (_hubspot, caller) = start();
    for (field, value) in [
        ("name", json!("Shoe Size")),
        ("name", json!("")),
        ("type", json!("colour")),
        ("label", json!(null)),
        ("groupName", json!(null)),
        ("options", json!([{ "label": "x" }])),
    ] {
        let mut body = shoe_size();
        body[field] = value;
        assert_eq!(caller.post(PROPERTIES, body).await.status, 400, "{field}");
    }
    let email = format!("{PROPERTIES}/email");
    assert_eq!(caller.patch(&email, json!({ "label": "x" })).await.status, 400);
    assert_eq!(caller.delete(&email).await.status, 400);
}

#[tokio::test]
async fn many_properties_come_in_one_call() {
    let (_hubspot, caller) = start();
    let made = caller
        .post(
            &format!("{PROPERTIES}/batch/create"),
            json!({ "inputs": [shoe_size()] }),
        )
        .await;
    assert_eq!(made.status, 201);
    let names = json!({ "archived": false, "inputs": [{ "name": "email" }, { "name": "shoe_size" }] });
    let read = caller.post(&format!("{PROPERTIES}/batch/read"), names).await;
    assert_eq!(
        (read.status, &read.json["results"][1]["name"]),
        (200, &json!("shoe_size"))
    );
    let some = json!({ "inputs": [{ "name": "email" }, { "name": "nonsense" }] });
    let mixed = caller.post("/crm/v3/properties/contacts/batch/read", some).await;
    assert_eq!((mixed.status, &mixed.json["numErrors"]), (207, &json!(1)));
    let gone = json!({ "inputs": [{ "name": "shoe_size" }] });
    assert_eq!(
        caller
            .post(&format!("{PROPERTIES}/batch/archive"), gone)
            .await
            .status,
        204
    );
    assert_eq!(caller.get(&format!("{PROPERTIES}/shoe_size")).await.status, 404);
}

#[tokio::test]
async fn reading_and_defining_need_other_scopes() {
    let (hubspot, _) = start();
    let token = "pat-na1-00000000-test-0000-0000-narrow000001";
    let spec =
        TokenSpec::private_app(token).scopes(["crm.objects.contacts.read", "crm.objects.contacts.write"]);
    hubspot.add_token(ALPHA, spec).unwrap();
    let narrow = Caller::of(&hubspot, token);
    assert_eq!(narrow.get(PROPERTIES).await.status, 200);
    let read = json!({ "inputs": [{ "name": "email" }] });
    assert_eq!(
        narrow
            .post(&format!("{PROPERTIES}/batch/read"), read)
            .await
            .status,
        200
    );
    assert_eq!(narrow.post(PROPERTIES, shoe_size()).await.status, 403);
    assert_eq!(narrow.get("/crm/properties/2026-09/deals").await.status, 403);
}

#[tokio::test]
async fn a_unique_property_is_unique() {
    let (hubspot, caller) = start();
    let number = PropertyDef::new("customer_number", PropertyKind::Text).unique();
    hubspot
        .define_property(ALPHA, ObjectType::Contacts, number)
        .unwrap();
    let write = json!({ "properties": { "customer_number": "7" } });
    assert_eq!(
        caller
            .patch(&format!("{CONTACTS}/101"), write.clone())
            .await
            .status,
        200
    );
    assert_eq!(
        caller
            .patch(&format!("{CONTACTS}/101"), write.clone())
            .await
            .status,
        200
    );
    let taken = caller.patch(&format!("{CONTACTS}/102"), write).await;
    assert_eq!(taken.json["errors"][0]["code"], "CONFLICTING_UNIQUE_VALUE");
    let found = caller
        .get(&format!("{CONTACTS}/7?idProperty=customer_number"))
        .await;
    assert_eq!(found.json["id"], "101");
}

#[tokio::test]
async fn the_history_tells_who_wrote_what() {
    let (hubspot, caller) = start();
    let path = format!("{CONTACTS}/101");
    caller
        .patch(&path, json!({ "properties": { "phone": "1" } }))
        .await;
    hubspot
        .edit_by_hand(ALPHA, ObjectType::Contacts, 101, 9_007, &[("phone", "2")])
        .unwrap();
    let record = caller
        .get(&format!("{path}?propertiesWithHistory=phone,firstname,nonsense"))
        .await
        .json;
    let phone = &record["propertiesWithHistory"]["phone"];
    assert_eq!(
        (&phone[0]["value"], &phone[1]["value"]),
        (&json!("2"), &json!("1"))
    );
    assert_eq!(
        (&phone[0]["sourceType"], &phone[0]["updatedByUserId"]),
        (&json!("CRM_UI"), &json!(9_007))
    );
    assert_eq!(phone[0]["sourceId"], "userId:9007");
    assert_eq!(
        (&phone[1]["sourceType"], &phone[1]["sourceId"]),
        (&json!("INTEGRATION"), &json!("10010"))
    );
    assert!(phone[1]["timestamp"].is_string() && phone[1]["updatedByUserId"].is_null());
    assert_eq!(
        record["propertiesWithHistory"]["firstname"][0]["sourceType"],
        "IMPORT"
    );

    let list = caller
        .get(&format!("{CONTACTS}?propertiesWithHistory=phone&limit=50"))
        .await
        .json;
    assert_eq!(list["results"][0]["propertiesWithHistory"]["phone"], *phone);
    assert_eq!(
        caller
            .get(&format!("{CONTACTS}?propertiesWithHistory=phone&limit=51"))
            .await
            .status,
        400
    );
    let many =
        |n: usize| json!({ "propertiesWithHistory": ["phone"], "inputs": vec![json!({ "id": "101" }); n] });
    let batch = caller.post(&format!("{CONTACTS}/batch/read"), many(50)).await;
    assert_eq!(batch.json["results"][0]["propertiesWithHistory"]["phone"], *phone);
    assert_eq!(
        caller
            .post(&format!("{CONTACTS}/batch/read"), many(51))
            .await
            .status,
        400
    );

    let edit = json!({ "portal_id": ALPHA, "object_type": "contacts", "id": 101, "user_id": 9_008,
        "properties": { "phone": "" } });
    assert_eq!(caller.post("/_sim/edits", edit).await.status, 200);
    assert!(caller.get(&format!("{path}?properties=phone")).await.json["properties"]["phone"].is_null());
}
