//! What a property held before, for `propertiesWithHistory` and for a search index that lags behind.

use serde_json::{Value, json};

use crate::clock::iso;

/// One value that a property was given.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The property's name.
    pub(crate) name: String,
    /// What it was set to; empty when it was cleared.
    pub(crate) value: String,
    /// When, in microseconds since 1970.
    pub(crate) at: i64,
    /// The app that did it; `None` for what the world was seeded with.
    pub(crate) app_id: Option<u64>,
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
    let source = if change.app_id.is_some() {
        "INTEGRATION"
    } else {
        "IMPORT"
    };
    json!({
        "value": change.value,
        "timestamp": iso(change.at),
        "sourceType": source,
        "sourceId": change.app_id.map(|id| id.to_string()),
    })
}
