//! What is counted, how bad it is and who is told, as the command line and its tables name it.

use std::time::Duration;

use clap::ValueEnum;
use hubkeep_proto::crm::v1::{Alert, AlertKind, AlertReceiver, AlertSeverity, AlertState};

/// What is counted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    /// Answers of HubSpot with a status from 500 to 599.
    HubspotFailures,
    /// The same in a hundred of all its answers, as soon as there are 20.
    HubspotFailureShare,
    /// Calls of one caller that gave contacts.
    ContactReads,
    /// Refusals of one caller.
    DeniedCalls,
    /// Refusals of one caller whose handle is for another portal than it named.
    WrongPortal,
    /// Somebody else calls with the portal's token.
    UnaccountedUse,
    /// The log is not anchored where it should be. Of no portal.
    Unanchored,
    /// The portal's token is older than it should be.
    RotationOverdue,
}

impl From<Kind> for AlertKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::HubspotFailures => Self::HubspotFailures,
            Kind::HubspotFailureShare => Self::HubspotFailureShare,
            Kind::ContactReads => Self::ContactReads,
            Kind::DeniedCalls => Self::DeniedCalls,
            Kind::WrongPortal => Self::WrongPortal,
            Kind::UnaccountedUse => Self::UnaccountedUse,
            Kind::Unanchored => Self::Unanchored,
            Kind::RotationOverdue => Self::RotationOverdue,
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Severity {
    /// Look at it some time.
    Low,
    /// Look at it today.
    Medium,
    /// Look at it now.
    High,
    /// Wake somebody.
    Critical,
}

impl From<Severity> for AlertSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Receiver {
    /// The receiver of webhooks.
    Webhook,
    /// The channel of Slack.
    Slack,
    /// What it is about is contained: the caller, or the portal.
    Contain,
    /// Nobody.
    None,
}

pub(super) fn window(window: Option<prost_types::Duration>) -> String {
    let window = window.and_then(|window| Duration::try_from(window).ok());
    window.map_or_else(
        || "–".to_owned(),
        |window| humantime::format_duration(window).to_string(),
    )
}

pub(super) const fn kind(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Unspecified => "–",
        AlertKind::HubspotFailures => "hubspot-failures",
        AlertKind::HubspotFailureShare => "hubspot-failure-share",
        AlertKind::ContactReads => "contact-reads",
        AlertKind::DeniedCalls => "denied-calls",
        AlertKind::WrongPortal => "wrong-portal",
        AlertKind::UnaccountedUse => "unaccounted-use",
        AlertKind::Unanchored => "unanchored",
        AlertKind::RotationOverdue => "rotation-overdue",
    }
}

/// What stands behind a threshold, and behind what was counted.
pub(super) const fn unit(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::HubspotFailureShare => " %",
        _ => "",
    }
}

/// What was counted, and what is more than allowed.
pub(super) fn beyond(alert: &Alert) -> String {
    let unit = unit(alert.kind());
    format!(
        "{}{unit} in {}, more than {}{unit}",
        alert.count,
        window(alert.window),
        alert.threshold
    )
}

pub(super) const fn severity(severity: AlertSeverity) -> &'static str {
    match severity {
        AlertSeverity::Unspecified => "–",
        AlertSeverity::Low => "low",
        AlertSeverity::Medium => "medium",
        AlertSeverity::High => "high",
        AlertSeverity::Critical => "critical",
    }
}

pub(super) const fn receiver(receiver: AlertReceiver) -> &'static str {
    match receiver {
        AlertReceiver::Unspecified => "–",
        AlertReceiver::Webhook => "webhook",
        AlertReceiver::Slack => "slack",
        AlertReceiver::Contain => "contain",
    }
}

pub(super) const fn state(state: AlertState) -> &'static str {
    match state {
        AlertState::Unspecified => "–",
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
    }
}
