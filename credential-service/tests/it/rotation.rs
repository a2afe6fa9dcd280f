//! A new token takes the place of an old one, whole or not at all, and nobody who holds a handle notices.

use std::{future::Future, time::Duration};

use futures::{StreamExt as _, stream};
use hubkeep_proto::{
    audit::v1::{Operation, Phase},
    credential::v1::{
        CancelRotationRequest, GetRotationRequest, GetRotationResponse, ImportRotationOutcome,
        ImportRotationsRequest, ListRotationsRequest, RotateCredentialRequest, RotateCredentialResponse,
        Rotation, RotationState, TokenStanding, rotation_service_client::RotationServiceClient,
    },
};
use hubspot_sim::{TokenSpec, fingerprint};
use tonic::Status;

use crate::{
    fleet::{erase_in_both, suspend},
    harness::*,
};

pub(crate) const NARROW_TOKEN: &str = "pat-na1-acme-00000000-0000-4000-8000-000000000005";

pub(crate) fn rotations(bench: &Bench) -> RotationServiceClient<Named> {
    RotationServiceClient::new(bench.channel_of(OPERATOR))
}

pub(crate) fn to(token: &str) -> RotateCredentialRequest {
    RotateCredentialRequest {
        client_slug: "acme".to_owned(),
        portal_token: token.to_owned(),
        ..RotateCredentialRequest::default()
    }
}

pub(crate) async fn rotate(
    bench: &Bench,
    request: RotateCredentialRequest,
) -> Result<RotateCredentialResponse, Status> {
    let answer = rotations(bench).rotate_credential(request).await?;
    Ok(answer.into_inner())
}

/// Acme, with its second token in force.
pub(crate) async fn rotated(bench: &Bench) -> Rotation {
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let answer = rotate(bench, to(ACME_SECOND_TOKEN)).await.expect("rotates");
    answer.rotation.expect("told")
}

pub(crate) async fn get(bench: &Bench, rotation: &Rotation) -> GetRotationResponse {
    let rotation_id = rotation.rotation_id.clone();
    let answer = rotations(bench)
        .get_rotation(GetRotationRequest { rotation_id })
        .await;
    answer.expect("there").into_inner()
}

pub(crate) async fn cancel(bench: &Bench, rotation: &Rotation) -> Result<Rotation, Status> {
    let request = CancelRotationRequest {
        rotation_id: rotation.rotation_id.clone(),
        reason: "cancelled at HubSpot".to_owned(),
    };
    let answer = rotations(bench).cancel_rotation(request).await?;
    Ok(answer.into_inner().rotation.expect("told"))
}

/// What `work` gives, while the clock goes on as slowly as the service answers: whoever asks HubSpot shares one
/// quota with the background of HubSpot's, and wait for each other.
pub(crate) async fn in_time<T>(bench: &Bench, work: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            let listed = rotations(bench)
                .list_rotations(ListRotationsRequest::default())
                .await;
            listed.expect("listed");
            bench.clock.advance(Duration::from_millis(200));
        }
    };
    tokio::select! {
        done = work => done,
        () = passing => panic!("time came to its end"),
    }
}

/// Which token a handle gives now.
async fn behind(bench: &Bench, handle: &str) -> (String, u64) {
    let redeemed = bench.redeem(handle, SYNC).await.expect("lives");
    assert_eq!(redeemed.token_fingerprint, fingerprint(&redeemed.portal_token));
    (redeemed.portal_token, redeemed.credential_version)
}

#[tokio::test]
async fn handles_live_on_and_give_the_new_token_from_the_switch_on() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    assert_eq!(behind(&bench, &handle).await, (ACME_TOKEN.to_owned(), 1));
    let rotation = rotated(&bench).await;
    assert_eq!(behind(&bench, &handle).await, (ACME_SECOND_TOKEN.to_owned(), 2));
    assert_eq!(rotation.state(), RotationState::OldTokenAlive);
    assert_eq!((rotation.old_version, rotation.credential_version), (1, 2));
    assert_eq!(rotation.old_fingerprint, fingerprint(ACME_TOKEN));
    assert_eq!(rotation.new_fingerprint, fingerprint(ACME_SECOND_TOKEN));
    assert_eq!(
        (rotation.portal_id, rotation.rotated_by.as_str()),
        (ACME, OPERATOR)
    );
    assert_eq!(rotation.new_token(), TokenStanding::Accepted);
}

#[tokio::test]
async fn redeemed_tokens_of_the_old_version_are_revoked_by_the_switch() {
    let bench = Bench::start().await;
    let rotation = rotated(&bench).await;
    let mut feed = crate::revocations::watch(&bench, 0).await.expect("opens");
    let own_calls = crate::revocations::next(&mut feed).await;
    let told = format!("{own_calls:?}");
    assert!(told.contains("OwnCalls"), "HubSpot is asked first: {told}");
    let news = crate::revocations::next(&mut feed).await;
    let hubkeep_proto::credential::v1::watch_revocations_response::Message::Revocation(revocation) = news
    else {
        panic!("no revocation: {news:?}")
    };
    assert_eq!((revocation.seq, rotation.old_version), (2, 1));
    let Some(hubkeep_proto::credential::v1::revocation::Scope::CredentialVersion(version)) = revocation.scope
    else {
        panic!("another scope")
    };
    assert_eq!((version.portal_id, version.version), (ACME, 2));
}

#[tokio::test]
async fn the_same_request_again_changes_nothing_and_asks_hubspot_nothing() {
    let bench = Bench::start().await;
    let first = rotated(&bench).await;
    let asked = bench.hubspot.journal_len();
    let again = rotate(&bench, to(ACME_SECOND_TOKEN)).await.expect("still true");
    assert!(again.already_rotated);
    assert_eq!(again.rotation.expect("told").rotation_id, first.rotation_id);
    assert_eq!(bench.hubspot.journal_len(), asked);
}

#[tokio::test]
async fn a_token_that_may_not_take_the_place_is_refused_and_nothing_changes() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    let other = |client_slug: &str, credential_name: &str| RotateCredentialRequest {
        client_slug: client_slug.to_owned(),
        credential_name: credential_name.to_owned(),
        ..to(ACME_SECOND_TOKEN)
    };
    let table = [
        (to(GLOBEX_TOKEN), "TOKEN_OF_ANOTHER_PORTAL"),
        (to(REVOKED_TOKEN), "TOKEN_REFUSED"),
        (to("pat-na1-nobody"), "TOKEN_REFUSED"),
        (to(ACME_TOKEN), "TOKEN_UNCHANGED"),
        (to(""), "INVALID_FIELD"),
        (to("a b"), "INVALID_FIELD"),
        (other("globex", ""), "PORTAL_UNKNOWN"),
        (other("../x", ""), "INVALID_FIELD"),
        (other("acme", "writer"), "CREDENTIAL_UNKNOWN"),
        (other("acme", "Wri ter"), "INVALID_FIELD"),
    ];
    for (request, expected) in table {
        let refused = rotate(&bench, request.clone()).await;
        assert_eq!(reason(&refused), expected, "{request:?}");
        let message = refused.expect_err("refused").message().to_owned();
        assert!(request.portal_token.len() < 4 || !message.contains(&request.portal_token));
    }
    assert_eq!(behind(&bench, &handle).await, (ACME_TOKEN.to_owned(), 1));
    let listed = rotations(&bench)
        .list_rotations(ListRotationsRequest::default())
        .await;
    assert!(listed.expect("listed").into_inner().rotations.is_empty());
}

#[tokio::test]
async fn a_token_with_fewer_scopes_needs_to_be_allowed_and_what_is_lost_is_told() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let lost = ["crm.objects.contacts.write", "tickets"];
    let kept = hubspot_sim::ALL_SCOPES
        .iter()
        .filter(|scope| !lost.contains(scope));
    let narrow = TokenSpec::private_app(NARROW_TOKEN).scopes(kept.copied());
    bench.hubspot.add_token(ACME, narrow).expect("added");
    let refused = rotate(&bench, to(NARROW_TOKEN)).await;
    assert_eq!(reason(&refused), "SCOPES_NARROWER");
    assert!(refused.expect_err("refused").message().contains("tickets"));
    let allowed = RotateCredentialRequest {
        allow_narrower_scopes: true,
        ..to(NARROW_TOKEN)
    };
    let rotation = rotate(&bench, allowed)
        .await
        .expect("allowed")
        .rotation
        .expect("told");
    assert_eq!(rotation.lost_scopes, lost);
}

#[tokio::test]
async fn a_rotation_stands_in_its_portals_log_and_no_entry_or_file_holds_a_token() {
    let bench = Bench::start().await;
    let rotation = rotated(&bench).await;
    let (log, entry) = bench.last_entry().await;
    assert!(log.ends_with("/1001"), "{log}");
    assert_eq!(
        (entry.operation(), entry.phase()),
        (Operation::RotationSwitch, Phase::Admin)
    );
    assert_eq!((entry.caller.as_str(), entry.credential_version), (OPERATOR, 2));
    assert_eq!(entry.subject, rotation.rotation_id);
    assert_eq!(entry.token_fingerprint, fingerprint(ACME_SECOND_TOKEN));
    for token in [ACME_TOKEN, ACME_SECOND_TOKEN] {
        assert_eq!(found_in_files(bench.folder.path(), token), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_later_rotation_supersedes_the_one_before() {
    let bench = Bench::start().await;
    let first = rotated(&bench).await;
    bench
        .hubspot
        .add_token(ACME, TokenSpec::private_app("pat-na1-third"))
        .expect("added");
    let second = rotate(&bench, to("pat-na1-third"))
        .await
        .expect("rotates")
        .rotation
        .expect("told");
    assert_eq!((second.old_version, second.credential_version), (2, 3));
    let first = get(&bench, &first).await.rotation.expect("there");
    assert_eq!(
        (first.state(), first.ended_by.as_str()),
        (RotationState::Superseded, OPERATOR)
    );
    assert_eq!(reason(&cancel(&bench, &first).await), "ROTATION_STATE");
}

#[tokio::test]
async fn a_cancelled_rotation_puts_the_old_token_back_in_force() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    let rotation = rotated(&bench).await;
    bench.hubspot.revoke_token(ACME_SECOND_TOKEN).expect("revoked");
    let back = cancel(&bench, &rotation).await.expect("the old token lives");
    assert_eq!(back.state(), RotationState::RolledBack);
    assert_eq!(
        (back.credential_version, back.end_reason.as_str()),
        (3, "cancelled at HubSpot")
    );
    assert!(back.store_version > rotation.store_version);
    assert_eq!(behind(&bench, &handle).await, (ACME_TOKEN.to_owned(), 3));
    let again = cancel(&bench, &rotation).await.expect("it is so already");
    assert_eq!(
        (again.credential_version, again.state()),
        (3, RotationState::RolledBack)
    );
    let (_, entry) = bench.last_entry().await;
    assert_eq!(
        (entry.operation(), entry.subject),
        (Operation::RotationCancel, rotation.rotation_id)
    );
}

#[tokio::test]
async fn a_dead_old_token_is_never_put_back() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    let rotation = rotated(&bench).await;
    bench.hubspot.revoke_token(ACME_TOKEN).expect("revoked");
    assert_eq!(reason(&cancel(&bench, &rotation).await), "OLD_TOKEN_REFUSED");
    assert_eq!(behind(&bench, &handle).await, (ACME_SECOND_TOKEN.to_owned(), 2));
    let unknown = Rotation {
        rotation_id: "0199f3a0-0000-7000-8000-000000000001".to_owned(),
        ..rotation
    };
    assert_eq!(reason(&cancel(&bench, &unknown).await), "ROTATION_UNKNOWN");
}

#[tokio::test]
async fn after_a_rollback_the_way_is_free_for_another_rotation() {
    let bench = Bench::start().await;
    let rotation = rotated(&bench).await;
    cancel(&bench, &rotation).await.expect("cancelled");
    bench
        .hubspot
        .add_token(ACME, TokenSpec::private_app("pat-na1-third"))
        .expect("added");
    let next = rotate(&bench, to("pat-na1-third"))
        .await
        .expect("rotates")
        .rotation
        .expect("told");
    assert_eq!((next.old_version, next.credential_version), (3, 4));
    assert_eq!(next.old_fingerprint, fingerprint(ACME_TOKEN));
}

#[tokio::test]
async fn each_row_of_an_import_gets_its_own_outcome_and_the_same_rows_again_change_nothing() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let row = |row: u32, slug: &str, token: &str| ImportRotationsRequest {
        row,
        client_slug: slug.to_owned(),
        portal_token: token.to_owned(),
        ..ImportRotationsRequest::default()
    };
    let rows = vec![
        row(1, "globex", "pat-na1-nobody"),
        row(2, "acme", ACME_SECOND_TOKEN),
        row(3, "Not A Slug", "x"),
        row(4, "acme", "pat-na1-other"),
        row(5, "umbra", REVOKED_TOKEN),
    ];
    let import = async || {
        let opened = rotations(&bench)
            .import_rotations(stream::iter(rows.clone()))
            .await;
        let answers = opened.expect("opens").into_inner();
        let mut answers: Vec<_> = answers.map(|answer| answer.expect("an outcome")).collect().await;
        answers.sort_by_key(|answer| answer.row);
        assert!(answers.iter().all(|answer| !answer.message.contains("pat-")));
        let told = |answer: &hubkeep_proto::credential::v1::ImportRotationsResponse| {
            (answer.outcome(), answer.reason().wire_name())
        };
        answers.iter().map(told).collect::<Vec<_>>()
    };
    let refused = |reason| (ImportRotationOutcome::Refused, reason);
    let mut expected = vec![
        refused("TOKEN_REFUSED"),
        (ImportRotationOutcome::Switched, "UNSPECIFIED"),
        refused("INVALID_FIELD"),
        refused("IMPORT_ROW_DUPLICATE"),
        refused("PORTAL_UNKNOWN"),
    ];
    assert_eq!(import().await, expected);
    expected[1].0 = ImportRotationOutcome::Unchanged;
    assert_eq!(import().await, expected);
}

#[tokio::test]
async fn a_switch_moves_the_store_version_that_reads_of_the_portal_show() {
    use hubkeep_proto::credential::v1::GetPortalRequest;
    let bench = Bench::start().await;
    let rotation = rotated(&bench).await;
    let request = GetPortalRequest {
        client_slug: "acme".to_owned(),
    };
    let portal = bench
        .portals(OPERATOR)
        .get_portal(request)
        .await
        .expect("there")
        .into_inner();
    assert_eq!(portal.portal.expect("told").store_version, rotation.store_version);
}

#[tokio::test]
async fn a_suspended_portal_may_get_a_new_token_and_an_erased_one_has_no_rotations() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    suspend(&bench, "acme").await.expect("suspends");
    let rotation = rotate(&bench, to(ACME_SECOND_TOKEN)).await.expect("rotates");
    let rotation = rotation.rotation.expect("told");
    erase_in_both(&bench, "acme", ACME).await;
    assert_eq!(reason(&rotate(&bench, to(ACME_TOKEN)).await), "PORTAL_ERASED");
    assert_eq!(reason(&cancel(&bench, &rotation).await), "ROTATION_UNKNOWN");
}
