//! What lies sealed beside entries goes with them, however long it was to be kept.

use std::time::Duration;

use hubkeep_audit_log::{AuditLog, Outcome};

use crate::{
    anchors::{mock, proven},
    payloads::{keyring, writes},
    place::Intruder,
    retention::{LONG, ONE, calls, pruned_to},
    support::{Place, on_both_databases},
};

on_both_databases! {
    what_lies_sealed_beside_old_entries_goes_with_them_and_what_lies_beside_others_stays,
}

async fn write(log: &AuditLog) {
    let intent = log.intent(writes(1)).await.expect("durable");
    intent.settle(Outcome::ok()).await.expect("durable");
}

/// How many payloads there are.
async fn payloads(place: &Place) -> i64 {
    let count = "SELECT COUNT(*) FROM audit_payload";
    match place.intruder().await {
        Intruder::Sqlite(connection) => connection
            .query_row(count, [], |row| row.get(0))
            .expect("counted"),
        mut server @ Intruder::Postgres(_) => server.count(count).await,
    }
}

async fn what_lies_sealed_beside_old_entries_goes_with_them_and_what_lies_beside_others_stays(place: Place) {
    let mut place = place.proven();
    place.payloads.keep = LONG + Duration::from_secs(365 * 86_400);
    let (clock, shared) = mock();
    let folder = tempfile::tempdir().expect("a folder");
    let (keyring, _keys) = keyring(folder.path()).await;
    let log = place.open_at(shared).await;
    log.seal_payloads_with(keyring);
    write(&log).await;
    calls(&log, 1, 300).await;
    proven(&log, 1, 602, &clock).await;
    clock.advance(LONG);
    write(&log).await;
    calls(&log, 1, 20).await;
    assert_eq!(payloads(&place).await, 2, "none is past its time");
    pruned_to(&log, ONE, 512, &clock).await;
    assert_eq!(payloads(&place).await, 1, "the young one's");
    log.stop().await;
}
