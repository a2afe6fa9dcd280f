//! When an alert fires, how bad that is, and who is told.

use std::{collections::BTreeMap, time::Duration};

use hubkeep_core::{
    clock::Timestamp,
    config::{Fault, Validate},
    id::PortalId,
};
use serde::{Deserialize, Serialize};

use super::{addressee::Addressee, kind::Kind};

/// The highest threshold.
pub const MOST: u64 = 100_000;
/// The highest threshold of a share, in a hundred.
const MOST_OF_HUNDRED: u64 = 99;
/// The shortest window.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// The longest window.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The oldest that a token may be said to be allowed to become.
const OLDEST: Duration = Duration::from_secs(3_653 * 24 * 60 * 60);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Look at it some time.
    Low,
    /// Look at it today.
    Medium,
    /// Look at it now.
    High,
    /// Wake somebody.
    Critical,
}

impl Severity {
    const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// As configuration and tables name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Whether it is looked at.
    pub enabled: bool,
    /// It fires when more than so many are counted: 0 at the first. Of a share: when more than so many in a hundred are.
    pub threshold: u64,
    /// How far back is counted.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
    /// How bad it is.
    pub severity: Severity,
    /// Who gets it, besides the stream and the log lines.
    pub send_to: Vec<Addressee>,
}

impl Rule {
    fn of(threshold: u64, minutes: u64, severity: Severity) -> Self {
        Self {
            enabled: true,
            threshold,
            window: Duration::from_secs(minutes * 60),
            severity,
            send_to: Addressee::TOLD.to_vec(),
        }
    }

    /// In what it breaks its bounds as a rule of this kind: the field, and the rule of it.
    pub fn faults(&self, kind: Kind) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        if kind.is_share() && self.threshold > MOST_OF_HUNDRED {
            faults.push(("threshold", "must be at most 99: so many in a hundred"));
        } else if self.threshold > MOST {
            faults.push(("threshold", "must be at most 100,000"));
        }
        if !(SHORTEST..=LONGEST).contains(&self.window) {
            faults.push(("window", "must be from 1 s to 24 h"));
        }
        if Addressee::ALL
            .iter()
            .any(|one| self.send_to.iter().filter(|named| *named == one).count() > 1)
        {
            faults.push(("send_to", "must name each once"));
        }
        faults
    }
}

/// The deployment's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Answers of HubSpot with a status from 500 to 599.
    pub hubspot_failures: Rule,
    /// The same as a share of all answers, as soon as there are 20: its threshold is in a hundred. Off as delivered.
    pub hubspot_failure_share: Rule,
    /// Calls of one caller that gave contacts of one portal.
    pub contact_reads: Rule,
    /// Refusals of one caller.
    pub denied_calls: Rule,
    /// Refusals of one caller whose handle is for another portal than it named.
    pub wrong_portal: Rule,
    /// Entries that say that somebody else calls with a portal's token: at most one an hour.
    pub unaccounted_use: Rule,
    /// Entries that say that this service's log is not anchored where it should be: one in five minutes while it lasts.
    pub unanchored: Rule,
    /// Entries that say that a portal's token is older than [`token_age`](Self::token_age): two a day while it is so.
    pub rotation_overdue: Rule,
    /// How old a token may be, from 1 day to 10 years. HubSpot reminds its administrators after 180 days.
    #[serde(with = "humantime_serde")]
    pub token_age: Duration,
    /// For how long alerts are kept when they are resolved.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
    /// For how long a receiver that takes nothing is tried.
    #[serde(with = "humantime_serde")]
    pub deliver_for: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hubspot_failures: Rule::of(0, 5, Severity::Medium),
            hubspot_failure_share: Rule {
                enabled: false,
                ..Rule::of(10, 5, Severity::High)
            },
            contact_reads: Rule::of(100, 1, Severity::High),
            denied_calls: Rule::of(20, 5, Severity::Medium),
            wrong_portal: Rule::of(0, 10, Severity::High),
            unaccounted_use: Rule::of(0, 120, Severity::High),
            unanchored: Rule::of(0, 10, Severity::High),
            rotation_overdue: Rule::of(0, 24 * 60, Severity::Medium),
            token_age: Duration::from_secs(180 * 24 * 60 * 60),
            keep: Duration::from_secs(90 * 24 * 60 * 60),
            deliver_for: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Config {
    /// The deployment's rule of this kind.
    pub const fn rule(&self, kind: Kind) -> &Rule {
        match kind {
            Kind::HubSpotFailures => &self.hubspot_failures,
            Kind::HubSpotFailureShare => &self.hubspot_failure_share,
            Kind::ContactReads => &self.contact_reads,
            Kind::DeniedCalls => &self.denied_calls,
            Kind::WrongPortal => &self.wrong_portal,
            Kind::UnaccountedUse => &self.unaccounted_use,
            Kind::Unanchored => &self.unanchored,
            Kind::RotationOverdue => &self.rotation_overdue,
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        for kind in Kind::ALL {
            for (field, problem) in self.rule(kind).faults(kind) {
                let section = kind.name().replace('-', "_");
                faults.push(Fault::new(format!("alerts.{section}.{field}"), problem));
            }
        }
        if !(LONGEST..=OLDEST).contains(&self.token_age) {
            faults.push(Fault::new("alerts.token_age", "must be from 1day to 10years"));
        }
        if self.keep < LONGEST {
            faults.push(Fault::new("alerts.keep", "must be at least 1day"));
        }
        if self.deliver_for.is_zero() || self.deliver_for > self.keep {
            let problem = "must be more than 0, and at most what alerts.keep is";
            faults.push(Fault::new("alerts.deliver_for", problem));
        }
    }
}

/// A rule that was put for a portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutRule {
    /// The portal.
    pub portal_id: PortalId,
    /// Its slug.
    pub client_slug: String,
    /// Which rule.
    pub kind: Kind,
    /// What it says.
    pub rule: Rule,
    /// Who put it.
    pub put_by: String,
    /// When.
    pub put_time: Timestamp,
}

/// The rules that hold: the deployment's, and those that were put for portals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    config: Config,
    put: BTreeMap<(u64, Kind), Rule>,
}

impl Rules {
    pub(super) fn new(config: &Config, put: Vec<PutRule>) -> Self {
        let put = put.into_iter();
        Self {
            config: config.clone(),
            put: put
                .map(|put| ((put.portal_id.get(), put.kind), put.rule))
                .collect(),
        }
    }

    /// The rule of this kind for this portal; 0 for none.
    pub(super) fn of(&self, portal_id: u64, kind: Kind) -> &Rule {
        let put = self.put.get(&(portal_id, kind));
        put.unwrap_or_else(|| self.config.rule(kind))
    }

    /// Whether any rule of a kind is looked at.
    pub(super) fn are_looked_at(&self, kind: Kind) -> bool {
        let mut put = self.put.iter().filter(|((_, of), _)| *of == kind);
        self.config.rule(kind).enabled || put.any(|(_, rule)| rule.enabled)
    }

    /// The longest window of a kind at any portal.
    pub(super) fn longest(&self, kind: Kind) -> Duration {
        let put = self.put.iter().filter(|((_, of), _)| *of == kind);
        let windows = put.map(|(_, rule)| rule.window);
        windows.fold(self.config.rule(kind).window, Duration::max)
    }
}
