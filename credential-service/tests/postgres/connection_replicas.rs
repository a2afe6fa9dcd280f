//! Replicas share what people have connected: one of them asks HubSpot, and all serve what it said; a failure makes no storm.

use std::time::Duration;

use futures::future::join_all;
use hubspot_sim::{Fault, FaultRule};

use crate::{
    harness::*,
    oauth::{MINUTE, exchanges},
    office::*,
    replicas::Replica,
};

async fn time_goes_on(office: &Office, others: &[Replica]) {
    let mut beats = tokio::time::interval(Duration::from_millis(20));
    loop {
        beats.tick().await;
        for other in others {
            other.clock.advance(Duration::from_millis(100));
        }
        office.bench.clock.advance(Duration::from_millis(100));
    }
}

/// An expired connection over three replicas, and the access token of a client that is for it.
async fn expired() -> (Office, [Replica; 2], String) {
    let office = Office::open().await;
    let others = [
        Replica::beside(&office.bench).await,
        Replica::beside(&office.bench).await,
    ];
    let ann = office.sign_in(ANN).await;
    office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    for other in &others {
        other.clock.advance(31 * MINUTE);
    }
    office.pass(31 * MINUTE);
    let again = office.sign_in(ANN).await;
    let token = office.client_tokens(&again, ALL).await.access_token;
    (office, others, token)
}

async fn ask_all(office: &Office, others: &[Replica; 2], token: &str) -> Vec<Result<String, String>> {
    let ask = async |number: usize| {
        let answer = match others.get(number % 3) {
            Some(other) => other.redeem_request(at_resource(token, ALL)).await,
            None => office.redeem(token, ALL).await,
        };
        let said = reason(&answer);
        answer.map(|answer| answer.token_fingerprint).map_err(|_| said)
    };
    tokio::select! {
        answers = join_all((0..100).map(ask)) => answers,
        () = time_goes_on(office, others) => Vec::new(),
    }
}

#[tokio::test]
async fn a_hundred_calls_on_an_expired_connection_at_three_replicas_make_one_refresh() {
    let (office, others, token) = expired().await;
    let before = exchanges(&office.bench).len();
    let answers = ask_all(&office, &others, &token).await;
    let mut tokens: Vec<String> = answers.into_iter().map(|one| one.expect("redeems")).collect();
    assert_eq!(tokens.len(), 100);
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all got the same");
    assert_eq!(
        exchanges(&office.bench).len(),
        before + 1,
        "one refresh for all of them"
    );
}

#[tokio::test]
async fn a_refresh_that_fails_makes_no_storm() {
    let (office, others, token) = expired().await;
    let rule = FaultRule::new(Fault::Status { status: 503 }).path("/oauth/2026-09/token");
    office.bench.hubspot.inject(rule);
    let before = exchanges(&office.bench).len();
    let answers = ask_all(&office, &others, &token).await;
    assert_eq!(answers.len(), 100);
    for answer in answers {
        assert_eq!(answer.expect_err("none is to be had"), "HUBSPOT_UNAVAILABLE");
    }
    let asked = exchanges(&office.bench).len() - before;
    assert!((1..=4).contains(&asked), "asked {asked} times");
}
