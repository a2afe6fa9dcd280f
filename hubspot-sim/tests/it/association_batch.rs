//! Many associations in one call.

use hubspot_sim::{ObjectType, Simulator, TokenSpec};
use serde_json::{Value, json};

use crate::caller::{ALPHA, Answer, Caller, start};

const COMPANY: u64 = 10_000_101;

fn with_company() -> (Simulator, Caller) {
    let (hubspot, caller) = start();
    hubspot
        .seed(ALPHA, ObjectType::Companies, &[("name", "One")])
        .expect("a company");
    (hubspot, caller)
}

async fn batch(caller: &Caller, action: &str, inputs: Value) -> Answer {
    let path = format!("/crm/associations/2026-09/contacts/companies/batch/{action}");
    caller.post(&path, json!({ "inputs": inputs })).await
}

fn row(from: &str, types: &[u32]) -> Value {
    let types: Vec<Value> = types
        .iter()
        .map(|number| json!({ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number }))
        .collect();
    json!({ "from": { "id": from }, "to": { "id": COMPANY.to_string() }, "types": types })
}

#[tokio::test]
async fn rows_are_created_and_read_and_bad_ones_are_told_apart() {
    let (_hubspot, caller) = with_company();
    let made = batch(&caller, "create", json!([row("101", &[1]), row("102", &[279])])).await;
    assert_eq!(
        (made.status, &made.json["status"]),
        (201, &json!("COMPLETE")),
        "{}",
        made.text
    );
    assert_eq!(made.json["results"][0]["labels"], json!(["Primary"]));
    let mixed = batch(
        &caller,
        "create",
        json!([row("103", &[1]), row("999", &[1]), row("103", &[2])]),
    )
    .await;
    assert_eq!((mixed.status, &mixed.json["numErrors"]), (207, &json!(2)));
    assert_eq!(mixed.json["errors"][0]["context"]["CONTACT"], json!(["999"]));

    let read = batch(&caller, "read", json!([{ "id": "101" }, { "id": 102 }])).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.json["results"][1]["from"]["id"], "102");
    assert_eq!(
        read.json["results"][1]["to"][0]["toObjectId"],
        COMPANY.to_string()
    );
    let some = batch(&caller, "read", json!([{ "id": "101" }, { "id": "999" }])).await;
    assert_eq!((some.status, &some.json["numErrors"]), (207, &json!(1)));
    assert_eq!(
        some.json["errors"][0]["subCategory"],
        "crm.associations.NO_ASSOCIATIONS_FOUND"
    );
    assert_eq!(some.json["errors"][0]["context"]["fromObjectId"], json!(["999"]));
}

#[tokio::test]
async fn plain_ones_are_created_without_a_type() {
    let (_hubspot, caller) = with_company();
    let made = batch(
        &caller,
        "associate/default",
        json!([row("101", &[]), row("999", &[])]),
    )
    .await;
    assert_eq!((made.status, &made.json["numErrors"]), (207, &json!(1)));
    assert_eq!(
        made.json["results"].as_array().map(Vec::len),
        Some(2),
        "both directions"
    );
    let v4 = "/crm/v4/associations/companies/contacts/batch/read";
    let back = caller
        .post(v4, json!({ "inputs": [{ "id": COMPANY.to_string() }] }))
        .await;
    assert_eq!(
        back.json["results"][0]["to"][0]["associationTypes"][0]["typeId"],
        280
    );
}

#[tokio::test]
async fn a_label_is_taken_off_and_all_of_it_with_the_plain_one() {
    let (_hubspot, caller) = with_company();
    batch(&caller, "create", json!([row("101", &[1]), row("102", &[1])])).await;
    assert_eq!(
        batch(&caller, "labels/archive", json!([row("101", &[1])]))
            .await
            .status,
        204
    );
    assert_eq!(
        batch(&caller, "labels/archive", json!([row("102", &[279])]))
            .await
            .status,
        204
    );
    let read = batch(&caller, "read", json!([{ "id": "101" }, { "id": "102" }])).await;
    assert_eq!(
        read.json["results"][0]["to"][0]["associationTypes"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(read.json["numErrors"], 1);
    let gone = json!([{ "from": { "id": "101" }, "to": [{ "id": COMPANY.to_string() }] }]);
    assert_eq!(batch(&caller, "archive", gone).await.status, 204);
    assert_eq!(
        batch(&caller, "read", json!([{ "id": "101" }])).await.json["results"],
        json!([])
    );
    let nobody = json!([{ "from": { "id": "999" }, "to": [{ "id": COMPANY.to_string() }] }]);
    assert_eq!(batch(&caller, "archive", nobody).await.status, 207);
}

#[tokio::test]
async fn a_thousand_are_read_and_two_thousand_are_written_at_once() {
    let (_hubspot, caller) = with_company();
    let ids = |n: usize| json!(vec![json!({ "id": "101" }); n]);
    assert_eq!(batch(&caller, "read", ids(1_000)).await.status, 207);
    assert_eq!(batch(&caller, "read", ids(1_001)).await.status, 400);
    let rows = |n: usize| json!(vec![row("101", &[279]); n]);
    assert_eq!(batch(&caller, "create", rows(2_000)).await.status, 201);
    assert_eq!(batch(&caller, "create", rows(2_001)).await.status, 400);
    assert_eq!(batch(&caller, "create", rows(0)).await.status, 400);
}

#[tokio::test]
async fn both_sides_must_be_allowed() {
    let (hubspot, _) = with_company();
    let token = "pat-na1-00000000-test-0000-0000-narrow000001";
    let scopes = [
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.companies.read",
    ];
    hubspot
        .add_token(ALPHA, TokenSpec::private_app(token).scopes(scopes))
        .unwrap();
    let narrow = Caller::of(&hubspot, token);
    assert_eq!(batch(&narrow, "read", json!([{ "id": "101" }])).await.status, 207);
    let refused = batch(&narrow, "create", json!([row("101", &[1])])).await;
    assert_eq!(
        (refused.status, &refused.json["category"]),
        (403, &json!("MISSING_SCOPES"))
    );
}
