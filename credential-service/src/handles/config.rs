//! How long handles live, and how many.

use std::time::Duration;

use hubkeep_core::{
    config::{Fault, Validate},
    id::CallerName,
};
use serde::{Deserialize, Serialize};

/// No handle lives longer, whatever is configured.
const LONGEST: Duration = Duration::from_secs(900);
/// No caller may hold more handles of a portal, whatever is configured.
const MOST: u32 = 1_024;

/// How long handles live, and how many.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The life of a handle whose caller states none.
    #[serde(with = "humantime_serde")]
    pub default_lifetime: Duration,
    /// The longest life; 15 minutes at most.
    #[serde(with = "humantime_serde")]
    pub max_lifetime: Duration,
    /// The service that may redeem a handle whose caller names none, by the name in its certificate.
    #[serde(with = "name")]
    pub audience: CallerName,
    /// Living handles that one caller may hold of one portal; 1,024 at most.
    pub max_live_per_caller: u32,
}

/// A caller's name, as text.
mod name {
    use hubkeep_core::id::CallerName;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(name: &CallerName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CallerName, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|error: hubkeep_core::id::InvalidName| D::Error::custom(error.rule()))
    }
}

#[expect(clippy::expect_used, reason = "the name is a constant, and a test reads it")]
impl Default for Config {
    fn default() -> Self {
        Self {
            default_lifetime: Duration::from_secs(300),
            max_lifetime: LONGEST,
            audience: "crm-service".parse().expect("a caller's name"),
            max_live_per_caller: 64,
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        let second = Duration::from_secs(1);
        let checks = [
            (
                "handles.max_lifetime",
                (second..=LONGEST).contains(&self.max_lifetime),
                "must be from 1s to 15m",
            ),
            (
                "handles.default_lifetime",
                (second..=self.max_lifetime).contains(&self.default_lifetime),
                "must be from 1s to handles.max_lifetime",
            ),
            (
                "handles.max_live_per_caller",
                (1..=MOST).contains(&self.max_live_per_caller),
                "must be from 1 to 1024",
            ),
        ];
        for (key, _, problem) in checks.into_iter().filter(|(_, holds, _)| !holds) {
            faults.push(Fault {
                key: key.to_owned(),
                problem: problem.to_owned(),
            });
        }
    }
}
