//! Rate limits and the headers that tell of them.

use std::time::Duration;

use hubspot_sim::{Limits, TokenSpec};
use serde_json::json;

use crate::caller::{ALPHA, BETA_TOKEN, CONTACTS, Caller, start};

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
