//! The file of a log is taken away while it is open.

use std::{error::Error as _, time::Duration};

use hubkeep_audit_log::{CallResult, Entry, Error, Outcome};

use crate::{
    outage::{calls, works_again},
    support::{Place, eventually, read_of},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_while_the_file_was_away_is_recorded_when_it_is_back() {
    let mut place = Place::sqlite();
    place.intent_deadline = Duration::from_millis(500);
    let log = place.open().await;
    let held = log.intent(read_of(1)).await.expect("durable");
    let call_id = held.call_id().to_string();
    let file = place.file();
    let aside = file.with_extension("aside");
    std::fs::rename(&file, &aside).expect("moved away");
    let refused = log.intent(read_of(2)).await.expect_err("refused");
    assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
    let told = refused.source().map(ToString::to_string).unwrap_or_default();
    assert!(told.contains("moved away, removed or replaced"), "{told}");
    let withheld = held.settle(Outcome::ok()).await;
    assert!(
        matches!(withheld, Err(Error::OutcomeNotRecorded(_))),
        "{withheld:?}"
    );

    std::fs::rename(&aside, &file).expect("moved back");
    works_again(&log).await;
    eventually("the late outcome", async || {
        calls(&log).await[&call_id].last().map(Entry::result) == Some(CallResult::Ok)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_ahead_log_that_is_removed_is_missed_like_the_file_and_nothing_recorded_is_lost() {
    let mut place = Place::sqlite().spilling();
    place.intent_deadline = Duration::from_millis(500);
    let log = place.open().await;
    let intent = log.intent(read_of(1)).await.expect("durable");
    intent.settle(Outcome::ok()).await.expect("durable");
    let held = log.intent(read_of(1)).await.expect("durable");
    let call_id = held.call_id().to_string();
    std::fs::remove_file(place.file().with_extension("db-wal")).expect("removed");
    let refused = log.intent(read_of(2)).await.expect_err("refused");
    let told = refused.source().map(ToString::to_string).unwrap_or_default();
    assert!(
        told.contains("audit.db-wal was moved away, removed or replaced"),
        "{told}"
    );
    let withheld = held.settle(Outcome::ok()).await;
    assert!(
        matches!(withheld, Err(Error::OutcomeNotRecorded(_))),
        "{withheld:?}"
    );
    log.stop().await;

    let log = place.open().await;
    works_again(&log).await;
    let calls = calls(&log).await;
    let ends = |call: &Vec<Entry>| call.last().map(Entry::result);
    assert_eq!(ends(&calls[&call_id]), Some(CallResult::Ok), "the late outcome");
    let whole = calls.values().filter(|call| ends(call) == Some(CallResult::Ok));
    assert!(whole.count() >= 2, "{calls:?}");
}
