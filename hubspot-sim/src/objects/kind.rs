//! The object types: HubSpot's own, and those that an account has defined for itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::standard::{self, Standard};

/// A type of CRM record. In JSON it is its plural name, or the type id of a custom type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ObjectType {
    /// People (`contacts`, `0-1`).
    Contacts,
    /// Organisations (`companies`, `0-2`).
    Companies,
    /// Sales (`deals`, `0-3`).
    Deals,
    /// Support requests (`tickets`, `0-5`).
    Tickets,
    /// Notes on the timeline (`notes`, `0-46`).
    Notes,
    /// Tasks (`tasks`, `0-27`).
    Tasks,
    /// Telephone calls (`calls`, `0-48`).
    Calls,
    /// E-mails on the timeline (`emails`, `0-49`).
    Emails,
    /// Meetings (`meetings`, `0-47`).
    Meetings,
    /// Lines of deals and quotes (`line_items`, `0-8`).
    LineItems,
    /// What can be sold (`products`, `0-7`).
    Products,
    /// Offers (`quotes`, `0-14`).
    Quotes,
    /// A type that an account has defined: `Custom(7)` is `2-7`.
    Custom(u32),
}

impl ObjectType {
    /// Every type that each account has.
    pub const ALL: [Self; 12] = [
        Self::Contacts,
        Self::Companies,
        Self::Deals,
        Self::Tickets,
        Self::Notes,
        Self::Tasks,
        Self::Calls,
        Self::Emails,
        Self::Meetings,
        Self::LineItems,
        Self::Products,
        Self::Quotes,
    ];

    /// The type named by a path segment: plural, singular or type id. Whether a custom type exists is not asked here, and
    /// its name (`p<portal>_<name>`) is known to its account only.
    pub fn parse(segment: &str) -> Option<Self> {
        if let Some(number) = segment.strip_prefix("2-") {
            return number.parse().ok().map(Self::Custom);
        }
        Self::ALL.into_iter().find(|kind| {
            let facts = kind.facts();
            [facts.plural, facts.singular, facts.type_id].contains(&segment)
        })
    }

    /// The plural name, as in paths; of a custom type its type id.
    pub fn name(self) -> String {
        match self {
            Self::Custom(_) => self.type_id(),
            standard => standard.facts().plural.to_owned(),
        }
    }

    /// `0-1`, `2-7`, …
    pub fn type_id(self) -> String {
        match self {
            Self::Custom(number) => format!("2-{number}"),
            standard => standard.facts().type_id.to_owned(),
        }
    }

    /// Whether an account has defined it.
    pub fn is_custom(self) -> bool {
        matches!(self, Self::Custom(_))
    }

    /// What is fixed about it.
    pub(crate) fn facts(self) -> &'static Standard {
        standard::facts(self)
    }

    /// The id of the first record of this type, the same in every account on purpose: a call that reaches the wrong
    /// account then finds a record there instead of a telling 404.
    pub(crate) fn first_id(self) -> u64 {
        let first = self.facts().first_id;
        match self {
            Self::Custom(number) => first + u64::from(number % 1_000) * 10_000_000,
            _ => first,
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name())
    }
}

impl From<ObjectType> for String {
    fn from(kind: ObjectType) -> Self {
        kind.name()
    }
}

impl TryFrom<String> for ObjectType {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::parse(&name).ok_or_else(|| format!("there is no object type {name}"))
    }
}
