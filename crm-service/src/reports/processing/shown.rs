//! The record of processing for people.

use super::{Activity, Body, Heads};
use crate::reports::{
    counted::pairs,
    page::{Page, number, words},
    standings::Signed,
    usage,
};

/// The page of a record. What is missing in it is for its maker to say.
pub(super) fn page(body: &Body) -> Page {
    let (controller, annex) = (&body.controller, &body.annex);
    let mut page = Page::with(vec![
        ("Processor", body.processor.line()),
        ("Representative", body.representative.line()),
        ("Data protection officer", body.data_protection_officer.line()),
        ("Controller", controller.name.clone()),
        ("Controller's contact", controller.contact.clone()),
        ("Controller's representative", controller.representative.clone()),
        (
            "Controller's data protection officer",
            controller.data_protection_officer.clone(),
        ),
        ("Controller's region", controller.region.clone()),
        ("Runs in", body.processing_region.clone()),
        ("Data processing agreement", annex.dpa_reference.clone()),
        ("Date of the agreement", annex.dpa_date.clone()),
        ("Instructions", annex.instructions_reference.clone()),
        ("Stated purposes", annex.stated_purposes.join(", ")),
        ("Whom the data is about", annex.data_subjects.join(", ")),
        ("Types of records", annex.object_types.join(", ")),
        ("Properties that callers may touch", annex.properties.join(", ")),
        ("Retention of entries", annex.retention.clone()),
        ("To verify this", body.evidence.verify.join("; ")),
    ]);
    sections(&mut page, body);
    evidence(&mut page, body);
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
}

fn evidence(page: &mut Page, body: &Body) {
    let told = &body.evidence;
    page.section(
        "Totals",
        "Who called for what, and how it ended.",
        usage::columns(&["Caller", "Operation"]),
        told.by_caller_and_operation
            .iter()
            .map(|one| {
                let names = vec![one.caller.clone(), one.operation.clone()];
                [names, usage::counted(&one.counts)].concat()
            })
            .collect(),
    );
    page.section(
        "Deleted",
        "Each with the entry that proves it.",
        ["Time", "Operation", "Record", "Entry"].map(words).to_vec(),
        body.annex
            .deletions
            .iter()
            .map(|one| {
                vec![
                    one.time.clone(),
                    one.operation.clone(),
                    one.object_ref.clone(),
                    one.proof.told(),
                ]
            })
            .collect(),
    );
    page.section(
        "Incidents",
        "What was contained, and answers for another portal that were withheld.",
        ["Time", "What", "Caller", "About", "Entry"].map(words).to_vec(),
        told.incidents
            .iter()
            .map(|one| {
                vec![
                    one.time.clone(),
                    one.what.clone(),
                    one.caller.clone(),
                    one.subject.clone(),
                    one.proof.told(),
                ]
            })
            .collect(),
    );
    page.section(
        "Refused by Hubkeep",
        "What was asked for this portal and not sent.",
        vec![words("Reason"), number("Times")],
        pairs(&told.denied_by_reason),
    );
    page.section(
        "Administration",
        "What was done with the portal, its token and its handles.",
        vec![words("Operation"), number("Times")],
        pairs(&told.administration),
    );
    page.section(
        "Heads",
        "What the logs had come to when the period began, and where they were read: signed checkpoints.",
        ["Log", "Entries before", "Root", "Entries now", "Root now"]
            .map(words)
            .to_vec(),
        told.heads.iter().map(heads_row).collect(),
    );
}

fn heads_row(heads: &Heads) -> Vec<String> {
    let told = |signed: &Option<_>| match signed {
        Some(Signed { size, root, .. }) => [size.to_string(), root.clone()],
        None => [String::new(), String::new()],
    };
    let (start, end) = (told(&heads.start), told(&heads.end));
    [vec![heads.log.clone()], start.to_vec(), end.to_vec()].concat()
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
