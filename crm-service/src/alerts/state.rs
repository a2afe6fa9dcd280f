//! All windows, and what they turn into.

use std::collections::HashMap;

use hubkeep_audit_log::{Entry, Event};
use hubkeep_core::clock::Timestamp;

use super::{
    alert::Alert,
    kind::{Kind, has_failed},
    rule::{Rule, Rules},
    series::{Bounds, Series, Turn},
    share::Share,
};

/// What tells one window from every other: what is counted, at which portal, for which caller, on whose behalf.
type Key = (Kind, u64, (String, String));

/// What was found, and is to be kept.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// An alert fires. It has no number yet.
    Fires(Box<Alert>, Rule),
    /// An alert is resolved.
    Resolved(Key, Timestamp),
}

/// One window.
#[derive(Debug)]
enum Window {
    Sum(Series),
    Share(Share),
}

impl Window {
    fn of(kind: Kind) -> Self {
        match kind.is_share() {
            true => Self::Share(Share::default()),
            false => Self::Sum(Series::default()),
        }
    }

    fn firing(kind: Kind) -> Self {
        match kind.is_share() {
            true => Self::Share(Share::firing()),
            false => Self::Sum(Series::firing()),
        }
    }

    fn recount(&mut self, entry: &Entry, count: u64, bounds: Bounds) {
        match self {
            Self::Sum(series) => series.recount(time_of(entry), count, bounds),
            Self::Share(share) => share.recount(time_of(entry), has_failed(entry), bounds),
        }
    }

    fn count(&mut self, entry: &Entry, count: u64, bounds: Bounds) -> [Option<Turn>; 2] {
        match self {
            Self::Sum(series) => series.count(time_of(entry), count, bounds),
            Self::Share(share) => [share.count(time_of(entry), has_failed(entry), bounds), None],
        }
    }

    fn settle(&mut self, now: Timestamp, bounds: Bounds) -> Option<Turn> {
        match self {
            Self::Sum(series) => series.settle(now, bounds),
            Self::Share(share) => share.settle(now, bounds),
        }
    }

    fn is_idle(&self) -> bool {
        match self {
            Self::Sum(series) => series.is_idle(),
            Self::Share(share) => share.is_idle(),
        }
    }
}

/// All windows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) rules: Rules,
    windows: HashMap<Key, Window>,
    /// The alerts that fire, by window, as far as they have numbers.
    firing: HashMap<Key, Alert>,
}

impl State {
    /// Windows in which nothing is counted, of which some fire already.
    pub(super) fn new(rules: Rules, firing: Vec<Alert>) -> Self {
        let firing: HashMap<Key, Alert> = firing
            .into_iter()
            .map(|alert| (key_of_alert(&alert), alert))
            .collect();
        let windows = firing.keys().map(|key| (key.clone(), Window::firing(key.0)));
        Self {
            rules,
            windows: windows.collect(),
            firing,
        }
    }

    /// Counts what was looked at before.
    pub(super) fn recount(&mut self, kind: Kind, entry: &Entry) {
        let count = kind.count(entry);
        if count > 0 {
            let bounds = bounds(self.rules.of(entry.portal_id, kind));
            let window = self.windows.entry(key_of(kind, entry));
            window
                .or_insert_with(|| Window::of(kind))
                .recount(entry, count, bounds);
        }
    }

    /// Counts an event, and says what is found by it, in order.
    pub(super) fn count(&mut self, event: &Event) -> Vec<Found> {
        let mut found = Vec::new();
        let Some(entry) = &event.entry else { return found };
        for kind in Kind::ALL {
            let count = kind.count(entry);
            if count == 0 {
                continue;
            }
            let rule = self.rules.of(entry.portal_id, kind);
            // One that is switched on later begins with what is counted again then.
            if !rule.enabled {
                continue;
            }
            let window = self.windows.entry(key_of(kind, entry));
            let window = window.or_insert_with(|| Window::of(kind));
            for turn in window.count(entry, count, bounds(rule)).into_iter().flatten() {
                let key = key_of(kind, entry);
                found.push(found_by(turn, &key, (event.position, entry), rule));
            }
        }
        found
    }

    /// Everything up to this time was counted: says what is resolved by that.
    pub(super) fn settle(&mut self, now: Timestamp) -> Vec<Found> {
        let mut over = Vec::new();
        let rules = &self.rules;
        self.windows.retain(|key, window| {
            let (kind, portal_id, _) = key;
            if let Some(Turn::Resolved { at }) = window.settle(now, bounds(rules.of(*portal_id, *kind))) {
                over.push((key.clone(), at));
            }
            !window.is_idle()
        });
        // Of those that are resolved at once, the same order each time.
        over.sort_by(|(left, left_at), (right, right_at)| (left_at, left).cmp(&(right_at, right)));
        over.into_iter()
            .map(|(key, at)| Found::Resolved(key, at))
            .collect()
    }

    /// An alert has its number.
    pub(super) fn numbered(&mut self, alert: Alert) {
        self.firing.insert(key_of_alert(&alert), alert);
    }

    /// An alert fires no more. Gives it.
    pub(super) fn over(&mut self, key: &Key) -> Option<Alert> {
        self.firing.remove(key)
    }
}

fn found_by(turn: Turn, key: &Key, (position, entry): (u64, &Entry), rule: &Rule) -> Found {
    match turn {
        Turn::Resolved { at } => Found::Resolved(key.clone(), at),
        Turn::Fires { at, count } => {
            let (kind, portal_id, (subject, actor_ref)) = key.clone();
            let alert = Alert {
                alert_id: 0,
                change: 0,
                kind,
                portal_id,
                client_slug: if portal_id == 0 {
                    String::new()
                } else {
                    entry.client_slug.clone()
                },
                subject,
                actor_ref,
                severity: rule.severity,
                count,
                threshold: rule.threshold,
                window: rule.window,
                fire_time: at,
                resolve_time: None,
                position,
                call_id: entry.call_id.clone(),
            };
            Found::Fires(Box::new(alert), rule.clone())
        }
    }
}

fn key_of(kind: Kind, entry: &Entry) -> Key {
    let whose = (kind.subject(entry).to_owned(), kind.actor(entry).to_owned());
    (kind, entry.portal_id, whose)
}

fn key_of_alert(alert: &Alert) -> Key {
    let whose = (alert.subject.clone(), alert.actor_ref.clone());
    (alert.kind, alert.portal_id, whose)
}

fn time_of(entry: &Entry) -> Timestamp {
    entry
        .entry_time
        .map_or(Timestamp::from_micros(0), Timestamp::from)
}

const fn bounds(rule: &Rule) -> Bounds {
    Bounds {
        threshold: rule.threshold,
        window: rule.window,
        enabled: rule.enabled,
    }
}
