//! A portal as it is shown.

use hubkeep_proto::credential::v1::{AccountType, CredentialKind, Portal, PortalCredential, PortalState};
use serde_json::Value;

use super::super::time::day_and_time;
use crate::{errors::Error, wire_json};

/// The columns of the list.
pub(super) const HEADER: [&str; 11] = [
    "client",
    "portal",
    "state",
    "type",
    "data",
    "time zone",
    "money",
    "kind",
    "scopes",
    "token",
    "verified",
];

/// What a narrow terminal does not show of the list, the first first.
pub(super) const MAY_GO: [&str; 7] = ["money", "time zone", "data", "type", "scopes", "kind", "verified"];

/// The portal under the names of its `.proto` fields, so that `changed_fields` finds them.
pub(super) fn facts(portal: &Portal) -> Vec<(&'static str, String)> {
    let credentials: Vec<String> = portal.credentials.iter().map(credential).collect();
    vec![
        ("client_slug", portal.client_slug.clone()),
        ("portal_id", portal.portal_id.to_string()),
        ("state", state(portal.state()).to_owned()),
        ("account_type", account_type(portal.account_type()).to_owned()),
        ("data_hosting_location", portal.data_hosting_location.clone()),
        ("time_zone", portal.time_zone.clone()),
        ("company_currency", portal.company_currency.clone()),
        ("credential_version", portal.credential_version.to_string()),
        ("portal_generation", portal.portal_generation.to_string()),
        ("store_version", portal.store_version.to_string()),
        ("credentials", credentials.join("; ")),
        ("scopes", portal.scopes.join(", ")),
        ("verify_time", day_and_time(portal.verify_time.as_ref())),
    ]
}

/// What reports need to know of its client, as far as it is known.
pub(super) fn details(portal: &Portal) -> Vec<(&'static str, String)> {
    let details = portal.details.clone().unwrap_or_default();
    let mut facts = vec![
        ("controller_name", details.controller_name),
        ("controller_contact", details.controller_contact),
        ("dpa_reference", details.dpa_reference),
        ("purposes", details.purposes.join("; ")),
        ("region", details.region),
        ("tags", details.tags.join("; ")),
        ("dpa_date", details.dpa_date),
        ("instructions_reference", details.instructions_reference),
        ("data_subjects", details.data_subjects.join("; ")),
        ("controller_representative", details.controller_representative),
        (
            "controller_data_protection_officer",
            details.controller_data_protection_officer,
        ),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// A line of the list.
pub(super) fn row(portal: &Portal) -> Vec<String> {
    vec![
        portal.client_slug.clone(),
        portal.portal_id.to_string(),
        state(portal.state()).to_owned(),
        account_type(portal.account_type()).to_owned(),
        portal.data_hosting_location.clone(),
        portal.time_zone.clone(),
        portal.company_currency.clone(),
        kind(portal.credential_kind()).to_owned(),
        portal.scopes.len().to_string(),
        tokens(portal),
        day_and_time(portal.verify_time.as_ref()),
    ]
}

/// The first token, and how many there are beside it.
fn tokens(portal: &Portal) -> String {
    match portal.credentials.len() {
        0 | 1 => portal.token_fingerprint.clone(),
        several => format!("{} +{}", portal.token_fingerprint, several.saturating_sub(1)),
    }
}

fn credential(credential: &PortalCredential) -> String {
    format!(
        "{} ({}, {}, version {}, token {}{})",
        credential.credential_name,
        kind(credential.credential_kind()),
        if credential.may_write {
            "may write"
        } else {
            "reads only"
        },
        credential.credential_version,
        credential.token_fingerprint,
        if credential.consent_required {
            ", its consent is lost: connect the app again"
        } else {
            ""
        },
    )
}

pub(super) fn as_json(portal: &Portal) -> Result<Value, Error> {
    wire_json::of("hubkeep.credential.v1.Portal", portal)
}

/// The word for a state.
pub(super) const fn state(state: PortalState) -> &'static str {
    match state {
        PortalState::Unspecified => "–",
        PortalState::Active => "active",
        PortalState::Suspended => "suspended",
        PortalState::Contained => "contained",
        PortalState::Erased => "erased",
        PortalState::RollbackSuspected => "rollback suspected",
        PortalState::Altered => "altered",
    }
}

const fn account_type(kind: AccountType) -> &'static str {
    match kind {
        AccountType::Unspecified => "–",
        AccountType::Standard => "standard",
        AccountType::DeveloperTest => "test",
        AccountType::Sandbox => "sandbox",
        AccountType::AppDeveloper => "app developer",
    }
}

const fn kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Unspecified => "–",
        CredentialKind::ServiceKey => "service key",
        CredentialKind::PrivateApp => "private app",
        CredentialKind::Oauth => "oauth",
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::credential::v1::PortalDetails;

    use super::*;
    use crate::output::Output;

    #[test]
    fn what_reports_need_is_shown_as_far_as_it_is_known() {
        let portal = Portal {
            details: Some(PortalDetails {
                controller_name: "ACME, Inc".to_owned(),
                purposes: vec!["sync".to_owned(), "reporting".to_owned()],
                ..PortalDetails::default()
            }),
            ..Portal::default()
        };
        assert_eq!(
            details(&portal),
            [
                ("controller_name", "ACME, Inc".to_owned()),
                ("purposes", "sync; reporting".to_owned())
            ]
        );
        assert!(details(&Portal::default()).is_empty());
    }

    #[test]
    fn eighty_columns_show_the_list_and_break_no_word() {
        let portal = Portal {
            client_slug: "acme-corporation".to_owned(),
            portal_id: 141_000_001,
            state: PortalState::RollbackSuspected.into(),
            time_zone: "America/Argentina/Buenos_Aires".to_owned(),
            token_fingerprint: "0123456789abcdef".to_owned(),
            credentials: vec![PortalCredential::default(), PortalCredential::default()],
            ..Portal::default()
        };
        let (output, answers, _) = Output::on_paper(false);
        let output = output.on_terminal(80);
        output
            .table_without(&MAY_GO, &HEADER, vec![row(&portal)], "")
            .expect("written");
        let text = answers.text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for whole in [
            "acme-corporation",
            "141000001",
            "rollback suspected",
            "0123456789abcdef +1",
        ] {
            assert!(text.contains(whole), "{whole} in {text}");
        }
    }
}
