//! Rotation of the key-encryption key under a service that goes on, and the state of keys as operators see it.

use hubkeep_audit_log::{CallResult, Operation};
use hubkeep_core::random::SystemRandom;
use hubkeep_proto::credential::v1::{
    GetKeyStatusRequest, GetKeyStatusResponse, KekState, RotateKekRequest, RotateKekResponse,
    key_service_client::KeyServiceClient,
};
use hubkeep_seal::{FileKek, KekConfig};
use tonic::Status;

use crate::harness::{ACME_TOKEN, Bench, Named, OPERATOR, SYNC, reason};

impl Bench {
    pub(crate) async fn rotate(&self, to_version: u32) -> Result<Vec<RotateKekResponse>, Status> {
        rotate(self.channel_of(OPERATOR), to_version).await
    }

    async fn key_status(&self, probe: bool) -> GetKeyStatusResponse {
        let mut client = KeyServiceClient::new(self.channel_of(OPERATOR));
        let answer = client.get_key_status(GetKeyStatusRequest { probe }).await;
        answer.expect("answers").into_inner()
    }

    /// Makes a second key file and names it; the service knows it from its next start.
    pub(crate) fn name_second_version(&mut self) {
        let file = self.folder.path().join("kek-2");
        FileKek::create(&file, &*SystemRandom::shared()).expect("made");
        self.config.keys.kek = vec![KekConfig::in_file(2, &file)];
    }
}

/// A rotation through this connection, to its end.
pub(crate) async fn rotate(channel: Named, to_version: u32) -> Result<Vec<RotateKekResponse>, Status> {
    let request = RotateKekRequest { to_version };
    let mut told = KeyServiceClient::new(channel)
        .rotate_kek(request)
        .await?
        .into_inner();
    let mut all = Vec::new();
    while let Some(progress) = told.message().await? {
        all.push(progress);
    }
    Ok(all)
}

/// The versions that keys name.
fn named(status: &GetKeyStatusResponse) -> Vec<u32> {
    let named = status.versions.iter().filter(|version| version.key_count > 0);
    named.map(|version| version.version).collect()
}

#[tokio::test]
async fn after_a_rotation_the_old_version_can_be_taken_away_and_handles_live_on() {
    let mut bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    assert_eq!(named(&bench.key_status(false).await), [1]);
    bench.name_second_version();
    bench.restart(|_| {}).await;
    assert_eq!(bench.key_status(true).await.current_version, 2);

    let told = bench.rotate(2).await.expect("rotates");
    let last = told.last().expect("it says how it ended");
    assert!(
        last.done && last.remaining_count == 0 && last.rewrapped_count >= 2,
        "{last:?}"
    );
    assert!(told.iter().rev().skip(1).all(|progress| !progress.done));
    assert_eq!(
        bench.redeem(&handle, SYNC).await.expect("redeems").portal_token,
        ACME_TOKEN
    );

    // The old version is refused by policy, and then its file is gone.
    bench.config.keys.oldest_accepted_version = 2;
    std::fs::remove_file(&bench.config.keys.kek_file).expect("removed");
    bench.restart(|_| {}).await;
    assert_eq!(
        bench.redeem(&handle, SYNC).await.expect("redeems").portal_token,
        ACME_TOKEN
    );
    let status = bench.key_status(true).await;
    assert_eq!(named(&status), [2]);
    assert_eq!(status.oldest_accepted_version, 2);
    assert!(
        status
            .versions
            .iter()
            .all(|version| version.state() == KekState::Usable)
    );
}

#[tokio::test]
async fn a_rotation_and_a_look_at_the_keys_are_on_record() {
    let bench = Bench::start().await;
    bench.handle().await;
    bench.rotate(0).await.expect("rotates");
    bench.key_status(false).await;
    let entries = bench.entries().await;
    let of = |operation| {
        let of = entries
            .iter()
            .filter(move |(_, entry)| entry.operation() == operation);
        of.collect::<Vec<_>>()
    };
    let rotated = of(Operation::KeyRotate);
    assert_eq!(rotated.len(), 2, "when it began, and when it ended");
    assert_eq!(rotated[0].1.call_id, rotated[1].1.call_id);
    for (log, entry) in rotated.into_iter().chain(of(Operation::KeyStatus)) {
        assert!(log.ends_with("/system") && entry.caller == OPERATOR, "{log}");
        assert_eq!(entry.result(), CallResult::Ok);
    }
    assert_eq!(of(Operation::KeyStatus).len(), 1);
}

#[tokio::test]
async fn a_rotation_to_a_version_that_is_not_current_changes_nothing() {
    let bench = Bench::start().await;
    bench.handle().await;
    let refused = bench.rotate(2).await;
    assert_eq!(reason(&refused), "KEK_VERSION_NOT_CURRENT");
    assert_eq!(named(&bench.key_status(false).await), [1]);
    let (_, entry) = &bench.entries().await[bench.entries().await.len() - 2];
    assert_eq!(
        (entry.operation(), entry.result()),
        (Operation::KeyRotate, CallResult::Refused)
    );
}

#[tokio::test]
async fn a_service_that_lacks_the_version_of_its_keys_does_not_start_and_says_why() {
    let mut bench = Bench::start().await;
    bench.handle().await;
    bench.name_second_version();
    bench.config.keys.oldest_accepted_version = 2;
    bench.stop().await;
    let error = bench.try_start().await.expect_err("its keys name version 1");
    let told = with_causes(&error);
    assert!(told.contains("version 1"), "{told}");
}

/// The error and its causes in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
