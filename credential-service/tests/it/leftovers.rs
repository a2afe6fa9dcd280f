//! What a rotation leaves behind in the vault goes, as soon as nothing can put it in force any more, and never before.

use std::time::Duration;

use hubkeep_core::database::Database;
use hubkeep_proto::{
    audit::v1::{Operation, Phase},
    credential::v1::{RedeemHandleResponse, RotationState, TokenStanding},
};
use hubspot_sim::fingerprint;

use crate::{harness::*, rotation::*};

/// How long replaced tokens are kept here.
const KEPT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(100);
/// So many steps are far more than anything here takes.
const STEPS: usize = 20_000;

async fn start() -> Bench {
    Bench::start_with(|config| config.rotation.keep_replaced = KEPT).await
}

/// The versions of acme's tokens that are in the vault.
async fn in_vault(database: &Database) -> Vec<String> {
    let ids: Vec<String> = sqlx::query_scalar("SELECT secret_id FROM sealed_secret ORDER BY secret_id")
        .fetch_all(database.pool())
        .await
        .expect("reads");
    let versions = ids.iter().filter_map(|id| id.strip_prefix("portal/1001/token/"));
    versions.map(str::to_owned).collect()
}

/// Moves the clock until these versions are in the vault, and says whether they ever were.
async fn becomes(bench: &Bench, versions: &[&str]) -> bool {
    let database = bench.database().await;
    for _ in 0..STEPS {
        if in_vault(&database).await == versions {
            return true;
        }
        bench.clock.advance(STEP);
        tokio::task::yield_now().await;
    }
    false
}

/// What a handle gives that is issued now: the clock went on for longer than a handle lives.
async fn redeemed_now(bench: &Bench) -> RedeemHandleResponse {
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    bench.redeem(&handle, SYNC).await.expect("redeems")
}

/// What HubSpot was last heard to say of a rotation's old token.
async fn old_token_is(bench: &Bench, word: &str) -> bool {
    let database = bench.database().await;
    for _ in 0..STEPS {
        let found: String = sqlx::query_scalar("SELECT old_token FROM rotation")
            .fetch_one(database.pool())
            .await
            .expect("reads");
        if found == word {
            return true;
        }
        bench.clock.advance(STEP);
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn a_replaced_token_leaves_the_vault_when_hubspot_refuses_it_and_not_before() {
    let bench = start().await;
    bench.handle().await;
    let rotation = rotated(&bench).await;
    assert!(old_token_is(&bench, "accepted").await);
    bench.clock.advance(2 * KEPT);
    assert_eq!(
        in_vault(&bench.database().await).await,
        ["1", "2"],
        "it can be put back"
    );
    bench.hubspot.revoke_token(ACME_TOKEN).expect("revoked");
    assert!(
        becomes(&bench, &["2"]).await,
        "the old one goes, the new one stays"
    );
    assert_eq!(reason(&cancel(&bench, &rotation).await), "OLD_TOKEN_REFUSED");
    let redeemed = redeemed_now(&bench).await;
    assert_eq!(redeemed.portal_token, ACME_SECOND_TOKEN);
    let entries = bench.entries().await;
    let swept: Vec<_> = entries
        .iter()
        .filter(|(_, entry)| entry.operation() == Operation::RotationSweep)
        .collect();
    let [(log, entry)] = swept.as_slice() else {
        panic!("not one entry: {swept:?}")
    };
    assert!(log.ends_with("/1001") && entry.phase() == Phase::Admin);
    assert_eq!(
        (&entry.subject, &entry.token_fingerprint, entry.credential_version),
        (&rotation.rotation_id, &fingerprint(ACME_TOKEN), 1)
    );
}

/// Moves the clock until this many rotations have a token that was refused once.
async fn refused_once_are(bench: &Bench, count: i64) -> bool {
    let database = bench.database().await;
    for _ in 0..STEPS {
        let found: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM rotation WHERE refused_once_time IS NOT NULL")
                .fetch_one(database.pool())
                .await
                .expect("reads");
        if found == count {
            return true;
        }
        bench.clock.advance(STEP);
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn a_token_that_hubspot_refuses_once_and_then_accepts_is_not_dead() {
    let bench = start().await;
    bench.handle().await;
    let rotation = rotated(&bench).await;
    assert!(old_token_is(&bench, "accepted").await);
    bench
        .hubspot
        .revoke_token(ACME_TOKEN)
        .expect("refused for a while");
    assert!(refused_once_are(&bench, 1).await);
    let told = get(&bench, &rotation).await.rotation.expect("there");
    assert_eq!(
        (told.old_token(), told.state()),
        (TokenStanding::RefusedOnce, RotationState::OldTokenAlive)
    );
    bench.hubspot.restore_token(ACME_TOKEN).expect("accepted again");
    assert!(refused_once_are(&bench, 0).await);
    let told = get(&bench, &rotation).await.rotation.expect("there");
    assert_eq!(
        (told.old_token(), told.state()),
        (TokenStanding::Accepted, RotationState::OldTokenAlive)
    );
    assert_eq!(in_vault(&bench.database().await).await, ["1", "2"]);
    let back = in_time(&bench, cancel(&bench, &rotation)).await;
    back.expect("it can be put back");
}

#[tokio::test]
async fn a_rotation_that_was_rolled_back_keeps_what_it_gave_up_until_hubspot_refuses_that() {
    let bench = start().await;
    bench.handle().await;
    let rotation = rotated(&bench).await;
    cancel(&bench, &rotation).await.expect("the old token lives");
    assert_eq!(in_vault(&bench.database().await).await, ["1", "2", "3"]);
    // What is in force rests under its new version alone.
    assert!(becomes(&bench, &["2", "3"]).await);
    bench.hubspot.revoke_token(ACME_SECOND_TOKEN).expect("revoked");
    assert!(becomes(&bench, &["3"]).await);
    let redeemed = redeemed_now(&bench).await;
    assert_eq!(
        (redeemed.portal_token.as_str(), redeemed.credential_version),
        (ACME_TOKEN, 3)
    );
    let again = cancel(&bench, &rotation).await.expect("it is so already");
    assert_eq!(again.credential_version, 3);
}

#[tokio::test]
async fn a_token_that_a_later_rotation_put_in_force_again_is_not_kept_twice() {
    let bench = start().await;
    bench.handle().await;
    rotated(&bench).await;
    rotate(&bench, to(ACME_TOKEN)).await.expect("the first again");
    // The second is the old one now, and lives; the first rests under its new version alone.
    assert!(becomes(&bench, &["2", "3"]).await);
}

#[tokio::test]
async fn what_a_crash_or_an_earlier_version_left_behind_is_swept_later_and_what_is_in_force_never() {
    let mut bench = start().await;
    bench.handle().await;
    rotated(&bench).await;
    bench.hubspot.revoke_token(ACME_TOKEN).expect("revoked");
    assert!(old_token_is(&bench, "refused").await);
    let database = bench.database().await;
    bench.stop().await;
    // As a kill between the answer of HubSpot and the sweep leaves it; and a row that names what is in force as old.
    for sql in [
        "INSERT INTO sealed_secret (secret_id, sealed, place, create_time) SELECT 'portal/1001/token/1', sealed, place, \
         create_time FROM sealed_secret WHERE secret_id = 'portal/1001/token/2' ON CONFLICT DO NOTHING",
        "INSERT INTO rotation (rotation_id, portal_id, client_slug, credential_id, credential_name, standing, \
         old_version, new_version, credential_version, old_fingerprint, new_fingerprint, old_token, new_token, \
         lost_scopes, store_version, rotated_by, switch_time, end_reason, ended_by) SELECT \
         '0199f3a0-0000-7000-8000-000000000001', portal_id, client_slug, credential_id, credential_name, standing, \
         new_version, new_version, credential_version, new_fingerprint, new_fingerprint, old_token, new_token, \
         lost_scopes, store_version, rotated_by, switch_time, end_reason, ended_by FROM rotation",
        "UPDATE rotation SET sweep_time = NULL",
    ] {
        let done = sqlx::query(sql).execute(database.pool()).await.expect("written");
        assert!(done.rows_affected() <= 2, "{sql}");
    }
    bench.start_again().await;
    assert!(becomes(&bench, &["2"]).await);
    let swept = async || {
        let open: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM rotation WHERE sweep_time IS NULL")
            .fetch_one(database.pool())
            .await
            .expect("counts");
        open == 0
    };
    for _ in 0..STEPS {
        if swept().await {
            break;
        }
        bench.clock.advance(STEP);
        tokio::task::yield_now().await;
    }
    assert!(swept().await);
    assert_eq!(in_vault(&database).await, ["2"], "whatever a row says");
    let redeemed = redeemed_now(&bench).await;
    assert_eq!(redeemed.portal_token, ACME_SECOND_TOKEN);
}
