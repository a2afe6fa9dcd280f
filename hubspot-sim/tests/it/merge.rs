//! What cannot be undone: merges and deletion for good.

use hubspot_sim::ObjectType;
use serde_json::json;

use crate::caller::{ALPHA, CONTACTS, Caller, start};

async fn merge(caller: &Caller, primary: &str, other: &str) -> crate::caller::Answer {
    let body = json!({ "primaryObjectId": primary, "objectIdToMerge": other });
    caller.post(&format!("{CONTACTS}/merge"), body).await
}

#[tokio::test]
async fn two_records_become_a_third_and_both_ids_lead_to_it() {
    let (hubspot, caller) = start();
    caller
        .patch(
            &format!("{CONTACTS}/102"),
            json!({ "properties": { "phone": "555" } }),
        )
        .await;
    let merged = merge(&caller, "101", "102").await;
    assert_eq!(
        (merged.status, &merged.json["id"]),
        (200, &json!("104")),
        "{}",
        merged.text
    );
    let properties = &merged.json["properties"];
    assert_eq!(properties["hs_object_id"], "104");
    assert_eq!(properties["hs_merged_object_ids"], "101;102");
    assert_eq!(
        properties["email"], "ann@alpha.example",
        "the primary record's values win"
    );
    assert_eq!(properties["phone"], "555", "what it had not, it takes over");
    assert_eq!(properties["hs_additional_emails"], "bob@alpha.example");

    for id in ["101", "102"] {
        let path = format!("{CONTACTS}/{id}");
        assert_eq!(caller.get(&path).await.json["id"], "104");
        let changed = caller
            .patch(&path, json!({ "properties": { "lastname": id } }))
            .await;
        assert_eq!(changed.json["id"], "104");
    }
    let by_email = caller
        .get(&format!("{CONTACTS}/bob@alpha.example?idProperty=email"))
        .await;
    assert_eq!(by_email.json["id"], "104");
    let batch = json!({ "inputs": [{ "id": "104" }, { "id": "101" }, { "id": "102" }] });
    let read = caller.post(&format!("{CONTACTS}/batch/read"), batch).await;
    assert_eq!(
        (read.status, &read.json["errors"][0]["context"]["ids"]),
        (207, &json!(["101", "102"]))
    );
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 2);
    // The other address stays taken.
    let again = json!({ "properties": { "email": "bob@alpha.example" } });
    assert_eq!(caller.post(CONTACTS, again).await.status, 409);
}

#[tokio::test]
async fn the_history_of_both_goes_on_and_ends_with_what_is_left() {
    let (_hubspot, caller) = start();
    caller
        .patch(
            &format!("{CONTACTS}/102"),
            json!({ "properties": { "lastname": "later" } }),
        )
        .await;
    merge(&caller, "101", "102").await;
    let record = caller
        .get(&format!("{CONTACTS}/101?propertiesWithHistory=lastname"))
        .await
        .json;
    let history = record["propertiesWithHistory"]["lastname"].as_array().unwrap();
    let values: Vec<_> = history
        .iter()
        .map(|one| {
            (
                one["value"].as_str().unwrap(),
                one["sourceType"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(values.first(), Some(&("alpha", "MERGE_OBJECTS")));
    assert_eq!(values.get(1), Some(&("later", "INTEGRATION")));
    assert_eq!(values.len(), 4, "two imported, one written, one merged");
}

#[tokio::test]
async fn associations_go_over_and_the_primary_company_stays_one() {
    let (hubspot, caller) = start();
    let company = |name: &str| {
        let id = hubspot.seed(ALPHA, ObjectType::Companies, &[("name", name)]);
        (ObjectType::Companies, id.unwrap())
    };
    let (one, two, three) = (company("One"), company("Two"), company("Three"));
    let (ann, bob) = ((ObjectType::Contacts, 101), (ObjectType::Contacts, 102));
    hubspot.associate(ALPHA, ann, one, &[1], &[]).unwrap();
    hubspot.associate(ALPHA, bob, two, &[1], &[]).unwrap();
    hubspot.associate(ALPHA, bob, three, &[], &[]).unwrap();
    hubspot.associate(ALPHA, ann, bob, &[], &[]).unwrap();
    merge(&caller, "101", "102").await;
    let list = |id: &str| format!("/crm/objects/2026-09/contacts/{id}/associations/companies");
    let all = caller.get(&list("104")).await.json;
    let counts: Vec<_> = all["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["associationTypes"].as_array().map(Vec::len))
        .collect();
    assert_eq!(counts, [Some(2), Some(1), Some(1)]);
    for gone in ["101", "102"] {
        assert_eq!(caller.get(&list(gone)).await.json, json!({ "results": [] }));
    }
    let itself = "/crm/objects/2026-09/contacts/104/associations/contacts";
    assert_eq!(caller.get(itself).await.json, json!({ "results": [] }));
}

#[tokio::test]
async fn a_chain_of_merges_leads_to_its_end() {
    let (_hubspot, caller) = start();
    assert_eq!(merge(&caller, "102", "103").await.json["id"], "104");
    let merged = merge(&caller, "101", "103").await;
    assert_eq!(merged.json["id"], "105");
    assert_eq!(
        merged.json["properties"]["hs_merged_object_ids"],
        "102;103;101;104"
    );
    for id in ["101", "102", "103", "104"] {
        assert_eq!(caller.get(&format!("{CONTACTS}/{id}")).await.json["id"], "105");
    }
    assert_eq!(
        merge(&caller, "101", "102").await.status,
        400,
        "they are one already"
    );
    assert_eq!(merge(&caller, "101", "999").await.status, 404);
    assert_eq!(merge(&caller, "101", "x").await.status, 400);
}

#[tokio::test]
async fn no_record_is_the_outcome_of_more_than_250_merges() {
    let (hubspot, caller) = start();
    let mut last = 101;
    for _ in 0..250 {
        let id = hubspot
            .seed(ALPHA, ObjectType::Contacts, &[("firstname", "x")])
            .unwrap();
        last = hubspot
            .merge_by_hand(ALPHA, ObjectType::Contacts, last, id)
            .unwrap();
    }
    let refused = merge(&caller, &last.to_string(), "102").await;
    assert_eq!((refused.status, &refused.json["status"]), (414, &json!("error")));
    assert_eq!(merge(&caller, "102", "103").await.status, 200);
}

#[tokio::test]
async fn a_deleted_contact_is_gone_for_good_and_may_come_back() {
    let (hubspot, caller) = start();
    let path = format!("{CONTACTS}/gdpr-delete");
    let gone = caller
        .post(
            &path,
            json!({ "objectId": "bob@alpha.example", "idProperty": "email" }),
        )
        .await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(caller.get(&format!("{CONTACTS}/102")).await.status, 404);
    assert_eq!(
        caller.get(&format!("{CONTACTS}/102?archived=true")).await.status,
        404
    );
    assert_eq!(caller.post(&path, json!({ "objectId": "101" })).await.status, 204);
    assert_eq!(hubspot.record(ALPHA, ObjectType::Contacts, 101), None);

    let unknown = json!({ "objectId": "nobody@alpha.example", "idProperty": "email" });
    assert_eq!(caller.post(&path, unknown).await.status, 204);
    assert_eq!(caller.post(&path, json!({ "objectId": "999" })).await.status, 404);
    assert_eq!(
        hubspot.blocklist(ALPHA),
        ["ann@alpha.example", "bob@alpha.example", "nobody@alpha.example"]
    );
    // HubSpot itself does not stop it.
    let again = json!({ "properties": { "email": "nobody@alpha.example" } });
    assert_eq!(caller.post(CONTACTS, again).await.status, 201);
    let deal = caller
        .post(
            "/crm/objects/2026-09/deals/gdpr-delete",
            json!({ "objectId": "1" }),
        )
        .await;
    assert_eq!(deal.status, 404);
}
