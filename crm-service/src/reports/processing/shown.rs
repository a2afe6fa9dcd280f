//! The record of processing for people.

use super::{Activity, Body, pairs};
use crate::reports::{
    config::Config,
    page::{Page, number, words},
};

/// The page of a record.
pub(super) fn page(body: &Body, config: &Config) -> Page {
    let controller = &body.controller;
    let mut page = Page::with(vec![
        ("Processor", config.processor.line()),
        ("Representative", config.representative.line()),
        ("Data protection officer", config.data_protection_officer.line()),
        ("Controller", controller.name.clone()),
        ("Controller's contact", controller.contact.clone()),
        ("Controller's region", controller.region.clone()),
        ("Data processing agreement", body.annex.dpa_reference.clone()),
        ("Stated purposes", body.annex.stated_purposes.join(", ")),
        ("Retention of entries", body.annex.retention.clone()),
    ]);
    page.need(
        &config.processor.name,
        "the processor: state it in [reports.processor] of crm-service",
    );
    page.need(
        &config.data_protection_officer.name,
        "the data protection officer: state it in [reports.data_protection_officer] of crm-service, where there must be one",
    );
    page.need(
        &controller.name,
        "the controller: state controller_name by `hubkeep portals update --details`",
    );
    page.need(
        &controller.contact,
        "the controller's contact: state controller_contact by `hubkeep portals update --details`",
    );
    page.need(
        &body.annex.dpa_reference,
        "the data processing agreement: state dpa_reference by `hubkeep portals update --details`",
    );
    page.need(
        &body.annex.retention,
        "how long entries are kept: state it in [reports] of crm-service, retention",
    );
    page.need(
        &config.region,
        "where this deployment runs, which says whether there is a transfer: state it in [reports] of crm-service, region",
    );
    sections(&mut page, body);
    page
}

fn sections(page: &mut Page, body: &Body) {
    page.section(
        "Processing",
        "(b) The categories of processing that were carried out for the controller.",
        vec![
            words("Operation"),
            words("Type"),
            words("Purpose"),
            words("First"),
            words("Last"),
            number("Calls"),
            number("Records"),
        ],
        body.processing.iter().map(activity_row).collect(),
    );
    page.section(
        "Transfers",
        "(c) Transfers to third countries, and where the portal's data lies.",
        vec![words("To"), words("Where"), words("Ground"), words("Reference")],
        body.transfers
            .iter()
            .map(|to| {
                vec![
                    to.recipient.clone(),
                    to.country.clone(),
                    to.mechanism.clone(),
                    to.reference.clone(),
                ]
            })
            .collect(),
    );
    page.section(
        "Security measures",
        "(d) The measures of Art. 32(1), as this deployment has them now.",
        vec![words("Measure")],
        body.security_measures
            .iter()
            .map(|one| vec![one.clone()])
            .collect(),
    );
    page.section(
        "Recipients",
        "Callers who got data, or gave some.",
        vec![words("Caller")],
        body.annex
            .recipients
            .iter()
            .map(|one| vec![one.clone()])
            .collect(),
    );
    page.section(
        "Further processors",
        "Art. 28(2).",
        vec![
            words("Who"),
            words("For what"),
            words("Where"),
            words("Allowed since"),
        ],
        body.annex
            .subprocessors
            .iter()
            .map(|one| {
                vec![
                    one.name.clone(),
                    one.purpose.clone(),
                    one.country.clone(),
                    one.authorized_date.clone(),
                ]
            })
            .collect(),
    );
    page.section(
        "Refused by Hubkeep",
        "What was asked for this portal and not sent.",
        vec![words("Reason"), number("Times")],
        pairs(&body.evidence.denied_by_reason),
    );
    page.section(
        "Administration",
        "What was done with the portal, its token and its handles.",
        vec![words("Operation"), number("Times")],
        pairs(&body.evidence.administration),
    );
}

fn activity_row(activity: &Activity) -> Vec<String> {
    vec![
        activity.operation.clone(),
        activity.object_type.clone(),
        activity.purpose_code.clone(),
        activity.first_seen.clone(),
        activity.last_seen.clone(),
        activity.calls.to_string(),
        activity.records.to_string(),
    ]
}
