//! The report of permissions for people.

use super::Body;
use crate::reports::page::{Page, number, words};

/// The page of a report. What is missing in it is for its maker to say.
pub(super) fn page(body: &Body) -> Page {
    let mut page = Page::default();
    page.section(
        "Grants",
        "Who may have handles for the portal now, and what of that nobody used in the period.",
        [
            "Grant",
            "Holder",
            "Operations",
            "Types",
            "Not used",
            "Writes need approval",
        ]
        .map(words)
        .to_vec(),
        body.grants
            .iter()
            .map(|grant| {
                vec![
                    grant.grant_id.clone(),
                    grant.holder.clone(),
                    grant.operations.join(", "),
                    grant.object_types.join(", "),
                    grant.unused_operations.join(", "),
                    if grant.writes_need_approval { "yes" } else { "no" }.to_owned(),
                ]
            })
            .collect(),
    );
    page.section(
        "Used",
        "What callers did, and what they were refused.",
        vec![
            words("Caller"),
            words("Operation"),
            words("Type"),
            number("Calls"),
            number("Denied here"),
        ],
        body.used
            .iter()
            .map(|one| {
                vec![
                    one.caller.clone(),
                    one.operation.clone(),
                    one.object_type.clone(),
                    one.calls.to_string(),
                    one.denied.to_string(),
                ]
            })
            .collect(),
    );
    page.section(
        "Tokens",
        "What HubSpot lets the portal's tokens do: take away what nothing needs.",
        [
            "Credential",
            "Scopes",
            "Needed by what was done",
            "Not needed",
            "Not known",
        ]
        .map(words)
        .to_vec(),
        body.credentials
            .iter()
            .map(|one| {
                vec![
                    one.name.clone(),
                    one.scopes.join(", "),
                    one.used_scopes.join(", "),
                    one.unused_scopes.join(", "),
                    one.unknown_scopes.join(", "),
                ]
            })
            .collect(),
    );
    page.section(
        "Uses whose scopes are not known",
        "They may need scopes that stand under what is not needed.",
        vec![words("Use")],
        body.uses_without_known_scope
            .iter()
            .map(|one| vec![one.clone()])
            .collect(),
    );
    page.section(
        "Callers without a grant",
        "They called in the period, and no grant names them as callers now.",
        vec![words("Caller")],
        body.callers_without_grant
            .iter()
            .map(|one| vec![one.clone()])
            .collect(),
    );
    page
}
