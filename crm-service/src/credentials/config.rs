//! Where credential-service is.

use std::time::Duration;

use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};
use url::Url;

/// How credential-service is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Its address: `https://`, and `http://` in development.
    pub url: Url,
    /// In development, the name by which this service is known to it. Elsewhere its certificate says who it is.
    pub name: String,
    /// A view of the revocations that is older than this is not used: at most 5 s.
    #[serde(with = "humantime_serde")]
    pub max_view_age: Duration,
}

/// The longest that a revoked handle may go on being served when the feed is cut.
const MAX_VIEW_AGE: Duration = Duration::from_secs(5);

#[expect(
    clippy::expect_used,
    reason = "the address is a constant, and a test reads it"
)]
impl Default for Config {
    fn default() -> Self {
        Self {
            url: Url::parse("http://127.0.0.1:7401").expect("a valid address"),
            name: "crm-service".to_owned(),
            max_view_age: MAX_VIEW_AGE,
        }
    }
}

impl Config {
    /// Notes an address that does not fit to whether this service has a certificate: handles and tokens travel on it.
    pub(crate) fn check_scheme(&self, certified: bool, faults: &mut Vec<Fault>) {
        let problem = match (certified, self.url.scheme()) {
            (true, "http") => "must be https:// beside [tls]: handles and tokens travel there",
            (false, "https") => "must be http://, or this service needs certificates under [tls]",
            _ => return,
        };
        faults.push(Fault::new("credentials.url", problem));
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        let mut fault = |key: &str, problem: &str| {
            faults.push(Fault {
                key: format!("credentials.{key}"),
                problem: problem.to_owned(),
            });
        };
        if self.max_view_age > MAX_VIEW_AGE || self.max_view_age.is_zero() {
            fault("max_view_age", "must be more than 0 and at most 5s");
        }
        if self.name.parse::<hubkeep_core::id::CallerName>().is_err() {
            fault("name", "must be a caller's name");
        }
        if !matches!(self.url.scheme(), "http" | "https") || !self.url.has_host() {
            fault("url", "must be http:// or https:// with a host");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_holds_to_its_own_rules() {
        let mut faults = Vec::new();
        Config::default().validate(&mut faults);
        assert_eq!(faults, []);
    }

    #[test]
    fn a_view_is_never_trusted_for_longer_than_five_seconds() {
        let mut faults = Vec::new();
        Config {
            max_view_age: Duration::from_secs(6),
            ..Config::default()
        }
        .validate(&mut faults);
        assert_eq!(faults.len(), 1);
    }
}
