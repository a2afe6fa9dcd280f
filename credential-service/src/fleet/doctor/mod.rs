//! Looks at every portal with HubSpot, within its quota, and says what is not as it should be. Nothing is changed: what
//! was recorded stays, so that a finding is there until somebody has acted on it.

mod finding;
mod rotations;

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    error::{ErrorKind, ErrorReason, ServiceError as _},
    id::CredentialName,
};
use hubkeep_hubspot::DailyUsage;
use jiff::civil::Date;

pub use finding::{Finding, Kind};

use super::Fleet;
use crate::{
    portals::{CredentialKind, Error, Examined, Portal, PortalCredential, State},
    record::Act,
};

/// The end of a version is told this long before.
const NOTICE: Duration = Duration::from_secs(180 * 24 * 60 * 60);
/// Less than this part of a day's calls left is little.
const LITTLE: u64 = 10;

/// What a look at a portal showed.
#[derive(Clone, Debug)]
pub struct Examination {
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// Where HubSpot keeps the data, as far as it says.
    pub data_hosting_location: String,
    /// The calls of today, if HubSpot gave a count.
    pub usage: Option<DailyUsage>,
    /// Its credentials, the first onboarded first.
    pub credentials: Vec<Look>,
}

/// A look at a credential.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its name.
    pub name: CredentialName,
    /// What sort of credential it is.
    pub kind: CredentialKind,
    /// How long its token is in the vault; `None` if that does not age.
    pub age: Option<Duration>,
}

impl Fleet {
    /// Looks at a portal. `max_age` is how old a token may be.
    pub async fn examine(&self, act: &Act, portal: &Portal, max_age: Duration) -> Examination {
        let (mut usage, mut location) = (None, portal.facts.data_hosting_location.clone());
        let findings = self.findings(act, portal, max_age, |now| {
            usage = usage.or(now.usage);
            location.clone_from(&now.facts.data_hosting_location);
        });
        let findings = findings.await;
        let credentials = portal.credentials.iter().map(|credential| Look {
            name: credential.name.clone(),
            kind: credential.kind,
            age: self.age(credential),
        });
        Examination {
            credentials: credentials.collect(),
            findings,
            data_hosting_location: location,
            usage,
        }
    }

    /// What is not as it should be with a portal. `seen` hears what HubSpot says of each token.
    async fn findings(
        &self,
        act: &Act,
        portal: &Portal,
        max_age: Duration,
        mut seen: impl FnMut(&Examined),
    ) -> Vec<Finding> {
        act.concerns(portal.proven());
        match portal.state {
            State::Erased => return Vec::new(),
            State::Suspended => {
                return vec![Finding::new(
                    Kind::Suspended,
                    "no handle is served until it is resumed",
                )];
            }
            State::Contained => {
                let what = "no handle is served until its containment is lifted";
                return vec![Finding::new(Kind::Contained, what)];
            }
            State::RollbackSuspected => {
                let what = "the log knows a newer state of it than the vault holds: a backup was restored";
                return vec![Finding::new(Kind::RollbackSuspected, what)];
            }
            State::Active => {}
        }
        let mut findings = self.of_rotations(portal).await;
        for credential in &portal.credentials {
            findings.extend(self.of_age(credential, max_age));
            match self.portals.examine(act, portal, credential).await {
                Ok(now) => {
                    seen(&now);
                    findings.extend(compared(portal, credential, &now));
                }
                Err(error) => findings.push(of_error(&error).with(credential)),
            }
        }
        // What two credentials find alike of the portal itself is told once.
        findings.dedup_by(|later, earlier| later.is_of_the_portal() && later == earlier);
        findings
    }

    /// What is not as it should be with the whole service.
    pub fn examine_service(&self) -> Option<Finding> {
        let version = self.portals.api_version();
        let (year, month, day) = version.unsupported_from();
        let end = Date::new(year, month, day).ok()?;
        let end_of = end.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        let end_of = Timestamp::from_micros(end_of.as_microsecond());
        let (now, name) = (self.clock.now(), version.name());
        (now.plus(NOTICE) >= end_of).then(|| {
            Finding::new(
                Kind::ApiVersionSunset,
                &format!("HubSpot supports version {name} until {end}: move on"),
            )
        })
    }

    /// What rotations of the portal still wait for.
    async fn of_rotations(&self, portal: &Portal) -> Vec<Finding> {
        match self.rotations.open_of(&portal.client_slug).await {
            Ok(open) => rotations::findings(portal, &open),
            Err(error) => vec![Finding::new(Kind::NotExamined, &error.public_message())],
        }
    }

    /// How long a token is in the vault; `None` for a refresh token, which does not age, and gives what lives for half an
    /// hour.
    fn age(&self, credential: &PortalCredential) -> Option<Duration> {
        let ages = credential.kind != CredentialKind::OAuth;
        ages.then(|| self.clock.now().since(credential.token_time))
    }

    fn of_age(&self, credential: &PortalCredential, max_age: Duration) -> Option<Finding> {
        let age = self.age(credential)?;
        let days = age.as_secs() / (24 * 60 * 60);
        (age > max_age).then(|| {
            Finding::new(
                Kind::TokenOld,
                &format!("the token is {days} days old: rotate it"),
            )
            .with(credential)
        })
    }
}

/// How what HubSpot says now differs from what is recorded.
fn compared(portal: &Portal, credential: &PortalCredential, now: &Examined) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (before, location) = (
        &portal.facts.data_hosting_location,
        &now.facts.data_hosting_location,
    );
    if before != location {
        let what = format!("the data moved from {before} to {location}: verify the portal to record it");
        findings.push(Finding::new(Kind::DataMoved, &what));
    }
    let gone = missing(&credential.scopes, &now.scopes);
    let new = missing(&now.scopes, &credential.scopes);
    if !(gone.is_empty() && new.is_empty()) {
        let what = format!("scopes lost: {}; gained: {}", words(&gone), words(&new));
        findings.push(Finding::new(Kind::ScopesDrifted, &what).with(credential));
    }
    if let Some(usage) = now.usage {
        let left = usage.limit.saturating_sub(usage.used);
        if left < usage.limit / LITTLE {
            let what = format!("{left} of {} calls are left today", usage.limit);
            findings.push(Finding::new(Kind::QuotaLow, &what));
        }
    }
    findings
}

fn missing<'a>(from: &'a [String], other: &[String]) -> Vec<&'a str> {
    let gone = from.iter().filter(|scope| !other.contains(scope));
    gone.map(String::as_str).collect()
}

fn words(scopes: &[&str]) -> String {
    if scopes.is_empty() {
        return "none".to_owned();
    }
    scopes.join(", ")
}

/// What an error says of a credential: whether it is at fault, or merely could not be asked about.
fn of_error(error: &Error) -> Finding {
    let kind = match error {
        Error::TokenOfAnotherPortal { .. } | Error::IdentityUnclear { .. } => Kind::IdentityChanged,
        // A matter of the deployment's app, or of what HubSpot lets the token ask: it does not refuse the token.
        error
            if matches!(
                error.reason(),
                ErrorReason::AppRefused
                    | ErrorReason::AppNotConfigured
                    | ErrorReason::ScopeMissing
                    | ErrorReason::ObjectNotFound
            ) =>
        {
            Kind::NotExamined
        }
        Error::TokenUnreadable { .. } => Kind::TokenUnreadable,
        error if error.kind() == ErrorKind::FailedPrecondition => Kind::TokenRefused,
        _ => Kind::NotExamined,
    };
    Finding::new(kind, &error.public_message())
}
