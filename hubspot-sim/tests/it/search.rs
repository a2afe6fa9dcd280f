//! Search and its limits.

use std::time::Duration;

use hubspot_sim::{Limits, ObjectType, Simulator};
use serde_json::{Value, json};

use crate::caller::{ALPHA, CONTACTS, Caller, start};

/// A simulator that allows as many searches as a test needs.
fn start_searching() -> (Simulator, Caller) {
    let (hubspot, caller) = start();
    hubspot.set_limits_of_all(&Limits::unlimited());
    (hubspot, caller)
}

async fn search(caller: &Caller, body: Value) -> crate::caller::Answer {
    caller.post(&format!("{CONTACTS}/search"), body).await
}

async fn found(caller: &Caller, filter: Value) -> Vec<String> {
    let answer = search(caller, json!({ "filterGroups": [{ "filters": [filter] }] })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let results = answer
        .json
        .get("results")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    results
        .iter()
        .filter_map(|record| record.get("id").and_then(Value::as_str).map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn every_operator_finds_what_it_should() {
    let (hubspot, caller) = start_searching();
    hubspot
        .seed(
            ALPHA,
            ObjectType::Contacts,
            &[("firstname", "Dan"), ("associatedcompanyid", "9")],
        )
        .unwrap();
    hubspot
        .seed(
            ALPHA,
            ObjectType::Contacts,
            &[("firstname", "Eve"), ("associatedcompanyid", "10")],
        )
        .unwrap();
    let number = |operator: &str, value: &str| json!({ "propertyName": "associatedcompanyid", "operator": operator, "value": value, "highValue": "10" });
    let name = |operator: &str, value: Value| json!({ "propertyName": "firstname", "operator": operator, "value": value, "values": value });
    for (filter, expected) in [
        (name("EQ", json!("DAN")), vec!["104"]),
        (name("NEQ", json!("dan")), vec!["101", "102", "103", "105"]),
        (number("LT", "10"), vec!["104"]),
        (number("LTE", "10"), vec!["104", "105"]),
        (number("GT", "9"), vec!["105"]),
        (number("GTE", "9"), vec!["104", "105"]),
        (number("BETWEEN", "9.5"), vec!["105"]),
        (name("IN", json!(["dan", "eve"])), vec!["104", "105"]),
        // Lists want lower case.
        (name("IN", json!(["Dan"])), vec![]),
        (name("NOT_IN", json!(["dan", "eve"])), vec!["101", "102", "103"]),
        (
            json!({ "propertyName": "email", "operator": "NOT_HAS_PROPERTY" }),
            vec!["104", "105"],
        ),
        (
            json!({ "propertyName": "email", "operator": "HAS_PROPERTY" }),
            vec!["101", "102", "103"],
        ),
        (
            json!({ "propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "b*@alpha.example" }),
            vec!["102"],
        ),
        (
            name("NOT_CONTAINS_TOKEN", json!("dan")),
            vec!["101", "102", "103", "105"],
        ),
    ] {
        assert_eq!(found(&caller, filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn groups_are_alternatives_and_filters_add_up() {
    let (_hubspot, caller) = start_searching();
    let is = |name: &str, value: &str| json!({ "propertyName": name, "operator": "EQ", "value": value });
    let body = json!({ "filterGroups": [
        { "filters": [is("firstname", "ann"), is("lastname", "alpha")] },
        { "filters": [is("firstname", "bob"), is("lastname", "nobody")] },
    ] });
    let answer = search(&caller, body).await.json;
    assert_eq!(
        (&answer["total"], &answer["results"][0]["id"]),
        (&json!(1), &json!("101"))
    );
}

#[tokio::test]
async fn a_sort_is_a_word_or_an_object_and_there_is_one() {
    let (_hubspot, caller) = start_searching();
    for sort in [
        json!("-firstname"),
        json!({ "propertyName": "firstname", "direction": "DESCENDING" }),
    ] {
        let answer = search(&caller, json!({ "sorts": [sort], "limit": 2 })).await.json;
        assert_eq!(answer["results"][0]["properties"]["firstname"], "cyd");
        assert_eq!(answer["paging"]["next"]["after"], "2");
    }
    assert_eq!(
        search(&caller, json!({ "sorts": ["firstname", "lastname"] }))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_query_looks_into_the_usual_properties() {
    let (_hubspot, caller) = start_searching();
    let answer = search(&caller, json!({ "query": "CYD alpha", "properties": ["phone"] }))
        .await
        .json;
    assert_eq!(
        (&answer["total"], &answer["results"][0]["id"]),
        (&json!(1), &json!("103"))
    );
    assert!(answer["results"][0]["properties"]["phone"].is_null());
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let (_hubspot, caller) = start_searching();
    let filter = json!({ "propertyName": "firstname", "operator": "HAS_PROPERTY" });
    let group = |n: usize| json!({ "filters": vec![filter.clone(); n] });
    for (body, why) in [
        (json!({ "filterGroups": vec![group(1); 6] }), "six groups"),
        (json!({ "filterGroups": [group(7)] }), "seven filters in a group"),
        (json!({ "filterGroups": vec![group(5); 4] }), "twenty filters"),
        (json!({ "limit": 201 }), "a page of 201"),
        (json!({ "after": "9991", "limit": 10 }), "more than 10,000"),
        (
            json!({ "query": "x".repeat(3_000) }),
            "a body of more than 3,000 characters",
        ),
        (
            json!({ "filters": [{ "propertyName": "nonsense", "operator": "EQ", "value": "1" }] }),
            "a property",
        ),
        (
            json!({ "filters": [{ "propertyName": "email", "operator": "LIKE", "value": "1" }] }),
            "an operator",
        ),
    ] {
        let answer = search(&caller, body).await;
        assert_eq!(
            (answer.status, &answer.json["category"]),
            (400, &json!("VALIDATION_ERROR")),
            "{why}"
        );
    }
    assert_eq!(
        search(&caller, json!({ "filterGroups": vec![group(6); 3] }))
            .await
            .status,
        200
    );
    assert_eq!(
        search(&caller, json!({ "after": "9990", "limit": 10 }))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn search_lags_behind_when_told_to() {
    let (hubspot, caller) = start_searching();
    hubspot.set_search_lag(ALPHA, Duration::from_secs(30)).unwrap();
    let path = format!("{CONTACTS}/101");
    caller
        .patch(&path, json!({ "properties": { "firstname": "Anna" } }))
        .await;
    caller
        .post(CONTACTS, json!({ "properties": { "firstname": "Anna" } }))
        .await;
    let anna = json!({ "propertyName": "firstname", "operator": "EQ", "value": "Anna" });
    let ann = json!({ "propertyName": "firstname", "operator": "EQ", "value": "ann" });
    assert!(found(&caller, anna.clone()).await.is_empty());
    assert_eq!(found(&caller, ann.clone()).await, ["101"]);
    assert_eq!(caller.get(&path).await.json["properties"]["firstname"], "Anna");
    hubspot.advance_time(Duration::from_secs(31));
    assert_eq!(found(&caller, anna).await, ["101", "104"]);
    assert!(found(&caller, ann).await.is_empty());
}

#[tokio::test]
async fn archived_records_are_never_found() {
    let (_hubspot, caller) = start_searching();
    caller.delete(&format!("{CONTACTS}/101")).await;
    assert_eq!(search(&caller, json!({})).await.json["total"], 2);
}
