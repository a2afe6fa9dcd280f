//! The conditions of a search, which must all hold.

use serde_json::{Map, Value};

use super::{arguments::Arguments, catalogue::Kind, fields::Fields};
use crate::crm::{Condition, Faults};

/// The most conditions: as many as HubSpot takes in one group.
pub(super) const MOST: usize = 6;

/// The operators, by HubSpot's names.
pub(super) const NAMES: [&str; 13] = [
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
];

/// Reads the conditions of a search.
pub(super) fn read(
    kind: Kind,
    given: Vec<Map<String, Value>>,
    fields: &Fields,
    faults: &mut Faults,
) -> Vec<Condition> {
    if given.len() > MOST {
        faults.add("filters", format!("at most {MOST}"));
        return Vec::new();
    }
    let conditions = given.into_iter().enumerate();
    conditions
        .filter_map(|(place, filter)| condition(kind, &format!("filters[{place}]"), filter, fields, faults))
        .collect()
}

fn condition(
    kind: Kind,
    place: &str,
    filter: Map<String, Value>,
    fields: &Fields,
    faults: &mut Faults,
) -> Option<Condition> {
    let mut arguments = Arguments::inside(filter, place.to_owned());
    let field = arguments.text("field").unwrap_or_default();
    let operator = arguments.text("operator").unwrap_or_default();
    let (value, high_value) = (arguments.value("value"), arguments.value("high_value"));
    let values = arguments.values("values");
    faults.add_all(arguments.end());
    let property = fields.one(kind, &format!("{place}.field"), &field, faults);
    let operator = NAMES
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(&operator));
    let Some(operator) = operator else {
        faults.add(
            format!("{place}.operator"),
            format!("must be one of {}", NAMES.join(", ")),
        );
        return None;
    };
    let needed: &[&str] = match operator {
        "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => &[],
        "BETWEEN" => &["value", "high_value"],
        "IN" | "NOT_IN" => &["values"],
        _ => &["value"],
    };
    let given = [
        ("value", value.is_some()),
        ("high_value", high_value.is_some()),
        ("values", values.is_some()),
    ];
    for (name, is_given) in given {
        let rule = match (needed.contains(&name), is_given) {
            (true, false) => "this operator needs it",
            (false, true) => "this operator takes none",
            _ => continue,
        };
        faults.add(format!("{place}.{name}"), rule);
    }
    Some(Condition {
        property: property?,
        operator,
        value,
        high_value,
        values,
    })
}
