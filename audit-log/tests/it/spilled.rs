//! Outcomes that the log could not take: they are on disk before long, in the log as soon as it can be written, and there once.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use futures::future::join_all;
use hubkeep_audit_log::{AuditLog, CallResult, Cause, Error, Failure, Intent, Outcome, Phase};

use crate::{
    outage::{calls, works_again},
    place::Intruder,
    proxy::{Mode, Proxy},
    support::{Place, eventually, on_both_databases, read_of},
};

on_both_databases!(; on two threads:
    what_waits_when_a_process_ends_is_in_the_log_once_after_the_next_start,
    an_outcome_that_comes_after_its_intent_was_closed_as_unknown_closes_nothing_twice,
    a_portal_whose_outcomes_wait_takes_no_calls_until_they_are_written,
    outcomes_that_have_no_room_on_disk_wait_in_memory_and_are_written,
);

pub(crate) const OK: (CallResult, Cause) = (CallResult::Ok, Cause::Unspecified);
const LOST: (CallResult, Cause) = (CallResult::Unknown, Cause::ProcessLost);

/// Where nobody waits long, and outcomes have a folder of their own.
pub(crate) fn impatient(place: Place) -> Place {
    let mut place = place.spilling();
    place.intent_deadline = Duration::from_millis(300);
    place
}

/// Every file of outcomes there, as it is now.
fn copied(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder).expect("a folder");
    let files = files.map(|file| file.expect("a file").path());
    files
        .map(|file| (file.clone(), fs::read(&file).expect("readable")))
        .collect()
}

fn put_back(files: &[(PathBuf, Vec<u8>)]) {
    for (file, bytes) in files {
        fs::write(file, bytes).expect("written");
    }
}

/// Whether a file of outcomes names this call.
pub(crate) fn is_on_disk(folder: &Path, call_id: &str) -> bool {
    let names = |bytes: &[u8]| {
        bytes
            .windows(call_id.len())
            .any(|window| window == call_id.as_bytes())
    };
    copied(folder).iter().any(|(_, bytes)| names(bytes))
}

pub(crate) async fn locked(place: &Place) -> Intruder {
    let mut intruder = place.intruder().await;
    intruder.lock().await;
    intruder
}

/// Its answer is withheld, and its outcome is on disk. Gives its call.
pub(crate) async fn withheld(intent: Intent, place: &Place) -> String {
    let call_id = intent.call_id().to_string();
    let withheld = intent.settle(Outcome::ok()).await;
    assert!(
        matches!(withheld, Err(Error::OutcomeNotRecorded(_))),
        "{withheld:?}"
    );
    let folder = place.spilled();
    eventually("it is on disk", async || is_on_disk(&folder, &call_id)).await;
    call_id
}

/// How a call ended, as often as it did.
pub(crate) async fn ends(log: &AuditLog, call_id: &str) -> Vec<(CallResult, Cause)> {
    let calls = calls(log).await;
    let outcomes = calls[call_id]
        .iter()
        .filter(|entry| entry.phase() == Phase::Outcome);
    outcomes.map(|entry| (entry.result(), entry.cause())).collect()
}

async fn what_waits_when_a_process_ends_is_in_the_log_once_after_the_next_start(place: Place) {
    let place = impatient(place);
    let log = place.open().await;
    let (one, other) = (log.intent(read_of(1)).await, log.intent(read_of(2)).await);
    let lock = locked(&place).await;
    let one = withheld(one.expect("durable"), &place).await;
    let other = withheld(other.expect("durable"), &place).await;
    log.stop().await;
    let left = copied(&place.spilled());
    lock.unlock().await;

    let log = place.open().await;
    assert_eq!(ends(&log, &one).await, [OK]);
    assert_eq!(ends(&log, &other).await, [OK]);
    let order = calls(&log).await;
    let ended = |call_id: &str| order[call_id].last().map(|entry| entry.entry_id.clone());
    assert!(ended(&one) < ended(&other), "in the order in which they ended");
    log.stop().await;

    // As a process leaves it that was killed when they were written, and before it could say so.
    put_back(&left);
    let log = place.open().await;
    works_again(&log).await;
    assert_eq!(ends(&log, &one).await, [OK]);
    assert_eq!(ends(&log, &other).await, [OK]);
    log.stop().await;
}

async fn an_outcome_that_comes_after_its_intent_was_closed_as_unknown_closes_nothing_twice(place: Place) {
    let place = impatient(place);
    let log = place.open().await;
    let intent = log.intent(read_of(1)).await.expect("durable");
    let lock = locked(&place).await;
    let call_id = withheld(intent, &place).await;
    log.stop().await;
    lock.unlock().await;
    // The next process knows nothing of the file.
    let left = copied(&place.spilled());
    fs::remove_dir_all(place.spilled()).expect("moved away");
    let log = place.open().await;
    eventually("it is closed", async || ends(&log, &call_id).await == [LOST]).await;
    log.stop().await;

    put_back(&left);
    let log = place.open().await;
    works_again(&log).await;
    assert_eq!(ends(&log, &call_id).await, [LOST]);
    log.stop().await;
}

async fn a_portal_whose_outcomes_wait_takes_no_calls_until_they_are_written(place: Place) {
    let place = impatient(place);
    let log = place.open().await;
    let intent = log.intent(read_of(1)).await.expect("durable");
    let lock = locked(&place).await;
    let call_id = withheld(intent, &place).await;
    eventually("its portal takes no calls", async || {
        let refused = log.intent(read_of(1)).await.expect_err("refused");
        matches!(refused, Error::Unavailable(Failure::Behind))
    })
    .await;
    let refused = log.intent(read_of(2)).await.expect_err("refused");
    assert!(
        matches!(
            refused,
            Error::Unavailable(Failure::Deadline(_) | Failure::Database(_))
        ),
        "it has nothing to do with other portals: {refused:?}"
    );
    lock.unlock().await;
    eventually("it takes calls", async || match log.intent(read_of(1)).await {
        Ok(intent) => {
            assert_eq!(ends(&log, &call_id).await, [OK], "the outcome comes first");
            intent.settle(Outcome::ok()).await.is_ok()
        }
        Err(_) => false,
    })
    .await;
    log.stop().await;
}

async fn outcomes_that_have_no_room_on_disk_wait_in_memory_and_are_written(place: Place) {
    let mut place = impatient(place);
    place.spill.size_bytes = 64 * 1024;
    place.intent_deadline = Duration::from_secs(2);
    let log = place.open().await;
    let intents = join_all((0..600).map(|_| log.intent(read_of(1)))).await;
    let intents: Vec<Intent> = intents
        .into_iter()
        .map(|intent| intent.expect("durable"))
        .collect();
    let ids: Vec<String> = intents
        .iter()
        .map(|intent| intent.call_id().to_string())
        .collect();
    let lock = locked(&place).await;
    let settled = join_all(intents.into_iter().map(|intent| intent.settle(Outcome::ok()))).await;
    assert!(settled.iter().all(Result::is_err));
    let folder = place.spilled();
    let on_disk = || ids.iter().filter(|id| is_on_disk(&folder, id)).count();
    eventually("the file is full", async || on_disk() > 50).await;
    assert!(on_disk() < 600, "{}", on_disk());
    lock.unlock().await;
    works_again(&log).await;
    eventually("all are written", async || {
        let calls = calls(&log).await;
        ids.iter().all(|id| calls[id].len() == 2)
    })
    .await;
    log.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_while_a_server_is_silent_is_on_disk_and_written_by_the_next_process() {
    let place = impatient(Place::postgres("spilled_silent"));
    let proxy = Proxy::to(place.server()).await;
    let log = place.open_through(&proxy).await;
    let (one, other) = (log.intent(read_of(1)).await, log.intent(read_of(2)).await);
    proxy.set(Mode::Stall);
    let one = withheld(one.expect("durable"), &place).await;
    // By now the writer waits for a connection.
    let other = withheld(other.expect("durable"), &place).await;
    log.stop().await;
    drop(proxy);

    // The lease of the process before runs still: nobody else closes what it has left.
    let log = place.open().await;
    assert_eq!(ends(&log, &one).await, [OK]);
    assert_eq!(ends(&log, &other).await, [OK]);
    log.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_share_a_folder_have_a_file_each_and_one_writes_what_another_has_left() {
    let place = impatient(Place::postgres("spilled_shared"));
    let logs = [place.open().await, place.open().await];
    assert_eq!(copied(&place.spilled()).len(), 2);
    let intent = logs[1].intent(read_of(1)).await.expect("durable");
    let lock = locked(&place).await;
    let call_id = withheld(intent, &place).await;
    for log in &logs {
        log.stop().await;
    }
    lock.unlock().await;
    let only = place.open().await;
    assert_eq!(ends(&only, &call_id).await, [OK]);
    only.stop().await;
    assert_eq!(copied(&place.spilled()).len(), 2);
}
