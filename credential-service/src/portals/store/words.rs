//! The words by which the tables name kinds. They never change.

use hubkeep_hubspot::account::AccountType;

use super::super::CredentialKind;

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

pub(super) const fn kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Unspecified => "",
        CredentialKind::ServiceKey => "service-key",
        CredentialKind::PrivateApp => "private-app",
    }
}

pub(super) fn kind_of(name: &str) -> CredentialKind {
    match name {
        "service-key" => CredentialKind::ServiceKey,
        "private-app" => CredentialKind::PrivateApp,
        _ => CredentialKind::Unspecified,
    }
}
