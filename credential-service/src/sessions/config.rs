//! Who may sign in, by which providers, and for how long.

use std::{collections::BTreeSet, time::Duration};

use hubkeep_core::{
    address::is_protected,
    config::{Fault, Validate},
};
use serde::{Deserialize, Serialize};
use url::Url;

/// No session lives longer, however often it is refreshed.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The most providers.
const MOST: usize = 8;
const WELL_KNOWN: &str = ".well-known/openid-configuration";

/// Who may sign in, and for how long.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// How long a session token lives before it is refreshed: 1 min to 24 h.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// How long a session lives in all, and what a client is given: 30 days at most.
    #[serde(with = "humantime_serde")]
    pub max_lifetime: Duration,
    /// Whom people sign in with. None where nobody does.
    pub providers: Vec<Provider>,
}

/// An OpenID provider that people sign in with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name, as in the ID token's `iss`: "https://accounts.google.com".
    pub issuer: String,
    /// Our client at it, which ID tokens must be for.
    pub client_id: String,
    /// The claim that says which organisation an account belongs to: Google's `hd` unless set.
    #[serde(default = "hosted_domain")]
    pub claim: String,
    /// The values of that claim whose people may sign in. An account without the claim may not.
    pub allowed: BTreeSet<String>,
    /// Where the provider describes itself, if that is not below its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Url>,
}

fn hosted_domain() -> String {
    "hd".to_owned()
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(60 * 60),
            max_lifetime: LONGEST,
            providers: Vec::new(),
        }
    }
}

impl Provider {
    /// Where the provider describes itself.
    pub(super) fn described_at(&self) -> Option<Url> {
        let named = || {
            let below = format!("{}/{WELL_KNOWN}", self.issuer.trim_end_matches('/'));
            Url::parse(&below).ok()
        };
        self.discovery.clone().or_else(named)
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if !(MINUTE..=DAY).contains(&self.lifetime) {
            faults.push(Fault::new("sessions.lifetime", "must be from 1m to 24h"));
        }
        if !(self.lifetime..=LONGEST).contains(&self.max_lifetime) {
            let problem = "must be from sessions.lifetime to 30d";
            faults.push(Fault::new("sessions.max_lifetime", problem));
        }
        let issuers: BTreeSet<&str> = self.providers.iter().map(|one| one.issuer.as_str()).collect();
        if issuers.len() < self.providers.len() || self.providers.len() > MOST {
            let problem = "must be at most 8, each with an issuer of its own";
            faults.push(Fault::new("sessions.providers", problem));
        }
        for (nth, provider) in self.providers.iter().enumerate() {
            provider.check(&format!("sessions.providers[{nth}]"), faults);
        }
    }
}

impl Provider {
    fn check(&self, key: &str, faults: &mut Vec<Fault>) {
        let plain = |url: &Url| is_protected(url) && url.query().is_none() && url.fragment().is_none();
        let issuer = Url::parse(&self.issuer).is_ok_and(|url| plain(&url) && url.username().is_empty());
        let checks = [
            (
                "issuer",
                issuer,
                "must be https, or http on loopback, without query and fragment",
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
            (
                "claim",
                !self.claim.is_empty(),
                "name the claim that says whose an account is",
            ),
            (
                "allowed",
                !self.allowed.is_empty() && !self.allowed.contains(""),
                "name at least one organisation: nobody else signs in",
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
        let provider = Provider {
            issuer: "http://accounts.example".to_owned(),
            client_id: String::new(),
            claim: String::new(),
            allowed: BTreeSet::new(),
            discovery: Url::parse("http://accounts.example").ok(),
        };
        let config = Config {
            lifetime: Duration::from_secs(1),
            providers: vec![provider.clone(), provider],
            ..Config::default()
        };
        let mut faults = Vec::new();
        config.validate(&mut faults);
        assert_eq!(faults.len(), 2 + 2 * 5, "{faults:?}");
        faults.clear();
        Config::default().validate(&mut faults);
        assert!(faults.is_empty());
    }
}
