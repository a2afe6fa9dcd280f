//! A task that nobody acknowledged ends with a word of who ended it and why, and stays to be seen.

use hubkeep_proto::credential::v1::{RemoveConsumerRequest, RotationState, RotationTask, TaskState};
use hubspot_sim::fingerprint;
use tonic::Status;

use crate::{consumers::*, harness::*, rotation::*};

async fn remove(bench: &Bench, why: &str) -> Result<u32, Status> {
    let request = RemoveConsumerRequest {
        consumer_name: BILLING.to_owned(),
        reason: why.to_owned(),
    };
    let answer = rotations(bench).remove_consumer(request).await?;
    Ok(answer.into_inner().removed_tasks)
}

#[tokio::test]
async fn a_consumer_that_is_behind_is_removed_with_a_reason_only_which_stays_with_its_tasks() {
    let bench = start().await;
    for name in [BILLING, "mirror"] {
        register(&bench, consumer(name, &["*"])).await.expect("registers");
    }
    let rotation = rotated(&bench).await;
    let refused = remove(&bench, "").await;
    assert_eq!(reason(&refused), "CONSUMER_BEHIND");
    let said = refused.expect_err("refused").message().to_owned();
    assert!(said.contains(&rotation.rotation_id), "{said}");
    assert_eq!(reason(&remove(&bench, "a\nb").await), "INVALID_FIELD");
    let kept = get(&bench, &rotation).await.rotation.expect("there");
    assert_eq!((kept.consumers_behind, kept.consumers_ended), (2, 0));

    assert_eq!(remove(&bench, "shut down").await.expect("removed"), 1);
    assert_eq!(reason(&remove(&bench, "shut down").await), "CONSUMER_UNKNOWN");
    let told = get(&bench, &rotation).await;
    let task = &told.tasks[0];
    assert_eq!(
        (task.consumer_name.as_str(), task.state()),
        (BILLING, TaskState::Dropped)
    );
    assert_eq!(
        (task.end_reason.as_str(), task.ended_by.as_str()),
        ("shut down", OPERATOR)
    );
    assert!(task.end_time.is_some());
    let kept = told.rotation.expect("there");
    assert_eq!((kept.consumers_behind, kept.consumers_ended), (1, 1));
    let late = acknowledge(
        &bench,
        BILLING,
        &rotation,
        ACME_SECOND_TOKEN,
        rotation.store_version,
    )
    .await;
    assert_eq!(reason(&late), "TASK_ENDED");
}

#[tokio::test]
async fn a_consumer_that_owes_nothing_is_removed_without_a_word() {
    let bench = start().await;
    register(&bench, consumer(BILLING, &["*"]))
        .await
        .expect("registers");
    let rotation = rotated(&bench).await;
    acknowledge(
        &bench,
        BILLING,
        &rotation,
        ACME_SECOND_TOKEN,
        rotation.store_version,
    )
    .await
    .expect("true");
    assert_eq!(remove(&bench, "").await.expect("removed"), 0);
    assert_eq!(get(&bench, &rotation).await.tasks[0].state(), TaskState::Done);
}

#[tokio::test]
async fn a_watcher_that_is_removed_is_told_so() {
    let bench = start().await;
    register(&bench, consumer(BILLING, &["*"]))
        .await
        .expect("registers");
    let mut tasks = watch(&bench, BILLING).await.expect("opens");
    rotated(&bench).await;
    next(&mut tasks).await;
    remove(&bench, "shut down").await.expect("removed");
    let ended = tasks.message().await;
    assert_eq!(reason(&ended), "CONSUMER_UNKNOWN");
}

#[tokio::test]
async fn a_later_rotation_settles_the_tasks_of_the_one_before() {
    let bench = start().await;
    for name in [BILLING, "mirror"] {
        register(&bench, consumer(name, &["acme"]))
            .await
            .expect("registers");
    }
    let first = rotated(&bench).await;
    acknowledge(&bench, "mirror", &first, ACME_SECOND_TOKEN, first.store_version)
        .await
        .expect("true");
    let third = hubspot_sim::TokenSpec::private_app("pat-na1-third");
    bench.hubspot.add_token(ACME, third).expect("added");
    let second = rotate(&bench, to("pat-na1-third")).await.expect("rotates");
    let second = second.rotation.expect("told");
    let old = get(&bench, &first).await;
    let states: Vec<_> = old.tasks.iter().map(RotationTask::state).collect();
    assert_eq!(states, [TaskState::Superseded, TaskState::Done]);
    assert!(
        old.tasks[0].end_reason.contains(&second.rotation_id),
        "{:?}",
        old.tasks[0]
    );
    let old = old.rotation.expect("there");
    assert_eq!(
        (
            old.consumers_done,
            old.consumers_behind,
            old.consumers_overdue,
            old.consumers_ended
        ),
        (1, 0, 0, 1)
    );
    // Both are waited for again, in the rotation that counts, and one word settles each.
    let mut tasks = watch(&bench, BILLING).await.expect("opens");
    assert_eq!(next(&mut tasks).await.rotation_id, second.rotation_id);
    for name in [BILLING, "mirror"] {
        acknowledge(&bench, name, &second, "pat-na1-third", second.store_version)
            .await
            .expect("true");
    }
    let second = get(&bench, &second).await.rotation.expect("there");
    assert_eq!((second.consumers_done, second.consumers_behind), (2, 0));
}

#[tokio::test]
async fn what_an_earlier_version_left_open_is_settled_and_named_by_the_migrations() {
    let bench = start().await;
    register(&bench, consumer(BILLING, &["acme"]))
        .await
        .expect("registers");
    let first = rotated(&bench).await;
    cancel(&bench, &first).await.expect("the old token lives");
    let third = hubspot_sim::TokenSpec::private_app("pat-na1-third");
    bench.hubspot.add_token(ACME, third).expect("added");
    let second = rotate(&bench, to("pat-na1-third")).await.expect("rotates");
    let second = second.rotation.expect("told");
    let database = bench.database().await;
    for sql in [
        "UPDATE rotation SET standing = 'superseded' WHERE standing = 'rolled-back'",
        "UPDATE rotation_task SET end_time = NULL, ended_as = '', ended_by = '', end_reason = ''",
        include_str!("../../migrations/20261103000076_rotation_rolled_back_standing.sql"),
        include_str!("../../migrations/20261103000077_rotation_task_end_of_old.sql"),
    ] {
        sqlx::query(sql).execute(database.pool()).await.expect("written");
    }
    let told = get(&bench, &first).await;
    assert_eq!(told.rotation.expect("there").state(), RotationState::RolledBack);
    assert_eq!(told.tasks[0].state(), TaskState::Superseded);
    assert_eq!(get(&bench, &second).await.tasks[0].state(), TaskState::Behind);
}

#[tokio::test]
async fn a_rotation_that_was_rolled_back_stays_so_whatever_comes_later() {
    let bench = start().await;
    register(&bench, consumer(BILLING, &["acme"]))
        .await
        .expect("registers");
    let rotation = rotated(&bench).await;
    let back = cancel(&bench, &rotation).await.expect("the old token lives");
    assert_eq!(
        (back.retired_fingerprint.as_str(), back.old_fingerprint.as_str()),
        (
            fingerprint(ACME_SECOND_TOKEN).as_str(),
            fingerprint(ACME_TOKEN).as_str()
        )
    );
    let closed = close(&bench, &rotation, "billing is gone").await.expect("closed");
    assert_eq!(closed.state(), RotationState::RolledBack);
    let told = get(&bench, &rotation).await;
    assert_eq!(told.tasks[0].end_reason, "billing is gone");
    let third = hubspot_sim::TokenSpec::private_app("pat-na1-third");
    bench.hubspot.add_token(ACME, third).expect("added");
    rotate(&bench, to("pat-na1-third")).await.expect("rotates");
    let told = get(&bench, &rotation).await.rotation.expect("there");
    assert_eq!(
        (told.state(), told.end_reason.as_str()),
        (RotationState::RolledBack, "cancelled at HubSpot")
    );
}
