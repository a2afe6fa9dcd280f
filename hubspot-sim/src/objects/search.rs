//! A search request: its limits, its order, and the records that answer it.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::Crm;
use super::kind::ObjectType;
use super::matching::{Filter, compare};
use super::properties::PropertyKind;
use super::record::{Record, Values};
use super::search_terms::{groups, sort};
use super::table::Table;
use crate::errors::{self, Problem};

const MAX_PAGE: u64 = 200;
const DEFAULT_PAGE: u64 = 10;
/// No search goes further than this many records.
const MAX_DEPTH: u64 = 10_000;
const MAX_QUERY_CHARS: usize = 3_000;

/// A search request, understood.
#[derive(Debug)]
pub(crate) struct Search {
    /// Any group suffices; within a group every filter must pass. No group at all passes everything.
    groups: Vec<Vec<Filter>>,
    /// Words that must all occur in the searchable properties.
    query: Vec<String>,
    /// A property, and whether from high to low.
    sort: Option<(String, bool)>,
    /// How many records to skip.
    pub(crate) after: u64,
    /// How many records to give.
    pub(crate) limit: u64,
}

impl Search {
    /// Understands a request body, or says which limit it breaks.
    pub(crate) fn parse(body: &Value, table: &Table) -> Result<Self, Problem> {
        let limit = whole_number(body, "limit", DEFAULT_PAGE)?;
        let after = whole_number(body, "after", 0)?;
        if limit > MAX_PAGE {
            return Err(errors::invalid(format!(
                "Invalid input JSON: limit must be at most {MAX_PAGE}"
            )));
        }
        if after.saturating_add(limit) > MAX_DEPTH {
            return Err(errors::invalid(format!(
                "A search cannot go beyond {MAX_DEPTH} records: after is {after}"
            )));
        }
        let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
        if query.chars().count() > MAX_QUERY_CHARS {
            return Err(errors::invalid(format!(
                "query must be at most {MAX_QUERY_CHARS} characters"
            )));
        }
        let words = query
            .to_lowercase()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        Ok(Self {
            groups: groups(body, table)?,
            query: words,
            sort: sort(body, &table.schema)?,
            after,
            limit,
        })
    }

    /// How many records answer, and those of the page asked for.
    pub(crate) fn run(&self, crm: &Crm, kind: ObjectType, now: i64) -> (usize, Vec<Record>) {
        let lag = crm.search_lag_micros;
        let Some(table) = crm.read(kind) else {
            return (0, Vec::new());
        };
        let mut found: Vec<Cow<'_, Record>> = table
            .live()
            .filter_map(|record| indexed(record, lag, now))
            .filter(|record| self.matches(crm, table, record))
            .collect();
        if let Some((property, descending)) = &self.sort {
            let value_kind = table
                .schema
                .find(property)
                .map(|(kind, _)| kind)
                .unwrap_or_default();
            found.sort_by(|a, b| {
                let order = order(value_kind, a.values.get(property), b.values.get(property));
                if *descending { order.reverse() } else { order }
            });
        }
        let (after, limit) = (as_count(self.after), as_count(self.limit));
        let total = found.len();
        (
            total,
            found
                .into_iter()
                .skip(after)
                .take(limit)
                .map(Cow::into_owned)
                .collect(),
        )
    }

    fn matches(&self, crm: &Crm, table: &Table, record: &Record) -> bool {
        let passes = |filter: &Filter| match filter.partner {
            Some(to) => filter.passes_partners(&partners(crm, table.kind, record.id, to)),
            None => filter.passes(record.values.get(&filter.property).map(String::as_str)),
        };
        let grouped = self.groups.is_empty() || self.groups.iter().any(|group| group.iter().all(passes));
        grouped && self.query.iter().all(|word| occurs(word, table, &record.values))
    }
}

/// The ids of the records of one type that a record is associated with.
fn partners(crm: &Crm, kind: ObjectType, id: u64, to: ObjectType) -> Vec<String> {
    let partners = crm.associated(kind, id, to).into_iter();
    partners.map(|(id, _)| id.to_string()).collect()
}

/// The record as the search index knows it. Without lag that is the record itself.
fn indexed(record: &Record, lag: i64, now: i64) -> Option<Cow<'_, Record>> {
    if lag == 0 || record.updated_at <= now.saturating_sub(lag) {
        return Some(Cow::Borrowed(record));
    }
    let values = record.values_at(now.saturating_sub(lag))?;
    Some(Cow::Owned(Record {
        values,
        ..record.clone()
    }))
}

fn as_count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn occurs(word: &str, table: &Table, values: &Values) -> bool {
    let searchable = table.schema.searchable.iter().filter_map(|name| values.get(name));
    searchable
        .into_iter()
        .any(|value| value.to_lowercase().contains(word))
}

/// Records without value come last in ascending order.
fn order(kind: PropertyKind, a: Option<&String>, b: Option<&String>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(kind, a, b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// A number that may also come as a string, as `after` does.
fn whole_number(body: &Value, field: &str, default: u64) -> Result<u64, Problem> {
    let number = match body.get(field) {
        None | Some(Value::Null) => Some(default),
        Some(Value::String(text)) if text.is_empty() => Some(default),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    number.ok_or_else(|| errors::invalid(format!("Invalid input JSON: {field} must be a whole number")))
}
