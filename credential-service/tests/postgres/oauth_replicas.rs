//! Replicas share the access tokens of consents: one of them asks HubSpot, and all serve what it said.

use std::time::Duration;

use futures::future::join_all;

use crate::{harness::*, oauth::*, oauth_refused::redeem_instead, replicas::Replica};

/// Replicas look again each tenth of a second by their own clocks, which go on slowly: entries have their time.
async fn time_goes_on(bench: &Bench, others: &[Replica]) {
    let mut beats = tokio::time::interval(Duration::from_millis(20));
    loop {
        beats.tick().await;
        for other in others {
            other.clock.advance(Duration::from_millis(100));
        }
        bench.clock.advance(Duration::from_millis(100));
    }
}

#[tokio::test]
async fn a_hundred_callers_at_three_replicas_ask_hubspot_once() {
    let bench = connected().await;
    let others = [Replica::beside(&bench).await, Replica::beside(&bench).await];
    for other in &others {
        other.clock.advance(31 * MINUTE);
    }
    pass(&bench, 31 * MINUTE);
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    let ask = async |number: usize| match others.get(number % 3) {
        Some(other) => other.redeem_whole(&handle).await,
        None => bench.redeem(&handle, SYNC).await,
    };
    let answers = tokio::select! {
        answers = join_all((0..100).map(ask)) => answers,
        () = time_goes_on(&bench, &others) => Vec::new(),
    };
    let mut tokens: Vec<String> = answers
        .into_iter()
        .map(|answer| answer.expect("redeems").token_fingerprint)
        .collect();
    assert_eq!(tokens.len(), 100);
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all got the same");
    assert_eq!(
        exchanges(&bench).len(),
        2,
        "one at the import, and one for all of them"
    );
}

#[tokio::test]
async fn an_access_token_that_is_refused_is_replaced_once_for_all_replicas() {
    let bench = connected().await;
    let others = [Replica::beside(&bench).await, Replica::beside(&bench).await];
    let old = redeem_anew(&bench).await.expect("redeems").token_fingerprint;
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    let (bench_ref, old, handle) = (&bench, old.as_str(), handle.as_str());
    let ask = async |number: usize| match others.get(number % 3) {
        Some(other) => other.redeem_instead(handle, old).await,
        None => redeem_instead(bench_ref, handle, old).await,
    };
    let answers = tokio::select! {
        answers = join_all((0..60).map(ask)) => answers,
        () = time_goes_on(&bench, &others) => Vec::new(),
    };
    let mut tokens: Vec<String> = answers
        .into_iter()
        .map(|answer| answer.expect("redeems").token_fingerprint)
        .collect();
    assert_eq!(tokens.len(), 60);
    tokens.dedup();
    assert!(tokens.len() == 1 && tokens[0] != old, "{tokens:?}");
    assert_eq!(exchanges(&bench).len(), 2, "the import, and one for all of them");
}
