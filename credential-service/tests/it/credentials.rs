//! A portal may hold several credentials, and those from before it could are still there.

use std::time::Duration;

use hubkeep_core::database::Database;
use hubkeep_credential_service::MIGRATIONS;
use hubkeep_proto::credential::v1::{
    GetPortalRequest, HandleOperation, HandleScope, IssueHandleRequest, IssueHandleResponse,
    OnboardPortalRequest, OnboardPortalResponse, VerifyPortalRequest,
};
use hubspot_sim::TokenSpec;
use sqlx::{AssertSqlSafe, raw_sql};
use tempfile::TempDir;
use tonic::Status;

use crate::harness::*;

const READER: &str = "pat-na1-acme-00000000-0000-4000-8000-000000000011";
const WRITER: &str = "pat-na1-acme-00000000-0000-4000-8000-000000000012";

/// The migration that brings the table of credentials.
const BROUGHT: i64 = 20_261_103_000_006;

async fn run(database: &Database, versions: impl Fn(i64) -> bool) {
    for migration in MIGRATIONS.iter().filter(|one| versions(one.version)) {
        let sql = AssertSqlSafe(migration.sql.as_str().to_owned());
        raw_sql(sql).execute(database.pool()).await.expect("migrates");
    }
}

#[tokio::test]
async fn the_tokens_of_an_older_version_become_the_first_credentials_of_their_portals() {
    let folder = TempDir::new().expect("folder");
    let database = Database::open(&crate::new_database(folder.path()), &[])
        .await
        .expect("opens");
    run(&database, |version| version < BROUGHT).await;
    for (slug, portal) in [("acme", 1_001), ("globex", i64::MAX)] {
        sqlx::query(
            "INSERT INTO portal VALUES ($1, $2, 'standard', 'na1', 'UTC', 'USD', 'a b', 'service-key', 3, 1, 'ff', 5, 6)",
        )
        .bind(slug)
        .bind(portal)
        .execute(database.pool())
        .await
        .expect("inserted");
    }
    run(&database, |version| version == BROUGHT).await;
    let rows: Vec<(String, i64, String, String, i64, i64)> = sqlx::query_as(
        "SELECT credential_id, portal_id, credential_name, scopes, credential_version, verify_time \
         FROM portal_credential ORDER BY portal_id",
    )
    .fetch_all(database.pool())
    .await
    .expect("reads");
    let row = |id: &str, portal| {
        (
            id.to_owned(),
            portal,
            "default".to_owned(),
            "a b".to_owned(),
            3,
            6,
        )
    };
    assert_eq!(
        rows,
        [
            row("00000000-0000-7000-8000-000000001001", 1_001),
            row("00000009-0000-7223-8372-036854775807", i64::MAX),
        ]
    );
    run(&database, |version| version > BROUGHT).await;
    let unauthenticated: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM portal WHERE row_mac IS NULL AND written_version = 0")
            .fetch_one(database.pool())
            .await
            .expect("counts");
    assert_eq!(unauthenticated, 2);
}

/// acme with a token that reads contacts, one that reads and writes them, and one of every scope.
async fn bench() -> Bench {
    let bench = Bench::start().await;
    for (token, scopes) in [
        (READER, &["oauth", "crm.objects.contacts.read"][..]),
        (
            WRITER,
            &["crm.objects.contacts.read", "crm.objects.contacts.write"][..],
        ),
    ] {
        let spec = TokenSpec::service_key(token).scopes(scopes.iter().copied());
        bench.hubspot.add_token(ACME, spec).expect("a new token");
    }
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
}

async fn add(bench: &Bench, token: &str, name: &str) -> Result<OnboardPortalResponse, Status> {
    let request = OnboardPortalRequest {
        client_slug: "acme".to_owned(),
        portal_token: token.to_owned(),
        credential_name: name.to_owned(),
        ..OnboardPortalRequest::default()
    };
    Ok(bench
        .portals(OPERATOR)
        .onboard_portal(request)
        .await?
        .into_inner())
}

/// The token that a fresh handle of these operations and types is served with.
async fn served(bench: &Bench, operations: &[HandleOperation], types: &[&str]) -> String {
    let issued = issue(bench, operations, types).await.expect("issues");
    let redeemed = bench.redeem(&issued.handle, SYNC).await.expect("redeems");
    let (_, entry) = bench.last_entry().await;
    assert_eq!(
        entry.token_fingerprint,
        hubspot_sim::fingerprint(&redeemed.portal_token)
    );
    assert_eq!(entry.credential_version, redeemed.credential_version);
    redeemed.portal_token
}

async fn issue(
    bench: &Bench,
    operations: &[HandleOperation],
    types: &[&str],
) -> Result<IssueHandleResponse, Status> {
    let request = IssueHandleRequest {
        scope: Some(HandleScope {
            operations: operations.iter().map(|one| i32::from(*one)).collect(),
            object_types: types.iter().map(|name| (*name).to_owned()).collect(),
            properties: Vec::new(),
            ..HandleScope::default()
        }),
        ..wish("acme")
    };
    Ok(bench.handles(SYNC).issue_handle(request).await?.into_inner())
}

#[tokio::test]
async fn a_handle_is_served_by_the_narrowest_credential_that_covers_it() {
    let bench = bench().await;
    assert_eq!(
        served(&bench, &[HandleOperation::Get], &["contacts"]).await,
        ACME_TOKEN
    );
    bench.clock.advance(Duration::from_millis(1));
    add(&bench, WRITER, "writer").await.expect("adds");
    bench.clock.advance(Duration::from_millis(1));
    let added = add(&bench, READER, "reader")
        .await
        .expect("adds")
        .portal
        .expect("a portal");
    let names: Vec<_> = added
        .credentials
        .iter()
        .map(|one| one.credential_name.as_str())
        .collect();
    assert_eq!(names, ["default", "writer", "reader"]);
    let versions: Vec<_> = added
        .credentials
        .iter()
        .map(|one| one.credential_version)
        .collect();
    assert_eq!((versions, added.credential_version), (vec![1, 2, 3], 3));
    let writes: Vec<_> = added.credentials.iter().map(|one| one.may_write).collect();
    assert_eq!(writes, [true, true, false]);

    use HandleOperation::{Get, List, Update};
    assert_eq!(served(&bench, &[Get, List], &["contacts"]).await, READER);
    assert_eq!(served(&bench, &[Get, Update], &["contacts"]).await, WRITER);
    assert_eq!(served(&bench, &[Update], &["deals"]).await, ACME_TOKEN);
    // It reads deals only by a token that can write, which a handle that may not write is not given.
    let refused = issue(&bench, &[Get], &["deals"]).await;
    let message = refused.as_ref().expect_err("refused").message().to_owned();
    assert!(
        message.contains("reader") && message.contains("crm.objects.deals.read"),
        "{message}"
    );
    assert_eq!(reason(&refused), "SCOPES_NOT_COVERED");
    // Whatever types there are is what the token has, and what HubSpot gives it is known once it is verified.
    assert_eq!(served(&bench, &[Get], &["*"]).await, READER);
    bench.clock.advance(Duration::from_secs(11));
    bench
        .hubspot
        .set_scopes(READER, ["oauth", "crm.objects.deals.read"])
        .expect("a token");
    let verify = hubkeep_proto::credential::v1::VerifyPortalRequest {
        client_slug: "acme".to_owned(),
    };
    let verified = bench.portals(OPERATOR).verify_portal(verify).await;
    verified.expect("records it");
    assert_eq!(served(&bench, &[Get], &["deals"]).await, READER);
}

#[tokio::test]
async fn a_further_credential_is_verified_to_be_of_the_same_portal() {
    let bench = bench().await;
    for (token, name, refusal) in [
        (GLOBEX_TOKEN, "reader", "CLIENT_SLUG_TAKEN"),
        (REVOKED_TOKEN, "reader", "TOKEN_REFUSED"),
        (READER, "", "TOKEN_DIFFERS"),
        (READER, "default", "TOKEN_DIFFERS"),
        (ACME_TOKEN, "reader", "TOKEN_HELD"),
        (READER, "../x", "INVALID_FIELD"),
        (READER, "Reader", "INVALID_FIELD"),
    ] {
        assert_eq!(reason(&add(&bench, token, name).await), refusal, "{name}");
        // HubSpot is asked four times at most about one token in ten seconds.
        bench.clock.advance(Duration::from_secs(11));
    }
    assert!(
        !add(&bench, READER, "reader")
            .await
            .expect("adds")
            .already_onboarded
    );
    assert!(
        add(&bench, READER, "reader")
            .await
            .expect("unchanged")
            .already_onboarded
    );
    assert_eq!(reason(&add(&bench, READER, "again").await), "TOKEN_HELD");
    let request = GetPortalRequest {
        client_slug: "acme".to_owned(),
    };
    let got = bench.portals(OPERATOR).get_portal(request).await.expect("found");
    assert_eq!(got.into_inner().portal.expect("a portal").credentials.len(), 2);
}

#[tokio::test]
async fn credentials_that_are_added_at_once_take_versions_of_their_own() {
    let bench = bench().await;
    let (reader, writer) = tokio::join!(add(&bench, READER, "reader"), add(&bench, WRITER, "writer"));
    let _ = (reader.expect("adds"), writer.expect("adds"));
    let request = VerifyPortalRequest {
        client_slug: "acme".to_owned(),
    };
    bench.clock.advance(Duration::from_secs(11));
    let verified = bench
        .portals(OPERATOR)
        .verify_portal(request)
        .await
        .expect("each token is the portal's")
        .into_inner();
    assert!(verified.changed_fields.is_empty());
    let mut versions: Vec<_> = verified.portal.expect("a portal").credentials;
    versions.sort_by_key(|one| one.credential_version);
    assert_eq!(
        versions
            .iter()
            .map(|one| one.credential_version)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
}
