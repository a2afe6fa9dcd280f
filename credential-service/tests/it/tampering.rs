//! Whoever can write to the database can neither move a token or a handle, nor widen one.

use aws_lc_rs::digest;
use hubkeep_core::{database::Database, handle_token::HandleToken, random::SystemRandom};

use crate::harness::*;

async fn alter(database: &Database, sql: &'static str) {
    let done = sqlx::query(sql).execute(database.pool()).await.expect("altered");
    assert!(done.rows_affected() > 0, "{sql}");
}

/// Two portals, and a handle of each.
async fn bench() -> (Bench, Database, [String; 2]) {
    let bench = Bench::start().await;
    let acme = bench.handle().await.handle;
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let globex = bench.issue(SYNC, "globex").await.expect("issues").handle;
    let database = bench.database().await;
    (bench, database, [acme, globex])
}

#[tokio::test]
async fn a_handle_whose_row_was_altered_opens_nothing() {
    for sql in [
        "UPDATE handle SET portal_id = 1002 WHERE client_slug = 'acme'",
        "UPDATE handle SET client_slug = 'globex' WHERE client_slug = 'acme'",
        "UPDATE handle SET portal_id = 1002, client_slug = 'globex' WHERE client_slug = 'acme'",
        "UPDATE handle SET caller = 'operator/eve' WHERE client_slug = 'acme'",
        "UPDATE handle SET expire_time = expire_time + 1 WHERE client_slug = 'acme'",
        "UPDATE handle SET claims = (SELECT claims FROM handle WHERE client_slug = 'globex') \
         WHERE client_slug = 'acme'",
        "UPDATE handle SET handle_id = '01890000-0000-7000-8000-000000000000' WHERE client_slug = 'acme'",
    ] {
        let (bench, database, [acme, globex]) = bench().await;
        alter(&database, sql).await;
        assert_eq!(reason(&bench.redeem(&acme, SYNC).await), "INTERNAL", "{sql}");
        assert_eq!(
            bench.redeem(&globex, SYNC).await.expect("untouched").portal_token,
            GLOBEX_TOKEN
        );
    }
}

#[tokio::test]
async fn a_row_copied_over_the_mac_of_another_handle_opens_nothing() {
    let (bench, database, [acme, _]) = bench().await;
    // The whole of globex's row, under the lookup key of acme's handle.
    let mac: Vec<u8> = sqlx::query_scalar("SELECT secret_mac FROM handle WHERE client_slug = 'acme'")
        .fetch_one(database.pool())
        .await
        .expect("found");
    alter(&database, "DELETE FROM handle WHERE client_slug = 'acme'").await;
    sqlx::query("UPDATE handle SET secret_mac = $1")
        .bind(mac)
        .execute(database.pool())
        .await
        .expect("altered");
    assert_eq!(reason(&bench.redeem(&acme, SYNC).await), "INTERNAL");
}

#[tokio::test]
async fn a_handle_row_that_was_inserted_opens_nothing() {
    // Whoever writes to the database makes a handle of its own, and a row for it by copying that of another handle.
    let (bench, database, [acme, globex]) = bench().await;
    let made = HandleToken::make(&*SystemRandom::shared()).expect("random");
    let guessed = digest::digest(&digest::SHA256, made.expose().as_bytes());
    for (number, mac) in [guessed.as_ref(), &[0; 32]].into_iter().enumerate() {
        let done = sqlx::query(
            "INSERT INTO handle \
             (handle_id, secret_mac, portal_id, client_slug, caller, expire_time, claims, grant_id) \
             SELECT $1, $2, portal_id, client_slug, caller, expire_time, claims, grant_id \
             FROM handle WHERE client_slug = 'acme' LIMIT 1",
        )
        .bind(format!("01890000-0000-7000-8000-00000000000{number}"))
        .bind(mac)
        .execute(database.pool())
        .await
        .expect("inserted");
        assert_eq!(done.rows_affected(), 1);
        assert_eq!(
            reason(&bench.redeem(made.expose(), SYNC).await),
            "HANDLE_INVALID",
            "its lookup key takes a key to make"
        );
    }
    for (handle, token) in [(acme, ACME_TOKEN), (globex, GLOBEX_TOKEN)] {
        let redeemed = bench.redeem(&handle, SYNC).await.expect("untouched");
        assert_eq!(redeemed.portal_token, token);
    }
}

#[tokio::test]
async fn a_token_moved_to_another_portal_does_not_open() {
    for (sql, refused) in [
        (
            "UPDATE sealed_secret SET sealed = \
             (SELECT sealed FROM sealed_secret WHERE secret_id = 'portal/1002/token/1') \
             WHERE secret_id = 'portal/1001/token/1'",
            "TOKEN_UNREADABLE",
        ),
        (
            "UPDATE portal_credential SET credential_version = 2 WHERE portal_id = 1001",
            "PORTAL_ALTERED",
        ),
        (
            "DELETE FROM portal_credential WHERE portal_id = 1001",
            "PORTAL_ALTERED",
        ),
        (
            "DELETE FROM sealed_secret WHERE secret_id = 'portal/1001/token/1'",
            "TOKEN_UNREADABLE",
        ),
        (
            "UPDATE portal SET client_slug = 'acme-2' WHERE client_slug = 'acme'",
            "PORTAL_ALTERED",
        ),
    ] {
        let (bench, database, [acme, _]) = bench().await;
        alter(&database, sql).await;
        assert_eq!(reason(&bench.redeem(&acme, SYNC).await), refused, "{sql}");
    }
}

#[tokio::test]
async fn a_portal_row_with_another_portals_id_opens_neither_portals_token() {
    let (bench, database, [acme, globex]) = bench().await;
    alter(
        &database,
        "UPDATE portal SET portal_id = 3 WHERE client_slug = 'globex'",
    )
    .await;
    alter(
        &database,
        "UPDATE portal SET portal_id = 1002 WHERE client_slug = 'acme'",
    )
    .await;
    alter(
        &database,
        "UPDATE portal SET portal_id = 1001 WHERE client_slug = 'globex'",
    )
    .await;
    for handle in [acme, globex] {
        assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "PORTAL_ALTERED");
    }
    for slug in ["acme", "globex"] {
        assert_eq!(reason(&bench.issue(SYNC, slug).await), "PORTAL_ALTERED");
    }
}

#[tokio::test]
async fn a_deleted_revocation_breaks_the_feed_rather_than_be_missed() {
    let (bench, database, [acme, globex]) = bench().await;
    for handle in [acme, globex] {
        let target = Some(hubkeep_proto::credential::v1::revoke_handle_request::Target::Handle(handle));
        let request = hubkeep_proto::credential::v1::RevokeHandleRequest {
            target,
            ..hubkeep_proto::credential::v1::RevokeHandleRequest::default()
        };
        bench.handles(SYNC).revoke_handle(request).await.expect("revokes");
    }
    alter(&database, "DELETE FROM revocation WHERE seq = 1").await;
    let mut feed = crate::revocations::watch(&bench, 0).await.expect("opens");
    assert_eq!(reason(&feed.message().await), "INTERNAL");
}
