//! The report of a service provider for people.

use super::{Body, Category, Use};
use crate::reports::{
    config::LETTERS,
    counted::pairs,
    page::{Page, number, words},
};

/// The page of a report. What is missing in it is for its maker to say.
pub(super) fn page(body: &Body) -> Page {
    let mut page = Page::with(vec![
        ("Business", body.business.name.clone()),
        ("Contact of the business", body.business.contact.clone()),
        ("Region of the business", body.business.region.clone()),
        ("Service provider", body.service_provider.line()),
        ("Contract", body.contract.reference.clone()),
        ("Date of the contract", body.contract.date.clone()),
        ("Terms by 11 CCR 7051", body.contract.terms_reference.clone()),
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
    contract(&mut page, body);
    uses(&mut page, body);
    page.section(
        "Consumers' requests",
        "What Hubkeep was asked for on behalf of consumers, each with the entry that proves it.",
        ["What", "Received", "Completed", "Record", "Entry"]
            .map(words)
            .to_vec(),
        body.consumer_requests
            .iter()
            .map(|one| {
                vec![
                    one.kind.to_owned(),
                    one.received.clone(),
                    one.completed.clone(),
                    one.object_ref.clone(),
                    one.proof.told(),
                ]
            })
            .collect(),
    );
    page.section(
        "Security measures",
        "As this deployment has them now.",
        vec![words("Measure")],
        body.security_measures
            .iter()
            .map(|one| vec![one.clone()])
            .collect(),
    );
    page.section(
        "Refused by Hubkeep",
        "What was asked for this portal and not sent.",
        vec![words("Reason"), number("Times")],
        pairs(&body.denied_by_reason),
    );
    page
}

fn contract(page: &mut Page, body: &Body) {
    page.section(
        "Terms of the contract",
        "What 11 CCR 7051(a) asks for, and where it is written.",
        ["Term", "Says", "Written in"].map(words).to_vec(),
        body.contract
            .terms
            .iter()
            .map(|one| vec![one.term.to_owned(), one.says.to_owned(), one.reference.clone()])
            .collect(),
    );
    page.section(
        "Subcontractors",
        "Who else takes part.",
        ["Who", "For what", "Where", "Allowed since"].map(words).to_vec(),
        body.subcontractors
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

fn uses(page: &mut Page, body: &Body) {
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
    page.section(
        "Categories of personal information",
        "By the letters of Civil Code 1798.140(v)(1): what records of each type that was touched hold.",
        vec![
            words("Type"),
            words("Categories"),
            words("Sensitive"),
            number("Calls"),
            number("Records"),
        ],
        body.categories.iter().map(category_row).collect(),
    );
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

fn category_row(category: &Category) -> Vec<String> {
    let letters = match &category.letters {
        None => "not known".to_owned(),
        Some(letters) if letters.is_empty() => "none".to_owned(),
        Some(letters) => {
            let named = LETTERS
                .iter()
                .filter(|(letter, _)| letters.iter().any(|one| one == letter));
            let named: Vec<String> = named.map(|(letter, says)| format!("{letter}: {says}")).collect();
            named.join("; ")
        }
    };
    let sensitive = match category.is_sensitive {
        None => "not known",
        Some(true) => "yes",
        Some(false) => "no",
    };
    vec![
        category.object_type.clone(),
        letters,
        sensitive.to_owned(),
        category.calls.to_string(),
        category.records.to_string(),
    ]
}
