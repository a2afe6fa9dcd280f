//! Properties that are made or changed, held to what HubSpot can mean by them.

use std::collections::HashSet;

use hubkeep_hubspot::properties::PropertyOption;

use super::{error::Faults, limits::MAX_VALUE_CHARS, names::PropertyName};

/// Characters of a new property's name.
const MAX_NAME: usize = 100;
/// Characters of a label.
const MAX_LABEL: usize = 255;
/// The most values that an enumeration takes.
const MAX_OPTIONS: usize = 5_000;
/// The values of a "bool", if they are given.
const TRUTH: [&str; 2] = ["true", "false"];

/// How values are kept, each with the ways in which they can be edited.
const KINDS: [(&str, &[&str]); 6] = [
    ("string", &["text", "textarea", "html", "phonenumber", "file"]),
    ("number", &["number"]),
    ("date", &["date"]),
    ("datetime", &["date"]),
    ("enumeration", &["select", "radio", "checkbox", "booleancheckbox"]),
    ("bool", &["booleancheckbox", "select", "radio"]),
];

/// Reads the name of a property that is to be.
///
/// # Errors
/// With the rule.
pub fn read_new_name(text: &str) -> Result<PropertyName, &'static str> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    match PropertyName::read(text) {
        Ok(name) if first && text.len() <= MAX_NAME && text.bytes().all(inner) => Ok(name),
        _ => Err("must be 1 to 100 of small letters, digits and '_', a letter first"),
    }
}

/// Reads a label.
///
/// # Errors
/// With the rule.
pub fn read_label(text: &str) -> Result<String, &'static str> {
    match (1..=MAX_LABEL).contains(&text.chars().count()) && !text.trim().is_empty() {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 255 characters"),
    }
}

/// Reads what a property is for.
///
/// # Errors
/// With the rule.
pub fn read_description(text: &str) -> Result<String, String> {
    match text.chars().count() <= MAX_VALUE_CHARS {
        true => Ok(text.to_owned()),
        false => Err(format!("must be at most {MAX_VALUE_CHARS} characters")),
    }
}

/// Reads the internal name of a group of properties.
///
/// # Errors
/// With the rule.
pub fn read_group(text: &str) -> Result<String, &'static str> {
    let rule = "must be the group's internal name, for example \"contactinformation\"";
    PropertyName::read(text)
        .map(|name| name.as_str().to_owned())
        .map_err(|_| rule)
}

/// Reads how values are kept, and how they are edited.
pub(crate) fn read_kind_and_field(kind: &str, field: &str, faults: &mut Faults) {
    let Some((_, fields)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        let known: Vec<&str> = KINDS.iter().map(|(known, _)| *known).collect();
        faults.add("type", format!("must be one of {}", known.join(", ")));
        return;
    };
    if !fields.contains(&field) {
        faults.add(
            "field_type",
            format!("must be one of {} where the type is {kind}", fields.join(", ")),
        );
    }
}

/// Reads a way of editing, of a property whose kind is not said.
///
/// # Errors
/// With the rule.
pub fn read_field(field: &str) -> Result<String, &'static str> {
    match KINDS.iter().any(|(_, fields)| fields.contains(&field)) {
        true => Ok(field.to_owned()),
        false => Err("must be one of HubSpot's ways of editing, for example text, select or date"),
    }
}

/// Whether a property of this kind may have these options.
pub(crate) fn check_options(kind: &str, options: &[PropertyOption], faults: &mut Faults) {
    let values = || {
        options
            .iter()
            .map(|option| option.value.as_str())
            .collect::<HashSet<_>>()
    };
    match kind {
        "enumeration" if options.is_empty() => faults.add("options", "must hold at least one value"),
        "bool" if !options.is_empty() && values() != TRUTH.into() => {
            faults.add("options", "must be \"true\" and \"false\", or none");
        }
        "string" | "number" | "date" | "datetime" if !options.is_empty() => {
            faults.add("options", format!("must be none where the type is {kind}"));
        }
        _ => {}
    }
}

/// Holds options to their rules: each has a value of its own, and a label.
pub(crate) fn check_each_option(field: &str, options: &[PropertyOption], faults: &mut Faults) {
    if options.len() > MAX_OPTIONS {
        faults.add(field, format!("must hold at most {MAX_OPTIONS}"));
        return;
    }
    let mut seen = HashSet::new();
    for (place, option) in options.iter().enumerate() {
        faults.keep(&format!("{field}[{place}].label"), read_label(&option.label));
        if option.value.is_empty() || option.value.chars().count() > MAX_LABEL {
            faults.add(format!("{field}[{place}].value"), "must be 1 to 255 characters");
        } else if !seen.insert(option.value.as_str()) {
            faults.add(format!("{field}[{place}].value"), "stands here twice");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_is_one_that_hubspot_takes() {
        for good in ["plan", "a", "plan_2"] {
            assert!(read_new_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Plan",
            "2plan",
            "_plan",
            "pl-an",
            "pl.an",
            "a b",
            &"a".repeat(101),
        ] {
            assert!(read_new_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_way_of_editing_goes_with_its_type() {
        let faults = |kind: &str, field: &str| {
            let mut faults = Faults::default();
            read_kind_and_field(kind, field, &mut faults);
            faults.resolve(Some(())).err().map(|error| error.to_string())
        };
        assert_eq!(faults("string", "text"), None);
        assert_eq!(faults("bool", "booleancheckbox"), None);
        assert!(faults("string", "select").is_some_and(|told| told.contains("field_type")));
        assert!(faults("money", "text").is_some_and(|told| told.contains("type")));
    }

    #[test]
    fn only_what_is_chosen_has_options_and_none_of_them_twice() {
        let options = |values: &[&str]| -> Vec<PropertyOption> {
            let option = |value: &&str| PropertyOption {
                value: (*value).to_owned(),
                label: "L".to_owned(),
                ..PropertyOption::default()
            };
            values.iter().map(option).collect()
        };
        for (kind, values, sound) in [
            ("enumeration", &["a", "b"][..], true),
            ("enumeration", &[], false),
            ("enumeration", &["a", "a"], false),
            ("enumeration", &[""], false),
            ("bool", &[], true),
            ("bool", &["false", "true"], true),
            ("bool", &["true"], false),
            ("string", &[], true),
            ("string", &["a"], false),
        ] {
            let mut faults = Faults::default();
            check_options(kind, &options(values), &mut faults);
            check_each_option("options", &options(values), &mut faults);
            assert_eq!(faults.resolve(Some(())).is_ok(), sound, "{kind} {values:?}");
        }
    }
}
