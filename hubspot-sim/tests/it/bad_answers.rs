//! Answers that a client must survive.

use std::io::Read;

use flate2::read::GzDecoder;
use hubspot_sim::{Fault, FaultRule, ObjectType};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{ALPHA, CONTACTS, start};

#[tokio::test]
async fn a_truncated_body_has_a_length_that_fits_it() {
    let (hubspot, caller) = start();
    let whole = caller.get(CONTACTS).await;
    hubspot.inject(FaultRule::new(Fault::TruncatedJson).times(1));
    let half = caller.get(CONTACTS).await;
    assert_eq!(half.status, 200);
    assert_eq!(
        half.header("content-length"),
        Some(half.text.len().to_string().as_str())
    );
    assert!(half.text.len() < whole.text.len() && half.json.is_null());
    assert!(whole.text.starts_with(&half.text));
}

#[tokio::test]
async fn a_gzip_bomb_is_small_on_the_wire_and_unpacks_to_the_true_answer() {
    let (hubspot, caller) = start();
    let whole = caller.get(CONTACTS).await;
    let bytes = 9 * 1024 * 1024 + 5;
    hubspot.inject(FaultRule::new(Fault::GzipBomb { bytes }).times(1));
    let packed = caller.bytes(CONTACTS).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < 64 * 1024, "{} bytes", packed.body.len());
    let mut plain = String::new();
    GzDecoder::new(packed.body.as_slice())
        .read_to_string(&mut plain)
        .expect("one whole gzip stream");
    assert_eq!(plain.len(), 9 * 1024 * 1024 + 5 + whole.text.len());
    assert_eq!(plain.trim_start(), whole.text);
}

#[tokio::test]
async fn a_long_body_comes_without_a_length() {
    let (hubspot, caller) = start();
    hubspot.inject(FaultRule::new(Fault::LongBody { bytes: 1_000_001 }).times(1));
    let long = caller.get(CONTACTS).await;
    assert_eq!(long.header("content-length"), None);
    assert!(long.text.len() > 1_000_001);
    assert_eq!(long.json["results"][0]["id"], "101");
}

#[tokio::test]
async fn a_dripping_body_comes_byte_by_byte() {
    let (hubspot, caller) = start();
    let path = format!("{CONTACTS}/101?properties=email");
    hubspot.inject(FaultRule::new(Fault::Drip { ms: 1 }).times(1));
    let before = hubspot.now_micros();
    let slow = caller.get(&path).await;
    let least = i64::try_from(slow.text.len()).unwrap() * 1_000;
    assert!(hubspot.now_micros() - before >= least);
    assert_eq!(slow.json["id"], "101");
}

#[tokio::test]
async fn a_redirect_names_where_it_leads() {
    let (hubspot, caller) = start();
    for status in [301, 302, 307, 308] {
        let location = format!("{}/_sim/health", hubspot.base_url());
        hubspot.inject(
            FaultRule::new(Fault::Redirect {
                status,
                location: location.clone(),
            })
            .times(1),
        );
        let answer = caller.bytes(CONTACTS).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (status, Some(location.as_str()))
        );
        assert_eq!(hubspot.journal().last().unwrap().status, Some(status));
    }
}

#[tokio::test]
async fn a_page_can_name_the_same_next_page_for_ever() {
    let (hubspot, caller) = start();
    hubspot.inject(Fault::SameCursor {
        after: "101".to_owned(),
    });
    let mut after = String::new();
    for _ in 0..3 {
        let page = caller
            .get(&format!("{CONTACTS}?limit=10&after={after}"))
            .await
            .json;
        after = page["paging"]["next"]["after"].as_str().unwrap().to_owned();
        assert_eq!(after, "101");
        assert!(
            page["results"]
                .as_array()
                .is_some_and(|results| !results.is_empty())
        );
    }
}

#[tokio::test]
async fn a_true_body_can_come_under_a_wrong_type() {
    let (hubspot, caller) = start();
    hubspot.inject(
        FaultRule::new(Fault::WrongContentType {
            content_type: "text/html".to_owned(),
        })
        .times(1),
    );
    let answer = caller.get(CONTACTS).await;
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert_eq!(answer.json["results"][0]["id"], "101");
}

#[tokio::test]
async fn members_can_come_twice() {
    let (hubspot, caller) = start();
    hubspot.inject(FaultRule::new(Fault::DuplicateKeys).times(1));
    let answer = caller.get(&format!("{CONTACTS}/101")).await;
    assert!(
        answer.text.contains("\"id\":\"duplicate\",\"id\":\"101\""),
        "{}",
        answer.text
    );
    assert_eq!(answer.json["id"], "101", "the last one counts here");
}

#[tokio::test]
async fn lists_can_be_nested_deeply() {
    let (hubspot, caller) = start();
    let fault: Fault = serde_json::from_value(json!({ "fault": "deep_json" })).unwrap();
    assert_eq!(fault, Fault::DeepJson { levels: 10_000 });
    hubspot.inject(FaultRule::new(fault).times(1));
    let answer = caller.get(CONTACTS).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text.matches('[').count(), 10_000);
    assert_eq!(answer.text.matches(']').count(), 10_000);
}

#[tokio::test]
async fn a_batch_can_go_well_in_part() {
    let (hubspot, caller) = start();
    let row = |name: &str| json!({ "objectWriteTraceId": name, "properties": { "firstname": name } });
    let body = json!({ "inputs": [row("a"), row("b"), row("c")] });
    hubspot.inject(
        FaultRule::new(Fault::MixedRows {
            every: 2,
            limited: false,
        })
        .times(1),
    );
    let mixed = caller.post(&format!("{CONTACTS}/batch/create"), body).await;
    assert_eq!(
        (mixed.status, &mixed.json["numErrors"]),
        (207, &json!(1)),
        "{}",
        mixed.text
    );
    assert_eq!(mixed.json["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        mixed.json["errors"][0]["context"]["objectWriteTraceId"],
        json!(["b"])
    );
    assert_eq!(
        hubspot.record_count(ALPHA, ObjectType::Contacts),
        5,
        "the refused row was not carried out"
    );
    hubspot.inject(
        FaultRule::new(Fault::MixedRows {
            every: 1,
            limited: false,
        })
        .times(1),
    );
    let all = json!({ "inputs": [{ "id": "101" }] });
    let none = caller.post(&format!("{CONTACTS}/batch/archive"), all).await;
    assert_eq!(
        (none.status, &none.json["errors"][0]["context"]["ids"]),
        (207, &json!(["101"]))
    );
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 5);
}

#[tokio::test]
async fn what_stands_before_hubspot_can_fail_in_its_ways() {
    let (hubspot, caller) = start();
    for status in [423, 477, 521, 522, 523, 524, 525, 526] {
        hubspot.inject(FaultRule::new(Fault::Status { status }).times(1));
        let answer = caller.get(CONTACTS).await;
        assert_eq!((answer.status, &answer.json["status"]), (status, &json!("error")));
        hubspot.inject(FaultRule::new(Fault::HtmlPage { status }).times(1));
        let page = caller.get(CONTACTS).await;
        assert_eq!((page.status, &page.json), (status, &Value::Null));
        assert!(page.text.contains(&status.to_string()));
    }
}

#[tokio::test]
async fn a_true_answer_that_comes_badly_has_had_its_effect() {
    let (hubspot, caller) = start();
    hubspot.inject(FaultRule::new(Fault::TruncatedJson).times(1));
    let create = json!({ "properties": { "firstname": "x" } });
    let answer = caller.call(Method::POST, CONTACTS, Some(create)).await.unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 4);
}
