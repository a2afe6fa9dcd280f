//! Anchors in S3 as moto has it, with boto3 as the witness. Run by `make test-keys`.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use hubkeep_audit_log::{
    AuditLog, Config, Draft, Filter, Identity, Operation, Outcome, Position, ProvenPortal,
    anchors::{self, LockMode, S3},
    proofs,
};
use hubkeep_core::{
    clock::SystemClock,
    error::ErrorReason,
    id::{CallId, PortalId},
    random::SystemRandom,
};
use hubkeep_test_doubles::moto::Moto;
use hubkeep_tests::eventually;
use serde_json::Value;
use tempfile::TempDir;

const HEADS: &str = "test/crm-service/heads";
/// Each look starts a Python.
const MINUTE: Duration = Duration::from_secs(60);
const FOLDER: &str = "hubkeep/test/crm-service/heads/";

fn with_bucket(locked: bool) -> Moto {
    let moto = Moto::start();
    let locked = if locked { "True" } else { "False" };
    moto.boto(&format!(
        "s3.create_bucket(Bucket='anchors', ObjectLockEnabledForBucket={locked}, \
         CreateBucketConfiguration={{'LocationConstraint': 'eu-central-1'}})"
    ));
    moto
}

async fn opened(folder: &TempDir, moto: &Moto) -> AuditLog {
    let credentials_file = folder.path().join("credentials");
    if !credentials_file.exists() {
        let who = r#"{"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "test"}"#;
        fs::write(&credentials_file, who).expect("written");
        fs::set_permissions(&credentials_file, fs::Permissions::from_mode(0o400)).expect("set");
    }
    let config = Config {
        proofs: proofs::Config {
            every: Duration::ZERO,
            heads_every: Duration::ZERO,
            pause: Duration::from_millis(10),
            ..proofs::Config::default()
        },
        anchors: anchors::Config {
            every: Duration::from_secs(1),
            s3: Some(S3 {
                bucket: "anchors".to_owned(),
                region: "eu-central-1".to_owned(),
                endpoint: moto.url().parse().ok(),
                credentials_file,
                mode: LockMode::Governance,
                retain: Duration::from_secs(40 * 24 * 60 * 60),
                ..S3::default()
            }),
            ..anchors::Config::default()
        },
        ..Config::sqlite(&folder.path().join("audit.db"))
    };
    let identity = Identity {
        deployment: "test".to_owned(),
        service: "crm-service",
        instance: "here".to_owned(),
    };
    let opened = AuditLog::open(&config, identity, SystemClock::shared(), SystemRandom::shared());
    opened.await.expect("opened")
}

async fn record(log: &AuditLog) {
    let portal = ProvenPortal::by_redeemed_handle(
        PortalId::new(1).expect("not zero"),
        "client-0001".parse().expect("a slug"),
    );
    let call_id = CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
    let draft = Draft::portal(&portal, Operation::ObjectGet, call_id);
    log.admin(draft, Outcome::ok()).await.expect("durable");
}

/// Every object of the bucket: name, text, how it is locked, and until when.
fn objects(moto: &Moto) -> Vec<Value> {
    let told = moto.boto(
        "import json
found = []
for it in s3.list_object_versions(Bucket='anchors').get('Versions', []):
    name = {'Bucket': 'anchors', 'Key': it['Key'], 'VersionId': it['VersionId']}
    lock = s3.head_object(**name)
    text = s3.get_object(**name)['Body'].read().decode()
    found.append({'name': it['Key'], 'text': text, 'mode': lock.get('ObjectLockMode'), 'until': str(lock.get('ObjectLockRetainUntilDate'))})
print(json.dumps(sorted(found, key=lambda one: one['name'])))",
    );
    serde_json::from_str(&told).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_head_that_is_anchored_is_locked_and_is_the_note_that_was_signed() {
    let (moto, folder) = (with_bucket(true), tempfile::tempdir().expect("a folder"));
    let log = opened(&folder, &moto).await;
    record(&log).await;
    eventually!(MINUTE, objects(&moto).len() == 1);
    record(&log).await;
    eventually!(MINUTE, objects(&moto).len() == 2);
    log.stop().await;
    let log = opened(&folder, &moto).await;
    for object in objects(&moto) {
        let name = object["name"].as_str().expect("text");
        let size = name.strip_prefix(FOLDER).expect("below its log");
        assert_eq!(size.len(), 20, "{name}");
        let signed = log.checkpoint(HEADS, size.parse().ok()).await.expect("signed");
        assert_eq!(object["text"], signed.note);
        assert_eq!(object["mode"], "GOVERNANCE");
        let until: jiff::Timestamp = object["until"].as_str().expect("text").parse().expect("a time");
        // A time of S3's has no part of a second.
        let least = signed.made_time.as_micros() / 1_000_000 + 40 * 24 * 60 * 60;
        assert!(until.as_second() >= least, "{object}");
    }
    log.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_history_that_is_anchored_already_is_told_and_never_overwritten() {
    let (moto, folder) = (with_bucket(true), tempfile::tempdir().expect("a folder"));
    moto.boto(&format!(
        "for size in range(1, 31):
    s3.put_object(Bucket='anchors', Key='{FOLDER}%020d' % size, Body=b'another history')"
    ));
    let before = objects(&moto);
    let log = opened(&folder, &moto).await;
    record(&log).await;
    let filter = Filter {
        operations: vec![Operation::AuditUnanchored],
        ..Filter::all()
    };
    eventually!(
        MINUTE,
        !log.list(&filter, Position::START, 1)
            .await
            .expect("reads")
            .is_empty()
    );
    let noted = log
        .list(&filter, Position::START, 1)
        .await
        .expect("reads")
        .remove(0);
    assert_eq!(noted.entry.expect("one").reason(), ErrorReason::AuditDamaged);
    assert_eq!(objects(&moto), before);
    log.stop().await;
}
