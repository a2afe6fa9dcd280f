//! How two records belong together.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::MayBeRecord;

/// Who defines an association.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Category {
    /// HubSpot.
    HubSpot,
    /// The account.
    User,
    /// An app.
    Integrator,
    /// HubSpot's "work".
    Work,
    /// One that is not known here, in HubSpot's word.
    Other(String),
}

impl Category {
    /// HubSpot's word for it.
    pub fn name(&self) -> &str {
        match self {
            Self::HubSpot => "HUBSPOT_DEFINED",
            Self::User => "USER_DEFINED",
            Self::Integrator => "INTEGRATOR_DEFINED",
            Self::Work => "WORK",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Category {
    fn from(name: &str) -> Self {
        let known = [Self::HubSpot, Self::User, Self::Integrator, Self::Work];
        let known = known.into_iter().find(|category| category.name() == name);
        known.unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

/// A way in which two records belong together, in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AssociationType {
    /// Who defines it.
    pub category: Category,
    /// Its number; of the account's own ones each account has others.
    pub id: u32,
}

impl AssociationType {
    /// One of HubSpot's own.
    pub const fn hubspot(id: u32) -> Self {
        Self {
            category: Category::HubSpot,
            id,
        }
    }

    pub(super) fn body(&self) -> Value {
        json!({ "associationCategory": self.category.name(), "associationTypeId": self.id })
    }
}

/// A way in which two records belong together, and what people call it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Label {
    /// The way.
    pub kind: AssociationType,
    /// What people call it; `None` for the association without a label.
    pub label: Option<String>,
}

/// As it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireLabel {
    category: String,
    type_id: u32,
    #[serde(default)]
    label: Option<String>,
}

impl From<WireLabel> for Label {
    fn from(wire: WireLabel) -> Self {
        Self {
            kind: AssociationType {
                category: Category::from(wire.category.as_str()),
                id: wire.type_id,
            },
            label: wire.label,
        }
    }
}

/// As it is written, where HubSpot repeats it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSpec {
    association_category: String,
    association_type_id: u32,
}

impl From<WireSpec> for AssociationType {
    fn from(wire: WireSpec) -> Self {
        Self {
            category: Category::from(wire.association_category.as_str()),
            id: wire.association_type_id,
        }
    }
}

impl MayBeRecord for Label {}
