//! A client may connect our OAuth app instead of making a key: its refresh token is exchanged once at import, rests in the
//! vault, and gives access tokens of half an hour from then on.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use futures::future::join_all;
use hubkeep_core::clock::SystemClock;
use hubkeep_credential_service::config::Config;
use hubkeep_hubspot::AppConfig;
use hubkeep_proto::credential::v1::{
    CredentialKind, GetPortalRequest, HandleScope, OnboardPortalRequest, OnboardPortalResponse,
    PortalCredential, RedeemHandleResponse, VerifyPortalRequest,
};
use hubspot_sim::{JournalEntry, fingerprint};
use tonic::Status;

use crate::{fleet::erase_in_both, harness::*, rotation::rotate, rotation::to};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const TOKEN_PATH: &str = "/oauth/2026-09/token";

/// The deployment's app, with this secret.
pub(crate) fn with_secret(config: &mut Config, secret: &str) {
    let folder = config.keys.kek_file.parent().expect("a folder").join("given");
    fs::create_dir_all(&folder).expect("made");
    let client_secret_file = folder.join("app-secret");
    fs::write(&client_secret_file, secret).expect("written");
    fs::set_permissions(&client_secret_file, fs::Permissions::from_mode(0o400)).expect("set");
    config.hubspot.app = Some(AppConfig {
        client_id: APP.to_owned(),
        client_secret_file,
        ..AppConfig::default()
    });
}

pub(crate) async fn bench() -> Bench {
    Bench::start_with(|config| with_secret(config, APP_SECRET)).await
}

pub(crate) fn wish_to_connect(slug: &str, token: &str, expected: u64) -> OnboardPortalRequest {
    OnboardPortalRequest {
        client_slug: slug.to_owned(),
        portal_token: token.to_owned(),
        expected_portal_id: expected,
        credential_kind: CredentialKind::Oauth.into(),
        ..OnboardPortalRequest::default()
    }
}

pub(crate) async fn connect_app(
    bench: &Bench,
    slug: &str,
    token: &str,
    expected: u64,
) -> Result<OnboardPortalResponse, Status> {
    let wish = wish_to_connect(slug, token, expected);
    Ok(bench.portals(OPERATOR).onboard_portal(wish).await?.into_inner())
}

/// A bench with acme, which has connected the app.
pub(crate) async fn connected() -> Bench {
    let bench = bench().await;
    connect_app(&bench, "acme", ACME_CONSENT, ACME)
        .await
        .expect("onboards");
    bench
}

/// Lets time pass, here and at HubSpot.
pub(crate) fn pass(bench: &Bench, by: Duration) {
    bench.clock.advance(by);
    bench.hubspot.advance_time(by);
}

/// What a new handle of acme gives.
pub(crate) async fn redeem_anew(bench: &Bench) -> Result<RedeemHandleResponse, Status> {
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    bench.redeem(&handle, SYNC).await
}

/// What HubSpot was asked at the token endpoint.
pub(crate) fn exchanges(bench: &Bench) -> Vec<JournalEntry> {
    let mut journal = bench.hubspot.journal();
    journal.retain(|entry| entry.path == TOKEN_PATH);
    journal
}

/// Waits until HubSpot was asked so often, and what it said is stored.
pub(crate) async fn until_exchanged(bench: &Bench, times: usize, old: &str) {
    let stored = async {
        while exchanges(bench).len() < times
            || redeem_anew(bench).await.expect("lives").token_fingerprint == old
        {
            tokio::task::yield_now().await;
        }
    };
    let in_time = SystemClock::shared()
        .timeout(Duration::from_secs(20), stored)
        .await;
    in_time.expect("HubSpot is asked in the background");
}

pub(crate) async fn credential(bench: &Bench) -> PortalCredential {
    let client_slug = "acme".to_owned();
    let answer = bench
        .portals(OPERATOR)
        .get_portal(GetPortalRequest { client_slug })
        .await;
    let mut portal = answer.expect("there").into_inner().portal.expect("told");
    portal.credentials.pop().expect("it has one")
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_once_and_rests_in_the_vault_with_the_scopes_of_the_consent() {
    let bench = bench().await;
    bench
        .hubspot
        .set_consent(ACME_CONSENT, ["oauth", "crm.objects.contacts.read"])
        .expect("installed");
    let portal = connect_app(&bench, "acme", ACME_CONSENT, ACME)
        .await
        .expect("onboards");
    let portal = portal.portal.expect("told");
    assert_eq!(
        (portal.portal_id, portal.data_hosting_location.as_str()),
        (ACME, "na1")
    );
    assert_eq!(portal.scopes, ["crm.objects.contacts.read", "oauth"]);
    assert_eq!(portal.token_fingerprint, fingerprint(ACME_CONSENT));
    assert_eq!(portal.credential_kind(), CredentialKind::Oauth);
    assert_eq!(exchanges(&bench).len(), 1);

    // The same row again changes nothing, and asks nothing.
    let before = bench.hubspot.journal_len();
    let again = connect_app(&bench, "acme", ACME_CONSENT, ACME)
        .await
        .expect("is there");
    assert!(again.already_onboarded);
    assert_eq!(bench.hubspot.journal_len(), before);
    assert!(!credential(&bench).await.consent_required);
    for secret in [ACME_CONSENT, APP_SECRET] {
        assert_eq!(found_in_files(bench.folder.path(), secret), Vec::<String>::new());
    }
}

#[tokio::test]
async fn who_only_wants_to_see_exchanges_nothing() {
    let bench = bench().await;
    let mut wish = wish_to_connect("acme", ACME_CONSENT, ACME);
    wish.validate_only = true;
    let told = bench.portals(OPERATOR).onboard_portal(wish.clone()).await;
    assert_eq!(
        told.expect("would do")
            .into_inner()
            .portal
            .expect("told")
            .portal_id,
        ACME
    );
    assert!(exchanges(&bench).is_empty());
    wish.expected_portal_id = GLOBEX;
    let told = bench.portals(OPERATOR).onboard_portal(wish).await;
    assert_eq!(reason(&told), "TOKEN_OF_ANOTHER_PORTAL");
}

#[tokio::test]
async fn a_handle_gives_an_access_token_and_says_how_long_it_may_be_sent() {
    let bench = connected().await;
    let redeemed = redeem_anew(&bench).await.expect("redeems");
    assert_ne!(redeemed.portal_token, ACME_CONSENT);
    assert_eq!(redeemed.token_fingerprint, fingerprint(&redeemed.portal_token));
    let left = redeemed.token_time_left.expect("it ends by itself");
    assert!((1_700..1_800).contains(&left.seconds), "{left:?}");
    let again = redeem_anew(&bench).await.expect("redeems");
    assert_eq!(again.portal_token, redeemed.portal_token);
    assert_eq!(exchanges(&bench).len(), 1, "the one of the import");
    assert!(found_in_files(bench.folder.path(), &redeemed.portal_token).is_empty());
}

#[tokio::test]
async fn a_token_that_does_not_end_by_itself_says_nothing_of_it() {
    let bench = bench().await;
    let handle = bench.handle().await.handle;
    let redeemed = bench.redeem(&handle, SYNC).await.expect("redeems");
    assert_eq!(redeemed.token_time_left, None);
}

#[tokio::test]
async fn ahead_of_its_end_the_old_token_serves_while_the_new_one_is_asked_for() {
    let bench = connected().await;
    let old = redeem_anew(&bench).await.expect("redeems");
    pass(&bench, 24 * MINUTE);
    redeem_anew(&bench).await.expect("redeems");
    assert_eq!(exchanges(&bench).len(), 1, "it is not time yet");
    pass(&bench, 2 * MINUTE);
    let meanwhile = redeem_anew(&bench).await.expect("redeems");
    assert_eq!(meanwhile.portal_token, old.portal_token);
    until_exchanged(&bench, 2, &old.token_fingerprint).await;
    let new = redeem_anew(&bench).await.expect("redeems");
    assert!(new.token_time_left.expect("told").seconds > 25 * 60);
    assert_eq!(exchanges(&bench).len(), 2);
}

#[tokio::test]
async fn what_is_kept_of_a_token_near_its_end_is_not_kept_beyond_it() {
    let bench = connected().await;
    bench
        .hubspot
        .inject(hubspot_sim::FaultRule::new(hubspot_sim::Fault::Status { status: 503 }).path(TOKEN_PATH));
    pass(&bench, 29 * MINUTE);
    let redeemed = redeem_anew(&bench).await.expect("the old one lives");
    let (keep, left) = (
        redeemed.keep_for.expect("told"),
        redeemed.token_time_left.expect("told"),
    );
    assert!(
        keep.seconds <= left.seconds && left.seconds <= 30,
        "{keep:?} {left:?}"
    );
}

#[tokio::test]
async fn a_hundred_callers_of_a_token_that_has_ended_ask_hubspot_once() {
    let bench = connected().await;
    pass(&bench, 31 * MINUTE);
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    let answers = join_all((0..100).map(|_| bench.redeem(&handle, SYNC)));
    let answers = answers.await;
    let mut tokens: Vec<String> = answers
        .into_iter()
        .map(|answer| answer.expect("redeems").token_fingerprint)
        .collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all got the same");
    assert_eq!(
        exchanges(&bench).len(),
        2,
        "one at the import, and one for all of them"
    );
}

#[tokio::test]
async fn a_refresh_token_that_hubspot_replaces_is_the_one_that_is_used_next_also_after_a_restart() {
    let mut bench = bench().await;
    bench.hubspot.rotate_refresh_tokens(true);
    connect_app(&bench, "acme", ACME_CONSENT, ACME)
        .await
        .expect("onboards");
    for times in 2..4 {
        pass(&bench, 31 * MINUTE);
        redeem_anew(&bench).await.expect("redeems");
        assert_eq!(exchanges(&bench).len(), times);
        bench.restart(|_| {}).await;
    }
    // The file that was imported still says the same.
    let again = connect_app(&bench, "acme", ACME_CONSENT, ACME)
        .await
        .expect("is there");
    assert!(again.already_onboarded);
}

#[tokio::test]
async fn verifying_records_the_scopes_that_the_consent_has_now() {
    let bench = connected().await;
    bench
        .hubspot
        .set_consent(ACME_CONSENT, ["oauth"])
        .expect("installed");
    let client_slug = "acme".to_owned();
    let verified = bench
        .portals(OPERATOR)
        .verify_portal(VerifyPortalRequest { client_slug })
        .await;
    let verified = verified.expect("verifies").into_inner();
    assert_eq!(verified.changed_fields, ["scopes"]);
    assert_eq!(credential(&bench).await.scopes, ["oauth"]);
}

#[tokio::test]
async fn a_consent_beside_a_key_serves_the_handles_that_it_covers_best() {
    let bench = bench().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let scopes = ["oauth", "crm.objects.contacts.read"];
    bench
        .hubspot
        .set_consent(ACME_CONSENT, scopes)
        .expect("installed");
    let mut wish = wish_to_connect("acme", ACME_CONSENT, ACME);
    wish.credential_name = "app".to_owned();
    bench
        .portals(OPERATOR)
        .onboard_portal(wish)
        .await
        .expect("is added");
    let redeemed = redeem_anew(&bench).await.expect("redeems");
    assert!(
        redeemed.token_time_left.is_some(),
        "the consent reads contacts, and the key writes"
    );

    let mut wish = crate::harness::wish("acme");
    wish.scope = Some(HandleScope {
        operations: vec![hubkeep_proto::credential::v1::HandleOperation::Create.into()],
        ..wish.scope.expect("set")
    });
    let handle = bench
        .handles(SYNC)
        .issue_handle(wish)
        .await
        .expect("issues")
        .into_inner()
        .handle;
    assert_eq!(
        bench.redeem(&handle, SYNC).await.expect("redeems").portal_token,
        ACME_TOKEN
    );
}

#[tokio::test]
async fn a_rotation_to_a_new_refresh_token_gives_its_access_token_at_once() {
    let bench = connected().await;
    let old = redeem_anew(&bench).await.expect("redeems");
    let rotated = rotate(&bench, to(ACME_SECOND_CONSENT)).await.expect("rotates");
    let rotation = rotated.rotation.expect("told");
    assert_eq!(rotation.new_fingerprint, fingerprint(ACME_SECOND_CONSENT));
    let new = redeem_anew(&bench).await.expect("redeems");
    assert_ne!(new.portal_token, old.portal_token);
    assert_eq!(new.credential_version, 2);
    assert_eq!(exchanges(&bench).len(), 2);
    // A token of another sort is no refresh token.
    let refused = rotate(&bench, to(ACME_SECOND_TOKEN)).await;
    assert_eq!(reason(&refused), "CONSENT_REQUIRED");
    assert_eq!(
        reason(&rotate(&bench, to(GLOBEX_CONSENT)).await),
        "TOKEN_OF_ANOTHER_PORTAL"
    );
}

#[tokio::test]
async fn an_erased_portal_leaves_no_access_token() {
    let bench = connected().await;
    redeem_anew(&bench).await.expect("redeems");
    erase_in_both(&bench, "acme", ACME).await;
    let database = bench.database().await;
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM access_token")
        .fetch_one(database.pool())
        .await
        .expect("counted");
    assert_eq!(left, 0);
}
