//! Who runs on a token hears of its rotation, and a rotation is not done before they all have said so.

use std::time::Duration;

use hubkeep_proto::credential::v1::{
    AcknowledgeRotationRequest, CloseRotationRequest, ListConsumersRequest, ListRotationsRequest,
    RegisterConsumerRequest, RegisterConsumerResponse, Rotation, RotationNotice, RotationState, RotationTask,
    TaskState, WatchRotationsRequest, WatchRotationsResponse, consumer_service_client::ConsumerServiceClient,
};
use hubspot_sim::fingerprint;
use tonic::{Status, Streaming};

use crate::{harness::*, rotation::*};

pub(crate) const BILLING: &str = "billing";
const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn consumer(name: &str, slugs: &[&str]) -> RegisterConsumerRequest {
    RegisterConsumerRequest {
        consumer_name: name.to_owned(),
        client_slugs: slugs.iter().map(|slug| (*slug).to_owned()).collect(),
        ..RegisterConsumerRequest::default()
    }
}

pub(crate) async fn register(
    bench: &Bench,
    request: RegisterConsumerRequest,
) -> Result<RegisterConsumerResponse, Status> {
    let answer = rotations(bench).register_consumer(request).await?;
    Ok(answer.into_inner())
}

/// A bench with both portals that consumers name here.
pub(crate) async fn start() -> Bench {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    bench
}

pub(crate) async fn acknowledge(
    bench: &Bench,
    caller: &'static str,
    rotation: &Rotation,
    token: &str,
    store_version: u64,
) -> Result<RotationTask, Status> {
    let request = AcknowledgeRotationRequest {
        rotation_id: rotation.rotation_id.clone(),
        token_fingerprint: fingerprint(token),
        store_version,
    };
    let mut client = ConsumerServiceClient::new(bench.channel_of(caller));
    let answer = client.acknowledge_rotation(request).await?;
    Ok(answer.into_inner().task.expect("told"))
}

pub(crate) async fn watch(
    bench: &Bench,
    caller: &'static str,
) -> Result<Streaming<WatchRotationsResponse>, Status> {
    let mut client = ConsumerServiceClient::new(bench.channel_of(caller));
    Ok(client
        .watch_rotations(WatchRotationsRequest {})
        .await?
        .into_inner())
}

pub(crate) async fn next(tasks: &mut Streaming<WatchRotationsResponse>) -> RotationNotice {
    let told = tasks.message().await.expect("goes on").expect("goes on");
    told.notice.expect("told")
}

pub(crate) async fn close(bench: &Bench, rotation: &Rotation, reason: &str) -> Result<Rotation, Status> {
    let request = CloseRotationRequest {
        rotation_id: rotation.rotation_id.clone(),
        reason: reason.to_owned(),
    };
    let answer = rotations(bench).close_rotation(request).await?;
    Ok(answer.into_inner().rotation.expect("told"))
}

#[tokio::test]
async fn each_consumer_of_the_portal_gets_a_task_and_others_do_not() {
    let bench = start().await;
    for (name, slugs) in [
        (BILLING, &["acme", "globex"][..]),
        ("mirror", &["*"]),
        ("other", &["globex"]),
    ] {
        register(&bench, consumer(name, slugs)).await.expect("registers");
    }
    let rotation = rotated(&bench).await;
    assert_eq!((rotation.consumers_done, rotation.consumers_behind), (0, 2));
    let tasks = get(&bench, &rotation).await.tasks;
    let names: Vec<_> = tasks.iter().map(|task| task.consumer_name.as_str()).collect();
    assert_eq!(names, [BILLING, "mirror"]);
    assert!(tasks.iter().all(|task| task.state() == TaskState::Behind));
}

#[tokio::test]
async fn a_task_is_done_by_the_fingerprint_of_the_token_in_force_and_a_store_that_has_it() {
    let bench = start().await;
    register(&bench, consumer(BILLING, &["acme"]))
        .await
        .expect("registers");
    let rotation = rotated(&bench).await;
    let version = rotation.store_version;
    let wrong = [
        (ACME_TOKEN, version, "FINGERPRINT_MISMATCH"),
        (ACME_SECOND_TOKEN, version - 1, "STORE_VERSION_MISMATCH"),
        (ACME_SECOND_TOKEN, version + 1, "STORE_VERSION_MISMATCH"),
    ];
    for (token, version, expected) in wrong {
        let refused = acknowledge(&bench, BILLING, &rotation, token, version).await;
        assert_eq!(reason(&refused), expected);
    }
    let stranger = acknowledge(&bench, "stranger", &rotation, ACME_SECOND_TOKEN, version).await;
    assert_eq!(reason(&stranger), "ROTATION_UNKNOWN");
    let done = acknowledge(&bench, BILLING, &rotation, ACME_SECOND_TOKEN, version)
        .await
        .expect("true");
    assert_eq!(
        (done.state(), done.acknowledged_store_version),
        (TaskState::Done, version)
    );
    let again = acknowledge(&bench, BILLING, &rotation, ACME_SECOND_TOKEN, version)
        .await
        .expect("still true");
    assert_eq!(again.acknowledge_time, done.acknowledge_time);
    let rotation = get(&bench, &rotation).await.rotation.expect("there");
    assert_eq!((rotation.consumers_done, rotation.consumers_behind), (1, 0));
    let (log, entry) = bench.last_entry().await;
    assert!(
        log.ends_with("/1001") && !entry.subject.is_empty(),
        "{log} {entry:?}"
    );
}

#[tokio::test]
async fn a_consumer_whose_time_is_over_is_shown_as_overdue() {
    let bench = start().await;
    let soon = RegisterConsumerRequest {
        deadline: Some(HOUR.try_into().expect("fits")),
        ..consumer(BILLING, &["acme"])
    };
    register(&bench, soon).await.expect("registers");
    register(&bench, consumer("mirror", &["*"]))
        .await
        .expect("registers");
    let rotation = rotated(&bench).await;
    bench.clock.advance(HOUR);
    let told = get(&bench, &rotation).await;
    let states: Vec<_> = told.tasks.iter().map(RotationTask::state).collect();
    assert_eq!(states, [TaskState::Overdue, TaskState::Behind]);
    let rotation = told.rotation.expect("there");
    assert_eq!((rotation.consumers_overdue, rotation.consumers_behind), (1, 1));
}

#[tokio::test]
async fn a_watcher_gets_its_open_tasks_and_each_new_one_and_the_same_anew_after_a_rollback() {
    let bench = start().await;
    register(&bench, consumer(BILLING, &["acme"]))
        .await
        .expect("registers");
    assert_eq!(reason(&watch(&bench, "stranger").await), "CONSUMER_UNKNOWN");
    let mut before = watch(&bench, BILLING).await.expect("opens");
    let rotation = rotated(&bench).await;
    let mut after = watch(&bench, BILLING).await.expect("opens");
    for tasks in [&mut before, &mut after] {
        let notice = next(tasks).await;
        assert_eq!(notice.rotation_id, rotation.rotation_id);
        assert_eq!(notice.token_fingerprint, fingerprint(ACME_SECOND_TOKEN));
        assert_eq!(
            (notice.credential_version, notice.store_version),
            (2, rotation.store_version)
        );
        assert!(!notice.rolled_back);
    }
    assert!(get(&bench, &rotation).await.tasks[0].told_time.is_some());
    acknowledge(
        &bench,
        BILLING,
        &rotation,
        ACME_SECOND_TOKEN,
        rotation.store_version,
    )
    .await
    .expect("true");
    let back = cancel(&bench, &rotation).await.expect("the old token lives");
    assert_eq!(
        (back.state(), back.consumers_behind),
        (RotationState::RollingBack, 1)
    );
    let notice = next(&mut before).await;
    assert_eq!(notice.token_fingerprint, fingerprint(ACME_TOKEN));
    assert!(notice.rolled_back && notice.store_version > rotation.store_version);
    let stale = acknowledge(
        &bench,
        BILLING,
        &rotation,
        ACME_SECOND_TOKEN,
        notice.store_version,
    )
    .await;
    assert_eq!(reason(&stale), "FINGERPRINT_MISMATCH");
    acknowledge(&bench, BILLING, &rotation, ACME_TOKEN, notice.store_version)
        .await
        .expect("true");
    let back = get(&bench, &rotation).await.rotation.expect("there");
    assert_eq!(back.state(), RotationState::RolledBack);
}

#[tokio::test]
async fn a_rotation_with_open_tasks_is_closed_with_a_reason_only_and_keeps_them() {
    let bench = start().await;
    register(&bench, consumer(BILLING, &["acme"]))
        .await
        .expect("registers");
    let rotation = rotated(&bench).await;
    assert_eq!(reason(&close(&bench, &rotation, "  ").await), "INVALID_FIELD");
    let closed = close(&bench, &rotation, "billing is gone").await.expect("closed");
    assert_eq!(
        (closed.state(), closed.consumers_behind, closed.consumers_ended),
        (RotationState::Closed, 0, 1)
    );
    let kept = get(&bench, &rotation).await;
    let rotation = kept.rotation.expect("there");
    assert_eq!(
        (rotation.end_reason.as_str(), rotation.ended_by.as_str()),
        ("billing is gone", OPERATOR)
    );
    let task = &kept.tasks[0];
    assert_eq!(
        (task.state(), task.end_reason.as_str(), task.ended_by.as_str()),
        (TaskState::Dropped, "billing is gone", OPERATOR)
    );
    assert_eq!(reason(&close(&bench, &rotation, "again").await), "ROTATION_STATE");
    let late = acknowledge(
        &bench,
        BILLING,
        &rotation,
        ACME_SECOND_TOKEN,
        rotation.store_version,
    )
    .await;
    assert_eq!(reason(&late), "ROTATION_STATE");
}

#[tokio::test]
async fn a_consumer_is_registered_once_and_its_secret_is_shown_once() {
    let bench = start().await;
    let request = RegisterConsumerRequest {
        webhook_url: "https://example.com/rotated?key=s3cret-key".to_owned(),
        ..consumer(BILLING, &["globex", "acme", "acme"])
    };
    let first = register(&bench, request.clone()).await.expect("registers");
    assert!(first.made_webhook_secret.starts_with("whsec_"));
    let shown = first.consumer.expect("told");
    assert_eq!(shown.client_slugs, ["acme", "globex"]);
    assert_eq!(shown.webhook_url, "https://example.com/rotated");
    let again = register(&bench, request.clone()).await.expect("the same");
    assert_eq!(again.made_webhook_secret, "");
    let other = RegisterConsumerRequest {
        webhook_url: String::new(),
        ..request
    };
    assert_eq!(reason(&register(&bench, other).await), "CONSUMER_DIFFERS");
    for secret in [first.made_webhook_secret.as_str(), "s3cret-key"] {
        assert_eq!(found_in_files(bench.folder.path(), secret), Vec::<String>::new());
    }
    let listed = rotations(&bench)
        .list_consumers(ListConsumersRequest::default())
        .await;
    assert_eq!(listed.expect("listed").into_inner().consumers, [shown]);
}

#[tokio::test]
async fn rotations_are_listed_page_by_page_and_those_that_are_over_only_when_asked_for() {
    let bench = start().await;
    let first = rotated(&bench).await;
    for token in ["pat-na1-third", "pat-na1-fourth"] {
        bench
            .hubspot
            .add_token(ACME, hubspot_sim::TokenSpec::private_app(token))
            .expect("added");
        bench.clock.advance(Duration::from_secs(1));
        rotate(&bench, to(token)).await.expect("rotates");
    }
    let list = async |page_token: String, include_ended: bool| {
        let request = ListRotationsRequest {
            page_size: 2,
            page_token,
            client_slug: "acme".to_owned(),
            include_ended,
        };
        rotations(&bench)
            .list_rotations(request)
            .await
            .expect("listed")
            .into_inner()
    };
    let page = list(String::new(), true).await;
    let versions = |page: &[Rotation]| page.iter().map(|one| one.credential_version).collect::<Vec<_>>();
    assert_eq!(versions(&page.rotations), [4, 3]);
    let rest = list(page.next_page_token, true).await;
    assert_eq!(versions(&rest.rotations), [2]);
    assert_eq!(rest.next_page_token, "");
    // The old tokens of all three may still live.
    assert_eq!(list(String::new(), false).await.rotations.len(), 2);
    cancel(&bench, &first).await.expect_err("superseded");
}
