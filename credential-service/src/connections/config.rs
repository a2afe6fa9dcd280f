//! What people are asked to consent to, and where they come back.

use hubkeep_core::{
    address::is_protected,
    config::{Fault, Validate},
};
use serde::{Deserialize, Serialize};
use url::Url;

/// What people connect with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Where HubSpot sends browsers back: crm-service's address and "/auth/hubspot/callback", as it is registered with the app.
    /// Empty where nobody connects anything.
    pub redirect_uri: String,
    /// The page at HubSpot on which people consent.
    pub authorize_url: Url,
    /// What every account must give: all that the app requires.
    pub scopes: Vec<String>,
    /// What an account gives where it has it.
    pub optional_scopes: Vec<String>,
}

#[expect(
    clippy::expect_used,
    reason = "the address is a constant, and a test reads it"
)]
impl Default for Config {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            redirect_uri: String::new(),
            authorize_url: Url::parse("https://app.hubspot.com/oauth/authorize").expect("a valid address"),
            scopes: words(&["oauth"]),
            optional_scopes: words(&[
                "crm.objects.contacts.read",
                "crm.objects.companies.read",
                "crm.objects.deals.read",
                "tickets",
                "crm.objects.owners.read",
                "crm.schemas.contacts.read",
                "crm.schemas.companies.read",
                "crm.schemas.deals.read",
            ]),
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if !self.redirect_uri.is_empty() && !is_callback(&self.redirect_uri) {
            let problem = "must be https, or http on loopback, as it is registered with the app";
            faults.push(Fault::new("connections.redirect_uri", problem));
        }
        if !is_protected(&self.authorize_url) {
            let problem = "must be https, or http on loopback: browsers are sent there";
            faults.push(Fault::new("connections.authorize_url", problem));
        }
        let is_scope = |scope: &String| {
            let inner = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            !scope.is_empty() && scope.bytes().all(inner)
        };
        if self.scopes.is_empty() || !self.scopes.iter().chain(&self.optional_scopes).all(is_scope) {
            let problem = "name at least one scope, each without blanks";
            faults.push(Fault::new("connections.scopes", problem));
        }
    }
}

fn is_callback(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_protected(&url) && url.fragment().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_told() {
        let faults_of = |config: &Config| {
            let mut faults = Vec::new();
            config.validate(&mut faults);
            faults.len()
        };
        assert_eq!(faults_of(&Config::default()), 0);
        let bad = Config {
            redirect_uri: "http://hubkeep.example/auth/hubspot/callback".to_owned(),
            scopes: vec!["a b".to_owned()],
            ..Config::default()
        };
        assert_eq!(faults_of(&bad), 2);
    }
}
