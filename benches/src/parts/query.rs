//! What is looked for in a log of ten million entries, page by page.

use hubkeep_audit_log::{
    AuditLog, CallResult, Config, Filter, Identity, ObjectRef, Operation, Phase, Search, Severity,
};
use hubkeep_core::{clock::Timestamp, id::PortalId};

use super::{
    Measured, Place,
    filled::{CALLERS, Of, RECORDS, fill, micros_of, mixed, record},
};
use crate::{
    Failure,
    figures::{INDEXED, QUERY_10M, QUERY_FEWER},
};

/// Entries, unless fewer are asked for.
pub(crate) const ENTRIES: u64 = 10_000_000;
const QUERIES: u64 = 3_000;
/// Entries of a page.
const PAGE: usize = 100;
const PORTALS: u64 = 1_000;
/// A few portals have much, many have little.
const fn portal_of(number: u64) -> u64 {
    let mixed = mixed(number.div_ceil(2));
    1 + (mixed % PORTALS) * ((mixed >> 20) % PORTALS) / PORTALS
}

pub(super) async fn measure(place: &Place) -> Measured {
    let folder = place.temporary()?;
    let file = folder.path().join("audit.db");
    let mut config = Config::sqlite(&file);
    // What is measured is the index alone.
    config.proofs.enabled = false;
    open(place, &config).await?.stop().await;
    fill(&file, "bench", place.entries, |position| {
        Of::client(portal_of(position))
    })?;
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
