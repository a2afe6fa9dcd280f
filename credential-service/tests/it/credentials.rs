//! A portal may hold several credentials, and those from before it could are still there.

use hubkeep_core::database::Database;
use hubkeep_credential_service::MIGRATIONS;
use sqlx::{AssertSqlSafe, raw_sql};
use tempfile::TempDir;

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
}
