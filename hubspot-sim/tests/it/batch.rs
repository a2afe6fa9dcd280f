//! Many records in one call.

use hubspot_sim::{ObjectType, PropertyDef, PropertyKind};
use serde_json::{Value, json};

use crate::caller::{ALPHA, Answer, CONTACTS, Caller, start};

async fn batch(caller: &Caller, action: &str, inputs: Value) -> Answer {
    caller
        .post(
            &format!("{CONTACTS}/batch/{action}"),
            json!({ "inputs": inputs, "properties": ["email"] }),
        )
        .await
}

#[tokio::test]
async fn reading_tells_which_ids_are_missing() {
    let (_hubspot, caller) = start();
    let all = batch(&caller, "read", json!([{ "id": "101" }, { "id": 102 }])).await;
    assert_eq!((all.status, &all.json["status"]), (200, &json!("COMPLETE")));
    let some = batch(
        &caller,
        "read",
        json!([{ "id": "101" }, { "id": "998" }, { "id": "999" }]),
    )
    .await;
    assert_eq!((some.status, &some.json["numErrors"]), (207, &json!(1)));
    assert_eq!(some.json["errors"][0]["context"]["ids"], json!(["998", "999"]));
    assert_eq!(
        some.json["results"][0]["properties"]["email"],
        "ann@alpha.example"
    );
}

#[tokio::test]
async fn a_hundred_inputs_are_the_most() {
    let (_hubspot, caller) = start();
    let inputs = |n: usize| json!(vec![json!({ "id": "101" }); n]);
    assert_eq!(batch(&caller, "read", inputs(100)).await.status, 200);
    assert_eq!(batch(&caller, "read", inputs(101)).await.status, 400);
}

#[tokio::test]
async fn without_trace_ids_one_bad_row_stops_the_batch() {
    let (hubspot, caller) = start();
    let rows = json!([
        { "properties": { "email": "new@alpha.example" } },
        { "properties": { "email": "ann@alpha.example" } },
    ]);
    let answer = batch(&caller, "create", rows).await;
    assert_eq!(
        (answer.status, &answer.json["category"]),
        (409, &json!("CONFLICT"))
    );
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 3);
}

#[tokio::test]
async fn with_trace_ids_each_row_stands_for_itself() {
    let (hubspot, caller) = start();
    let rows = json!([
        { "objectWriteTraceId": "a", "properties": { "email": "new@alpha.example" } },
        { "objectWriteTraceId": "b", "properties": { "email": "ann@alpha.example" } },
        { "objectWriteTraceId": "c", "properties": { "nonsense": "1", "email": "x@alpha.example" } },
    ]);
    let answer = batch(&caller, "create", rows).await;
    assert_eq!((answer.status, &answer.json["numErrors"]), (207, &json!(2)));
    assert_eq!(answer.json["results"][0]["objectWriteTraceId"], "a");
    let traces: Vec<_> = (0..2)
        .map(|i| answer.json["errors"][i]["context"]["objectWriteTraceId"][0].clone())
        .collect();
    assert_eq!(traces, ["b", "c"]);
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 4);
}

#[tokio::test]
async fn update_upsert_and_archive_do_what_they_say() {
    let (hubspot, caller) = start();
    let rows = json!([{ "id": "101", "properties": { "firstname": "Anna" } }]);
    let updated = batch(&caller, "update", rows).await;
    assert_eq!(
        (
            updated.status,
            &updated.json["results"][0]["properties"]["firstname"]
        ),
        (200, &json!("Anna"))
    );

    let by = |email: &str| json!({ "idProperty": "email", "id": email, "properties": { "firstname": "x" } });
    let upserted = batch(
        &caller,
        "upsert",
        json!([by("bob@alpha.example"), by("zoe@alpha.example")]),
    )
    .await;
    assert_eq!(upserted.status, 200);
    assert_eq!(
        (
            &upserted.json["results"][0]["new"],
            &upserted.json["results"][1]["new"]
        ),
        (&json!(false), &json!(true))
    );

    assert_eq!(
        batch(&caller, "archive", json!([{ "id": "101" }, { "id": "102" }]))
            .await
            .status,
        204
    );
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 2);
}

#[tokio::test]
async fn a_unique_value_in_a_body_is_any_text() {
    let (hubspot, caller) = start();
    let key = PropertyDef::new("external_key", PropertyKind::Text).unique();
    let defined = hubspot.define_property(ALPHA, ObjectType::Companies, key);
    defined.expect("defined");
    let path = "/crm/objects/2026-09/companies/batch";
    for key in ["ACME / DE 17", "..", "50 % #1; b?"] {
        let row = json!({
            "id": key, "idProperty": "external_key", "properties": { "name": "Acme" }, "objectWriteTraceId": "1",
        });
        for new in [true, false] {
            let body = json!({ "inputs": [row] });
            let answer = caller.post(&format!("{path}/upsert"), body).await;
            assert_eq!(
                (answer.status, &answer.json["results"][0]["new"]),
                (200, &json!(new))
            );
        }
        let body = json!({
            "inputs": [{ "id": key }], "idProperty": "external_key", "properties": ["external_key"],
        });
        let found = caller.post(&format!("{path}/read"), body).await;
        assert_eq!(found.json["results"][0]["properties"]["external_key"], key);
    }
}
