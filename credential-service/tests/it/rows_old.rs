//! Rows that were true once are not taken for what is true now, and rows that nothing authenticates are taken once: when
//! the key for it is made.

use std::time::Duration;

use hubkeep_audit_log::Head;
use hubkeep_proto::credential::v1::{ListPortalsRequest, PortalState};

use crate::{
    fleet::{erase_in_both, resume, suspend},
    grants::{of_everything, put},
    harness::*,
    rotation::{NARROW_TOKEN, rotate, to},
    rows::Vault,
};

/// Whether a portal is refused for what its rows are.
async fn is_refused(bench: &Bench, slug: &str) -> bool {
    let refused = reason(&bench.issue(SYNC, slug).await);
    ["PORTAL_ALTERED", "PORTAL_ROLLBACK_SUSPECTED", "PORTAL_ERASED"].contains(&refused.as_str())
}

#[tokio::test]
async fn a_generation_a_state_or_a_version_that_is_set_back_is_refused() {
    let vault = Vault::start().await;
    suspend(&vault.bench, "acme").await.expect("suspends");
    vault.keep("suspended").await;
    for sql in [
        "UPDATE portal SET portal_generation = 1 WHERE client_slug = 'acme'",
        "UPDATE portal SET state = 'active' WHERE client_slug = 'acme'",
        "UPDATE portal SET state = 'active', portal_generation = 1 WHERE client_slug = 'acme'",
        "UPDATE portal SET state = 'active', portal_generation = 1, row_mac = NULL WHERE client_slug = 'acme'",
        "UPDATE portal SET row_mac = NULL WHERE client_slug = 'acme'",
        "UPDATE portal SET row_mac = (SELECT row_mac FROM kept_portal WHERE client_slug = 'acme') \
         WHERE client_slug = 'acme'",
        "UPDATE portal SET row_mac = (SELECT row_mac FROM kept_portal WHERE client_slug = 'globex') \
         WHERE client_slug = 'acme'",
    ] {
        vault.alter(sql).await;
        vault.refuses("acme", sql).await;
        assert_eq!(
            reason(&resume(&vault.bench, "acme").await),
            "PORTAL_ALTERED",
            "{sql}"
        );
        vault.serves_globex(sql).await;
        vault.put_back("suspended").await;
    }
    resume(&vault.bench, "acme").await.expect("is as it was");
}

#[tokio::test]
async fn old_rows_with_the_mac_that_they_had_are_refused_at_once() {
    let vault = Vault::start().await;
    let bench = &vault.bench;
    suspend(bench, "acme").await.expect("suspends");
    vault.put_back("kept").await;
    vault.serves_nothing_of("acme", "before the suspension").await;
    assert!(is_refused(bench, "acme").await);
    vault.serves_globex("whose rows are the same").await;
    // Somebody has looked, and lets it be as it is.
    resume(bench, "acme").await.expect("resumes");
    let fresh = bench.issue(SYNC, "acme").await.expect("issues").handle;
    bench.redeem(&fresh, SYNC).await.expect("redeems");
}

#[tokio::test]
async fn old_rows_with_another_token_wait_until_they_are_resumed_and_no_handle_of_before_lives_again() {
    let vault = Vault::start().await;
    let bench = &vault.bench;
    // Handles of the third generation, and those die; then the rows of the first are put back.
    suspend(bench, "acme").await.expect("suspends");
    resume(bench, "acme").await.expect("resumes");
    let third = bench.issue(SYNC, "acme").await.expect("issues").handle;
    suspend(bench, "acme").await.expect("suspends");
    vault.put_back("kept").await;
    bench.clock.advance(Duration::from_secs(11));
    let token = hubspot_sim::TokenSpec::private_app(NARROW_TOKEN);
    bench.hubspot.add_token(ACME, token).expect("a portal");
    rotate(bench, to(NARROW_TOKEN)).await.expect("rotates");
    assert_eq!(reason(&bench.redeem(&vault.acme, SYNC).await), "HANDLE_INVALID");
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "PORTAL_SUSPENDED");
    for _ in 0..3 {
        resume(bench, "acme").await.expect("resumes");
        for dead in [&vault.acme, &third] {
            assert_eq!(reason(&bench.redeem(dead, SYNC).await), "HANDLE_INVALID");
        }
        suspend(bench, "acme").await.expect("suspends");
    }
}

#[tokio::test]
async fn old_rows_do_not_bring_back_a_token_that_was_replaced_or_scopes_that_were_lost() {
    let vault = Vault::start().await;
    let bench = &vault.bench;
    bench.clock.advance(Duration::from_secs(11));
    bench
        .hubspot
        .set_scopes(ACME_TOKEN, ["oauth", "crm.objects.contacts.read"])
        .expect("a token");
    let verify = hubkeep_proto::credential::v1::VerifyPortalRequest {
        client_slug: "acme".to_owned(),
    };
    let verified = bench.portals(OPERATOR).verify_portal(verify).await;
    assert_eq!(
        verified.expect("verifies").into_inner().changed_fields,
        ["scopes"]
    );
    vault.keep("verified").await;
    vault.put_back("kept").await;
    vault.serves_nothing_of("acme", "with the scopes of before").await;
    vault.put_back("verified").await;
    vault.serves_acme("as verified").await;

    let token = hubspot_sim::TokenSpec::private_app(NARROW_TOKEN);
    bench.hubspot.add_token(ACME, token).expect("a portal");
    rotate(bench, to(NARROW_TOKEN)).await.expect("rotates");
    vault.put_back("verified").await;
    vault.serves_nothing_of("acme", "with the token of before").await;
    vault.serves_globex("whose rows are the same").await;
}

#[tokio::test]
async fn an_erased_portal_stays_so_whatever_its_rows_say() {
    let vault = Vault::start().await;
    erase_in_both(&vault.bench, "acme", ACME).await;
    vault.keep("erased").await;
    for sql in [
        "UPDATE portal SET state = 'active' WHERE client_slug = 'acme'",
        "UPDATE portal SET state = 'active', row_mac = NULL WHERE client_slug = 'acme'",
        "INSERT INTO portal_credential SELECT * FROM kept_portal_credential WHERE portal_id = 1001",
    ] {
        vault.alter(sql).await;
        vault.refuses("acme", sql).await;
        assert_ne!(reason(&resume(&vault.bench, "acme").await), "OK", "{sql}");
        vault.put_back("erased").await;
    }
    vault.put_back("kept").await;
    vault.serves_nothing_of("acme", "the rows of before").await;
    assert_eq!(reason(&resume(&vault.bench, "acme").await), "PORTAL_ERASED");
}

#[tokio::test]
async fn what_another_replica_told_the_log_refuses_old_rows_within_a_minute() {
    let vault = Vault::start().await;
    // Another replica wrote acme, told the log, and somebody put the old rows back.
    let head = Head {
        name: format!("portal/{ACME}"),
        number: 1_000,
        is_final: false,
    };
    vault.bench.audit_log().raise_head(&head).await.expect("told");
    vault.serves_acme("nobody has looked yet").await;
    vault.bench.clock.advance(Duration::from_secs(60));
    for _ in 0..10_000 {
        if is_refused(&vault.bench, "acme").await {
            vault.serves_nothing_of("acme", "looked").await;
            return vault.serves_globex("whose head did not move").await;
        }
    }
    panic!("a minute has passed, and acme is served");
}

/// As a vault from before rows were authenticated, or one that is made to look so.
async fn without_macs(vault: &Vault) {
    vault.alter("UPDATE portal SET row_mac = NULL").await;
    vault.alter("DELETE FROM seal_key WHERE purpose = 'rows'").await;
}

#[tokio::test]
async fn blanked_macs_and_a_deleted_key_do_not_get_altered_rows_adopted() {
    let mut vault = Vault::start().await;
    without_macs(&vault).await;
    vault.refuses("acme", "no mac").await;
    vault.bench.stop().await;
    assert!(
        vault.bench.try_start().await.is_err(),
        "the log knows that there was a key"
    );
}

#[tokio::test]
async fn macs_that_are_missing_are_not_made_at_the_next_start() {
    let mut vault = Vault::start().await;
    vault
        .alter("UPDATE portal SET row_mac = NULL, portal_generation = 9 WHERE client_slug = 'acme'")
        .await;
    vault.bench.restart(|_| {}).await;
    vault.refuses("acme", "after a restart").await;
    vault.serves_globex("after a restart").await;
    assert_eq!(vault.altered().await, ["acme"]);
}

#[tokio::test]
async fn the_rows_of_a_vault_from_before_they_were_authenticated_are_taken_as_they_are() {
    let mut vault = Vault::start().await;
    without_macs(&vault).await;
    // A log from before, too: it knows of no key.
    let before = vault.bench.folder.path().join("audit-of-before.db");
    vault.bench.stop().await;
    vault.bench.config.audit = hubkeep_audit_log::Config::sqlite(&before);
    vault.bench.start_again().await;
    vault.serves_acme("adopted").await;
    vault.serves_globex("adopted").await;
    vault
        .alter("UPDATE portal SET row_mac = NULL WHERE client_slug = 'acme'")
        .await;
    vault.bench.restart(|_| {}).await;
    vault.refuses("acme", "adopted once").await;
}

#[tokio::test]
async fn an_empty_vault_may_begin_anew_beside_an_old_log() {
    let mut bench = Bench::start().await;
    let database = bench.database().await;
    sqlx::query("DELETE FROM seal_key")
        .execute(database.pool())
        .await
        .expect("altered");
    bench.restart(|_| {}).await;
    put(&bench, of_everything("everybody", "*"))
        .await
        .expect("the grants of before are gone as well");
    let handle = bench.handle().await.handle;
    bench.redeem(&handle, SYNC).await.expect("is served");
    database.close().await;
}

#[tokio::test]
async fn portals_are_listed_while_no_key_can_be_used() {
    let vault = Vault::start().await;
    vault.alter("DELETE FROM seal_key").await;
    vault.bench.clock.advance(vault.bench.config.keys.cached_for);
    let listed = vault
        .bench
        .portals(OPERATOR)
        .list_portals(ListPortalsRequest::default())
        .await
        .expect("lists");
    let states: Vec<PortalState> = listed
        .into_inner()
        .portals
        .iter()
        .map(|portal| portal.state())
        .collect();
    assert_eq!(states, [PortalState::Active; 2]);
}
