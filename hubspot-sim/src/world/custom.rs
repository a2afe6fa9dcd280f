//! What an account defines for itself: object types, and what its records must have.

use serde::{Deserialize, Serialize};

use crate::objects::kind::ObjectType;
use crate::objects::properties::{PropertyDef, PropertyKind};

/// A property that records must have while another one has a certain value, by the will of the account's administrators.
/// Only paths of `2026-09` enforce it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The type of the records.
    pub object_type: ObjectType,
    /// What they must have.
    pub property: String,
    /// The other property.
    pub when: String,
    /// The value it has.
    pub is: String,
}

/// An object type that an account defines for itself. Paths name it `2-<number>` or `p<portal>_<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomObjectSpec {
    /// The number in its type id: 7 for `2-7`.
    pub number: u32,
    /// The internal name.
    pub name: String,
    /// What people call one of it.
    pub singular: String,
    /// What people call several of it.
    pub plural: String,
    /// The property that names a record, which answers carry when they are asked for none.
    pub primary_display: String,
    /// What a new record must have.
    #[serde(default)]
    pub required: Vec<String>,
    /// What the `query` of a search looks into; none: the primary property.
    #[serde(default)]
    pub searchable: Vec<String>,
    /// Its properties, besides those that every type has.
    #[serde(default)]
    pub properties: Vec<PropertyDef>,
}

impl CustomObjectSpec {
    /// A type whose records have a `name`, which they must have.
    pub fn new(number: u32, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            number,
            singular: name.clone(),
            plural: format!("{name}s"),
            name,
            primary_display: "name".to_owned(),
            required: vec!["name".to_owned()],
            searchable: Vec::new(),
            properties: vec![PropertyDef::new("name", PropertyKind::Text).label("Name")],
        }
    }

    /// Adds a property.
    #[must_use]
    pub fn property(mut self, property: PropertyDef) -> Self {
        self.properties.push(property);
        self
    }

    /// A new record must have this one too.
    #[must_use]
    pub fn required(mut self, property: impl Into<String>) -> Self {
        self.required.push(property.into());
        self
    }

    /// The type, to name it elsewhere.
    pub fn object_type(&self) -> ObjectType {
        ObjectType::Custom(self.number)
    }
}
