//! Object types that an account defines for itself, and the more seldom of HubSpot's own.

use hubspot_sim::{
    CustomObjectSpec, ObjectType, PortalSpec, PropertyDef, PropertyKind, Simulator, TokenSpec, World,
};
use serde_json::json;

use crate::caller::{ALPHA, ALPHA_TOKEN, BETA, BETA_TOKEN, Caller, start};

/// Alpha has cars (`2-7`), beta has none.
fn with_cars() -> (Simulator, Caller) {
    let cars = CustomObjectSpec::new(7, "car")
        .property(PropertyDef::new("plate", PropertyKind::Text).unique())
        .required("plate");
    let alpha = PortalSpec::new("alpha", ALPHA)
        .token(TokenSpec::private_app(ALPHA_TOKEN))
        .custom_object(cars)
        .record(ObjectType::Custom(7), &[("name", "Beetle"), ("plate", "B-1")])
        .record(ObjectType::Contacts, &[("email", "ann@alpha.example")]);
    let beta = PortalSpec::new("beta", BETA).token(TokenSpec::private_app(BETA_TOKEN));
    let hubspot = Simulator::start(World::empty().with(alpha).with(beta)).expect("the simulator starts");
    let caller = Caller::of(&hubspot, ALPHA_TOKEN);
    (hubspot, caller)
}

#[tokio::test]
async fn a_custom_type_is_named_by_its_id_and_by_its_account() {
    let (hubspot, caller) = with_cars();
    for name in ["2-7", "p1001_car"] {
        let list = caller.get(&format!("/crm/objects/2026-09/{name}")).await;
        assert_eq!(list.status, 200, "{name}");
        assert_eq!(list.json["results"][0]["properties"]["name"], "Beetle");
    }
    for name in ["car", "cars", "2-8", "p1002_car"] {
        let refused = caller.get(&format!("/crm/v3/objects/{name}")).await;
        assert_eq!(refused.status, 400, "{name}");
        assert_eq!(
            refused.json["message"],
            format!("Unable to infer object type from: {name}")
        );
    }
    let beta = Caller::of(&hubspot, BETA_TOKEN);
    assert_eq!(beta.get("/crm/objects/2026-09/2-7").await.status, 400);
}

#[tokio::test]
async fn its_records_are_written_searched_and_associated_as_others_are() {
    let (hubspot, caller) = with_cars();
    let path = "/crm/objects/2026-09/2-7";
    let car = |plate: &str| json!({ "properties": { "name": "Golf", "plate": plate } });
    let made = caller.post(path, car("B-2")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let twice = caller.post(path, car("B-2")).await;
    assert_eq!(
        (twice.status, &twice.json["errors"][0]["code"]),
        (400, &json!("CONFLICTING_UNIQUE_VALUE"))
    );
    let without = caller
        .post(path, json!({ "properties": { "name": "Golf" } }))
        .await;
    assert_eq!(without.json["errors"][0]["code"], "MISSING_REQUIRED_PROPERTY");
    let row = json!({ "id": "B-2", "idProperty": "plate", "properties": { "name": "Polo" } });
    let upserted = caller
        .post(&format!("{path}/batch/upsert"), json!({ "inputs": [row] }))
        .await;
    assert_eq!(upserted.json["results"][0]["new"], false);
    let found = caller
        .post("/crm/v3/objects/p1001_car/search", json!({ "query": "polo" }))
        .await;
    assert_eq!(
        (&found.json["total"], &found.json["results"][0]["id"]),
        (&json!(1), &made.json["id"])
    );
    let filter =
        json!({ "filters": [{ "propertyName": "associations.contact", "operator": "HAS_PROPERTY" }] });
    assert_eq!(caller.post(&format!("{path}/search"), filter).await.status, 400);

    let id = made.json["id"].as_str().unwrap();
    let tie = format!("/crm/objects/2026-09/p1001_car/{id}/associations/default/contacts/101");
    assert_eq!(caller.touch(&tie).await.status, 200);
    let contact = caller
        .get("/crm/objects/2026-09/contacts/101?associations=2-7")
        .await
        .json;
    assert_eq!(contact["associations"]["p1001_car"]["results"][0]["id"], id);
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Custom(7)), 2);
}

#[tokio::test]
async fn its_scopes_are_its_own() {
    let (hubspot, _) = with_cars();
    let token = "pat-na1-00000000-test-0000-0000-narrow000001";
    let spec =
        TokenSpec::private_app(token).scopes(["crm.objects.contacts.read", "crm.schemas.contacts.read"]);
    hubspot.add_token(ALPHA, spec).unwrap();
    let narrow = Caller::of(&hubspot, token);
    let refused = narrow.get("/crm/objects/2026-09/2-7").await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json["errors"][0]["context"]["requiredGranularScopes"],
        json!(["crm.objects.custom.read"])
    );
    assert_eq!(
        narrow.get("/crm-object-schemas/2026-09/schemas").await.status,
        403
    );
    assert_eq!(
        narrow
            .get("/crm-object-schemas/2026-09/schemas/contacts")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn schemas_tell_what_types_there_are() {
    let (hubspot, caller) = with_cars();
    let all = caller.get("/crm-object-schemas/2026-09/schemas").await.json;
    let car = &all["results"][0];
    assert_eq!(car["objectTypeId"], "2-7");
    assert_eq!(car["fullyQualifiedName"], "p1001_car");
    assert_eq!(car["requiredProperties"], json!(["name", "plate"]));
    assert_eq!(car["primaryDisplayProperty"], "name");
    assert!(
        car["properties"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["hasUniqueValue"] == true)
    );
    assert!(
        car["associations"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["toObjectTypeId"] == "0-1")
    );
    for path in ["/crm-object-schemas/v3/schemas/p1001_car", "/crm/v3/schemas/2-7"] {
        assert_eq!(caller.get(path).await.json["name"], "car");
    }
    let deals = caller.get("/crm-object-schemas/2026-09/schemas/0-3").await.json;
    assert_eq!(
        deals["requiredProperties"],
        json!(["dealname", "dealstage", "pipeline"])
    );
    hubspot
        .define_custom_object(BETA, CustomObjectSpec::new(8, "boat"))
        .unwrap();
    let beta = Caller::of(&hubspot, BETA_TOKEN);
    let boats = beta.get("/crm-object-schemas/2026-09/schemas").await.json;
    assert_eq!(boats["results"][0]["fullyQualifiedName"], "p1002_boat");
}

#[tokio::test]
async fn the_more_seldom_types_are_served_too() {
    let (_hubspot, caller) = start();
    let at = "2026-11-02T09:30:00Z";
    for (name, id, good) in [
        (
            "tasks",
            "0-27",
            json!({ "hs_timestamp": at, "hs_task_subject": "x" }),
        ),
        (
            "calls",
            "0-48",
            json!({ "hs_timestamp": at, "hs_call_title": "x" }),
        ),
        (
            "emails",
            "0-49",
            json!({ "hs_timestamp": at, "hs_email_direction": "EMAIL" }),
        ),
        (
            "meetings",
            "0-47",
            json!({ "hs_timestamp": at, "hs_meeting_title": "x" }),
        ),
        (
            "line_items",
            "0-8",
            json!({ "name": "x", "quantity": "1", "price": "9.5" }),
        ),
        ("products", "0-7", json!({ "name": "x", "price": "9.5" })),
        (
            "quotes",
            "0-14",
            json!({ "hs_title": "x", "hs_expiration_date": "2026-12-31" }),
        ),
    ] {
        let path = format!("/crm/objects/2026-09/{name}");
        let refused = caller.post(&path, json!({ "properties": {} })).await;
        assert_eq!(
            refused.json["errors"][0]["code"], "MISSING_REQUIRED_PROPERTY",
            "{name}"
        );
        let made = caller.post(&path, json!({ "properties": good })).await;
        assert_eq!(made.status, 201, "{name}: {}", made.text);
        let record = made.json["id"].as_str().unwrap();
        let by_id = caller.get(&format!("/crm/v3/objects/{id}/{record}")).await;
        assert_eq!(by_id.json["id"], made.json["id"], "{name}");
    }
}
