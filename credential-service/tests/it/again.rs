//! Portals that a restored backup made old or lost, or whose rows were altered, come back by what HubSpot confirms and by
//! nothing else; and suspended, until somebody says that they shall be served.

use std::time::Duration;

use hubkeep_core::database::Database;
use hubkeep_proto::credential::v1::{
    FindingKind, OnboardPortalRequest, OnboardPortalResponse, PortalState, RotateCredentialRequest,
    RunDoctorRequest, run_doctor_response::Message,
};
use tonic::Status;

use crate::{
    fleet::{back_up, erase_in_both, get, restore, resume, run, suspend},
    harness::*,
    rotation::{NARROW_TOKEN, rotate, to},
    rows::Vault,
};

/// The token that `second` got after the backup was made.
const LATER_TOKEN: &str = "pat-na1-acme-00000000-0000-4000-8000-00000000000b";

async fn onboard(
    bench: &Bench,
    slug: &str,
    credential: &str,
    token: &str,
    expected: u64,
) -> Result<OnboardPortalResponse, Status> {
    // What was asked before has left HubSpot's window.
    bench.clock.advance(Duration::from_secs(11));
    let request = OnboardPortalRequest {
        client_slug: slug.to_owned(),
        portal_token: token.to_owned(),
        credential_name: credential.to_owned(),
        expected_portal_id: expected,
        ..OnboardPortalRequest::default()
    };
    let onboarded = bench.portals(OPERATOR).onboard_portal(request).await?;
    Ok(onboarded.into_inner())
}

fn second_to(token: &str) -> RotateCredentialRequest {
    RotateCredentialRequest {
        credential_name: "second".to_owned(),
        ..to(token)
    }
}

async fn state(bench: &Bench, slug: &str) -> PortalState {
    get(bench, slug).await.portal.expect("a portal").state()
}

/// A vault with two portals, as it is after `second` of acme was rotated and globex was suspended, and then a backup
/// from before that was restored. The log was kept.
async fn restored() -> (Bench, Database) {
    let mut bench = Bench::start().await;
    for token in [NARROW_TOKEN, LATER_TOKEN] {
        let token = hubspot_sim::TokenSpec::private_app(token);
        bench.hubspot.add_token(ACME, token).expect("a portal");
    }
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    onboard(&bench, "acme", "second", ACME_SECOND_TOKEN, ACME)
        .await
        .expect("adds");
    let database = bench.database().await;
    back_up(&database).await;
    rotate(&bench, second_to(LATER_TOKEN)).await.expect("rotates");
    suspend(&bench, "globex").await.expect("suspends");
    restore(&database).await;
    bench.restart(|_| {}).await;
    (bench, database)
}

#[tokio::test]
async fn a_rotation_of_one_credential_serves_no_replaced_token_of_another_and_resumes_nothing() {
    let (mut bench, database) = restored().await;
    rotate(&bench, to(NARROW_TOKEN)).await.expect("rotates");
    for restarted in [false, true] {
        if restarted {
            bench
                .restart(|clock| clock.advance(Duration::from_secs(11)))
                .await;
        }
        for slug in ["acme", "globex"] {
            assert_eq!(
                state(&bench, slug).await,
                PortalState::RollbackSuspected,
                "{slug}"
            );
            let issued = bench.issue(SYNC, slug).await;
            assert_eq!(reason(&issued), "PORTAL_ROLLBACK_SUSPECTED", "{slug}");
        }
        // HubSpot still accepts the old token of `second`: that is no reason to serve it.
        let refused = resume(&bench, "acme").await.expect_err("refused");
        assert!(refused.message().contains("second"), "{}", refused.message());
        assert_eq!(reason::<()>(&Err(refused)), "PORTAL_ROLLBACK_SUSPECTED");
    }

    bench.clock.advance(Duration::from_secs(11));
    rotate(&bench, second_to(LATER_TOKEN)).await.expect("rotates");
    assert_eq!(state(&bench, "acme").await, PortalState::Suspended);
    resume(&bench, "acme").await.expect("resumes");
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    let served = bench.redeem(&handle, SYNC).await.expect("redeems").portal_token;
    assert!([NARROW_TOKEN, LATER_TOKEN].contains(&served.as_str()));
    assert_eq!(state(&bench, "globex").await, PortalState::RollbackSuspected);
    database.close().await;
}

#[tokio::test]
async fn a_token_that_is_in_force_after_all_is_imported_again_in_the_place_of_a_rotation() {
    let (bench, database) = restored().await;
    let before = get(&bench, "acme").await.portal.expect("a portal");
    // Another token under the same name is a rotation, and none that HubSpot refuses is taken.
    let refused = onboard(&bench, "acme", "second", LATER_TOKEN, ACME).await;
    assert_eq!(reason(&refused), "TOKEN_DIFFERS");
    bench.hubspot.revoke_token(ACME_SECOND_TOKEN).expect("a token");
    let refused = onboard(&bench, "acme", "second", ACME_SECOND_TOKEN, ACME).await;
    assert_eq!(reason(&refused), "TOKEN_REFUSED");
    bench.hubspot.restore_token(ACME_SECOND_TOKEN).expect("a token");

    let again = onboard(&bench, "acme", "second", ACME_SECOND_TOKEN, ACME).await;
    let again = again.expect("is taken").portal.expect("a portal");
    assert_eq!(again.state(), PortalState::Suspended);
    assert!(
        again.credential_version > before.credential_version + 1,
        "beyond all it had"
    );
    resume(&bench, "acme").await.expect("resumes");
    database.close().await;
}

#[tokio::test]
async fn a_portal_is_resumed_after_a_restore_only_if_hubspot_accepts_each_of_its_tokens() {
    let (bench, database) = restored().await;
    bench.clock.advance(Duration::from_secs(11));
    bench.hubspot.revoke_token(GLOBEX_TOKEN).expect("a token");
    assert_eq!(reason(&resume(&bench, "globex").await), "TOKEN_REFUSED");
    assert_eq!(state(&bench, "globex").await, PortalState::RollbackSuspected);
    bench.hubspot.restore_token(GLOBEX_TOKEN).expect("a token");
    bench.clock.advance(Duration::from_secs(11));
    let resumed = resume(&bench, "globex").await.expect("resumes");
    assert_eq!(resumed.state(), PortalState::Active);
    database.close().await;
}

/// It is suspended, and its numbers are beyond all that it can have had. Then it is resumed, and serves its token.
async fn comes_back(bench: &Bench, again: Result<OnboardPortalResponse, Status>, newest: u64, dead: &str) {
    let portal = again.expect("is taken").portal.expect("a portal");
    assert_eq!(portal.state(), PortalState::Suspended);
    assert!(portal.credential_version > newest && portal.portal_generation > newest);
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "PORTAL_SUSPENDED");
    resume(bench, "acme").await.expect("resumes");
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    let served = bench.redeem(&handle, SYNC).await.expect("redeems");
    assert_eq!(served.portal_token, ACME_TOKEN);
    assert_eq!(reason(&bench.redeem(dead, SYNC).await), "HANDLE_INVALID");
}

#[tokio::test]
async fn a_portal_that_a_restored_backup_has_lost_is_onboarded_again_and_the_doctor_names_it_until_then() {
    let mut bench = Bench::start().await;
    let database = bench.database().await;
    back_up(&database).await;
    let dead = bench.handle().await.handle;
    let newest = get(&bench, "acme").await.store_version;
    restore(&database).await;
    bench.restart(|_| {}).await;
    assert_eq!(found(&bench).await, [(String::new(), ACME, FindingKind::Missing)]);
    // HubSpot decides whose the token is, as for a new one.
    let refused = onboard(&bench, "acme", "", GLOBEX_TOKEN, ACME).await;
    assert_eq!(reason(&refused), "TOKEN_OF_ANOTHER_PORTAL");
    let again = onboard(&bench, "acme", "", ACME_TOKEN, ACME).await;
    comes_back(&bench, again, newest, &dead).await;
    assert_eq!(found(&bench).await, []);
    database.close().await;
}

/// Everything that the doctor finds of portals.
async fn found(bench: &Bench) -> Vec<(String, u64, FindingKind)> {
    bench.clock.advance(Duration::from_secs(11));
    let mut doctor = bench.portals(OPERATOR);
    let run = doctor.run_doctor(RunDoctorRequest::default()).await;
    let mut told = run.expect("runs").into_inner();
    let mut found = Vec::new();
    while let Some(response) = told.message().await.expect("goes on") {
        if let Some(Message::Portal(portal)) = response.message {
            let (slug, id) = (portal.client_slug, portal.portal_id);
            let kinds = portal.findings.iter().map(|finding| finding.kind());
            found.extend(kinds.map(|kind| (slug.clone(), id, kind)));
        }
    }
    found
}

#[tokio::test]
async fn one_altered_portal_stops_nothing_and_is_mended_by_onboarding_it_again() {
    for sql in [
        "UPDATE portal SET state = 'bogus' WHERE client_slug = 'acme'",
        "UPDATE portal SET client_slug = 'other' WHERE client_slug = 'acme'",
        "UPDATE portal SET portal_id = 77 WHERE client_slug = 'acme'",
        "UPDATE portal SET row_mac = NULL WHERE client_slug = 'acme'",
        "DELETE FROM portal_credential WHERE portal_id = 1001",
        "DELETE FROM portal WHERE client_slug = 'acme'",
    ] {
        let mut vault = Vault::start().await;
        let newest = get(&vault.bench, "acme").await.store_version;
        vault.alter(sql).await;
        vault.bench.restart(|_| {}).await;
        vault.serves_globex(sql).await;
        let told = found(&vault.bench).await;
        let kinds = [FindingKind::Altered, FindingKind::Missing];
        assert!(
            told.iter().all(|(_, _, kind)| kinds.contains(kind)) && !told.is_empty(),
            "{sql}: {told:?}"
        );

        let again = onboard(&vault.bench, "acme", "", ACME_TOKEN, ACME).await;
        comes_back(&vault.bench, again, newest, &vault.acme).await;
        assert_eq!(found(&vault.bench).await, [], "{sql}");
        vault.serves_globex(sql).await;
    }
}

#[tokio::test]
async fn an_erased_portal_is_not_onboarded_again_though_its_rows_were_altered_or_deleted() {
    let vault = Vault::start().await;
    erase_in_both(&vault.bench, "acme", ACME).await;
    vault.keep("erased").await;
    for sql in [
        "UPDATE portal SET state = 'active' WHERE client_slug = 'acme'",
        "DELETE FROM portal WHERE client_slug = 'acme'",
    ] {
        run(&vault.database, sql.to_owned()).await;
        for slug in ["acme", "acme-again"] {
            let again = onboard(&vault.bench, slug, "", ACME_TOKEN, ACME).await;
            assert_eq!(reason(&again), "PORTAL_ERASED", "{sql}");
        }
        vault.put_back("erased").await;
    }
}
