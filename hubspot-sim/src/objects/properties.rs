//! Property definitions, as a test writes them and as an account keeps them.

use serde::{Deserialize, Serialize};

/// What values a property takes, which decides how it is validated and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum PropertyKind {
    /// Text; compared without regard to case.
    #[default]
    Text,
    /// A number.
    Number,
    /// A date or a time.
    Time,
    /// One of a list of internal names, or several with `;` between them; compared with regard to case.
    Choice,
    /// `true` or `false`.
    Bool,
}

impl PropertyKind {
    /// HubSpot's word for it, and for the field in which it is usually edited.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("string", "text"),
            Self::Number => ("number", "number"),
            Self::Time => ("datetime", "date"),
            Self::Choice => ("enumeration", "select"),
            Self::Bool => ("bool", "booleancheckbox"),
        }
    }

    /// The kind that HubSpot's word means.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word {
            "string" => Some(Self::Text),
            "number" => Some(Self::Number),
            "date" | "datetime" => Some(Self::Time),
            "enumeration" => Some(Self::Choice),
            "bool" => Some(Self::Bool),
            _ => None,
        }
    }
}

/// One value that a choice allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyOption {
    /// The internal name, which is what records hold.
    pub value: String,
    /// What people see.
    pub label: String,
    /// Whether people can choose it in HubSpot's pages.
    #[serde(default)]
    pub hidden: bool,
}

/// A custom property of one object type in one account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PropertyDef {
    /// The internal name.
    pub name: String,
    /// What values it takes.
    #[serde(default)]
    pub kind: PropertyKind,
    /// Whether callers may only read it.
    #[serde(default)]
    pub read_only: bool,
    /// What people see; empty: made of the name.
    #[serde(default)]
    pub label: String,
    /// The group that it is shown in; empty: the type's own.
    #[serde(default)]
    pub group: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The values that a choice allows; with none, any value is taken.
    #[serde(default)]
    pub options: Vec<PropertyOption>,
    /// Whether no two records may have the same value.
    #[serde(default)]
    pub unique: bool,
}

impl PropertyDef {
    /// A property that callers may write.
    pub fn new(name: impl Into<String>, kind: PropertyKind) -> Self {
        Self {
            name: name.into(),
            kind,
            ..Self::default()
        }
    }

    /// What people see.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The values that it allows, each shown by its own name.
    #[must_use]
    pub fn options(mut self, values: &[&str]) -> Self {
        let option = |value: &&str| PropertyOption {
            value: (*value).to_owned(),
            label: (*value).to_owned(),
            hidden: false,
        };
        self.options = values.iter().map(option).collect();
        self
    }

    /// No two records may have the same value.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
}

/// A property as an account keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    /// What it is.
    pub(crate) property: PropertyDef,
    /// HubSpot's word for its values: `string`, `date`, `enumeration`, …
    pub(crate) value_type: String,
    /// The field in which it is edited: `text`, `select`, …
    pub(crate) field_type: String,
    /// Whether HubSpot defines it, so that nobody can change or archive it.
    pub(crate) hubspot_defined: bool,
    /// When it was defined, in microseconds since 1970.
    pub(crate) created_at: i64,
    /// When its definition was last changed.
    pub(crate) updated_at: i64,
    /// When it was archived, if it was.
    pub(crate) archived_at: Option<i64>,
}

impl Definition {
    /// A custom property, edited as its kind usually is.
    pub(crate) fn custom(property: PropertyDef, at: i64) -> Self {
        let (value_type, field_type) = property.kind.words();
        Self {
            property,
            value_type: value_type.to_owned(),
            field_type: field_type.to_owned(),
            hubspot_defined: false,
            created_at: at,
            updated_at: at,
            archived_at: None,
        }
    }

    /// A property that HubSpot defines.
    pub(crate) fn standard(name: &str, kind: PropertyKind, read_only: bool) -> Self {
        let property = PropertyDef {
            read_only,
            label: label_of(name),
            ..PropertyDef::new(name, kind)
        };
        Self {
            hubspot_defined: true,
            ..Self::custom(property, HUBSPOTS_TIME)
        }
    }
}

/// HubSpot's own properties have no history here: all were defined at the same time, 2020-06-30.
const HUBSPOTS_TIME: i64 = 1_593_532_800_000_000;

/// `hs_task_subject` is shown as "Task subject".
pub(crate) fn label_of(name: &str) -> String {
    let words = name.strip_prefix("hs_").unwrap_or(name).replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
