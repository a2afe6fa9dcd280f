//! A redeemer is heard by one replica, and waited for at another.

use crate::{
    harness::*,
    redeemers::{CONTAINED, FIRST, Redeemer, containing, pass, reach, reached},
    replicas::pair,
};

#[tokio::test]
async fn an_acknowledgement_at_one_replica_ends_the_wait_at_the_other() {
    let (bench, other) = pair().await;
    let mut redeemer = Redeemer::connect(other.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    redeemer.said(0, 1).await;
    let contained = containing(bench.channel_of(OPERATOR));
    // The other's clock stands: it was woken.
    assert_eq!(redeemer.revoked().await, CONTAINED);
    pass(&bench, 4).await;
    assert!(!contained.is_finished());
    redeemer.said(CONTAINED, 2).await;
    while !contained.is_finished() {
        pass(&bench, 1).await;
    }
    assert_eq!(reached(&bench, contained).await, reach(1, 0, 0));
}

#[tokio::test]
async fn a_redeemer_that_moves_to_another_replica_is_still_one() {
    let (bench, other) = pair().await;
    let mut redeemer = Redeemer::connect(other.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    redeemer.said(0, 1).await;
    drop(redeemer);
    let mut moved = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    let contained = containing(bench.channel_of(OPERATOR));
    assert_eq!(moved.revoked().await, CONTAINED);
    moved.say(CONTAINED, 1);
    assert_eq!(reached(&bench, contained).await, reach(1, 0, 0));
}

#[tokio::test]
async fn a_redeemer_whose_replica_dies_without_a_word_lapses_for_the_others() {
    let (bench, other) = pair().await;
    let mut redeemer = Redeemer::connect(other.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    redeemer.said(0, 1).await;
    drop(other);
    let contained = containing(bench.channel_of(OPERATOR));
    pass(&bench, 100).await;
    assert!(!contained.is_finished(), "it may trust what it knows for 5 s");
    while !contained.is_finished() {
        pass(&bench, 1).await;
    }
    assert_eq!(reached(&bench, contained).await, reach(0, 1, 0));
}
