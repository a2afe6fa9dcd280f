//! Files of outcomes that are damaged, strange or in the way: nothing of them is lost without a word.

use std::{
    error::Error as _,
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use hubkeep_audit_log::{CallResult, Cause, Entry, Error, Outcome};

use crate::{
    outage::calls,
    support::{Place, eventually, read_of},
};

/// Every file there, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
}

/// Leaves the outcomes of three calls in a file, and gives the calls.
async fn left_behind(place: &Place) -> Vec<String> {
    let log = place.open().await;
    let mut held = Vec::new();
    for portal in 1..=3 {
        held.push(log.intent(read_of(portal)).await.expect("durable"));
    }
    let ids = held.iter().map(|intent| intent.call_id().to_string()).collect();
    let mut lock = place.intruder().await;
    lock.lock().await;
    for intent in held {
        intent.settle(Outcome::ok()).await.expect_err("withheld");
    }
    log.stop().await;
    lock.unlock().await;
    ids
}

fn spilling() -> Place {
    let mut place = Place::sqlite().spilling();
    place.intent_deadline = Duration::from_millis(300);
    place
}

/// Where in a file these bytes are.
fn place_of(bytes: &[u8], file: &Path) -> u64 {
    let all = fs::read(file).expect("readable");
    let found = all.windows(bytes.len()).position(|window| window == bytes);
    found.expect("they are there") as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_damaged_file_what_is_whole_is_written_and_the_file_is_kept_aside() {
    let place = spilling();
    let ids = left_behind(&place).await;
    let file = files(&place.spilled()).remove(0);
    let at = place_of(ids[1].as_bytes(), &file);
    let spoilt = OpenOptions::new().write(true).open(&file).expect("opens");
    spoilt.write_all_at(b"????", at).expect("spoilt");

    let log = place.open().await;
    let calls = calls(&log).await;
    let end = |id: &String| {
        calls[id]
            .last()
            .map(|entry: &Entry| (entry.result(), entry.cause()))
    };
    assert_eq!(end(&ids[0]), Some((CallResult::Ok, Cause::Unspecified)));
    assert_eq!(end(&ids[1]), Some((CallResult::Unknown, Cause::ProcessLost)));
    assert_eq!(end(&ids[2]), Some((CallResult::Ok, Cause::Unspecified)));
    let found = files(&place.spilled());
    let [new, aside] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(*new, file, "a new one is in its place");
    assert!(
        aside.display().to_string().contains("-spill-1.aside-"),
        "{aside:?}"
    );
    place_of(ids[0].as_bytes(), aside);
    log.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_of_calls_that_a_log_does_not_know_are_kept_aside() {
    let place = spilling();
    left_behind(&place).await;
    let file = files(&place.spilled()).remove(0);
    // An older log was put back: its entries at these places are other ones.
    let other = spilling();
    let log = other.open().await;
    for portal in 1..=3 {
        let intent = log.intent(read_of(portal)).await.expect("durable");
        intent.settle(Outcome::ok()).await.expect("durable");
    }
    log.stop().await;
    fs::copy(&file, &files(&other.spilled())[0]).expect("copied");
    let log = other.open().await;
    assert_eq!(calls(&log).await.len(), 3, "nothing was written");
    let found = files(&other.spilled());
    assert!(
        found
            .iter()
            .any(|file| file.display().to_string().contains(".aside-")),
        "{found:?}"
    );
    log.stop().await;
}

#[tokio::test]
async fn what_is_no_file_of_outcomes_stops_the_start_and_is_left_as_it_is() {
    let place = spilling();
    place.open().await.stop().await;
    let file = files(&place.spilled()).remove(0);
    fs::write(&file, "a shopping list").expect("written");
    let error = place.try_open().await.expect_err("refused");
    assert!(matches!(error, Error::Spill(_)), "{error:?}");
    assert!(error.to_string().contains("move it away"), "{error}");
    assert_eq!(fs::read(&file).expect("there"), b"a shopping list");
    fs::remove_file(&file).expect("moved away");
    let log = place.open().await;
    log.stop().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_stops_the_start_with_what_to_do() {
    let mut place = spilling();
    let in_the_way = place.secret("in-the-way", "a file");
    place.spill.folder = Some(in_the_way.join("outcomes"));
    let error = place.try_open().await.expect_err("refused");
    let said = error.to_string();
    assert!(said.contains("audit.spill.folder"), "{said}");
    assert!(said.contains("in-the-way/outcomes"), "{said}");
    assert!(error.source().is_some(), "what the system said");
    // Nothing of it is held: another try finds everything free.
    place.spill.folder = None;
    place.open().await.stop().await;
}

#[tokio::test]
async fn with_no_file_outcomes_wait_in_memory() {
    let mut place = spilling();
    place.spill.size_bytes = 0;
    let log = place.open().await;
    let intent = log.intent(read_of(1)).await.expect("durable");
    let call_id = intent.call_id().to_string();
    let mut lock = place.intruder().await;
    lock.lock().await;
    intent.settle(Outcome::ok()).await.expect_err("withheld");
    assert!(!place.spilled().exists());
    lock.unlock().await;
    eventually("it is written", async || {
        calls(&log).await[&call_id].last().map(Entry::result) == Some(CallResult::Ok)
    })
    .await;
    log.stop().await;
}
