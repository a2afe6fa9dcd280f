//! Rules and alerts, between messages and the words of the room.

use std::time::Duration;

use hubkeep_proto::crm::v1::{
    Alert as WireAlert, AlertKind, AlertReceiver, AlertRule, AlertSeverity, AlertState, PutRuleRequest,
};

use crate::{
    alerts::{Addressee, Alert, Kind, PutRule, Rule, Severity},
    crm::{self, Faults},
};

/// What an operator wants of a rule. What is left out stays as it was.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) kind: Kind,
    pub(super) reset: bool,
    enabled: Option<bool>,
    threshold: Option<u64>,
    window: Option<Duration>,
    severity: Option<Severity>,
    send_to: Option<Vec<Addressee>>,
}

impl Wish {
    /// The rule as it was, with what is wanted of it.
    pub(super) fn over(self, before: &Rule) -> Result<Rule, crm::Error> {
        let rule = Rule {
            enabled: self.enabled.unwrap_or(before.enabled),
            threshold: self.threshold.unwrap_or(before.threshold),
            window: self.window.unwrap_or(before.window),
            severity: self.severity.unwrap_or(before.severity),
            send_to: self.send_to.unwrap_or_else(|| before.send_to.clone()),
        };
        let mut faults = Faults::default();
        for (field, problem) in rule.faults(self.kind) {
            faults.add(field, problem);
        }
        faults.resolve(Some(rule))
    }
}

/// What a message wants of a rule.
pub(super) fn wish(message: &PutRuleRequest, faults: &mut Faults) -> Option<Wish> {
    let kind = match kind_of(message.kind) {
        Some(kind) if kind.is_of_portals() => Ok(kind),
        Some(_) => {
            Err("must be a kind that portals have: this one is set in the configuration of the service")
        }
        None => Err("must be one of the kinds"),
    };
    let kind = faults.keep("kind", kind);
    let window = message.window.map(Duration::try_from).transpose();
    let window = faults.keep("window", window.map_err(|_| "must be from 1 s to 24 h"));
    let severity = severity_of(message.severity).ok_or("must be one of the severities, or left out");
    let severity = faults.keep("severity", severity);
    let named = message.send_to.as_ref().map(|named| &named.receivers);
    let send_to = named.map(|named| {
        let read = |number: &i32| receiver_of(*number).ok_or("must be receivers");
        named.iter().map(read).collect::<Result<Vec<_>, _>>()
    });
    let send_to = faults.keep("send_to", send_to.transpose());
    let stated = message.enabled.is_some()
        || message.threshold.is_some()
        || message.window.is_some()
        || message.severity != 0
        || message.send_to.is_some();
    match (message.reset, stated) {
        (true, true) => faults.add("reset", "leave everything else out where this is set"),
        (false, false) => faults.add("threshold", "state something that is to hold for this portal"),
        _ => {}
    }
    Some(Wish {
        kind: kind?,
        reset: message.reset,
        enabled: message.enabled,
        threshold: message.threshold,
        window: window?,
        severity: severity?,
        send_to: send_to?,
    })
}

/// Whether only those that fire are wanted, or only those that do not.
pub(super) fn states(numbers: &[i32], faults: &mut Faults) -> Option<bool> {
    let read = |(place, number): (usize, &i32)| {
        let state = match AlertState::try_from(*number) {
            Ok(AlertState::Firing) => Ok(true),
            Ok(AlertState::Resolved) => Ok(false),
            _ => Err("must be one of the states"),
        };
        faults.keep(&format!("states[{place}]"), state)
    };
    let states: Vec<bool> = numbers.iter().enumerate().filter_map(read).collect();
    match (states.contains(&true), states.contains(&false)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// A rule of the deployment's.
pub(super) fn deployments(kind: Kind, rule: &Rule) -> AlertRule {
    AlertRule {
        kind: wire_kind(kind).into(),
        enabled: rule.enabled,
        threshold: rule.threshold,
        window: prost_types::Duration::try_from(rule.window).ok(),
        severity: wire_severity(rule.severity).into(),
        receivers: rule
            .send_to
            .iter()
            .map(|addressee| wire_receiver(*addressee).into())
            .collect(),
        ..AlertRule::default()
    }
}

/// One that was put.
pub(super) fn put_rule(put: &PutRule) -> AlertRule {
    AlertRule {
        client_slug: put.client_slug.clone(),
        portal_id: put.portal_id.get(),
        put_by: put.put_by.clone(),
        put_time: Some(put.put_time.into()),
        ..deployments(put.kind, &put.rule)
    }
}

/// An alert.
pub(super) fn alert(alert: &Alert) -> WireAlert {
    let state = match alert.resolve_time {
        None => AlertState::Firing,
        Some(_) => AlertState::Resolved,
    };
    WireAlert {
        alert_id: alert.alert_id,
        kind: wire_kind(alert.kind).into(),
        portal_id: alert.portal_id,
        client_slug: alert.client_slug.clone(),
        subject: alert.subject.clone(),
        actor_ref: alert.actor_ref.clone(),
        severity: wire_severity(alert.severity).into(),
        state: state.into(),
        count: alert.count,
        threshold: alert.threshold,
        window: prost_types::Duration::try_from(alert.window).ok(),
        fire_time: Some(alert.fire_time.into()),
        resolve_time: alert.resolve_time.map(prost_types::Timestamp::from),
        position: alert.position,
        call_id: alert.call_id.clone(),
    }
}

const fn wire_kind(kind: Kind) -> AlertKind {
    match kind {
        Kind::HubSpotFailures => AlertKind::HubspotFailures,
        Kind::HubSpotFailureShare => AlertKind::HubspotFailureShare,
        Kind::ContactReads => AlertKind::ContactReads,
        Kind::DeniedCalls => AlertKind::DeniedCalls,
        Kind::WrongPortal => AlertKind::WrongPortal,
        Kind::UnaccountedUse => AlertKind::UnaccountedUse,
        Kind::RotationOverdue => AlertKind::RotationOverdue,
        Kind::Unanchored => AlertKind::Unanchored,
    }
}

fn kind_of(number: i32) -> Option<Kind> {
    let named = AlertKind::try_from(number).ok()?;
    Kind::ALL.into_iter().find(|kind| wire_kind(*kind) == named)
}

const fn wire_severity(severity: Severity) -> AlertSeverity {
    match severity {
        Severity::Low => AlertSeverity::Low,
        Severity::Medium => AlertSeverity::Medium,
        Severity::High => AlertSeverity::High,
        Severity::Critical => AlertSeverity::Critical,
    }
}

/// `Some(None)` where it is left out.
fn severity_of(number: i32) -> Option<Option<Severity>> {
    match AlertSeverity::try_from(number).ok()? {
        AlertSeverity::Unspecified => Some(None),
        AlertSeverity::Low => Some(Some(Severity::Low)),
        AlertSeverity::Medium => Some(Some(Severity::Medium)),
        AlertSeverity::High => Some(Some(Severity::High)),
        AlertSeverity::Critical => Some(Some(Severity::Critical)),
    }
}

const fn wire_receiver(addressee: Addressee) -> AlertReceiver {
    match addressee {
        Addressee::Webhook => AlertReceiver::Webhook,
        Addressee::Slack => AlertReceiver::Slack,
        Addressee::Contain => AlertReceiver::Contain,
    }
}

fn receiver_of(number: i32) -> Option<Addressee> {
    let named = AlertReceiver::try_from(number).ok()?;
    Addressee::ALL
        .into_iter()
        .find(|addressee| wire_receiver(*addressee) == named)
}
