//! Whom people sign in with.

use std::path::PathBuf;

use hubkeep_core::{address::is_protected, config::Fault};
use serde::{Deserialize, Serialize};
use url::Url;

/// What stands in an address after "/auth/" for another purpose.
const TAKEN: [&str; 3] = ["sign-in", "hubspot", "done"];
/// The longest name of a provider.
const LONGEST: usize = 32;

/// An OpenID provider that people sign in with, as credential-service knows it too, under `[[sessions.providers]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What stands in its addresses here, `/auth/<name>` and `/auth/<name>/callback`: "google" unless set.
    #[serde(default = "google")]
    pub name: String,
    /// What people call it: "Google" unless set.
    #[serde(default = "called_google")]
    pub title: String,
    /// Its name, as in the ID token's `iss`: "https://accounts.google.com".
    pub issuer: Url,
    /// Our client at it.
    pub client_id: String,
    /// The file that holds our secret at it: mode 0400, one line. Left out where it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// Where it describes itself, if that is not below its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Url>,
    /// The organisation whose accounts it offers first: Google's `hd`. It decides nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hosted_domain: String,
}

fn google() -> String {
    "google".to_owned()
}

fn called_google() -> String {
    "Google".to_owned()
}

/// Notes what cannot work.
pub(in crate::web) fn check(providers: &[Provider], faults: &mut Vec<Fault>) {
    for (nth, provider) in providers.iter().enumerate() {
        let before = providers.iter().take(nth);
        let is_new = before
            .into_iter()
            .all(|other| other.name != provider.name && other.issuer != provider.issuer);
        if !is_new {
            let problem = "each has a name and an issuer of its own";
            faults.push(Fault::new(format!("web.providers[{nth}]"), problem));
        }
        provider.check(&format!("web.providers[{nth}]"), faults);
    }
}

impl Provider {
    /// Its name as a provider gives it, without a slash behind it.
    pub(super) fn issuer(&self) -> &str {
        self.issuer.as_str().trim_end_matches('/')
    }

    fn check(&self, key: &str, faults: &mut Vec<Fault>) {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let named = (1..=LONGEST).contains(&self.name.len()) && self.name.bytes().all(plain);
        let checks = [
            (
                "name",
                named && !TAKEN.contains(&self.name.as_str()),
                "must be 1 to 32 small letters, digits and \"-\", and not sign-in, hubspot or done",
            ),
            ("title", !self.title.is_empty(), "say what people call it"),
            (
                "issuer",
                is_protected(&self.issuer) && self.issuer.query().is_none(),
                "must be https, or http on loopback",
            ),
            (
                "discovery",
                self.discovery.as_ref().is_none_or(is_protected),
                "must be https, or http on loopback",
            ),
            (
                "client_id",
                !self.client_id.is_empty(),
                "name our client at the provider",
            ),
        ];
        for (field, _, problem) in checks.into_iter().filter(|(_, holds, _)| !holds) {
            faults.push(Fault::new(format!("{key}.{field}"), problem));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_provider_is_told() {
        let good = Provider {
            name: google(),
            title: called_google(),
            issuer: Url::parse("https://accounts.google.com").expect("valid"),
            client_id: "ours".to_owned(),
            client_secret_file: None,
            discovery: None,
            hosted_domain: String::new(),
        };
        let faults_of = |providers: &[Provider]| {
            let mut faults = Vec::new();
            check(providers, &mut faults);
            faults.into_iter().map(|fault| fault.key).collect::<Vec<_>>()
        };
        assert_eq!(faults_of(std::slice::from_ref(&good)), [] as [&str; 0]);
        assert_eq!(faults_of(&[good.clone(), good.clone()]), ["web.providers[1]"]);
        let bad = Provider {
            name: "hubspot".to_owned(),
            title: String::new(),
            issuer: Url::parse("http://accounts.example").expect("valid"),
            client_id: String::new(),
            discovery: Url::parse("http://accounts.example").ok(),
            ..good
        };
        assert_eq!(faults_of(&[bad]).len(), 5);
    }
}
