//! Looks at every portal with HubSpot, within its quota, and says what is not as it should be. Nothing is changed: what
//! was recorded stays, so that a finding is there until somebody has acted on it.

mod finding;
mod rotations;

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    error::{ErrorKind, ErrorReason, ServiceError as _},
};
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

impl Fleet {
    /// What is not as it should be with a portal. `max_age` is how old a token may be.
    pub async fn examine(&self, act: &Act, portal: &Portal, max_age: Duration) -> Vec<Finding> {
        act.concerns(portal.proven());
        match portal.state {
            State::Erased => return Vec::new(),
            State::Suspended => {
                return vec![Finding::new(
                    Kind::Suspended,
                    "no handle is served until it is resumed",
                )];
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
                Ok(now) => findings.extend(compared(portal, credential, &now)),
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

    fn of_age(&self, credential: &PortalCredential, max_age: Duration) -> Option<Finding> {
        if credential.kind == CredentialKind::OAuth {
            // A refresh token does not age, and what it gives lives for half an hour.
            return None;
        }
        let age = self.clock.now().since(credential.token_time);
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
        // A matter of the deployment's app, not of the portal's token.
        error
            if matches!(
                error.reason(),
                ErrorReason::AppRefused | ErrorReason::AppNotConfigured
            ) =>
        {
            Kind::NotExamined
        }
        error if error.kind() == ErrorKind::FailedPrecondition => Kind::TokenRefused,
        _ => Kind::NotExamined,
    };
    Finding::new(kind, &error.public_message())
}
