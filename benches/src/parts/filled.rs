//! A log with many entries, written as its writer would write them, but many with a commit, and none synchronised.

use std::{collections::HashMap, path::Path};

use hubkeep_audit_log::{CallResult, Entry, Operation, Phase};
use hubkeep_core::clock::Timestamp;
use prost::Message as _;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::Failure;

/// Entries that are written with one commit.
const AT_ONCE: u64 = 100_000;
/// Who calls.
pub(super) const CALLERS: u64 = 40;
/// The records of a portal.
pub(super) const RECORDS: u64 = 5_000;
/// When the first entry was made, in seconds since 1970.
pub(super) const BEGAN: i64 = 1_764_000_000;
/// Entries a second.
pub(super) const PACE: u64 = 4;

const INSERT: &str = "INSERT INTO audit_entry (position, log, log_index, client_slug, caller, phase, operation, call_id, \
    attempt, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9)";
const SIZE: &str = "INSERT INTO audit_log_size (log, size) VALUES (?1, ?2) ON CONFLICT (log) DO UPDATE SET size = excluded.size";

const OPERATIONS: [Operation; 6] = [
    Operation::ObjectGet,
    Operation::ObjectGet,
    Operation::ObjectSearch,
    Operation::ObjectList,
    Operation::ObjectUpdate,
    Operation::ObjectCreate,
];

/// The portal that an entry is about.
#[derive(Clone, Debug)]
pub(super) struct Of {
    pub(super) portal_id: u64,
    pub(super) slug: String,
}

impl Of {
    /// One that is named after its number.
    pub(super) fn client(portal_id: u64) -> Self {
        Self {
            portal_id,
            slug: format!("client-{portal_id}"),
        }
    }
}

/// The same seemingly random number for the same number.
pub(super) const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The keyed hash of a portal's record number so-and-so.
pub(super) fn record(portal: u64, number: u64) -> [u8; 16] {
    let (first, second) = (mixed((portal << 32) | number), mixed((number << 32) | portal));
    let mut bytes = [0; 16];
    for (place, byte) in bytes
        .iter_mut()
        .zip(first.to_be_bytes().into_iter().chain(second.to_be_bytes()))
    {
        *place = byte;
    }
    bytes
}

/// When the entry at this position was made, in microseconds since 1970.
pub(super) fn micros_of(position: u64) -> i64 {
    let since = position.saturating_mul(1_000_000 / PACE);
    (BEGAN * 1_000_000).saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
}

/// Writes so many entries behind what a crm-service of this deployment has in the log of a file: intents, each with its outcome
/// behind it.
pub(super) fn fill(
    file: &Path,
    deployment: &str,
    entries: u64,
    of: impl Fn(u64) -> Of,
) -> Result<(), Failure> {
    let mut connection = Connection::open(file)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -200_000)?;
    let position = "SELECT position FROM audit_position WHERE id = 1";
    let begun: i64 = connection.query_row(position, [], |row| row.get(0))?;
    let begun = u64::try_from(begun)?;
    let mut sizes = HashMap::new();
    let mut written = 0;
    while written < entries {
        let transaction = connection.transaction()?;
        let more = AT_ONCE.min(entries - written);
        for number in written + 1..=written + more {
            write(
                &transaction,
                deployment,
                (begun + number, &entry(number, of(number))),
                &mut sizes,
            )?;
        }
        written += more;
        transaction.execute(
            "UPDATE audit_position SET position = ?1 WHERE id = 1",
            [i64::try_from(begun + written)?],
        )?;
        transaction.commit()?;
    }
    for (log, size) in sizes {
        connection.execute(SIZE, params![log, size])?;
    }
    connection.execute(
        "INSERT OR IGNORE INTO audit_client_span (client_slug, span) SELECT DISTINCT client_slug, position / 1024 FROM audit_entry",
        [],
    )?;
    Ok(())
}

fn write(
    transaction: &Transaction<'_>,
    deployment: &str,
    (position, entry): (u64, &Entry),
    sizes: &mut HashMap<String, i64>,
) -> Result<(), Failure> {
    let log = format!("{deployment}/crm-service/{}", entry.portal_id);
    let size = match sizes.get_mut(&log) {
        Some(size) => size,
        None => {
            let known = transaction
                .query_row("SELECT size FROM audit_log_size WHERE log = ?1", [&log], |row| {
                    row.get(0)
                })
                .optional()?;
            sizes.entry(log.clone()).or_insert(known.unwrap_or(0))
        }
    };
    transaction.prepare_cached(INSERT)?.execute(params![
        i64::try_from(position)?,
        log,
        *size,
        entry.client_slug,
        entry.caller,
        entry.phase,
        entry.operation,
        entry.call_id,
        entry.encode_to_vec(),
    ])?;
    *size += 1;
    Ok(())
}

/// What call number so-and-so has: its intent at odd numbers, its outcome at even ones.
fn entry(number: u64, Of { portal_id, slug }: Of) -> Entry {
    let call = number.div_ceil(2);
    let mixed = mixed(call);
    let is_outcome = number.is_multiple_of(2);
    let result = match (is_outcome, mixed % 200) {
        (false, _) => CallResult::Unspecified,
        (true, 0) => CallResult::Unknown,
        (true, 1..=3) => CallResult::Failed,
        (true, 4..=9) => CallResult::Refused,
        _ => CallResult::Ok,
    };
    let operation = OPERATIONS
        .get(usize::try_from(mixed % 6).unwrap_or(0))
        .copied()
        .unwrap_or_default();
    let digits = record(portal_id, mixed % RECORDS)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Entry {
        entry_id: format!("019aa000-0000-7000-8000-{number:012x}"),
        entry_time: Some(Timestamp::from_micros(micros_of(number)).into()),
        phase: if is_outcome { Phase::Outcome } else { Phase::Intent }.into(),
        operation: operation.into(),
        call_id: format!("019aa000-0000-7000-9000-{call:012x}"),
        attempt: 1,
        portal_id,
        client_slug: slug,
        caller: format!("service-{}", mixed % CALLERS),
        handle_id: format!("019aa000-0000-7000-a000-{:012x}", call / 100),
        purpose_code: "nightly-sync".to_owned(),
        credential_version: 1,
        object_type: if mixed.is_multiple_of(3) {
            "deals"
        } else {
            "contacts"
        }
        .to_owned(),
        object_ref: digits,
        http_method: "GET".to_owned(),
        path_template: "/crm/objects/2026-09/contacts/{id}".to_owned(),
        result: result.into(),
        request_id: format!("019aa000-0000-7000-b000-{call:012x}"),
        grpc_method: "/hubkeep.crm.v1.ObjectService/GetObject".to_owned(),
        ..Entry::default()
    }
}
