//! The record of processing activities of a processor, by controller: GDPR Art. 30(2), with what Art. 28(3) is asked for.

mod needed;
mod shown;

use std::collections::BTreeMap;

use hubkeep_proto::credential::v1::HandleScope;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    acts::{Deletion, Incident},
    config::{Config, Party, Stated, Subprocessor, Transfer},
    counted::{Counted, counted, erasures},
    error::Error,
    fields,
    page::Page,
    source::Source,
    standings::Signed,
    tally::{Counts, Line, Tally, written},
};

/// What a record of processing says; each part names the letter of Art. 30(2) that asks for it.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Body {
    /// (a).
    processor: PartyText,
    /// (a).
    representative: PartyText,
    /// (a).
    data_protection_officer: PartyText,
    /// (a).
    controller: Controller,
    /// Where this deployment runs, which says what is a transfer.
    processing_region: String,
    /// (b).
    processing: Vec<Activity>,
    /// (c).
    transfers: Vec<TransferText>,
    /// The operator has stated that there is no transfer but the one to HubSpot.
    no_other_transfers: bool,
    /// (d).
    security_measures: Vec<String>,
    annex: Annex,
    evidence: Evidence,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct PartyText {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) email: String,
    pub(super) phone: String,
}

impl PartyText {
    /// On one line; empty where nobody is stated.
    pub(super) fn line(&self) -> String {
        let parts = [&self.name, &self.address, &self.email, &self.phone];
        let stated = parts.into_iter().filter(|part| !part.is_empty());
        stated.map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Controller {
    name: String,
    contact: String,
    representative: String,
    data_protection_officer: String,
    region: String,
    portal_id: u64,
    client_slug: String,
}

/// A kind of processing that was carried out for the controller.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Activity {
    operation: String,
    object_type: String,
    purpose_code: String,
    first_seen: String,
    last_seen: String,
    calls: u64,
    records: u64,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct TransferText {
    recipient: String,
    country: String,
    mechanism: String,
    reference: String,
}

/// What Art. 30(2) does not ask for, and the contract by Art. 28(3) does.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Annex {
    dpa_reference: String,
    dpa_date: String,
    instructions_reference: String,
    stated_purposes: Vec<String>,
    /// Whom the data is about, as stated.
    data_subjects: Vec<String>,
    /// Kinds of records that were touched.
    object_types: Vec<String>,
    /// The properties that callers may read or write by the grants there are now, where all of these name some: the most that can
    /// have been touched. Entries name no properties.
    properties: Vec<String>,
    /// Callers who got data, or gave some.
    recipients: Vec<String>,
    subprocessors: Vec<SubprocessorText>,
    /// The operator has stated that there is none.
    no_subprocessors: bool,
    retention: String,
    /// Contacts that were erased for good.
    erasures: u64,
    /// What was deleted in the period, each with the entry that proves it.
    deletions: Vec<Deletion>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct SubprocessorText {
    pub(super) name: String,
    pub(super) purpose: String,
    pub(super) country: String,
    pub(super) authorized_date: String,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Evidence {
    total: Counts,
    /// The same by who called, and for what.
    by_caller_and_operation: Vec<Performed>,
    /// Records that were named one by one.
    distinct_records: usize,
    /// Refusals of Hubkeep itself, by reason.
    denied_by_reason: BTreeMap<String, u64>,
    /// What was done with the portal, its token and its handles, by credential-service's log.
    administration: BTreeMap<String, u64>,
    /// What was contained, and answers for another portal that were withheld.
    incidents: Vec<Incident>,
    entries: u64,
    /// What the logs had come to when the period began, and where they were read: of crm-service, and of credential-service.
    heads: Vec<Heads>,
    /// How to verify this report, and the logs.
    verify: Vec<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Performed {
    caller: String,
    operation: String,
    #[serde(flatten)]
    counts: Counts,
}

/// What a log had come to.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Heads {
    log: String,
    /// The log has no entry from before the period.
    begins_in_period: bool,
    /// The newest signed checkpoint when the period began.
    start: Option<Signed>,
    /// The smallest signed checkpoint that covers what the report was made from.
    end: Option<Signed>,
    /// The proof by RFC 6962 that the later only adds to the earlier: hashes in hexadecimal digits.
    consistency: Vec<String>,
}

/// How whoever has the report and the verifier keys verifies it.
const VERIFY: [&str; 3] = [
    "hubkeep report verify FILE --key KEYS",
    "hubkeep audit export --portal SLUG --from crm-service --to FOLDER (and --from credential-service)",
    "hubkeep audit verify FOLDER",
];

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source, stated: &Stated) -> Result<(Page, Value), Error> {
    let config = &stated.config;
    let counted = counted(source).await?;
    let details = source.portal().details.clone().unwrap_or_default();
    let portal = source.portal();
    let scopes: Vec<HandleScope> = source
        .known()
        .grants
        .iter()
        .map(|grant| grant.scope.clone().unwrap_or_default())
        .collect();
    let body = Body {
        processor: party(&config.processor),
        representative: party(&config.representative),
        data_protection_officer: party(&config.data_protection_officer),
        controller: Controller {
            name: details.controller_name,
            contact: details.controller_contact,
            representative: details.controller_representative,
            data_protection_officer: details.controller_data_protection_officer,
            region: details.region,
            portal_id: portal.portal_id,
            client_slug: portal.client_slug.clone(),
        },
        processing_region: config.region.clone(),
        processing: activities(&counted.tally),
        transfers: transfers(config, &portal.data_hosting_location),
        no_other_transfers: config.no_transfers,
        security_measures: stated.measures.clone(),
        annex: Annex {
            dpa_reference: details.dpa_reference,
            dpa_date: details.dpa_date,
            instructions_reference: details.instructions_reference,
            stated_purposes: details.purposes,
            data_subjects: details.data_subjects,
            object_types: object_types(&counted.tally),
            properties: properties(&scopes),
            recipients: counted.tally.callers().into_iter().map(str::to_owned).collect(),
            subprocessors: subprocessors(config),
            no_subprocessors: config.no_subprocessors,
            retention: config.retention.clone(),
            erasures: erasures(&counted.tally),
            deletions: counted.acts.deletions.clone(),
        },
        evidence: evidence(source, counted),
    };
    let mut page = shown::page(&body);
    page.gaps = fields::gaps(&needed::FIELDS, &body);
    Ok((page, serde_json::to_value(body)?))
}

fn evidence(source: &Source, counted: Counted) -> Evidence {
    let Counted {
        tally,
        administration,
        acts,
    } = counted;
    let performed = tally.by(|key| (key.caller.clone(), key.operation.clone()));
    let logs = source.logs().iter().zip(source.begin_in_period());
    Evidence {
        total: tally.total(),
        by_caller_and_operation: performed
            .into_iter()
            .map(|((caller, operation), line)| Performed {
                caller,
                operation,
                counts: line.counts,
            })
            .collect(),
        distinct_records: tally.distinct_records(),
        administration,
        incidents: acts.incidents,
        entries: tally.entries,
        heads: logs
            .map(|(log, begins_in_period)| Heads {
                log: log.name.clone(),
                begins_in_period,
                start: log.start.clone(),
                end: log.checkpoint.clone(),
                consistency: log.consistency.clone(),
            })
            .collect(),
        verify: VERIFY.to_vec(),
        denied_by_reason: tally.denials,
    }
}

/// What all of these name, if each names some; those that are on no records need none.
fn properties(scopes: &[HandleScope]) -> Vec<String> {
    let mut on_records = scopes.iter().filter(|scope| !scope.object_types.is_empty());
    if on_records.clone().any(|scope| scope.properties.is_empty()) {
        return Vec::new();
    }
    let mut named: Vec<String> = on_records
        .by_ref()
        .flat_map(|scope| scope.properties.clone())
        .collect();
    named.sort_unstable();
    named.dedup();
    named
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

fn object_types(tally: &Tally) -> Vec<String> {
    let types = tally.by(|key| key.object_type.clone()).into_keys();
    types.filter(|name| !name.is_empty()).collect()
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
    // Where the data lies, HubSpot says in its account of the portal (dataHostingLocation).
    let hubspot = TransferText {
        recipient: "HubSpot, where the portal's data lies".to_owned(),
        country: hosting.to_owned(),
        mechanism: config.hubspot_transfer.mechanism.clone(),
        reference: config.hubspot_transfer.reference.clone(),
    };
    [hubspot].into_iter().chain(stated).collect()
}

pub(super) fn party(party: &Party) -> PartyText {
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

/// Further processors, as stated.
pub(super) fn subprocessors(config: &Config) -> Vec<SubprocessorText> {
    config.subprocessors.iter().map(subprocessor).collect()
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
