//! What a service provider shows a business: California Civil Code 1798.100(d) and 1798.140(ag), 11 CCR 7051.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    config::Stated,
    error::Error,
    page::{Page, number, words},
    processing::{counted, erasures, object_types, pairs},
    source::Source,
    tally::Counts,
};

/// What a report of a service provider says.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Body {
    business: String,
    business_contact: String,
    service_provider: String,
    contract_reference: String,
    contract_terms: String,
    /// The business purposes of the contract, as the business has stated them.
    business_purposes: Vec<String>,
    /// What was done for which stated purpose.
    uses: Vec<Use>,
    /// Kinds of records that were touched.
    categories: Vec<String>,
    subcontractors: Vec<String>,
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

#[derive(Debug, Serialize, JsonSchema)]
struct Use {
    purpose_code: String,
    operation: String,
    object_type: String,
    calls: u64,
    records: u64,
}

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source, stated: &Stated) -> Result<(Page, Value), Error> {
    let config = &stated.config;
    let (tally, _) = counted(source).await?;
    let details = source.portal().details.clone().unwrap_or_default();
    let grouped = tally.by(|key| {
        (
            key.purpose.clone(),
            key.operation.clone(),
            key.object_type.clone(),
        )
    });
    let uses = grouped.into_iter().filter(|(_, line)| line.counts.calls > 0);
    let body = Body {
        business: details.controller_name,
        business_contact: details.controller_contact,
        service_provider: config.processor.line(),
        contract_reference: details.dpa_reference,
        contract_terms: config.contract_terms.clone(),
        business_purposes: details.purposes,
        uses: uses
            .map(|((purpose_code, operation, object_type), line)| Use {
                purpose_code,
                operation,
                object_type,
                calls: line.counts.calls,
                records: line.counts.records_read + line.counts.records_written,
            })
            .collect(),
        categories: object_types(&tally),
        subcontractors: config.subprocessors.iter().map(|one| one.name.clone()).collect(),
        combined_with_other_clients: 0,
        wrong_portal_refusals: tally.denials.get("PORTAL_MISMATCH").copied().unwrap_or(0),
        consumer_erasures: erasures(&tally),
        security_measures: stated.measures.clone(),
        retention: config.retention.clone(),
        last_audit_date: config.last_audit_date.clone(),
        total: tally.total(),
        denied_by_reason: tally.denials.clone(),
    };
    Ok((page(&body), serde_json::to_value(body)?))
}

fn page(body: &Body) -> Page {
    let mut page = Page::with(vec![
        ("Business", body.business.clone()),
        ("Contact of the business", body.business_contact.clone()),
        ("Service provider", body.service_provider.clone()),
        ("Contract", body.contract_reference.clone()),
        ("Terms by 11 CCR 7051", body.contract_terms.clone()),
        ("Business purposes", body.business_purposes.join(", ")),
        (
            "Brought together with another client's data",
            format!(
                "{} times: a handle is for one portal; {} calls that named another were refused",
                body.combined_with_other_clients, body.wrong_portal_refusals
            ),
        ),
        ("Consumers erased", body.consumer_erasures.to_string()),
        ("Retention of entries", body.retention.clone()),
        ("Last audit", body.last_audit_date.clone()),
    ]);
    for (stated, gap) in [
        (
            &body.business,
            "the business: state controller_name by `hubkeep portals update --details`",
        ),
        (
            &body.contract_reference,
            "the contract: state dpa_reference by `hubkeep portals update --details`",
        ),
        (
            &body.service_provider,
            "the service provider: state it in [reports.processor] of crm-service",
        ),
        (
            &body.contract_terms,
            "the terms that 11 CCR 7051 asks for: state them in [reports] of crm-service, contract_terms",
        ),
        (
            &body.last_audit_date,
            "the last audit: state it in [reports] of crm-service, last_audit_date",
        ),
        (
            &body.retention,
            "how long entries are kept: state it in [reports] of crm-service, retention",
        ),
    ] {
        page.need(stated, gap);
    }
    if body.business_purposes.is_empty() {
        page.gaps.push(
            "the specific business purposes: state purposes by `hubkeep portals update --details`".to_owned(),
        );
    }
    page.section(
        "Uses",
        "What was done, and for which purpose its handle was taken.",
        vec![
            words("Purpose"),
            words("Operation"),
            words("Type"),
            number("Calls"),
            number("Records"),
        ],
        body.uses.iter().map(use_row).collect(),
    );
    let one = |cells: &[String]| cells.iter().map(|cell| vec![cell.clone()]).collect();
    page.section(
        "Categories of personal information",
        "Kinds of records that were touched.",
        vec![words("Type")],
        one(&body.categories),
    );
    page.section(
        "Subcontractors",
        "Who else takes part.",
        vec![words("Who")],
        one(&body.subcontractors),
    );
    page.section(
        "Security measures",
        "As this deployment has them now.",
        vec![words("Measure")],
        one(&body.security_measures),
    );
    page.section(
        "Refused by Hubkeep",
        "What was asked for this portal and not sent.",
        vec![words("Reason"), number("Times")],
        pairs(&body.denied_by_reason),
    );
    page
}

fn use_row(used: &Use) -> Vec<String> {
    vec![
        used.purpose_code.clone(),
        used.operation.clone(),
        used.object_type.clone(),
        used.calls.to_string(),
        used.records.to_string(),
    ]
}
