//! One CRM record: its values, its times, and how it looks in an answer.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::history::{self, Change, Source};
use super::kind::ObjectType;
use super::schema::Schema;
use crate::clock::iso;

/// Property values by name. A property without value is absent.
pub(crate) type Values = BTreeMap<String, String>;

/// One CRM record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its id, unique among the records of its account.
    pub(crate) id: u64,
    /// Its values, those that HubSpot keeps included.
    pub(crate) values: Values,
    /// When it was created, in microseconds since 1970.
    pub(crate) created_at: i64,
    /// When it was last changed.
    pub(crate) updated_at: i64,
    /// When it was archived, if it was.
    pub(crate) archived_at: Option<i64>,
    /// Every value it was ever given, oldest first.
    pub(crate) changes: Vec<Change>,
}

/// Which properties an answer shall carry.
#[derive(Debug, Default, Clone)]
pub(crate) struct Wanted {
    /// Names asked for; none means the type's default set.
    pub(crate) properties: Vec<String>,
    /// Names asked for with their history.
    pub(crate) with_history: Vec<String>,
}

impl Record {
    /// Gives the record new values at `at`; an empty value clears.
    pub(crate) fn apply(&mut self, kind: ObjectType, values: Values, at: i64, source: Source) {
        for (name, value) in values {
            if value.is_empty() {
                self.values.remove(&name);
            } else {
                self.values.insert(name.clone(), value.clone());
            }
            self.changes.push(Change {
                name,
                value,
                at,
                source,
            });
        }
        self.updated_at = at;
        self.values.insert(kind.facts().modified.to_owned(), iso(at));
    }

    /// The values as they stood at `at`, or `None` if the record did not exist yet.
    pub(crate) fn values_at(&self, at: i64) -> Option<Values> {
        if self.created_at > at {
            return None;
        }
        let mut values = self.values.clone();
        for change in &self.changes {
            values.remove(&change.name);
        }
        for change in self.changes.iter().take_while(|change| change.at <= at) {
            if change.value.is_empty() {
                values.remove(&change.name);
            } else {
                values.insert(change.name.clone(), change.value.clone());
            }
        }
        Some(values)
    }

    /// The record as an answer shows it.
    pub(crate) fn render(&self, kind: ObjectType, schema: &Schema, wanted: &Wanted) -> Value {
        let mut body = json!({
            "id": self.id.to_string(),
            "properties": self.render_properties(kind, schema, &wanted.properties),
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": self.archived_at.is_some(),
        });
        let Some(fields) = body.as_object_mut() else {
            return body;
        };
        if let Some(at) = self.archived_at {
            fields.insert("archivedAt".to_owned(), json!(iso(at)));
        }
        if !wanted.with_history.is_empty() {
            fields.insert(
                "propertiesWithHistory".to_owned(),
                self.render_history(schema, &wanted.with_history),
            );
        }
        body
    }

    /// Names that are not defined are dropped without a word; names that are defined but have no value are null.
    fn render_properties(&self, kind: ObjectType, schema: &Schema, names: &[String]) -> Value {
        let mut shown = Map::new();
        let mut show = |name: &str| {
            shown.insert(
                name.to_owned(),
                self.values.get(name).map_or(Value::Null, |value| json!(value)),
            );
        };
        if names.is_empty() {
            schema.defaults.iter().for_each(|name| show(name));
        } else {
            names
                .iter()
                .filter(|name| schema.find(name).is_some())
                .for_each(|name| show(name));
        }
        // These three come with every answer, asked for or not.
        for name in ["hs_object_id", kind.facts().created, kind.facts().modified] {
            show(name);
        }
        Value::Object(shown)
    }

    fn render_history(&self, schema: &Schema, names: &[String]) -> Value {
        let known = names.iter().filter(|name| schema.find(name).is_some());
        known
            .map(|name| (name.clone(), history::of_property(&self.changes, name)))
            .collect::<Map<_, _>>()
            .into()
    }
}
