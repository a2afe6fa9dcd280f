//! Faults on demand.

use std::time::Duration;

use hubspot_sim::{Fault, FaultRule, ObjectType, Policy};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{ALPHA, BETA, BETA_TOKEN, CONTACTS, Caller, start};

#[tokio::test]
async fn a_status_comes_as_often_as_asked() {
    let (hubspot, caller) = start();
    for status in [401, 403, 423, 500, 502, 503, 504, 524] {
        hubspot.inject(FaultRule::new(Fault::Status { status }).times(1));
        assert_eq!(caller.get(CONTACTS).await.status, status);
        assert_eq!(caller.get(CONTACTS).await.status, 200);
    }
}

#[tokio::test]
async fn a_fault_befalls_only_what_it_is_meant_for() {
    let (hubspot, caller) = start();
    let rule = FaultRule::new(Fault::Status { status: 503 })
        .portal(BETA)
        .method("GET")
        .path("/crm/objects");
    hubspot.inject(rule);
    let beta = Caller::of(&hubspot, BETA_TOKEN);
    assert_eq!(caller.get(CONTACTS).await.status, 200);
    assert_eq!(beta.get("/account-info/v3/details").await.status, 200);
    assert_eq!(
        beta.post(CONTACTS, json!({ "properties": { "firstname": "x" } }))
            .await
            .status,
        201
    );
    assert_eq!(beta.get(CONTACTS).await.status, 503);
    assert_eq!(beta.get(CONTACTS).await.status, 503);
    hubspot.clear_faults();
    assert_eq!(beta.get(CONTACTS).await.status, 200);
}

#[tokio::test]
async fn a_refusal_for_rate_comes_with_and_without_headers() {
    let (hubspot, caller) = start();
    let fault = |policy, headers, retry_after| {
        FaultRule::new(Fault::RateLimited {
            policy,
            headers,
            retry_after,
        })
        .times(1)
    };
    hubspot.inject(fault(Policy::Daily, false, None));
    hubspot.inject(fault(Policy::TenSecondlyRolling, true, Some(7)));
    let bare = caller.get(CONTACTS).await;
    assert_eq!((bare.status, &bare.json["policyName"]), (429, &json!("DAILY")));
    assert_eq!(bare.header("x-hubspot-ratelimit-max"), None);
    let full = caller.get(CONTACTS).await;
    assert_eq!(full.header("x-hubspot-ratelimit-remaining"), Some("0"));
    assert_eq!(full.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn a_migration_says_when_to_come_back() {
    let (hubspot, caller) = start();
    hubspot.inject(Fault::Migrating { retry_after: 3_600 });
    let answer = caller.get(CONTACTS).await;
    assert_eq!((answer.status, answer.header("retry-after")), (477, Some("3600")));
}

#[tokio::test]
async fn html_and_any_other_answer_can_be_had() {
    let (hubspot, caller) = start();
    hubspot.inject(FaultRule::new(Fault::HtmlBody).times(1));
    let page = caller.get(CONTACTS).await;
    assert_eq!(page.status, 502);
    assert!(page.text.starts_with("<!DOCTYPE html>"));
    hubspot.inject(FaultRule::new(Fault::ExpiredToken).times(1));
    assert_eq!(
        caller.get(CONTACTS).await.json["category"],
        "EXPIRED_AUTHENTICATION"
    );
    hubspot.inject(Fault::Answer {
        status: 418,
        body: json!({ "tea": true }),
    });
    assert_eq!(caller.get(CONTACTS).await.json["tea"], true);
}

#[tokio::test]
async fn a_cut_before_the_answer_leaves_no_status() {
    let (hubspot, caller) = start();
    hubspot.inject(FaultRule::new(Fault::CutConnection).times(1));
    let error = caller
        .call(Method::PATCH, &format!("{CONTACTS}/101"), Some(json!({})))
        .await
        .unwrap_err();
    assert!(error.is_request(), "{error:?}");
    let journal = hubspot.journal();
    assert_eq!((journal.len(), journal[0].status), (1, None));
}

#[tokio::test]
async fn a_write_may_take_effect_although_its_answer_is_lost() {
    let (hubspot, caller) = start();
    let create = |name: &str| Some(json!({ "properties": { "firstname": name } }));
    hubspot.inject(FaultRule::new(Fault::CutConnection).times(1));
    assert!(
        caller
            .call(Method::POST, CONTACTS, create("lost before"))
            .await
            .is_err()
    );
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 3);
    hubspot.inject(FaultRule::new(Fault::CutConnection).after_effect().times(1));
    assert!(
        caller
            .call(Method::POST, CONTACTS, create("lost after"))
            .await
            .is_err()
    );
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 4);
    hubspot.inject(
        FaultRule::new(Fault::Status { status: 504 })
            .after_effect()
            .times(1),
    );
    assert_eq!(
        caller.post(CONTACTS, create("timed out").unwrap()).await.status,
        504
    );
    assert_eq!(hubspot.record_count(ALPHA, ObjectType::Contacts), 5);
}

#[tokio::test]
async fn a_cut_in_the_body_comes_after_the_status() {
    let (hubspot, caller) = start();
    hubspot.inject(FaultRule::new(Fault::CutBody).times(1));
    let error = caller.call(Method::GET, CONTACTS, None).await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert_eq!(hubspot.journal()[0].status, Some(200));
}

#[tokio::test]
async fn a_body_without_end_keeps_coming() {
    let (hubspot, caller) = start();
    hubspot.inject(Fault::NeverEndingBody);
    let patience = Duration::from_millis(200);
    let read = caller.call(Method::GET, CONTACTS, None);
    assert!(
        futures::future::select(Box::pin(read), Box::pin(pause(patience)))
            .await
            .is_right()
    );
}

#[tokio::test]
async fn an_answer_can_be_made_of_another_accounts_data() {
    let (hubspot, caller) = start();
    hubspot.inject(Fault::AnswerOfPortal { other: BETA });
    assert_eq!(
        caller.get(&format!("{CONTACTS}/101")).await.json["properties"]["lastname"],
        "beta"
    );
    assert_eq!(
        caller.get("/account-info/v3/details").await.json["portalId"],
        BETA
    );
    assert!(
        hubspot
            .journal()
            .iter()
            .all(|entry| entry.portal_id == Some(ALPHA))
    );
}

#[tokio::test]
async fn a_held_answer_waits_for_its_release() {
    let (hubspot, caller) = start();
    let fault = hubspot.inject(FaultRule::new(Fault::HoldUntilReleased).method("POST").times(1));
    let control = hubspot.control();
    let create = caller.post(CONTACTS, json!({ "properties": { "firstname": "held" } }));
    let watch = async {
        control.until_held(1).await;
        // The write has happened, its caller does not know yet.
        assert_eq!(control.record_count(ALPHA, ObjectType::Contacts), 4);
        assert_eq!(control.journal()[0].status, None);
        assert_eq!(caller.get(CONTACTS).await.status, 200);
        control.release(fault);
    };
    let (answer, ()) = futures::join!(create, watch);
    assert_eq!((answer.status, control.held()), (201, 0));
}

#[tokio::test]
async fn a_delay_combines_with_another_fault() {
    let (hubspot, caller) = start();
    hubspot.inject(Fault::Slow { ms: 60 });
    hubspot.inject(FaultRule::new(Fault::Status { status: 500 }).times(1));
    let before = hubspot.now_micros();
    assert_eq!(caller.get(CONTACTS).await.status, 500);
    assert_eq!(caller.get(CONTACTS).await.status, 200);
    assert!(hubspot.now_micros() - before >= 120_000);
}

#[tokio::test]
async fn a_stopped_simulator_lets_go_of_everything() {
    let (hubspot, caller) = start();
    hubspot.inject(Fault::HoldUntilReleased);
    let control = hubspot.control();
    let call = caller.call(Method::GET, CONTACTS, None);
    let (answer, ()) = futures::join!(call, async {
        control.until_held(1).await;
        drop(hubspot);
    });
    assert!(answer.is_err());
    let after: reqwest::Result<_> = caller.call(Method::GET, CONTACTS, None).await;
    assert!(after.is_err_and(|error| error.is_connect()));
}

trait IsRight {
    fn is_right(&self) -> bool;
}

impl<A, B> IsRight for futures::future::Either<A, B> {
    fn is_right(&self) -> bool {
        matches!(self, Self::Right(_))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what never ends can only be told by waiting"
)]
async fn pause(duration: Duration) -> Value {
    tokio::time::sleep(duration).await;
    Value::Null
}
