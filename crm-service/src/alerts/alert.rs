//! An alert, and how it is told.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;
use serde_json::json;

use super::{kind::Kind, rule::Severity};
use crate::notify::Note;

/// An alert, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub alert_id: u64,
    /// The number of its last change.
    pub change: u64,
    /// What was counted.
    pub kind: Kind,
    /// HubSpot's id of the portal; 0 for none.
    pub portal_id: u64,
    /// Its slug; empty for none.
    pub client_slug: String,
    /// The caller; empty where all are counted together.
    pub subject: String,
    /// The person on whose behalf it asked, as entries have it; empty where nobody was named, or all are counted together.
    pub actor_ref: String,
    /// How bad it is.
    pub severity: Severity,
    /// How many were counted when it began to fire.
    pub count: u64,
    /// The threshold then.
    pub threshold: u64,
    /// The window then.
    pub window: Duration,
    /// When it began to fire.
    pub fire_time: Timestamp,
    /// When it was resolved.
    pub resolve_time: Option<Timestamp>,
    /// The position of the entry that was one too many.
    pub position: u64,
    /// That entry's call.
    pub call_id: String,
}

/// Which change of an alert is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Fires,
    Resolved,
}

impl Change {
    /// As tables have it: the second is told after the first.
    pub(super) const fn ordinal(self) -> i64 {
        match self {
            Self::Fires => 0,
            Self::Resolved => 1,
        }
    }

    pub(super) const fn of_ordinal(ordinal: i64) -> Self {
        match ordinal {
            0 => Self::Fires,
            _ => Self::Resolved,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Fires => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl Alert {
    /// One change of it, for those who are told.
    pub(super) fn note(&self, change: Change) -> Note {
        let time = match change {
            Change::Fires => self.fire_time,
            Change::Resolved => self.resolve_time.unwrap_or(self.fire_time),
        };
        // What it was when it fired is told of the first change, also where it is resolved by now.
        let resolve_time = self.resolve_time.filter(|_| change == Change::Resolved);
        Note {
            // A deployment whose database was made anew begins with alert 1 again: the time tells them apart.
            id: format!(
                "alert-{}-{}-{}",
                self.alert_id,
                self.fire_time.as_micros(),
                change.word()
            ),
            kind: match change {
                Change::Fires => "alert.firing",
                Change::Resolved => "alert.resolved",
            },
            time: rfc3339(time),
            data: json!({
                "alert_id": self.alert_id,
                "kind": self.kind.name(),
                "portal_id": self.portal_id,
                "client_slug": self.client_slug,
                "subject": self.subject,
                "actor_ref": self.actor_ref,
                "severity": self.severity.name(),
                "state": change.word(),
                "count": self.count,
                "threshold": self.threshold,
                "window_seconds": self.window.as_secs(),
                "fire_time": rfc3339(self.fire_time),
                "resolve_time": resolve_time.map(rfc3339),
                "position": self.position,
                "call_id": self.call_id,
            }),
            text: self.sentence(change),
        }
    }

    /// The same as one line for people.
    pub(super) fn sentence(&self, change: Change) -> String {
        let portal = match self.client_slug.as_str() {
            "" => "no portal".to_owned(),
            slug => format!("{slug} (portal {})", self.portal_id),
        };
        let by = match (self.subject.as_str(), self.actor_ref.as_str()) {
            ("", _) => String::new(),
            (subject, "") => format!(" by {subject}"),
            (subject, actor_ref) => format!(" by {subject} for person {actor_ref}"),
        };
        let what = match change {
            Change::Fires => format!(
                "{} {}{by} in {}, more than {}",
                self.count,
                self.kind.counted(),
                humantime::format_duration(self.window),
                self.threshold,
            ),
            Change::Resolved => format!("resolved{by}"),
        };
        let severity = self.severity.name().to_uppercase();
        format!(
            "[{severity}] {} at {portal}: {what} (alert {}, call {})",
            self.kind.name(),
            self.alert_id,
            self.call_id
        )
    }
}

fn rfc3339(time: Timestamp) -> String {
    prost_types::Timestamp::from(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_was_counted_where_and_by_whom() {
        let alert = Alert {
            alert_id: 17,
            change: 18,
            kind: Kind::ContactReads,
            portal_id: 42,
            client_slug: "acme".to_owned(),
            subject: "sync".to_owned(),
            actor_ref: String::new(),
            severity: Severity::High,
            count: 101,
            threshold: 100,
            window: Duration::from_secs(60),
            fire_time: Timestamp::from_micros(1_795_369_525_000_000),
            resolve_time: None,
            position: 7,
            call_id: "01890a5d".to_owned(),
        };
        assert_eq!(
            alert.sentence(Change::Fires),
            "[HIGH] contact-reads at acme (portal 42): 101 reads of contacts by sync in 1m, more than 100 (alert 17, call \
             01890a5d)"
        );
        let note = alert.note(Change::Fires);
        assert_eq!(note.time, "2026-11-22T17:45:25Z");
        assert_ne!(note.id, alert.note(Change::Resolved).id);
        assert!(note.data["resolve_time"].is_null());
    }
}
