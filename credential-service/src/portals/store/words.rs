//! The words by which the tables name kinds. They never change.

use hubkeep_hubspot::account::AccountType;

use super::super::{CredentialKind, State};

pub(super) const fn account_type(kind: AccountType) -> &'static str {
    match kind {
        AccountType::Standard => "standard",
        AccountType::DeveloperTest => "developer-test",
        AccountType::Sandbox => "sandbox",
        AccountType::AppDeveloper => "app-developer",
        AccountType::Other => "other",
    }
}

pub(super) fn account_type_of(name: &str) -> AccountType {
    match name {
        "standard" => AccountType::Standard,
        "developer-test" => AccountType::DeveloperTest,
        "sandbox" => AccountType::Sandbox,
        "app-developer" => AccountType::AppDeveloper,
        _ => AccountType::Other,
    }
}

/// The word for a state. That an older state than the log's is suspected stands in no row.
pub(super) const fn state(state: State) -> &'static str {
    match state {
        State::Active | State::RollbackSuspected => "active",
        State::Suspended => "suspended",
        State::Contained => "contained",
        State::Erased => "erased",
    }
}

pub(super) fn state_of(name: &str) -> Option<State> {
    match name {
        "active" => Some(State::Active),
        "suspended" => Some(State::Suspended),
        "contained" => Some(State::Contained),
        "erased" => Some(State::Erased),
        _ => None,
    }
}

pub(super) const fn kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Unspecified => "",
        CredentialKind::ServiceKey => "service-key",
        CredentialKind::PrivateApp => "private-app",
        CredentialKind::OAuth => "oauth",
    }
}

pub(super) fn kind_of(name: &str) -> CredentialKind {
    match name {
        "service-key" => CredentialKind::ServiceKey,
        "private-app" => CredentialKind::PrivateApp,
        "oauth" => CredentialKind::OAuth,
        _ => CredentialKind::Unspecified,
    }
}
