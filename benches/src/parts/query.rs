//! What is looked for in a log of ten million entries, page by page.

use std::path::Path;

use hubkeep_audit_log::{
    AuditLog, CallResult, Config, Entry, Filter, Identity, ObjectRef, Operation, Phase, Search, Severity,
};
use hubkeep_core::{clock::Timestamp, id::PortalId};
use prost::Message as _;
use rusqlite::{Connection, params};

use super::{Measured, Place};
use crate::{
    Failure,
    figures::{INDEXED, QUERY_10M, QUERY_FEWER},
};

/// Entries, unless fewer are asked for.
pub(crate) const ENTRIES: u64 = 10_000_000;
/// Entries that are written with one commit.
const AT_ONCE: u64 = 100_000;
const QUERIES: u64 = 3_000;
/// Entries of a page.
const PAGE: usize = 100;
const PORTALS: u64 = 1_000;
const CALLERS: u64 = 40;
/// The records of a portal.
const RECORDS: u64 = 5_000;
/// When the first entry was made, in seconds since 1970.
const BEGAN: i64 = 1_764_000_000;
/// Entries a second.
const PACE: u64 = 4;

const INSERT: &str = "INSERT INTO audit_entry (position, log, log_index, client_slug, caller, phase, operation, call_id, \
    attempt, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9)";

pub(super) async fn measure(place: &Place) -> Measured {
    let folder = place.temporary()?;
    let file = folder.path().join("audit.db");
    let mut config = Config::sqlite(&file);
    // What is measured is the index alone.
    config.proofs.enabled = false;
    open(place, &config).await?.stop().await;
    fill(&file, place.entries)?;
    let log = open(place, &config).await?;
    let begun = place.clock.tick();
    log.bring_index_up_to_date().await?;
    let indexing = place.clock.tick().since(begun);
    let mut took = Vec::new();
    for number in 0..QUERIES {
        let search = search(number, place.entries)?;
        let begun = place.clock.tick();
        log.find(&search).await?;
        took.push(place.clock.tick().since(begun));
    }
    log.stop().await;
    took.sort_unstable();
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    let name = if place.entries == ENTRIES {
        QUERY_10M
    } else {
        QUERY_FEWER
    };
    let entries = f64::from(u32::try_from(place.entries)?);
    Ok(vec![
        (name, p99.as_secs_f64() * 1_000.0),
        (INDEXED, entries / indexing.as_secs_f64().max(f64::EPSILON)),
    ])
}

async fn open(place: &Place, config: &Config) -> Result<AuditLog, Failure> {
    let identity = Identity {
        deployment: "bench".to_owned(),
        service: "crm-service",
        instance: "here".to_owned(),
    };
    let log = AuditLog::open(config, identity, place.clock.clone(), place.random.clone()).await?;
    Ok(log)
}

/// The same seemingly random number for the same number.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// A few portals have much, many have little.
const fn portal_of(number: u64) -> u64 {
    let mixed = mixed(number / 2);
    1 + (mixed % PORTALS) * ((mixed >> 20) % PORTALS) / PORTALS
}

const OPERATIONS: [Operation; 6] = [
    Operation::ObjectGet,
    Operation::ObjectGet,
    Operation::ObjectSearch,
    Operation::ObjectList,
    Operation::ObjectUpdate,
    Operation::ObjectCreate,
];

fn record(portal: u64, number: u64) -> [u8; 16] {
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

/// What call number so-and-so has at this position: its intent at even ones, its outcome at odd ones.
fn entry(position: u64) -> Entry {
    let call = position / 2;
    let (portal, mixed) = (portal_of(position), mixed(call));
    let is_outcome = position % 2 == 1;
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
    let digits = record(portal, mixed % RECORDS)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Entry {
        entry_id: format!("019aa000-0000-7000-8000-{position:012x}"),
        entry_time: Some(Timestamp::from_micros(micros_of(position)).into()),
        phase: if is_outcome { Phase::Outcome } else { Phase::Intent }.into(),
        operation: operation.into(),
        call_id: format!("019aa000-0000-7000-9000-{call:012x}"),
        attempt: 1,
        portal_id: portal,
        client_slug: format!("client-{portal}"),
        caller: format!("service-{}", mixed % CALLERS),
        handle_id: format!("019aa000-0000-7000-a000-{:012x}", call / 100),
        purpose_code: "nightly-sync".to_owned(),
        credential_version: 1,
        object_type: if mixed % 3 == 0 { "deals" } else { "contacts" }.to_owned(),
        object_ref: digits,
        http_method: "GET".to_owned(),
        path_template: "/crm/objects/2026-09/contacts/{id}".to_owned(),
        result: result.into(),
        request_id: format!("019aa000-0000-7000-b000-{call:012x}"),
        grpc_method: "/hubkeep.crm.v1.ObjectService/GetObject".to_owned(),
        ..Entry::default()
    }
}

fn micros_of(position: u64) -> i64 {
    let since = position.saturating_mul(1_000_000 / PACE);
    (BEGAN * 1_000_000).saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
}

/// Writes so many entries into the log of a file, as its writer would, but many with a commit, and none synchronised.
fn fill(file: &Path, entries: u64) -> Result<(), Failure> {
    let mut connection = Connection::open(file)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -200_000)?;
    let mut sizes = vec![0_i64; usize::try_from(PORTALS + 1)?];
    let mut position = 0;
    while position < entries {
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare_cached(INSERT)?;
        for _ in 0..AT_ONCE.min(entries - position) {
            position += 1;
            let entry = entry(position);
            let size = sizes
                .get_mut(usize::try_from(entry.portal_id)?)
                .ok_or("a portal that there is not")?;
            insert.execute(params![
                i64::try_from(position)?,
                format!("bench/crm-service/{}", entry.portal_id),
                *size,
                entry.client_slug,
                entry.caller,
                entry.phase,
                entry.operation,
                entry.call_id,
                entry.encode_to_vec(),
            ])?;
            *size += 1;
        }
        drop(insert);
        transaction.execute(
            "UPDATE audit_position SET position = ?1 WHERE id = 1",
            [i64::try_from(position)?],
        )?;
        transaction.commit()?;
    }
    for (portal, size) in sizes.iter().enumerate().filter(|(_, size)| **size > 0) {
        let log = format!("bench/crm-service/{portal}");
        connection.execute(
            "INSERT INTO audit_log_size (log, size) VALUES (?1, ?2)",
            params![log, size],
        )?;
    }
    connection.execute(
        "INSERT INTO audit_client_span (client_slug, span) SELECT DISTINCT client_slug, position / 1024 FROM audit_entry",
        [],
    )?;
    Ok(())
}

/// Question number so-and-so: of each kind as many, about any portal, caller and time, from either end.
fn search(number: u64, entries: u64) -> Result<Search, Failure> {
    let mixed = mixed(number.wrapping_add(77));
    let portal = portal_of(mixed % entries);
    let of_portal = Filter {
        portal_id: PortalId::new(portal),
        client_slug: Some(format!("client-{portal}").parse()?),
        ..Filter::all()
    };
    let caller = Some(format!("service-{}", mixed % CALLERS).parse()?);
    let at = (mixed >> 8) % entries;
    let time = |position| Some(Timestamp::from_micros(micros_of(position)));
    let filter = match number % 8 {
        0 => of_portal,
        1 => Filter { caller, ..of_portal },
        2 => Filter {
            operations: vec![Operation::ObjectUpdate],
            results: vec![CallResult::Unknown, CallResult::Failed],
            ..of_portal
        },
        3 => Filter {
            min_severity: Some(Severity::Low),
            start_time: time(at),
            end_time: time(at + 20_000),
            ..Filter::all()
        },
        4 => Filter {
            object_type: Some("contacts".to_owned()),
            object_ref: Some(ObjectRef(record(portal, mixed % RECORDS))),
            ..of_portal
        },
        5 => Filter {
            caller,
            results: vec![CallResult::Refused],
            ..Filter::all()
        },
        6 => Filter {
            start_time: time(at),
            ..of_portal
        },
        _ => Filter {
            // Nobody has that: everything has to be looked through.
            caller,
            phases: vec![Phase::Denied],
            ..of_portal
        },
    };
    Ok(match (mixed >> 40) & 1 {
        0 => Search::newest(filter, PAGE),
        _ => Search::oldest(filter, PAGE),
    })
}
