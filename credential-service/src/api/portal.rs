//! A portal, from messages into the words of the vault and back.

use hubkeep_core::{id::CredentialName, secret::PortalToken};
use hubkeep_hubspot::account::AccountType;
use hubkeep_proto::credential::v1::{self as wire, ImportPortalsRequest, OnboardPortalRequest};

use super::{Error, fields};
use crate::portals::{CredentialKind, Details, Listed, NewPortal, Portal, PortalCredential, State};

/// Takes the token out of the request first: it is wiped from memory whatever else is wrong.
pub(super) fn new_portal(request: OnboardPortalRequest) -> Result<NewPortal, Error> {
    let token = PortalToken::new(request.portal_token);
    Ok(NewPortal {
        client_slug: fields::name("client_slug", &request.client_slug)?,
        token,
        expected: fields::portal_id("expected_portal_id", request.expected_portal_id)?,
        kind: kind(request.credential_kind)?,
        credential_name: match request.credential_name.as_str() {
            "" => CredentialName::default(),
            name => fields::name("credential_name", name)?,
        },
        details: request.details.map(details).transpose()?,
        validate_only: request.validate_only,
    })
}

/// A row of an import as the portal that it asks for.
pub(super) fn new_portal_of_row(row: ImportPortalsRequest) -> Result<NewPortal, Error> {
    new_portal(OnboardPortalRequest {
        client_slug: row.client_slug,
        portal_token: row.portal_token,
        expected_portal_id: row.expected_portal_id,
        credential_kind: row.credential_kind,
        credential_name: row.credential_name,
        details: row.details,
        validate_only: row.validate_only,
    })
}

/// What is known of a client, held to its rules.
pub(super) fn details(wire: wire::PortalDetails) -> Result<Details, Error> {
    let details = Details {
        controller_name: wire.controller_name,
        controller_contact: wire.controller_contact,
        dpa_reference: wire.dpa_reference,
        purposes: wire.purposes,
        region: wire.region,
        tags: wire.tags,
        dpa_date: wire.dpa_date,
        instructions_reference: wire.instructions_reference,
        data_subjects: wire.data_subjects,
        controller_representative: wire.controller_representative,
        controller_data_protection_officer: wire.controller_data_protection_officer,
    };
    details.checked().map_err(Error::Fields)
}

/// A portal with what is known of its client.
pub(super) fn described(portal: &Portal, details: Option<Details>) -> wire::Portal {
    wire::Portal {
        details: details.map(|details| wire::PortalDetails {
            controller_name: details.controller_name,
            controller_contact: details.controller_contact,
            dpa_reference: details.dpa_reference,
            purposes: details.purposes,
            region: details.region,
            tags: details.tags,
            dpa_date: details.dpa_date,
            instructions_reference: details.instructions_reference,
            data_subjects: details.data_subjects,
            controller_representative: details.controller_representative,
            controller_data_protection_officer: details.controller_data_protection_officer,
        }),
        ..to_wire(portal)
    }
}

/// Marks the credentials of these versions: their consent is lost.
pub(super) fn with_lost(mut portal: wire::Portal, lost: &[u64]) -> wire::Portal {
    for credential in &mut portal.credentials {
        credential.consent_required = lost.contains(&credential.credential_version);
    }
    portal
}

fn kind(number: i32) -> Result<CredentialKind, Error> {
    match wire::CredentialKind::try_from(number) {
        Ok(wire::CredentialKind::Unspecified) => Ok(CredentialKind::Unspecified),
        Ok(wire::CredentialKind::ServiceKey) => Ok(CredentialKind::ServiceKey),
        Ok(wire::CredentialKind::PrivateApp) => Ok(CredentialKind::PrivateApp),
        Ok(wire::CredentialKind::Oauth) => Ok(CredentialKind::OAuth),
        Err(_) => Err(Error::field(
            "credential_kind",
            "is not a kind that is known here",
        )),
    }
}

/// A portal in a list. Of one whose rows were altered nothing is told but what they call it.
pub(super) fn listed_to_wire(listed: &Listed) -> wire::Portal {
    match listed {
        Listed::Intact(portal) => to_wire(portal),
        Listed::Altered(altered) => wire::Portal {
            client_slug: altered.client_slug.clone(),
            portal_id: u64::try_from(altered.portal_id).unwrap_or(0),
            state: wire::PortalState::Altered.into(),
            ..wire::Portal::default()
        },
    }
}

pub(super) fn to_wire(portal: &Portal) -> wire::Portal {
    let account_type = match portal.facts.account_type {
        AccountType::Standard => wire::AccountType::Standard,
        AccountType::DeveloperTest => wire::AccountType::DeveloperTest,
        AccountType::Sandbox => wire::AccountType::Sandbox,
        AccountType::AppDeveloper => wire::AccountType::AppDeveloper,
        AccountType::Other => wire::AccountType::Unspecified,
    };
    let first = portal.credentials.first();
    wire::Portal {
        client_slug: portal.client_slug.to_string(),
        portal_id: portal.portal_id.get(),
        account_type: account_type.into(),
        data_hosting_location: portal.facts.data_hosting_location.clone(),
        time_zone: portal.facts.time_zone.clone(),
        company_currency: portal.facts.company_currency.clone(),
        scopes: first.map(|first| first.scopes.clone()).unwrap_or_default(),
        credential_kind: first
            .map_or(wire::CredentialKind::Unspecified, |first| {
                kind_to_wire(first.kind)
            })
            .into(),
        credential_version: portal.credential_version,
        portal_generation: portal.portal_generation,
        token_fingerprint: first
            .map(|first| first.token_fingerprint.to_string())
            .unwrap_or_default(),
        onboard_time: Some(portal.onboard_time.into()),
        verify_time: Some(portal.verify_time.into()),
        credentials: portal.credentials.iter().map(credential_to_wire).collect(),
        state: state_to_wire(portal.state).into(),
        store_version: portal.store_version,
        details: None,
    }
}

const fn state_to_wire(state: State) -> wire::PortalState {
    match state {
        State::Active => wire::PortalState::Active,
        State::Suspended => wire::PortalState::Suspended,
        State::Contained => wire::PortalState::Contained,
        State::Erased => wire::PortalState::Erased,
        State::RollbackSuspected => wire::PortalState::RollbackSuspected,
    }
}

fn credential_to_wire(credential: &PortalCredential) -> wire::PortalCredential {
    wire::PortalCredential {
        credential_name: credential.name.to_string(),
        credential_kind: kind_to_wire(credential.kind).into(),
        scopes: credential.scopes.clone(),
        may_write: credential.may_write(),
        credential_version: credential.version,
        token_fingerprint: credential.token_fingerprint.to_string(),
        onboard_time: Some(credential.onboard_time.into()),
        token_time: Some(credential.token_time.into()),
        verify_time: Some(credential.verify_time.into()),
        consent_required: false,
        app_id: credential.app_id,
    }
}

pub(super) const fn kind_to_wire(kind: CredentialKind) -> wire::CredentialKind {
    match kind {
        CredentialKind::Unspecified => wire::CredentialKind::Unspecified,
        CredentialKind::ServiceKey => wire::CredentialKind::ServiceKey,
        CredentialKind::PrivateApp => wire::CredentialKind::PrivateApp,
        CredentialKind::OAuth => wire::CredentialKind::Oauth,
    }
}
