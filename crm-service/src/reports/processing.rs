//! The record of processing activities of a processor, by controller: GDPR Art. 30(2), with what Art. 28(3) is asked for.

mod shown;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    config::{Config, Party, Stated, Subprocessor, Transfer},
    error::Error,
    page::Page,
    source::Source,
    tally::{Counts, Line, Tally, operation_name, written},
};

/// What a record of processing says; each part names the letter of Art. 30(2) that asks for it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Body {
    /// (a).
    processor: PartyText,
    /// (a).
    representative: PartyText,
    /// (a).
    data_protection_officer: PartyText,
    /// (a).
    controller: Controller,
    /// (b).
    processing: Vec<Activity>,
    /// (c).
    transfers: Vec<TransferText>,
    /// (d).
    security_measures: Vec<String>,
    annex: Annex,
    evidence: Evidence,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PartyText {
    name: String,
    address: String,
    email: String,
    phone: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Controller {
    name: String,
    contact: String,
    region: String,
    portal_id: u64,
    client_slug: String,
}

/// A kind of processing that was carried out for the controller.
#[derive(Debug, Serialize, JsonSchema)]
struct Activity {
    operation: String,
    object_type: String,
    purpose_code: String,
    first_seen: String,
    last_seen: String,
    calls: u64,
    records: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TransferText {
    recipient: String,
    country: String,
    mechanism: String,
    reference: String,
}

/// What Art. 30(2) does not ask for, and the contract by Art. 28(3) does.
#[derive(Debug, Serialize, JsonSchema)]
struct Annex {
    dpa_reference: String,
    stated_purposes: Vec<String>,
    /// Kinds of records that were touched: what says of whom data is.
    object_types: Vec<String>,
    /// Callers who got data, or gave some.
    recipients: Vec<String>,
    subprocessors: Vec<SubprocessorText>,
    retention: String,
    /// Contacts that were erased for good.
    erasures: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SubprocessorText {
    name: String,
    purpose: String,
    country: String,
    authorized_date: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Evidence {
    total: Counts,
    /// Records that were named one by one.
    distinct_records: usize,
    /// Refusals of Hubkeep itself, by reason.
    denied_by_reason: BTreeMap<String, u64>,
    /// What was done with the portal, its token and its handles, by credential-service's log.
    administration: BTreeMap<String, u64>,
    entries: u64,
}

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source, stated: &Stated) -> Result<(Page, Value), Error> {
    let config = &stated.config;
    let (tally, administration) = counted(source).await?;
    let details = source.portal().details.clone().unwrap_or_default();
    let portal = source.portal();
    let body = Body {
        processor: party(&config.processor),
        representative: party(&config.representative),
        data_protection_officer: party(&config.data_protection_officer),
        controller: Controller {
            name: details.controller_name,
            contact: details.controller_contact,
            region: details.region,
            portal_id: portal.portal_id,
            client_slug: portal.client_slug.clone(),
        },
        processing: activities(&tally),
        transfers: transfers(config, &portal.data_hosting_location),
        security_measures: stated.measures.clone(),
        annex: Annex {
            dpa_reference: details.dpa_reference,
            stated_purposes: details.purposes,
            object_types: object_types(&tally),
            recipients: tally.callers().into_iter().map(str::to_owned).collect(),
            subprocessors: config.subprocessors.iter().map(subprocessor).collect(),
            retention: config.retention.clone(),
            erasures: erasures(&tally),
        },
        evidence: Evidence {
            total: tally.total(),
            distinct_records: tally.distinct_records(),
            denied_by_reason: tally.denials.clone(),
            administration,
            entries: tally.entries,
        },
    };
    Ok((shown::page(&body, config), serde_json::to_value(body)?))
}

/// This service's entries counted, and what credential-service recorded, by operation.
pub(super) async fn counted(source: &mut Source) -> Result<(Tally, BTreeMap<String, u64>), Error> {
    let mut tally = Tally::default();
    source
        .ours(|event| {
            if let Some(entry) = &event.entry {
                tally.add(entry);
            }
        })
        .await?;
    let mut administration: BTreeMap<String, u64> = BTreeMap::new();
    source
        .theirs(|event| {
            if let Some(entry) = &event.entry {
                *administration
                    .entry(operation_name(entry.operation()))
                    .or_default() += u64::from(entry.occurrence_count.max(1));
            }
        })
        .await?;
    Ok((tally, administration))
}

fn activities(tally: &Tally) -> Vec<Activity> {
    let grouped = tally.by(|key| {
        (
            key.operation.clone(),
            key.object_type.clone(),
            key.purpose.clone(),
        )
    });
    let carried_out = grouped.into_iter().filter(|(_, line)| line.counts.calls > 0);
    carried_out
        .map(|((operation, object_type, purpose_code), line)| {
            let Line { counts, seen } = line;
            Activity {
                operation,
                object_type,
                purpose_code,
                first_seen: seen.map(|seen| written(seen.first)).unwrap_or_default(),
                last_seen: seen.map(|seen| written(seen.last)).unwrap_or_default(),
                calls: counts.calls,
                records: counts.records_read + counts.records_written,
            }
        })
        .collect()
}

pub(super) fn object_types(tally: &Tally) -> Vec<String> {
    let types = tally.by(|key| key.object_type.clone()).into_keys();
    types.filter(|name| !name.is_empty()).collect()
}

pub(super) fn erasures(tally: &Tally) -> u64 {
    let operations = tally.by(|key| key.operation.clone());
    operations
        .get("CONTACT_ERASE")
        .map_or(0, |line| line.counts.records_written)
}

fn transfers(config: &Config, hosting: &str) -> Vec<TransferText> {
    let stated = config.transfers.iter().map(|transfer| {
        let Transfer {
            recipient,
            country,
            mechanism,
            reference,
        } = transfer.clone();
        TransferText {
            recipient,
            country,
            mechanism,
            reference,
        }
    });
    let hubspot = (!hosting.is_empty()).then(|| TransferText {
        recipient: "HubSpot, where the portal's data lies".to_owned(),
        country: hosting.to_owned(),
        mechanism: String::new(),
        reference: "HubSpot's own account of the portal (dataHostingLocation)".to_owned(),
    });
    hubspot.into_iter().chain(stated).collect()
}

fn party(party: &Party) -> PartyText {
    let Party {
        name,
        address,
        email,
        phone,
    } = party.clone();
    PartyText {
        name,
        address,
        email,
        phone,
    }
}

fn subprocessor(subprocessor: &Subprocessor) -> SubprocessorText {
    let Subprocessor {
        name,
        purpose,
        country,
        authorized_date,
    } = subprocessor.clone();
    SubprocessorText {
        name,
        purpose,
        country,
        authorized_date,
    }
}

/// Rows of names and numbers.
pub(super) fn pairs(counted: &BTreeMap<String, u64>) -> Vec<Vec<String>> {
    counted
        .iter()
        .map(|(name, count)| vec![name.clone(), count.to_string()])
        .collect()
}
