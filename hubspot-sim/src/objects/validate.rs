//! Whether the properties of a write are acceptable.

use serde_json::{Map, Value};

use super::properties::PropertyKind;
use super::record::Values;
use super::schema::Schema;
use super::standard::Required;
use super::table::Table;
use crate::clock::parse_millis;
use crate::errors::{self, Problem, PropertyFault};
use crate::world::Condition;

/// Turns the `properties` of a request into values, or says what is wrong with them.
pub(crate) fn values(given: Option<&Value>, schema: &Schema, portal_id: u64) -> Result<Values, Problem> {
    let none = Map::new();
    let given = match given {
        Some(Value::Object(properties)) => properties,
        None | Some(Value::Null) => &none,
        Some(_) => {
            return Err(errors::invalid(
                "Invalid input JSON: \"properties\" must be an object",
            ));
        }
    };
    let mut values = Values::new();
    let mut faults = Vec::new();
    for (name, value) in given {
        match check(name, value, schema) {
            Ok(value) => drop(values.insert(name.clone(), value)),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(values)
    } else {
        Err(errors::invalid_properties(portal_id, &faults))
    }
}

/// HubSpot keeps no longer text in a property.
const MAX_CHARS: usize = 65_536;

fn check(name: &str, value: &Value, schema: &Schema) -> Result<String, PropertyFault> {
    let fault = |code, message: String| PropertyFault {
        name: name.to_owned(),
        code,
        message,
    };
    let Some((kind, read_only)) = schema.find(name) else {
        return Err(fault(
            "PROPERTY_DOESNT_EXIST",
            format!("Property \"{name}\" does not exist"),
        ));
    };
    if read_only {
        return Err(fault(
            "READ_ONLY_VALUE",
            format!("\"{name}\" is a read only property; its value cannot be set."),
        ));
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => {
            return Err(fault(
                "INVALID_VALUE",
                format!("\"{name}\" must be given as a string"),
            ));
        }
    };
    if text.chars().count() > MAX_CHARS {
        let message = format!("\"{name}\" can have at most {MAX_CHARS} characters");
        return Err(fault("INVALID_VALUE", message));
    }
    let options = schema.options(name);
    let allowed = |one: &str| options.iter().any(|option| option.value == one);
    if !text.is_empty() && !options.is_empty() && !text.split(';').all(allowed) {
        let names: Vec<&str> = options.iter().map(|option| option.value.as_str()).collect();
        let message = format!(
            "{text} was not one of the allowed options: [{}]",
            names.join(", ")
        );
        return Err(fault("INVALID_OPTION", message));
    }
    if text.is_empty() || fits(kind, &text) {
        return if name == "email" {
            email(text).map_err(|message| fault("INVALID_EMAIL", message))
        } else {
            Ok(text)
        };
    }
    match kind {
        PropertyKind::Number => Err(fault(
            "INVALID_INTEGER",
            format!("{text} was not a valid number."),
        )),
        PropertyKind::Time => Err(fault(
            "INVALID_DATE",
            format!("{text} was not a valid date or time."),
        )),
        _ => Err(fault(
            "INVALID_VALUE",
            format!("{text} was not one of the allowed values."),
        )),
    }
}

fn fits(kind: PropertyKind, text: &str) -> bool {
    match kind {
        PropertyKind::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
        PropertyKind::Time => parse_millis(text).is_some(),
        PropertyKind::Bool => matches!(text, "true" | "false"),
        PropertyKind::Text | PropertyKind::Choice => true,
    }
}

/// HubSpot keeps e-mail addresses in lower case.
fn email(text: String) -> Result<String, String> {
    let plausible = text.is_empty()
        || text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace)
        });
    if plausible {
        Ok(text.to_lowercase())
    } else {
        Err(format!("Email address {text} is invalid"))
    }
}

/// Whether a new record has what its type demands.
pub(crate) fn required(table: &Table, values: &Values) -> Result<(), Problem> {
    let present = |name: &&str| values.get(*name).is_some_and(|value| !value.is_empty());
    let mut missing: Vec<&str> = match &table.kind.facts().required {
        Required::AnyOf(names) if names.iter().any(present) => Vec::new(),
        Required::AnyOf(names) => names.to_vec(),
        Required::All(names) => names.iter().copied().filter(|name| !present(name)).collect(),
    };
    let demanded = table.demanded.iter().map(String::as_str);
    missing.extend(demanded.filter(|name| !present(name)));
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Error creating {}. Some required properties were not set.",
        table.label
    );
    let detail = serde_json::json!({
        "message": message,
        "code": "MISSING_REQUIRED_PROPERTY",
        "context": { "properties": missing },
    });
    Err(errors::invalid(message).with("errors", serde_json::json!([detail])))
}

/// Whether a record would have what the account's administrators demand of it once these values are written; `before` is
/// what it has now.
pub(crate) fn conditions(table: &Table, before: Option<&Values>, values: &Values) -> Result<(), Problem> {
    let holds = |name: &str| {
        let held = values
            .get(name)
            .or_else(|| before.and_then(|before| before.get(name)));
        held.filter(|value| !value.is_empty())
    };
    let broken = table.conditions.iter().find(|condition| {
        let touched = values.contains_key(&condition.when) || values.contains_key(&condition.property);
        touched && holds(&condition.when) == Some(&condition.is) && holds(&condition.property).is_none()
    });
    let Some(Condition {
        property, when, is, ..
    }) = broken
    else {
        return Ok(());
    };
    let message = format!("{property} is required when {when} is {is}");
    let detail = serde_json::json!({
        "message": message,
        "code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
        "context": { "propertyName": [property] },
    });
    Err(errors::invalid(message).with("errors", serde_json::json!([detail])))
}
