//! Names and values that go into HubSpot's paths and bodies, held to what HubSpot can mean by them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    error::Faults,
    limits::{MAX_HISTORY, MAX_PROPERTIES, MAX_VALUE_CHARS},
};

/// A type of record: "contacts", "0-1", "2-1234567", or the name of a custom type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectType(String);

/// What handles call the owners, which are no records but are granted like them.
const OWNERS: &str = "owners";
const CONTACTS: &str = "contacts";
const ACCOUNT: &str = "account";
/// What handles call the list of the types that an account has made for itself.
const SCHEMAS: &str = "schemas";

/// HubSpot's type ids of its standard types, each with the name that grants use: any other name is refused before a call is spent on
/// it. Custom types go by their id ("2-1234567") or their full name ("p1234567_cars").
const TYPE_IDS: [(&str, &str); 32] = [
    ("0-1", "contacts"),
    ("0-2", "companies"),
    ("0-3", "deals"),
    ("0-5", "tickets"),
    ("0-7", "products"),
    ("0-8", "line_items"),
    ("0-14", "quotes"),
    ("0-18", "communications"),
    ("0-19", "feedback_submissions"),
    ("0-27", "tasks"),
    ("0-46", "notes"),
    ("0-47", "meetings"),
    ("0-48", "calls"),
    ("0-49", "emails"),
    ("0-53", "invoices"),
    ("0-54", "marketing_events"),
    ("0-69", "subscriptions"),
    ("0-74", "goal_targets"),
    ("0-84", "discounts"),
    ("0-85", "fees"),
    ("0-86", "taxes"),
    ("0-101", "commerce_payments"),
    ("0-115", "users"),
    ("0-116", "postal_mail"),
    ("0-123", "orders"),
    ("0-136", "leads"),
    ("0-142", "carts"),
    ("0-162", "services"),
    ("0-410", "courses"),
    ("0-420", "listings"),
    ("0-421", "appointments"),
    ("0-970", "projects"),
];

impl ObjectType {
    /// Reads a type's name. A standard type's id becomes its name, so that a grant for "contacts" holds for "0-1".
    ///
    /// # Errors
    /// With the rule.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if let Some((_, name)) = TYPE_IDS.iter().find(|(id, _)| *id == text) {
            return Ok(Self((*name).to_owned()));
        }
        if is_padded(text) {
            return Err("must be a type's id without leading zeros: \"0-1\", \"2-1234567\"");
        }
        let is_standard = TYPE_IDS.iter().any(|(_, name)| *name == text);
        if is_standard || is_type_id(text) || is_full_name(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "must be one of HubSpot's types such as \"contacts\", or a custom type by its id (\"2-1234567\") or \
             full name (\"p1234567_cars\")",
        )
    }

    /// Owners.
    pub fn owners() -> Self {
        Self(OWNERS.to_owned())
    }

    /// The types that an account has made for itself.
    pub fn schemas() -> Self {
        Self(SCHEMAS.to_owned())
    }

    /// Contacts.
    pub fn contacts() -> Self {
        Self(CONTACTS.to_owned())
    }

    /// The account itself, which is no record and granted to nobody: what this service asks of it for itself.
    pub fn account() -> Self {
        Self(ACCOUNT.to_owned())
    }

    /// Whether it is a type that an account has made for itself.
    pub fn is_custom(&self) -> bool {
        self.0.starts_with("2-") || is_full_name(&self.0)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_type_id(text: &str) -> bool {
    let digits =
        |part: &str| (1..=12).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-')
        .is_some_and(|(kind, id)| matches!(kind, "0" | "2") && digits(id))
}

/// Whether it is a type's id with zeros that a number does not need: HubSpot may take it for the id without them, under whose name
/// it is neither granted nor refused here.
fn is_padded(text: &str) -> bool {
    let id = text.split_once('-').map_or("", |(_, id)| id);
    is_type_id(text) && id.len() > 1 && id.starts_with('0')
}

fn is_full_name(text: &str) -> bool {
    let named = text.strip_prefix('p').and_then(|rest| rest.split_once('_'));
    named.is_some_and(|(portal, name)| {
        portal.bytes().all(|byte| byte.is_ascii_digit()) && !portal.is_empty() && is_name(name)
    })
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte == b'.';
    (1..=128).contains(&text.len()) && text.bytes().all(inner)
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a record, or the value of a unique property in its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(String);

impl RecordId {
    /// Reads HubSpot's own id of a record: a number.
    ///
    /// # Errors
    /// With the rule.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "must be HubSpot's id of the record, a number; to name a record by another property, set id_property",
            )
        }
    }

    /// Reads the value of a unique property that stands in an id's place: an e-mail address, for example, or the key of a record
    /// elsewhere. It goes into a body, where any text is harmless.
    ///
    /// # Errors
    /// With the rule.
    pub fn read_value(text: &str) -> Result<Self, &'static str> {
        let sound = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
        if sound && text.chars().count() <= MAX_VALUE_CHARS {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "must be 1 to 65,536 characters without control characters, and without white space at its ends",
            )
        }
    }

    /// Reads such a value that goes into a path.
    ///
    /// # Errors
    /// With the rule, which is narrower.
    pub fn read_value_in_path(text: &str) -> Result<Self, &'static str> {
        if is_segment(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "must be 1 to 256 bytes without white space, '/', '\\', '%', '?', '#' and ';'; a batch takes other values",
            )
        }
    }

    /// Whether it can go into a path.
    pub fn fits_path(&self) -> bool {
        is_segment(&self.0)
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_segment(text: &str) -> bool {
    // What could end a segment of a path, for whoever takes its escapes apart on the way.
    let harmless =
        |letter: char| !letter.is_control() && !letter.is_whitespace() && !"/\\%?#;".contains(letter);
    (1..=256).contains(&text.len()) && text.chars().all(harmless) && text != "." && text != ".."
}

/// Where contacts have their addresses: one, and others between semicolons. HubSpot folds the case of these, and of no others.
pub const ADDRESSES: [&str; 2] = ["email", "hs_additional_emails"];

/// The internal name of a property: "email", "hs_lead_status", "associations.contact".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyName(String);

impl PropertyName {
    /// A name that is HubSpot's own.
    pub(crate) fn known(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// Reads a property's name.
    ///
    /// # Errors
    /// With the rule.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a property's internal name: 1 to 128 of letters, digits, '_', '-' and '.'")
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The properties that are wanted. None means HubSpot's default ones.
pub type PropertyNames = BTreeSet<PropertyName>;

/// Reads the names of wanted properties.
pub(crate) fn read_names(field: &str, names: &[String], faults: &mut Faults) -> PropertyNames {
    if names.len() > MAX_PROPERTIES {
        faults.add(field, format!("at most {MAX_PROPERTIES}"));
        return PropertyNames::new();
    }
    let read =
        |(place, name): (usize, &String)| faults.keep(&format!("{field}[{place}]"), PropertyName::read(name));
    names.iter().enumerate().filter_map(read).collect()
}

/// Reads the names of properties whose history is wanted.
pub(crate) fn read_history(names: &[String], faults: &mut Faults) -> PropertyNames {
    const FIELD: &str = "history_properties";
    if names.len() > MAX_HISTORY {
        faults.add(FIELD, format!("at most {MAX_HISTORY}"));
        return PropertyNames::new();
    }
    read_names(FIELD, names, faults)
}

/// The values to be written, by property.
pub type PropertyValues = BTreeMap<PropertyName, String>;

/// Reads the values to be written.
pub(crate) fn read_values(
    field: &str,
    values: &BTreeMap<String, String>,
    faults: &mut Faults,
) -> PropertyValues {
    if values.is_empty() || values.len() > MAX_PROPERTIES {
        faults.add(field, format!("must hold 1 to {MAX_PROPERTIES} values"));
        return PropertyValues::new();
    }
    let mut read = PropertyValues::new();
    for (name, value) in values {
        let place = format!("{field}[\"{}\"]", name.chars().take(64).collect::<String>());
        if value.chars().count() > MAX_VALUE_CHARS {
            faults.add(place, format!("at most {MAX_VALUE_CHARS} characters"));
        } else if let Some(name) = faults.keep(&place, PropertyName::read(name)) {
            read.insert(name, value.clone());
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_type_has_one_name_however_it_is_written() {
        assert_eq!(ObjectType::read("0-1"), ObjectType::read("contacts"));
    }

    #[test]
    fn types_that_hubspot_cannot_have_are_refused() {
        for good in ["contacts", "2-1234567", "p42_cars", "line_items"] {
            assert!(ObjectType::read(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "contact s",
            "../owners",
            "owners",
            "unicorns",
            "3-1",
            "2-",
            "p_x",
            "2-1/..",
            "CONTACTS",
        ] {
            assert!(ObjectType::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_type_has_no_second_id_by_leading_zeros() {
        for padded in ["0-01", "0-001", "0-00", "2-01234567"] {
            let rule = ObjectType::read(padded).expect_err(padded);
            assert!(rule.contains("leading zeros"), "{padded}: {rule}");
        }
        for good in ["0-1", "0-410", "0-99", "0-0", "2-1000"] {
            assert!(ObjectType::read(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn an_id_stays_one_segment() {
        for bad in [
            "",
            ".",
            "..",
            "a b",
            "a\n",
            "a/b",
            "..%2fowners",
            "a\\b",
            &"1".repeat(257),
        ] {
            assert!(RecordId::read(bad).is_err(), "{bad:?}");
            assert!(RecordId::read_value_in_path(bad).is_err(), "{bad:?}");
        }
        assert!(RecordId::read("101").is_ok() && RecordId::read("ann@example.com").is_err());
        assert!(RecordId::read_value_in_path("ann@example.com").is_ok());
    }

    #[test]
    fn a_value_in_a_body_is_any_text_that_can_be_seen() {
        let longest = "é".repeat(MAX_VALUE_CHARS);
        for good in [
            "ACME / DE 17",
            "a/b",
            "..",
            "100 %",
            "a\\b?c#d;e",
            "Zürich 8001",
            &longest,
        ] {
            let read = RecordId::read_value(good).expect("taken");
            assert_eq!(read.as_str(), good);
        }
        let too_long = "1".repeat(MAX_VALUE_CHARS + 1);
        for bad in [
            "", " ", "\u{a0}", " a", "a ", "a\n", "a\tb", "a\0b", "a\u{7f}", "a\u{85}b", &too_long,
        ] {
            let start: String = bad.chars().take(8).collect();
            assert!(RecordId::read_value(bad).is_err(), "{start:?}");
        }
        let fits = |text| RecordId::read_value(text).expect("taken").fits_path();
        assert!(fits("ann@example.com"));
        assert!(!fits("ACME / DE 17") && !fits(".."));
    }
}
