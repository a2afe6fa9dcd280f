//! Whoever can write to the database makes no grant, widens none, and brings none back.

use hubkeep_proto::credential::v1::ListGrantsRequest;
use sqlx::AssertSqlSafe;

use crate::{
    grants::{delete, ids, on_acme, put, start},
    harness::*,
};

#[tokio::test]
async fn who_writes_to_the_database_makes_widens_and_revives_no_grant() {
    let bench = start().await;
    let database = bench.database().await;
    let run = async |sql: &str| {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(database.pool())
            .await;
        assert!(done.expect(sql).rows_affected() > 0, "{sql}");
    };
    put(&bench, on_acme("narrow", SYNC)).await.expect("put");
    put(&bench, on_acme("other", "billing")).await.expect("put");
    let kept = sqlx::query("CREATE TABLE kept AS SELECT * FROM access_record");
    kept.execute(database.pool()).await.expect("kept");
    // Whatever is done to the rows, others must be looked at again: the counter is moved as a change would.
    let moved = "UPDATE access_version SET version = version + 1";
    for (what, sql) in [
        (
            "altered",
            "UPDATE access_record SET revision = revision + 1 WHERE record_id = 'narrow'",
        ),
        (
            "renamed",
            "UPDATE access_record SET record_id = 'wide' WHERE record_id = 'narrow'",
        ),
        (
            "exchanged",
            "UPDATE access_record SET sealed = (SELECT sealed FROM kept WHERE record_id = 'other') \
             WHERE record_id = 'narrow'",
        ),
        (
            "another kind",
            "UPDATE access_record SET kind = 'person' WHERE record_id = 'narrow'",
        ),
        (
            "taken away",
            "DELETE FROM access_record WHERE record_id = 'narrow'",
        ),
    ] {
        run(sql).await;
        run(moved).await;
        assert_eq!(
            reason(&bench.issue(SYNC, "acme").await),
            "GRANT_MISSING",
            "{what}"
        );
        bench.issue("billing", "acme").await.expect("hides no other");
        run("DELETE FROM access_record").await;
        run("INSERT INTO access_record SELECT * FROM kept").await;
        run(moved).await;
        bench.issue(SYNC, "acme").await.expect("as it was");
    }
    run(
        "INSERT INTO access_record SELECT kind, 'copy', revision, sealed FROM kept WHERE record_id = 'other'",
    )
    .await;
    run(moved).await;
    assert_eq!(
        ids(&bench, ListGrantsRequest::default()).await,
        ["narrow", "other"],
        "a copy under another id is none"
    );
    // What was deleted does not come back with the row that it had, and what was put again does.
    delete(&bench, "narrow").await.expect("deleted");
    run("DELETE FROM access_record WHERE record_id = 'narrow'").await;
    run("INSERT INTO access_record SELECT * FROM kept WHERE record_id = 'narrow'").await;
    run(moved).await;
    assert_eq!(
        reason(&bench.issue(SYNC, "acme").await),
        "GRANT_MISSING",
        "older than the log knows it"
    );
    let again = put(&bench, on_acme("narrow", SYNC)).await.expect("put");
    assert_eq!(again.grant.expect("told").revision, 3);
    bench.issue(SYNC, "acme").await.expect("issued");
}
