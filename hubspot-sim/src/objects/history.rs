//! What a property held before, for `propertiesWithHistory` and for a search index that lags behind.

use serde_json::{Value, json};

use crate::clock::iso;

/// Who or what gave a property its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The world at its start, as if imported.
    Seed,
    /// A call with a token of this app.
    App(u64),
    /// This user, by hand in HubSpot's pages.
    User(u64),
    /// A merge, which took it over from the other record.
    Merge,
}

/// One value that a property was given.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The property's name.
    pub(crate) name: String,
    /// What it was set to; empty when it was cleared.
    pub(crate) value: String,
    /// When, in microseconds since 1970.
    pub(crate) at: i64,
    /// Who did it.
    pub(crate) source: Source,
}

/// The values of one property, newest first, as `propertiesWithHistory` shows them.
pub(crate) fn of_property(changes: &[Change], name: &str) -> Value {
    changes
        .iter()
        .rev()
        .filter(|change| change.name == name)
        .map(entry)
        .collect()
}

fn entry(change: &Change) -> Value {
    let (kind, id, label, user) = match change.source {
        Source::Seed => ("IMPORT", None, None, None),
        Source::App(app) => (
            "INTEGRATION",
            Some(app.to_string()),
            Some(format!("App {app}")),
            None,
        ),
        Source::User(user) => ("CRM_UI", Some(format!("userId:{user}")), None, Some(user)),
        Source::Merge => ("MERGE_OBJECTS", None, None, None),
    };
    json!({
        "value": change.value,
        "timestamp": iso(change.at),
        "sourceType": kind,
        "sourceId": id,
        "sourceLabel": label,
        "updatedByUserId": user,
    })
}
