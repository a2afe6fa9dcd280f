//! Two replicas rotate the same portal at the same time: no step is done twice, and none is lost.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use hubkeep_proto::credential::v1::{
    CancelRotationRequest, ListRotationsRequest, RegisterConsumerRequest, RotateCredentialRequest, Rotation,
    RotationState, TokenStanding, rotation_service_client::RotationServiceClient,
};
use hubspot_sim::{TokenSpec, fingerprint};

use crate::{
    harness::*,
    replicas::{Replica, pair},
    rotation::to,
};

/// A replica looks for what is due, and rests for a second.
const HALF_A_REST: Duration = Duration::from_millis(500);

fn at(bench: &Bench, other: &Replica) -> [RotationServiceClient<Named>; 2] {
    [bench.channel_of(OPERATOR), other.channel_of(OPERATOR)].map(RotationServiceClient::new)
}

async fn all(bench: &Bench) -> Vec<Rotation> {
    let request = ListRotationsRequest {
        include_ended: true,
        ..ListRotationsRequest::default()
    };
    let [mut client, _] =
        [bench.channel_of(OPERATOR), bench.channel_of(OPERATOR)].map(RotationServiceClient::new);
    let mut all = client
        .list_rotations(request)
        .await
        .expect("listed")
        .into_inner()
        .rotations;
    all.sort_by_key(|rotation| rotation.credential_version);
    all
}

#[tokio::test]
async fn the_same_rotation_at_two_replicas_is_done_once_and_both_are_told_so() {
    let (bench, other) = pair().await;
    let handle = bench.handle().await.handle;
    let consumer = RegisterConsumerRequest {
        consumer_name: "billing".to_owned(),
        client_slugs: vec!["*".to_owned()],
        ..RegisterConsumerRequest::default()
    };
    let [mut here, _] = at(&bench, &other);
    here.register_consumer(consumer).await.expect("registers");
    // Each asks HubSpot two questions, and each replica may ask four about one token within 10 s.
    let clients = at(&bench, &other).into_iter().cycle().take(4);
    let told =
        join_all(clients.map(async |mut client| client.rotate_credential(to(ACME_SECOND_TOKEN)).await)).await;
    let told: Vec<_> = told
        .into_iter()
        .map(|answer| answer.expect("rotated").into_inner())
        .collect();
    assert_eq!(told.iter().filter(|answer| !answer.already_rotated).count(), 1);
    let ids: BTreeSet<_> = told
        .iter()
        .map(|answer| answer.rotation.as_ref().expect("told").rotation_id.clone())
        .collect();
    assert_eq!(ids.len(), 1);
    let rotations = all(&bench).await;
    assert_eq!((rotations.len(), rotations[0].credential_version), (1, 2));
    // Onboarding was the first write to the vault.
    assert_eq!(
        (rotations[0].store_version, rotations[0].consumers_behind),
        (2, 1)
    );
    let redeemed = bench.redeem(&handle, SYNC).await.expect("lives");
    assert_eq!(
        (redeemed.portal_token.as_str(), redeemed.credential_version),
        (ACME_SECOND_TOKEN, 2)
    );
}

#[tokio::test]
async fn different_rotations_at_two_replicas_come_one_after_the_other_and_none_is_lost() {
    const EACH: usize = 3;
    let (bench, other) = pair().await;
    let handle = bench.handle().await.handle;
    let tokens: Vec<String> = (0..2 * EACH)
        .map(|number| format!("pat-na1-race-{number}"))
        .collect();
    for token in &tokens {
        bench
            .hubspot
            .add_token(ACME, TokenSpec::private_app(token))
            .expect("added");
    }
    let clients = at(&bench, &other).into_iter().cycle();
    let told = join_all(clients.zip(&tokens).map(async |(mut client, token)| {
        let answer = client
            .rotate_credential(RotateCredentialRequest { ..to(token) })
            .await;
        (
            reason(&answer),
            answer.ok().and_then(|answer| answer.into_inner().rotation),
        )
    }))
    .await;
    // Whoever was overtaken five times is told so, and has changed nothing.
    let done = told.iter().filter(|(reason, _)| reason == "OK").count();
    assert!(
        told.iter()
            .all(|(reason, _)| ["OK", "ROTATION_CONTENDED"].contains(&reason.as_str())),
        "{told:?}"
    );
    let rotations = all(&bench).await;
    assert!(done >= 2 && rotations.len() == done, "{told:?}");
    // Each begins where the one before has ended, and its store version is the next.
    let mut before = (1, fingerprint(ACME_TOKEN), 1);
    for rotation in &rotations {
        assert_eq!(
            (rotation.old_version, rotation.old_fingerprint.clone()),
            (before.0, before.1)
        );
        assert_eq!(
            (rotation.credential_version, rotation.store_version),
            (before.0 + 1, before.2 + 1)
        );
        before = (
            rotation.credential_version,
            rotation.new_fingerprint.clone(),
            rotation.store_version,
        );
    }
    let superseded = rotations
        .iter()
        .filter(|one| one.state() == RotationState::Superseded)
        .count();
    assert_eq!(superseded, done - 1);
    let redeemed = bench.redeem(&handle, SYNC).await.expect("lives");
    assert_eq!(
        (redeemed.credential_version, redeemed.token_fingerprint),
        (before.0, before.1)
    );
}

#[tokio::test]
async fn a_rollback_asked_for_at_two_replicas_is_done_once() {
    let (bench, other) = pair().await;
    let rotation = crate::rotation::rotated(&bench).await;
    let told = join_all(at(&bench, &other).map(async |mut client| {
        let request = CancelRotationRequest {
            rotation_id: rotation.rotation_id.clone(),
            reason: "both of us".to_owned(),
        };
        client
            .cancel_rotation(request)
            .await
            .expect("rolled back")
            .into_inner()
            .rotation
            .expect("told")
    }))
    .await;
    assert!(
        told.iter()
            .all(|told| told.credential_version == 3 && told.state() == RotationState::RolledBack)
    );
}

#[tokio::test]
async fn of_two_replicas_one_asks_hubspot_about_an_old_token() {
    let (bench, other) = pair().await;
    let rotation = crate::rotation::rotated(&bench).await;
    let asked = |token: &str| {
        let journal = bench.hubspot.journal();
        let by = journal
            .iter()
            .filter(|entry| entry.token_fingerprint == Some(fingerprint(token)));
        by.count()
    };
    let before = (asked(ACME_TOKEN), asked(ACME_SECOND_TOKEN));
    // Both see at the same moment that it is time.
    bench.clock.advance(Duration::from_secs(16));
    other.clock.advance(Duration::from_secs(16));
    let mut looks = 0;
    loop {
        let told = crate::rotation::get(&bench, &rotation)
            .await
            .rotation
            .expect("there");
        if told.probe_time.is_some() {
            assert_eq!(told.old_token(), TokenStanding::Accepted);
            break;
        }
        looks += 1;
        assert!(looks < 20_000, "nobody asked");
        // Who was busy when the time came looks again when it has rested: time must pass for that.
        if looks % 100 == 0 {
            bench.clock.advance(HALF_A_REST);
            other.clock.advance(HALF_A_REST);
        }
    }
    // Each of the replicas goes on looking, and finds that nothing is due.
    for _ in 0..20 {
        bench.clock.advance(HALF_A_REST);
        other.clock.advance(HALF_A_REST);
        crate::rotation::get(&bench, &rotation).await;
    }
    assert_eq!(
        (asked(ACME_TOKEN), asked(ACME_SECOND_TOKEN)),
        (before.0 + 1, before.1 + 1)
    );
}
