//! What a service provider shows a business: California Civil Code 1798.100(d) and 1798.140(ag), 11 CCR 7050 and 7051.

mod needed;
mod shown;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    acts::ConsumerRequest,
    config::{Config, Stated, Term, letters},
    counted::{counted, erasures},
    error::Error,
    fields,
    page::Page,
    processing::{PartyText, SubprocessorText, party, subprocessors},
    source::Source,
    tally::{Counts, Tally},
};

/// What a report of a service provider says.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Body {
    business: Business,
    service_provider: PartyText,
    contract: Contract,
    /// The business purposes of the contract, as the business has stated them.
    business_purposes: Vec<String>,
    /// What was done for which stated purpose.
    uses: Vec<Use>,
    /// Kinds of records that were touched, and what of a person they hold.
    categories: Vec<Category>,
    subcontractors: Vec<SubprocessorText>,
    /// The operator has stated that there is none.
    no_subcontractors: bool,
    /// What Hubkeep was asked for on behalf of consumers.
    consumer_requests: Vec<ConsumerRequest>,
    /// Personal information was sold or shared, or brought together with that of another business. It cannot be by this
    /// system: a handle is for one portal.
    combined_with_other_clients: u64,
    /// What was refused because it named another portal than its handle's.
    wrong_portal_refusals: u64,
    /// Contacts that were erased at the request of consumers.
    consumer_erasures: u64,
    security_measures: Vec<String>,
    retention: String,
    last_audit_date: String,
    total: Counts,
    denied_by_reason: BTreeMap<String, u64>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Business {
    name: String,
    contact: String,
    region: String,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Contract {
    reference: String,
    date: String,
    /// Where the terms of 11 CCR 7051 are written, as a whole.
    terms_reference: String,
    /// These terms, one by one.
    terms: Vec<TermText>,
}

/// A term of 11 CCR 7051(a).
#[derive(Debug, Default, Serialize, JsonSchema)]
struct TermText {
    term: &'static str,
    says: &'static str,
    /// Where it is written; empty where that was not stated.
    reference: String,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Use {
    purpose_code: String,
    operation: String,
    object_type: String,
    calls: u64,
    records: u64,
}

/// What records of a type hold of a person.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Category {
    object_type: String,
    /// The letters of 1798.140(v)(1). Absent where it is not known which; empty where it is known that there is none.
    letters: Option<Vec<String>>,
    /// Whether there is sensitive personal information in it, as stated. Absent where that was not stated.
    is_sensitive: Option<bool>,
    calls: u64,
    records: u64,
}

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source, stated: &Stated) -> Result<(Page, Value), Error> {
    let config = &stated.config;
    let counted = counted(source).await?;
    let tally = &counted.tally;
    let details = source.portal().details.clone().unwrap_or_default();
    let body = Body {
        business: Business {
            name: details.controller_name,
            contact: details.controller_contact,
            region: details.region,
        },
        service_provider: party(&config.processor),
        contract: Contract {
            reference: details.dpa_reference,
            date: details.dpa_date,
            terms_reference: config.contract_terms.clone(),
            terms: Term::ALL.map(|term| term_of(config, term)).into(),
        },
        business_purposes: details.purposes,
        uses: uses(tally),
        categories: categories(config, tally),
        subcontractors: subprocessors(config),
        no_subcontractors: config.no_subprocessors,
        consumer_requests: counted.acts.requests(),
        combined_with_other_clients: 0,
        wrong_portal_refusals: tally.denials.get("PORTAL_MISMATCH").copied().unwrap_or(0),
        consumer_erasures: erasures(tally),
        security_measures: stated.measures.clone(),
        retention: config.retention.clone(),
        last_audit_date: config.last_audit_date.clone(),
        total: tally.total(),
        denied_by_reason: tally.denials.clone(),
    };
    let mut page = shown::page(&body);
    page.gaps = fields::gaps(&needed::FIELDS, &body);
    page.gaps.extend(needed::terms(&body.contract));
    Ok((page, serde_json::to_value(body)?))
}

fn term_of(config: &Config, term: Term) -> TermText {
    TermText {
        term: term.name(),
        says: term.says(),
        reference: config.terms.get(&term).cloned().unwrap_or_default(),
    }
}

fn uses(tally: &Tally) -> Vec<Use> {
    let grouped = tally.by(|key| {
        (
            key.purpose.clone(),
            key.operation.clone(),
            key.object_type.clone(),
        )
    });
    let uses = grouped.into_iter().filter(|(_, line)| line.counts.calls > 0);
    uses.map(|((purpose_code, operation, object_type), line)| Use {
        purpose_code,
        operation,
        object_type,
        calls: line.counts.calls,
        records: line.counts.records_read + line.counts.records_written,
    })
    .collect()
}

fn categories(config: &Config, tally: &Tally) -> Vec<Category> {
    let touched = tally.by(|key| key.object_type.clone()).into_iter();
    let touched = touched.filter(|(name, line)| !name.is_empty() && line.counts.calls > 0);
    touched
        .map(|(object_type, line)| {
            let stated = config
                .categories
                .iter()
                .find(|one| one.object_type == object_type);
            Category {
                letters: letters(&config.categories, &object_type),
                is_sensitive: stated.map(|stated| stated.is_sensitive),
                calls: line.counts.calls,
                records: line.counts.records_read + line.counts.records_written,
                object_type,
            }
        })
        .collect()
}
