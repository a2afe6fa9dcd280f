//! Heads in a bucket: locked, once under each name, and never over something else.

use std::time::Duration;

use hubkeep_audit_log::{
    AuditLog,
    anchors::{LockMode, S3},
};
use hubkeep_core::{clock::MockClock, error::ErrorReason};
use hubkeep_test_doubles::{bucket::Bucket, trouble::Trouble};

use crate::{
    anchors::{HEADS, MINUTE, go_by, in_time, mock, notes, proven},
    proofs::{read_note, record},
    support::Place,
};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/s3cret";

fn in_a_bucket(bucket: &Bucket) -> Place {
    let mut place = Place::sqlite().proven();
    place.anchors.every = MINUTE;
    place.anchors.late_by = MINUTE;
    place.anchors.s3 = Some(bucket_of(&place, bucket));
    place
}

/// A bucket as a place for anchors.
pub(crate) fn bucket_of(place: &Place, bucket: &Bucket) -> S3 {
    let who = format!(
        r#"{{"Version":1,"AccessKeyId":"AKIA1","SecretAccessKey":"{SECRET}","SessionToken":"t0ken"}}"#
    );
    S3 {
        bucket: "anchors".to_owned(),
        region: "eu-central-1".to_owned(),
        endpoint: bucket.url().parse().ok(),
        credentials_file: place.secret("s3", &who),
        retain: Duration::from_secs(30 * 24 * 60 * 60),
        ..S3::default()
    }
}

/// Waits until the bucket has the newest heads. Earlier ones may lie beside them: how many entries the first checkpoint
/// is of is chance.
pub(crate) async fn has_newest(bucket: &Bucket, log: &AuditLog, clock: &MockClock) {
    in_time(clock, "the newest heads are anchored", async || {
        let size = log.checkpoint(HEADS, None).await.map_or(0, |heads| heads.size);
        let name = format!("{size:020}");
        bucket.objects().keys().any(|object| object.ends_with(&name))
    })
    .await;
}

#[tokio::test]
async fn heads_lie_in_a_bucket_under_their_size_locked_for_as_long_as_is_set() {
    let bucket = Bucket::start().await;
    let place = in_a_bucket(&bucket);
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    record(&log, 1, 1).await;
    proven(&log, 1, 2, &clock).await;
    has_newest(&bucket, &log, &clock).await;
    let (name, object) = bucket.objects().pop_first().expect("one");
    let note = String::from_utf8(object.body).expect("text");
    let (origin, size, ..) = read_note(&note, &log.verifier_keys().await.expect("keys"));
    assert_eq!(
        (origin.as_str(), name),
        (HEADS, format!("anchors/hubkeep/{HEADS}/{size:020}"))
    );
    let header = |name: &str| object.headers.get(name).map(String::as_str);
    assert_eq!(header("if-none-match"), Some("*"));
    assert_eq!(header("x-amz-object-lock-mode"), Some("COMPLIANCE"));
    let until = header("x-amz-object-lock-retain-until-date").expect("a time");
    assert!(
        until.starts_with("2026-12-22T17:4") && until.len() == 20,
        "{until}"
    );
    for name in [
        "if-none-match",
        "x-amz-object-lock-mode",
        "x-amz-object-lock-retain-until-date",
    ] {
        assert!(object.signed_headers.contains(name), "{}", object.signed_headers);
    }
    assert!(object.headers.values().all(|value| !value.contains(SECRET)));
    assert!(!format!("{log:?}").contains(SECRET));
    log.stop().await;
}

#[tokio::test]
async fn what_is_there_already_is_left_there_and_is_either_the_same_or_another_history() {
    let bucket = Bucket::start().await;
    let mut place = in_a_bucket(&bucket);
    place.anchors.s3.as_mut().expect("one").mode = LockMode::Governance;
    let (clock, shared) = mock();
    let log = place.open_at(shared.clone()).await;
    record(&log, 1, 1).await;
    proven(&log, 1, 2, &clock).await;
    has_newest(&bucket, &log, &clock).await;
    go_by(&clock, Duration::from_secs(5)).await;
    log.stop().await;
    let before = bucket.objects();
    let (name, object) = before.last_key_value().expect("one");
    assert_eq!(
        object.headers.get("x-amz-object-lock-mode").map(String::as_str),
        Some("GOVERNANCE")
    );

    // A process that put it there, and was killed before it could note that.
    place
        .intruder()
        .await
        .change("UPDATE audit_anchor SET size = 0, next_time = 0")
        .await;
    let log = place.open_at(shared.clone()).await;
    go_by(&clock, MINUTE).await;
    assert_eq!(
        (bucket.objects(), notes(&log).await),
        (before.clone(), Vec::new())
    );
    log.stop().await;

    // Somebody who has rewritten the log.
    place
        .intruder()
        .await
        .change("UPDATE audit_anchor SET size = 0, next_time = 0")
        .await;
    bucket.plant(name, b"another history");
    let planted = bucket.objects();
    let log = place.open_at(shared).await;
    in_time(&clock, "it is noted", async || !notes(&log).await.is_empty()).await;
    // The note itself makes new heads, which do not go there any more.
    in_time(&clock, "it is noted again", async || notes(&log).await.len() > 1).await;
    for (reason, subject) in notes(&log).await {
        assert_eq!(reason, ErrorReason::AuditDamaged, "{subject}");
    }
    assert_eq!(
        bucket.objects(),
        planted,
        "nothing was overwritten, and nothing put beside it"
    );
    log.stop().await;
}

#[tokio::test]
async fn a_bucket_that_denies_or_talks_nonsense_is_tried_until_it_takes_it() {
    let bucket = Bucket::start().await;
    bucket.switch().set(Trouble::Denies);
    let place = in_a_bucket(&bucket);
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    record(&log, 1, 1).await;
    proven(&log, 1, 2, &clock).await;
    go_by(&clock, MINUTE * 5 / 2).await;
    assert_eq!(notes(&log).await.len(), 1);
    bucket.switch().set(Trouble::None);
    has_newest(&bucket, &log, &clock).await;
    log.stop().await;
}

#[tokio::test]
async fn credentials_that_everybody_may_read_or_that_are_none_stop_the_start_and_are_not_shown() {
    let bucket = Bucket::start().await;
    let mut place = in_a_bucket(&bucket);
    for text in ["", SECRET, &format!(r#"{{"SecretAccessKey":"{SECRET}"}}"#)] {
        let name = format!("wrong-{}", text.len());
        place.anchors.s3.as_mut().expect("one").credentials_file = place.secret(&name, text);
        let refused = place.try_open().await.expect_err("refused").to_string();
        assert!(
            refused.contains("credentials_file") && !refused.contains(SECRET),
            "{refused}"
        );
    }
}
