//! Rate limits and the headers that tell of them.

use std::time::Duration;

use hubspot_sim::{Limits, TokenSpec};
use serde_json::json;

use crate::caller::{ALPHA, ALPHA_TOKEN, BETA_TOKEN, CONTACTS, Caller, start};

fn limits(burst: u32, daily: u64) -> Limits {
    Limits {
        burst,
        daily,
        ..Limits::default()
    }
}

#[tokio::test]
async fn the_window_rolls() {
    let (hubspot, caller) = start();
    hubspot.set_limits(ALPHA, limits(3, 1_000)).unwrap();
    for left in ["2", "1", "0"] {
        let answer = caller.get(CONTACTS).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-hubspot-ratelimit-remaining"), Some(left));
        assert_eq!(
            answer.header("x-hubspot-ratelimit-interval-milliseconds"),
            Some("10000")
        );
        hubspot.advance_time(Duration::from_secs(3));
    }
    let refused = caller.get(CONTACTS).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json["policyName"], "TEN_SECONDLY_ROLLING");
    assert_eq!(refused.json["errorType"], "RATE_LIMIT");
    assert!(refused.json["groupName"].is_string());
    assert!(refused.json.get("category").is_none());
    // Only the first call has left the window by now.
    hubspot.advance_time(Duration::from_secs(1));
    assert_eq!(caller.get(CONTACTS).await.status, 200);
    assert_eq!(caller.get(CONTACTS).await.status, 429);
}

#[tokio::test]
async fn the_burst_belongs_to_the_app_and_the_day_to_the_account() {
    let (hubspot, first) = start();
    let second_token = "pat-na1-00000000-test-0000-0000-alpha0000002";
    hubspot
        .add_token(ALPHA, TokenSpec::private_app(second_token).app(2))
        .unwrap();
    let second = Caller::of(&hubspot, second_token);
    hubspot.set_limits(ALPHA, limits(1, 3)).unwrap();
    assert_eq!(first.get(CONTACTS).await.status, 200);
    assert_eq!(first.get(CONTACTS).await.status, 429);
    assert_eq!(second.get(CONTACTS).await.status, 200);
    hubspot.consume_daily(ALPHA, 1).unwrap();
    hubspot.advance_time(Duration::from_secs(11));
    let refused = second.get(CONTACTS).await;
    assert_eq!(
        (refused.status, &refused.json["policyName"]),
        (429, &json!("DAILY"))
    );
    assert_eq!(refused.json["message"], "You have reached your daily limit.");
    assert_eq!(Caller::of(&hubspot, BETA_TOKEN).get(CONTACTS).await.status, 200);
    hubspot.advance_time(Duration::from_secs(24 * 3_600));
    assert_eq!(second.get(CONTACTS).await.status, 200);
}

#[tokio::test]
async fn an_app_may_have_another_limit_than_the_others_of_its_account() {
    let (hubspot, first) = start();
    let second_token = "pat-na1-00000000-test-0000-0000-alpha0000002";
    hubspot
        .add_token(ALPHA, TokenSpec::private_app(second_token).app(2))
        .unwrap();
    let second = Caller::of(&hubspot, second_token);
    let limits = Limits {
        burst_of_apps: [(2, 2)].into(),
        ..limits(1, 1_000)
    };
    hubspot.set_limits(ALPHA, limits).unwrap();
    for (caller, max, statuses) in [(&first, "1", [200, 429, 429]), (&second, "2", [200, 200, 429])] {
        for status in statuses {
            let answer = caller.get(CONTACTS).await;
            assert_eq!(answer.status, status);
            if status == 200 {
                assert_eq!(answer.header("x-hubspot-ratelimit-max"), Some(max));
            }
        }
    }
}

#[tokio::test]
async fn usage_counts_what_other_apps_used() {
    let (hubspot, caller) = start();
    hubspot.consume_daily(ALPHA, 500).unwrap();
    let usage = caller
        .get("/account-info/2026-09/api-usage/daily/private-apps")
        .await
        .json;
    assert_eq!(usage["results"][0]["currentUsage"], 501);
    assert_eq!(usage["results"][0]["usageLimit"], 250_000);
    let next = caller.get(CONTACTS).await;
    assert_eq!(next.header("x-hubspot-ratelimit-daily-remaining"), Some("249498"));
}

#[tokio::test]
async fn search_has_a_limit_of_its_own_and_no_headers() {
    let (_hubspot, caller) = start();
    let path = format!("{CONTACTS}/search");
    let mut refused = None;
    for _ in 0..6 {
        let answer = caller.post(&path, json!({})).await;
        assert!(
            !answer
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("x-hubspot-ratelimit"))
        );
        refused = (answer.status == 429).then_some(answer);
    }
    let refused = refused.expect("the sixth search in one second is refused");
    assert_eq!(refused.json["policyName"], "SECONDLY");
    assert_eq!(caller.get(CONTACTS).await.status, 200);
}

#[tokio::test]
async fn associations_have_a_window_of_their_own() {
    let (hubspot, caller) = start();
    let limits = Limits {
        associations_burst: 2,
        ..limits(3, 1_000)
    };
    hubspot.set_limits(ALPHA, limits.clone()).unwrap();
    let list = format!("{CONTACTS}/101/associations/companies");
    for left in ["1", "0"] {
        let answer = caller.get(&list).await;
        assert_eq!(answer.header("x-hubspot-ratelimit-remaining"), Some(left));
    }
    let refused = caller.get("/crm/v4/associations/contacts/companies/labels").await;
    assert_eq!(
        (refused.status, &refused.json["policyName"]),
        (429, &json!("TEN_SECONDLY_ROLLING"))
    );
    let group = refused.json["groupName"].as_str().unwrap();
    assert!(group.contains("associations"), "{group}");
    for _ in 0..3 {
        assert_eq!(
            caller.get(CONTACTS).await.status,
            200,
            "the ordinary window is another one"
        );
    }
    assert_eq!(caller.get(CONTACTS).await.status, 429);
    hubspot.advance_time(Duration::from_secs(11));
    let both = Limits {
        associations_in_burst: true,
        burst: 1,
        ..limits
    };
    hubspot.set_limits(ALPHA, both).unwrap();
    assert_eq!(caller.get(CONTACTS).await.status, 200);
    assert_eq!(caller.get(&list).await.status, 429);
}

#[tokio::test]
async fn what_somebody_else_does_with_a_token_counts() {
    let (hubspot, caller) = start();
    hubspot.set_limits(ALPHA, limits(10, 1_000)).unwrap();
    hubspot.use_elsewhere(ALPHA_TOKEN, 4).unwrap();
    let answer = caller.get(CONTACTS).await;
    assert_eq!(answer.header("x-hubspot-ratelimit-remaining"), Some("5"));
    assert_eq!(answer.header("x-hubspot-ratelimit-daily-remaining"), Some("995"));
    let body = json!({ "token": ALPHA_TOKEN, "calls": 4 });
    assert_eq!(caller.post("/_sim/uses", body).await.status, 200);
    let usage = "/account-info/2026-09/api-usage/daily/private-apps";
    assert_eq!(caller.get(usage).await.json["results"][0]["currentUsage"], 10);
    assert_eq!(caller.get(CONTACTS).await.status, 429);
    assert_eq!(
        hubspot.journal_len(),
        3,
        "the journal knows only what it received"
    );
    hubspot
        .use_elsewhere("no-such-token", 1)
        .expect_err("no such token");
}

#[tokio::test]
async fn usage_counts_every_token_of_the_account() {
    let (hubspot, caller) = start();
    let key = "pat-na1-00000000-test-0000-0000-alpha0000003";
    hubspot.add_token(ALPHA, TokenSpec::service_key(key)).unwrap();
    caller.get(CONTACTS).await;
    Caller::of(&hubspot, key).get(CONTACTS).await;
    let usage = "/account-info/v3/api-usage/daily/private-apps";
    assert_eq!(caller.get(usage).await.json["results"][0]["currentUsage"], 3);
}
