//! Pipelines and their stages.

use hubspot_sim::ObjectType;
use serde_json::json;

use crate::caller::{ALPHA, start};

const PIPELINES: &str = "/crm/pipelines/2026-09/deals";

#[tokio::test]
async fn every_account_begins_with_one_of_deals_and_one_of_tickets() {
    let (_hubspot, caller) = start();
    let deals = caller.get(PIPELINES).await.json;
    assert_eq!(deals["results"][0]["id"], "default");
    let won = &deals["results"][0]["stages"][5];
    assert_eq!(
        (&won["id"], &won["metadata"]["isClosed"]),
        (&json!("closedwon"), &json!("true"))
    );
    let tickets = caller.get("/crm/v3/pipelines/0-5/0/stages").await.json;
    assert_eq!(tickets["results"][3]["metadata"]["ticketState"], "CLOSED");
    assert_eq!(caller.get(&format!("{PIPELINES}/nonsense")).await.status, 404);
    assert_eq!(
        caller.get("/crm/pipelines/2026-09/contacts").await.json["results"],
        json!([])
    );
    let stages = caller.get("/crm/properties/2026-09/deals/dealstage").await.json;
    assert_eq!(stages["options"][5]["value"], "closedwon");
}

#[tokio::test]
async fn a_pipeline_is_made_changed_and_deleted() {
    let (_hubspot, caller) = start();
    let body = json!({ "label": "Renewals", "displayOrder": 1, "stages": [
        { "label": "Won", "displayOrder": 2, "metadata": { "probability": "1.0", "isClosed": true } },
        { "label": "Open", "displayOrder": 1, "metadata": { "probability": 0.5 } },
    ] });
    let made = caller.post(PIPELINES, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["stages"][0]["label"], "Open");
    assert_eq!(
        made.json["stages"][0]["metadata"]["probability"], "0.5",
        "all of it is text"
    );
    assert_eq!(caller.post(PIPELINES, body).await.status, 409);
    let path = format!("{PIPELINES}/{}", made.json["id"].as_str().unwrap());
    let changed = caller.patch(&path, json!({ "label": "Renewing" })).await;
    assert_eq!(changed.json["label"], "Renewing");
    assert_eq!(changed.json["stages"].as_array().map(Vec::len), Some(2));
    let replaced = caller
        .put(&path, json!({ "label": "Anew", "displayOrder": 0, "stages": [] }))
        .await;
    assert_eq!(
        (&replaced.json["id"], &replaced.json["stages"]),
        (&made.json["id"], &json!([]))
    );
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_stage_is_made_changed_and_deleted() {
    let (hubspot, caller) = start();
    let stages = format!("{PIPELINES}/default/stages");
    let made = caller
        .post(
            &stages,
            json!({ "label": "Trial", "displayOrder": 9, "metadata": { "probability": "0.3" } }),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        caller
            .post(&stages, json!({ "label": "x", "displayOrder": 9 }))
            .await
            .status,
        400
    );
    let id = made.json["id"].as_str().unwrap();
    let path = format!("{stages}/{id}");
    assert_eq!(
        caller.patch(&path, json!({ "label": "Test" })).await.json["label"],
        "Test"
    );
    assert_eq!(caller.get(&path).await.json["metadata"]["probability"], "0.3");
    let deal = [("dealname", "x"), ("pipeline", "default"), ("dealstage", id)];
    hubspot.seed(ALPHA, ObjectType::Deals, &deal).unwrap();
    let careful = format!("{path}?validateReferencesBeforeDelete=true");
    assert_eq!(caller.delete(&careful).await.status, 400);
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.get(&path).await.status, 404);
}
