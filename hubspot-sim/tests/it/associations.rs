//! The associations of one record.

use hubspot_sim::{ObjectType, Simulator};
use serde_json::{Value, json};

use crate::caller::{ALPHA, CONTACTS, Caller, start};

const OBJECTS: &str = "/crm/objects/2026-09";
const COMPANY: u64 = 10_000_101;

/// Alpha with two companies besides its contacts.
fn with_companies() -> (Simulator, Caller) {
    let (hubspot, caller) = start();
    for name in ["One", "Two"] {
        hubspot
            .seed(ALPHA, ObjectType::Companies, &[("name", name)])
            .expect("a company");
    }
    (hubspot, caller)
}

fn hubspots(number: u32) -> Value {
    json!([{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number }])
}

/// The numbers by which the first listed record is associated.
fn numbers(list: &Value) -> Vec<u64> {
    let types = list
        .pointer("/results/0/associationTypes")
        .and_then(Value::as_array);
    types
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("typeId").and_then(Value::as_u64))
        .collect()
}

#[tokio::test]
async fn a_plain_association_is_seen_from_both_sides() {
    let (_hubspot, caller) = with_companies();
    for (style, id) in [(OBJECTS, "101"), ("/crm/v4/objects", "102")] {
        let path = format!("{style}/contacts/{id}/associations/default/companies/{COMPANY}");
        let made = caller.touch(&path).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert_eq!(
            made.json["results"][0]["associationSpec"]["associationTypeId"],
            279
        );
        assert_eq!(
            made.json["results"][1]["associationSpec"]["associationTypeId"],
            280
        );
        assert_eq!(made.json["results"][1]["to"]["id"], id);
    }
    let there = caller
        .get(&format!("{OBJECTS}/0-1/101/associations/0-2"))
        .await
        .json;
    assert_eq!(there["results"][0]["toObjectId"], COMPANY.to_string());
    assert_eq!(
        there["results"][0]["associationTypes"],
        json!([{ "category": "HUBSPOT_DEFINED", "typeId": 279, "label": null }])
    );
    let back = caller
        .get(&format!(
            "/crm/v4/objects/companies/{COMPANY}/associations/contacts"
        ))
        .await
        .json;
    let ids: Vec<_> = back["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["toObjectId"])
        .collect();
    assert_eq!(ids, [&json!("101"), &json!("102")]);
    assert_eq!(numbers(&back), [280]);
}

#[tokio::test]
async fn labels_replace_labels_and_the_plain_association_stays() {
    let (hubspot, caller) = with_companies();
    let labels = json!({ "label": "Billing", "name": "billing", "inverseLabel": "Billed" });
    let defined = caller
        .post("/crm/associations/2026-09/contacts/companies/labels", labels)
        .await;
    let own = defined.json["results"][0]["typeId"].as_u64().unwrap();
    let path = format!("{OBJECTS}/contacts/101/associations/companies/{COMPANY}");
    let primary = caller.put(&path, hubspots(1)).await;
    assert_eq!(
        (primary.status, &primary.json["labels"]),
        (201, &json!(["Primary"]))
    );
    assert_eq!(primary.json["toObjectTypeId"], "0-2");
    let list = format!("{OBJECTS}/contacts/101/associations/companies");
    assert_eq!(numbers(&caller.get(&list).await.json), [279, 1]);

    let billing = json!([{ "associationCategory": "USER_DEFINED", "associationTypeId": own }]);
    assert_eq!(caller.put(&path, billing).await.status, 201);
    let now = caller.get(&list).await.json;
    assert_eq!(
        now["results"][0]["associationTypes"][1]["category"],
        "USER_DEFINED"
    );
    assert_eq!(numbers(&now), [279, own], "the primary label was not sent again");
    // A plain association takes nothing away.
    let plain = format!("{OBJECTS}/contacts/101/associations/default/companies/{COMPANY}");
    assert_eq!(caller.touch(&plain).await.status, 200);
    assert_eq!(numbers(&caller.get(&list).await.json), [279, own]);

    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.get(&list).await.json, json!({ "results": [] }));
    assert!(hubspot.journal().iter().all(|entry| entry.status.is_some()));
}

#[tokio::test]
async fn a_contact_has_one_primary_company() {
    let (_hubspot, caller) = with_companies();
    let to = |company: u64| format!("{OBJECTS}/contacts/101/associations/companies/{company}");
    caller.put(&to(COMPANY), hubspots(1)).await;
    caller.put(&to(COMPANY + 1), hubspots(1)).await;
    let list = caller
        .get(&format!("{OBJECTS}/contacts/101/associations/companies"))
        .await
        .json;
    assert_eq!(numbers(&list), [279]);
    assert_eq!(list["results"][1]["associationTypes"][1]["label"], "Primary");
    // A company is the primary one of as many contacts as there are.
    let of_two = format!("{OBJECTS}/companies/{COMPANY}/associations/contacts");
    caller.put(&format!("{of_two}/102"), hubspots(2)).await;
    caller.put(&format!("{of_two}/103"), hubspots(2)).await;
    let both = caller.get(&of_two).await.json;
    assert_eq!(both["results"][1]["associationTypes"][1]["typeId"], 2);
    assert_eq!(both["results"][2]["associationTypes"][1]["typeId"], 2);
}

#[tokio::test]
async fn what_is_not_there_is_not_associated() {
    let (_hubspot, caller) = with_companies();
    let nobody = caller
        .touch(&format!(
            "{OBJECTS}/contacts/999/associations/default/companies/{COMPANY}"
        ))
        .await;
    assert_eq!(
        (nobody.status, &nobody.json["message"]),
        (400, &json!("CONTACT=999 is not valid"))
    );
    assert_eq!(nobody.json["subCategory"], "crm.associations.INVALID_OBJECT_IDS");
    // 280 is the number from the other side.
    let path = format!("{OBJECTS}/contacts/101/associations/companies/{COMPANY}");
    assert_eq!(caller.put(&path, hubspots(280)).await.status, 400);
    assert_eq!(caller.put(&path, json!([])).await.status, 400);
    assert_eq!(
        caller
            .get(&format!("{OBJECTS}/contacts/999/associations/companies"))
            .await
            .status,
        404
    );
    assert_eq!(
        caller
            .get(&format!("{OBJECTS}/contacts/101/associations/nonsense"))
            .await
            .status,
        400
    );
    assert_eq!(caller.get("/crm/v4/objects/contacts/101").await.status, 404);
}

#[tokio::test]
async fn a_list_of_associations_has_pages() {
    let (hubspot, caller) = start();
    for nth in 0..5 {
        let deal = hubspot
            .seed(ALPHA, ObjectType::Deals, &[("dealname", &format!("d{nth}"))])
            .unwrap();
        let contact = (ObjectType::Contacts, 101);
        hubspot
            .associate(ALPHA, contact, (ObjectType::Deals, deal), &[], &[])
            .unwrap();
    }
    let list = format!("{OBJECTS}/contacts/101/associations/deals?limit=3");
    let first = caller.get(&list).await.json;
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    let second = caller.get(&format!("{list}&after={after}")).await.json;
    assert_eq!(first["results"].as_array().map(Vec::len), Some(3));
    assert_eq!(second["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(second.get("paging"), None);
    let too_many = format!("{OBJECTS}/contacts/101/associations/deals?limit=501");
    assert_eq!(caller.get(&too_many).await.status, 400);
    // What is archived is not shown.
    caller.delete(&format!("{OBJECTS}/deals/20000101")).await;
    assert_eq!(
        caller.get(&list).await.json["results"][0]["toObjectId"],
        "20000102"
    );
}

#[tokio::test]
async fn a_record_shows_its_associations_by_type() {
    let (hubspot, caller) = with_companies();
    let contact = (ObjectType::Contacts, 101);
    hubspot
        .associate(ALPHA, contact, (ObjectType::Companies, COMPANY), &[1], &[])
        .unwrap();
    let record = caller
        .get(&format!("{CONTACTS}/101?associations=companies,deals"))
        .await
        .json;
    assert_eq!(
        record["associations"],
        json!({ "companies": { "results": [
            { "id": COMPANY.to_string(), "type": "contact_to_company_unlabeled" },
            { "id": COMPANY.to_string(), "type": "contact_to_company" },
        ] } })
    );
    let list = caller
        .get("/crm/v3/objects/contacts?associations=company")
        .await
        .json;
    assert_eq!(list["results"][0]["associations"], record["associations"]);
    assert_eq!(list["results"][1].get("associations"), None);
    assert_eq!(
        caller
            .get(&format!("{CONTACTS}/101?associations=nonsense"))
            .await
            .status,
        400
    );
    let back = caller
        .get(&format!("{OBJECTS}/companies/{COMPANY}?associations=contacts"))
        .await
        .json;
    assert_eq!(
        back["associations"]["contacts"]["results"][1]["type"],
        "company_to_contact"
    );
}

#[tokio::test]
async fn a_record_is_created_with_its_associations() {
    let (hubspot, caller) = start();
    let note = |to: &str, number: u32| {
        json!({
            "properties": { "hs_timestamp": "2026-11-02T09:30:00Z", "hs_note_body": "x" },
            "associations": [{ "to": { "id": to }, "types": hubspots(number) }],
        })
    };
    let made = caller.post(&format!("{OBJECTS}/notes"), note("101", 202)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let seen = caller
        .get(&format!("{CONTACTS}/101?associations=notes"))
        .await
        .json;
    assert_eq!(seen["associations"]["notes"]["results"][0]["id"], made.json["id"]);
    assert_eq!(
        seen["associations"]["notes"]["results"][0]["type"],
        "contact_to_note"
    );
    for bad in [note("999", 202), note("101", 201), note("101", 190)] {
        assert_eq!(caller.post(&format!("{OBJECTS}/notes"), bad).await.status, 400);
    }
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Notes), 1);
    let rows = json!({ "inputs": [note("102", 202), note("103", 202)] });
    assert_eq!(
        caller
            .post(&format!("{OBJECTS}/notes/batch/create"), rows)
            .await
            .status,
        201
    );
    let other = caller
        .get(&format!("{OBJECTS}/contacts/103/associations/notes"))
        .await
        .json;
    assert_eq!(numbers(&other), [201]);
}

#[tokio::test]
async fn a_search_asks_for_associated_records() {
    let (hubspot, caller) = with_companies();
    let company = (ObjectType::Companies, COMPANY);
    hubspot
        .associate(ALPHA, (ObjectType::Contacts, 102), company, &[], &[])
        .unwrap();
    let filter = |operator: &str, value: Value| {
        let mut filter = json!({ "propertyName": "associations.company", "operator": operator });
        filter["value"] = value;
        json!({ "filters": [filter] })
    };
    let path = format!("{CONTACTS}/search");
    let found = caller
        .post(&path, filter("EQ", json!(COMPANY.to_string())))
        .await
        .json;
    assert_eq!(
        (&found["total"], &found["results"][0]["id"]),
        (&json!(1), &json!("102"))
    );
    let without = caller
        .post(&path, filter("NOT_HAS_PROPERTY", json!(null)))
        .await
        .json;
    assert_eq!(without["total"], 2);
    assert_eq!(caller.post(&path, filter("GT", json!("1"))).await.status, 400);
}
