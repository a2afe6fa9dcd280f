//! Where heads are anchored only what every place has is pruned; what a place lacks waits until it has it.

use std::sync::Arc;

use hubkeep_audit_log::AuditLog;
use hubkeep_core::clock::MockClock;
use hubkeep_test_doubles::{bucket::Bucket, keeper::Keeper, trouble::Trouble};

use crate::{
    anchors::{HEADS, MINUTE, SECRET, anchored, in_time, kept, mock, proven},
    anchors_s3::{bucket_of, has_newest},
    proofs::record,
    retention::{LONG, ONE, announcements, calls, left, looked_at},
    support::{Place, entry, on_both_databases},
};

on_both_databases! {
    what_is_anchored_goes,
    what_one_of_two_places_lacks_stays_until_it_has_it,
}

/// Time goes by, and something is recorded now and then, for what is old counts as anchored when something newer is, by more than
/// clocks are apart: until the log of the first portal begins there.
async fn busy_until_pruned(log: &AuditLog, first_index: u64, clock: &MockClock) {
    in_time(clock, "what is anchored goes", async || {
        clock.advance(MINUTE);
        record(log, 2, 1).await;
        let begins = log.beginning(ONE).await.expect("reads");
        begins.is_some_and(|begins| begins.first_index >= first_index)
    })
    .await;
}

/// Something was recorded after all that the first portal's log has had, by more than clocks are apart, and is signed.
async fn something_later(log: &AuditLog, of_the_other: u64, clock: &MockClock) {
    clock.advance(6 * MINUTE);
    record(log, 2, 1).await;
    proven(log, 2, of_the_other, clock).await;
}

/// The index of each announcement of a pruning, with the index below which it lets go, and the size of the checkpoint it names.
async fn announced(log: &AuditLog) -> Vec<(u64, u64, u64)> {
    let said = announcements(log, ONE).await;
    let each = said.iter().map(|event| {
        let pruning = entry(event).pruning.clone().expect("what goes");
        (event.index, pruning.below_index, pruning.checkpoint_size)
    });
    each.collect()
}

async fn what_is_anchored_goes(place: Place) {
    let keeper = Keeper::start(SECRET).await;
    let place = anchored(place, &keeper);
    let (clock, _) = mock();
    let log = place.open_at(Arc::clone(&clock) as _).await;
    calls(&log, 1, 300).await;
    proven(&log, 1, 600, &clock).await;
    kept(&log, &keeper, &clock).await;
    clock.advance(LONG);
    busy_until_pruned(&log, 512, &clock).await;
    assert_eq!(left(&log, ONE).await[0].index, 512);
    let [(_, below, _)] = announced(&log).await[..] else {
        panic!("announced once: {:?}", announced(&log).await);
    };
    assert_eq!(below, 512);
    let newest = keeper.taken().pop().expect("the heads were anchored");
    let heads = newest.body["data"]["size"].as_u64().expect("a size");
    log.consistency(HEADS, heads, None)
        .await
        .expect("what is left grows out of what the receiver has");
    log.stop().await;
}

async fn what_one_of_two_places_lacks_stays_until_it_has_it(place: Place) {
    let (keeper, bucket) = (Keeper::start(SECRET).await, Bucket::start().await);
    let mut place = anchored(place, &keeper);
    place.anchors.s3 = Some(bucket_of(&place, &bucket));
    // Nothing is refused for what waits to be anchored here.
    place.anchors.block_writes_after = 1_000 * LONG;
    let (clock, _) = mock();
    let log = place.open_at(Arc::clone(&clock) as _).await;
    calls(&log, 1, 300).await;
    proven(&log, 1, 600, &clock).await;
    something_later(&log, 2, &clock).await;
    kept(&log, &keeper, &clock).await;
    has_newest(&bucket, &log, &clock).await;

    // From here on the one gets nothing more, and the other all.
    keeper.switch().set(Trouble::Fails);
    calls(&log, 1, 300).await;
    proven(&log, 1, 1_200, &clock).await;
    clock.advance(LONG);
    for of_the_other in [4, 6] {
        something_later(&log, of_the_other, &clock).await;
        has_newest(&bucket, &log, &clock).await;
    }
    looked_at(&clock).await;
    assert_eq!(
        log.beginning(ONE).await.expect("reads"),
        None,
        "not in both places"
    );
    let [(at, below, covered_by)] = announced(&log).await[..] else {
        panic!("announced once: {:?}", announced(&log).await);
    };
    assert!(at >= 1_200, "{at}");
    assert_eq!(
        (below, covered_by <= 600),
        (512, true),
        "no more than both have: {covered_by}"
    );

    keeper.switch().set(Trouble::None);
    busy_until_pruned(&log, 1_024, &clock).await;
    assert_eq!(left(&log, ONE).await[0].index, 1_024);
    log.stop().await;
}
