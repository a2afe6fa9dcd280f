//! What cannot be undone: merges and deletion for good.

use hubspot_sim::ObjectType;
use serde_json::json;

use crate::caller::{ALPHA, CONTACTS, Caller, start};

async fn merge(caller: &Caller, primary: &str, other: &str) -> crate::caller::Answer {
    let body = json!({ "primaryObjectId": primary, "objectIdToMerge": other });
    caller.post(&format!("{CONTACTS}/merge"), body).await
}

#[tokio::test]
async fn two_records_become_one_and_the_other_id_leads_to_it() {
    let (hubspot, caller) = start();
    caller
        .patch(
            &format!("{CONTACTS}/102"),
            json!({ "properties": { "phone": "555" } }),
        )
        .await;
    let company = hubspot
        .seed(ALPHA, ObjectType::Companies, &[("name", "One")])
        .unwrap();
    let (bob, one) = ((ObjectType::Contacts, 102), (ObjectType::Companies, company));
    hubspot.associate(ALPHA, bob, one, &[1], &[]).unwrap();

    let merged = merge(&caller, "101", "102").await;
    assert_eq!(
        (merged.status, &merged.json["id"]),
        (200, &json!("101")),
        "{}",
        merged.text
    );
    assert_eq!(merged.json["properties"]["hs_merged_object_ids"], "102");
    assert_eq!(
        merged.json["properties"]["email"], "ann@alpha.example",
        "the primary record's values win"
    );
    assert_eq!(
        merged.json["properties"]["phone"], "555",
        "what it had not, it takes over"
    );
    assert_eq!(
        merged.json["properties"]["hs_additional_emails"],
        "bob@alpha.example"
    );

    let path = format!("{CONTACTS}/102");
    assert_eq!(caller.get(&path).await.json["id"], "101");
    let changed = caller
        .patch(&path, json!({ "properties": { "lastname": "x" } }))
        .await;
    assert_eq!(changed.json["id"], "101");
    let by_email = caller
        .get(&format!("{CONTACTS}/bob@alpha.example?idProperty=email"))
        .await;
    assert_eq!(by_email.json["id"], "101");
    let batch = json!({ "inputs": [{ "id": "101" }, { "id": "102" }] });
    let read = caller.post(&format!("{CONTACTS}/batch/read"), batch).await;
    assert_eq!(
        (read.status, &read.json["errors"][0]["context"]["ids"]),
        (207, &json!(["102"]))
    );
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 2);
    let companies = caller
        .get(&format!("{CONTACTS}/101?associations=companies"))
        .await
        .json;
    assert_eq!(
        companies["associations"]["companies"]["results"][0]["id"],
        company.to_string()
    );
    // The other address stays taken.
    let again = json!({ "properties": { "email": "bob@alpha.example" } });
    assert_eq!(caller.post(CONTACTS, again).await.status, 409);
}

#[tokio::test]
async fn a_chain_of_merges_leads_to_its_end() {
    let (_hubspot, caller) = start();
    assert_eq!(merge(&caller, "102", "103").await.status, 200);
    let merged = merge(&caller, "101", "103").await;
    assert_eq!(merged.json["properties"]["hs_merged_object_ids"], "103;102");
    assert_eq!(caller.get(&format!("{CONTACTS}/103")).await.json["id"], "101");
    assert_eq!(
        merge(&caller, "101", "102").await.status,
        400,
        "they are one already"
    );
    assert_eq!(merge(&caller, "101", "999").await.status, 404);
    assert_eq!(merge(&caller, "101", "x").await.status, 400);
}

#[tokio::test]
async fn no_record_takes_up_more_than_250_others() {
    let (hubspot, caller) = start();
    hubspot
        .set_limits(ALPHA, hubspot_sim::Limits::unlimited())
        .unwrap();
    for nth in 0..251 {
        let id = hubspot
            .seed(ALPHA, ObjectType::Contacts, &[("firstname", "x")])
            .unwrap();
        let merged = merge(&caller, "101", &id.to_string()).await;
        assert_eq!(merged.status, if nth < 250 { 200 } else { 414 }, "{nth}");
    }
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
