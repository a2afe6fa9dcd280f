//! A log that was filled behind the back of its writer, with more entries than a test has time to write one by one.

use std::collections::BTreeMap;

use hubkeep_audit_log::{CallResult, Entry, Operation, Phase};
use prost::Message as _;

use crate::place::{Intruder, Place};

/// When the first entry was made, in seconds since 1970; each further one a second later, but for clocks that differ.
pub(crate) const BEGAN: i64 = 1_795_366_800;

/// The keyed hash of a record.
pub(crate) fn record(number: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    // As hashes do, they differ from the first byte on.
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// Entry number so-and-so, from 1: of seven portals, five callers and four operations, and about few records or many.
fn entry(number: u64) -> Entry {
    let portal = 1 + number % 7;
    let (phase, result) = match number % 11 {
        0 => (Phase::Denied, CallResult::Refused),
        1..=5 => (Phase::Intent, CallResult::Unspecified),
        6 if number.is_multiple_of(3) => (Phase::Outcome, CallResult::Unknown),
        _ => (Phase::Outcome, CallResult::Ok),
    };
    let operation = match number % 13 {
        0 => Operation::ObjectSearch,
        1 => Operation::ObjectUpdate,
        2 => Operation::OwnerList,
        _ => Operation::ObjectGet,
    };
    let others = if operation == Operation::ObjectSearch {
        (0..5)
            .flat_map(|other| record(number / 1_000 * 5 + other))
            .collect()
    } else {
        Vec::new()
    };
    // Two replicas, whose clocks are half a minute apart.
    let seconds = BEGAN + i64::try_from(number + number % 2 * 30).expect("small");
    Entry {
        entry_id: format!("entry-{number}"),
        entry_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        phase: phase.into(),
        operation: operation.into(),
        call_id: format!("call-{}", number / 2),
        portal_id: portal,
        client_slug: format!("client-{portal}"),
        caller: format!("caller-{}", number % 5),
        object_type: if number.is_multiple_of(4) {
            "deals"
        } else {
            "contacts"
        }
        .to_owned(),
        object_ref: hex::encode(record(1_000_000 + number % 9_000)),
        result: result.into(),
        record_refs: others,
        ..Entry::default()
    }
}

/// One row of the log for each column.
#[derive(Default)]
struct Columns {
    positions: Vec<i64>,
    logs: Vec<String>,
    indices: Vec<i64>,
    clients: Vec<String>,
    callers: Vec<String>,
    phases: Vec<i64>,
    operations: Vec<i64>,
    calls: Vec<String>,
    leaves: Vec<Vec<u8>>,
    sizes: BTreeMap<String, i64>,
}

impl Columns {
    fn of(count: u64) -> Self {
        let mut columns = Self::default();
        for number in 1..=count {
            let entry = entry(number);
            let log = format!("test/crm-service/{}", entry.portal_id);
            let size = columns.sizes.entry(log.clone()).or_default();
            columns.positions.push(i64::try_from(number).expect("small"));
            columns.indices.push(*size);
            *size += 1;
            columns.logs.push(log);
            columns.clients.push(entry.client_slug.clone());
            columns.callers.push(entry.caller.clone());
            columns.phases.push(entry.phase.into());
            columns.operations.push(entry.operation.into());
            columns.calls.push(entry.call_id.clone());
            columns.leaves.push(entry.encode_to_vec());
        }
        columns
    }
}

const SPANS: &str = "INSERT INTO audit_client_span (client_slug, span) \
    SELECT DISTINCT client_slug, position / 1024 FROM audit_entry";

/// Fills the empty log of a place with so many entries. It must not be open.
pub(crate) async fn fill(place: &Place, count: u64) {
    // The tables are made.
    place.open().await.stop().await;
    let columns = Columns::of(count);
    match place.intruder().await {
        Intruder::Sqlite(mut connection) => {
            let transaction = connection.transaction().expect("begins");
            let mut insert = transaction
                .prepare(
                    "INSERT INTO audit_entry (position, log, log_index, client_slug, caller, phase, operation, call_id, \
                     attempt, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9)",
                )
                .expect("prepares");
            for (row, position) in columns.positions.iter().enumerate() {
                let values = rusqlite::params![
                    position,
                    columns.logs[row],
                    columns.indices[row],
                    columns.clients[row],
                    columns.callers[row],
                    columns.phases[row],
                    columns.operations[row],
                    columns.calls[row],
                    columns.leaves[row],
                ];
                insert.execute(values).expect("inserted");
            }
            drop(insert);
            for (log, size) in columns.sizes {
                let sized = "INSERT INTO audit_log_size (log, size) VALUES (?1, ?2)";
                transaction
                    .execute(sized, rusqlite::params![log, size])
                    .expect("sized");
            }
            let end = "UPDATE audit_position SET position = ?1 WHERE id = 1";
            transaction
                .execute(end, [columns.positions.last()])
                .expect("moved");
            transaction.execute(SPANS, []).expect("marked");
            transaction.commit().expect("committed");
        }
        Intruder::Postgres(mut connection) => {
            sqlx::query(
                "INSERT INTO audit_entry (position, log, log_index, client_slug, caller, phase, operation, call_id, attempt, \
                 leaf) SELECT p, l, i, c, w, h, o, k, 1, b FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::BIGINT[], \
                 $4::TEXT[], $5::TEXT[], $6::BIGINT[], $7::BIGINT[], $8::TEXT[], $9::BYTEA[]) \
                 AS t (p, l, i, c, w, h, o, k, b)",
            )
            .bind(&columns.positions)
            .bind(&columns.logs)
            .bind(&columns.indices)
            .bind(&columns.clients)
            .bind(&columns.callers)
            .bind(&columns.phases)
            .bind(&columns.operations)
            .bind(&columns.calls)
            .bind(&columns.leaves)
            .execute(&mut connection)
            .await
            .expect("inserted");
            for (log, size) in columns.sizes {
                sqlx::query("INSERT INTO audit_log_size (log, size) VALUES ($1, $2)")
                    .bind(log)
                    .bind(size)
                    .execute(&mut connection)
                    .await
                    .expect("sized");
            }
            sqlx::query("UPDATE audit_position SET position = $1 WHERE id = 1")
                .bind(columns.positions.last())
                .execute(&mut connection)
                .await
                .expect("moved");
            sqlx::query(SPANS).execute(&mut connection).await.expect("marked");
        }
    }
}
