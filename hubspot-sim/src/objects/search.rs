//! A search request: its limits, its filters, its order, and the records that answer it.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::Crm;
use super::kind::ObjectType;
use super::matching::{Filter, Test, compare};
use super::properties::{PropertyKind, Schema};
use super::record::{Record, Values};
use crate::errors::{self, Problem};

const MAX_GROUPS: usize = 5;
const MAX_FILTERS_PER_GROUP: usize = 6;
const MAX_FILTERS: usize = 18;
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
    pub(crate) fn parse(body: &Value, schema: &Schema) -> Result<Self, Problem> {
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
            groups: groups(body, schema)?,
            query: words,
            sort: sort(body, schema)?,
            after,
            limit,
        })
    }

    /// How many records answer, and those of the page asked for.
    pub(crate) fn run(&self, crm: &mut Crm, kind: ObjectType, now: i64) -> (usize, Vec<Record>) {
        let lag = crm.search_lag_micros;
        let table = crm.table(kind);
        let mut found: Vec<Cow<'_, Record>> = table
            .live()
            .filter_map(|record| indexed(record, lag, now))
            .filter(|record| self.matches(kind, &record.values))
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

    fn matches(&self, kind: ObjectType, values: &Values) -> bool {
        let passes = |filter: &Filter| filter.passes(values.get(&filter.property).map(String::as_str));
        let grouped = self.groups.is_empty() || self.groups.iter().any(|group| group.iter().all(passes));
        grouped && self.query.iter().all(|word| occurs(word, kind, values))
    }
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

fn occurs(word: &str, kind: ObjectType, values: &Values) -> bool {
    let searchable = kind
        .searchable_properties()
        .iter()
        .filter_map(|name| values.get(*name));
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

fn groups(body: &Value, schema: &Schema) -> Result<Vec<Vec<Filter>>, Problem> {
    let mut given: Vec<&[Value]> = list(body, "filterGroups")
        .iter()
        .map(|group| list(group, "filters"))
        .collect();
    // Filters outside any group make one group of their own.
    let loose = list(body, "filters");
    if !loose.is_empty() {
        given.push(loose);
    }
    if given.len() > MAX_GROUPS {
        return Err(errors::invalid(format!(
            "There can be at most {MAX_GROUPS} filterGroups"
        )));
    }
    if given.iter().any(|filters| filters.len() > MAX_FILTERS_PER_GROUP) {
        return Err(errors::invalid(format!(
            "A filterGroup can have at most {MAX_FILTERS_PER_GROUP} filters"
        )));
    }
    if given.iter().map(|filters| filters.len()).sum::<usize>() > MAX_FILTERS {
        return Err(errors::invalid(format!(
            "There can be at most {MAX_FILTERS} filters in all"
        )));
    }
    given
        .into_iter()
        .map(|filters| filters.iter().map(|one| filter(one, schema)).collect())
        .collect()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn filter(given: &Value, schema: &Schema) -> Result<Filter, Problem> {
    let property = given
        .get("propertyName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (kind, _) = schema.find(property).ok_or_else(|| no_such_property(property))?;
    Ok(Filter {
        property: property.to_owned(),
        kind,
        test: test(given)?,
    })
}

fn no_such_property(name: &str) -> Problem {
    let message = format!("There was a problem with the request: property \"{name}\" does not exist");
    let detail = serde_json::json!({ "message": message, "code": "PROPERTY_DOESNT_EXIST" });
    errors::invalid(message).with("errors", serde_json::json!([detail]))
}

fn test(given: &Value) -> Result<Test, Problem> {
    use Ordering::{Equal, Greater, Less};
    let operator = given.get("operator").and_then(Value::as_str).unwrap_or_default();
    let value = || field(given, "value", operator);
    let values = || match list(given, "values") {
        [] => Err(errors::invalid(format!("Operator {operator} needs values"))),
        values => Ok(values.iter().map(text).collect()),
    };
    match operator {
        "EQ" => Ok(Test::Equal(value()?)),
        "NEQ" => Ok(Test::NotEqual(value()?)),
        "LT" => Ok(Test::Compare(&[Less], value()?)),
        "LTE" => Ok(Test::Compare(&[Less, Equal], value()?)),
        "GT" => Ok(Test::Compare(&[Greater], value()?)),
        "GTE" => Ok(Test::Compare(&[Greater, Equal], value()?)),
        "BETWEEN" => Ok(Test::Between(value()?, field(given, "highValue", operator)?)),
        "IN" => Ok(Test::In(values()?)),
        "NOT_IN" => Ok(Test::NotIn(values()?)),
        "HAS_PROPERTY" => Ok(Test::Known),
        "NOT_HAS_PROPERTY" => Ok(Test::Unknown),
        "CONTAINS_TOKEN" => Ok(Test::Contains(value()?)),
        "NOT_CONTAINS_TOKEN" => Ok(Test::ContainsNot(value()?)),
        other => Err(errors::invalid(format!(
            "Invalid input JSON: there is no operator \"{other}\""
        ))),
    }
}

fn field(given: &Value, name: &str, operator: &str) -> Result<String, Problem> {
    match given.get(name) {
        None | Some(Value::Null) => Err(errors::invalid(format!("Operator {operator} needs a {name}"))),
        Some(value) => Ok(text(value)),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A sort is a name, a name with `-` before it, or an object; there is at most one.
fn sort(body: &Value, schema: &Schema) -> Result<Option<(String, bool)>, Problem> {
    let (property, descending) = match list(body, "sorts") {
        [] => return Ok(None),
        [Value::String(name)] => name
            .strip_prefix('-')
            .map_or((name.as_str(), false), |descending| (descending, true)),
        [Value::Object(sort)] => (
            sort.get("propertyName")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            sort.get("direction").and_then(Value::as_str) == Some("DESCENDING"),
        ),
        _ => return Err(errors::invalid("A search can have at most one sort")),
    };
    schema.find(property).ok_or_else(|| no_such_property(property))?;
    Ok(Some((property.to_owned(), descending)))
}
