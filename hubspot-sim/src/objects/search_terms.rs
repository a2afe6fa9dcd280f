//! The filters and the order of a search request.

use std::cmp::Ordering;

use serde_json::Value;

use super::kind::ObjectType;
use super::matching::{Filter, Test};
use super::properties::PropertyKind;
use super::schema::Schema;
use super::table::Table;
use crate::errors::{self, Problem};

const MAX_GROUPS: usize = 5;
const MAX_FILTERS_PER_GROUP: usize = 6;
const MAX_FILTERS: usize = 18;

/// The groups of filters of a search body: any group suffices.
pub(super) fn groups(body: &Value, table: &Table) -> Result<Vec<Vec<Filter>>, Problem> {
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
        .map(|filters| filters.iter().map(|one| filter(one, table)).collect())
        .collect()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn filter(given: &Value, table: &Table) -> Result<Filter, Problem> {
    let property = given
        .get("propertyName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if let Some(name) = property.strip_prefix("associations.") {
        return partner_filter(given, property, name, table.kind);
    }
    let found = table.schema.find(property);
    let (kind, _) = found.ok_or_else(|| no_such_property(property))?;
    Ok(Filter {
        property: property.to_owned(),
        kind,
        test: test(given)?,
        partner: None,
    })
}

/// `associations.contact` asks for the ids of associated records. Custom types cannot be asked for, nor ask.
fn partner_filter(given: &Value, property: &str, name: &str, kind: ObjectType) -> Result<Filter, Problem> {
    let partner = ObjectType::parse(name).filter(|to| !to.is_custom() && !kind.is_custom());
    let partner = partner.ok_or_else(|| no_such_property(property))?;
    let test = test(given)?;
    if !test.fits_partners() {
        return Err(errors::invalid(format!(
            "{property} cannot be compared in this way"
        )));
    }
    Ok(Filter {
        property: property.to_owned(),
        kind: PropertyKind::Choice,
        test,
        partner: Some(partner),
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

/// The order asked for. A sort is a name, a name with `-` before it, or an object; there is at most one.
pub(super) fn sort(body: &Value, schema: &Schema) -> Result<Option<(String, bool)>, Problem> {
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
