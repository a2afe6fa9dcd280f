//! Where HubSpot is, which version of its API is spoken, and how long to wait.

use std::time::Duration;

use hubkeep_core::{
    address::is_protected,
    config::{Fault, Validate},
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::app::AppConfig;

/// Which shape of paths is used. HubSpot supports each dated version for 18 months, and v3 until September 2027.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiVersion {
    /// The newest dated version: `/crm/objects/2026-09/contacts`.
    #[default]
    #[serde(rename = "2026-09")]
    V2026_09,
    /// The older shape: `/crm/v3/objects/contacts`.
    #[serde(rename = "v3")]
    V3,
}

impl ApiVersion {
    /// The day from which HubSpot does not support this version: 18 months after a dated one was released (2026-09 was on
    /// 8 September 2026), and September 2027 for v3, as its changelog says. Year, month, day.
    pub const fn unsupported_from(self) -> (i16, i8, i8) {
        match self {
            Self::V2026_09 => (2028, 3, 8),
            Self::V3 => (2027, 9, 1),
        }
    }

    /// The version as paths have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2026_09 => "2026-09",
            Self::V3 => "v3",
        }
    }
}

/// The longest that a connection may take to open. Whoever keeps within HubSpot's limits counts on it that a request has arrived
/// by then: a connection whose first packet is lost is tried again after a second.
pub const LONGEST_CONNECT: Duration = Duration::from_secs(2);

/// How HubSpot is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The API's address: https, or plain http on loopback.
    pub api_base: Url,
    /// Which version of the API is spoken.
    pub api_version: ApiVersion,
    /// How long a connection may take to open: 2 s at most.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long one attempt may take in all. HubSpot itself gives up after 100 s.
    #[serde(with = "humantime_serde")]
    pub attempt_timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub max_answer_bytes: usize,
    /// Our OAuth app, where portals are connected by one. For credential-service only: nobody else exchanges tokens.
    pub app: Option<AppConfig>,
}

#[expect(
    clippy::expect_used,
    reason = "the address is a constant, and a test reads it"
)]
impl Default for Config {
    fn default() -> Self {
        Self {
            api_base: Url::parse("https://api.hubapi.com").expect("a valid address"),
            api_version: ApiVersion::default(),
            connect_timeout: LONGEST_CONNECT,
            attempt_timeout: Duration::from_secs(100),
            max_answer_bytes: 16 * 1024 * 1024,
            app: None,
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if !is_protected(&self.api_base) {
            let problem = "must be https, or http on loopback: tokens travel on it".to_owned();
            faults.push(Fault {
                key: "hubspot.api_base".to_owned(),
                problem,
            });
        }
        if self.connect_timeout.is_zero() || self.connect_timeout > LONGEST_CONNECT {
            let problem = "must be more than 0 and at most 2s: limits are counted by it";
            faults.push(Fault::new("hubspot.connect_timeout", problem));
        }
        if let Some(app) = &self.app {
            app.validate(faults);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_hubspot_itself() {
        assert_eq!(Config::default().api_base.as_str(), "https://api.hubapi.com/");
    }
}
