//! Types of records that an account has made for itself. HubSpot's own types are not among them.

use hubkeep_core::clock::Timestamp;
use serde::Deserialize;

use crate::{
    answer::MayBeRecord,
    config::ApiVersion,
    path::Path,
    properties::{Property, WireProperty},
    request::Ask,
    wire::{self, JsonObject, Several, WireId, each, time},
};

/// A type of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its id, for example "2-3465404": what stands for the type in paths.
    pub object_type_id: String,
    /// Its name in full, for example "p42_pets"; empty if HubSpot does not say.
    pub full_name: String,
    /// Its name.
    pub name: String,
    /// What people call one of them.
    pub singular: String,
    /// What people call many of them.
    pub plural: String,
    /// What people say of it.
    pub description: String,
    /// The property that is shown for a record.
    pub primary_property: String,
    /// The properties that are shown beside it.
    pub secondary_properties: Vec<String>,
    /// The properties without which no record is made.
    pub required_properties: Vec<String>,
    /// The properties that a search for words looks into.
    pub searchable_properties: Vec<String>,
    /// Its properties.
    pub properties: Vec<Property>,
    /// To which types it can be associated.
    pub associations: Vec<SchemaAssociation>,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
}

/// That records of one type can be associated with those of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaAssociation {
    /// Its id.
    pub id: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// The id of the one type.
    pub from_type_id: String,
    /// The id of the other.
    pub to_type_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSchema {
    object_type_id: WireId,
    name: String,
    #[serde(default)]
    fully_qualified_name: Option<String>,
    #[serde(default)]
    labels: Option<JsonObject<WireLabels>>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    primary_display_property: Option<String>,
    #[serde(default)]
    secondary_display_properties: Option<Vec<String>>,
    #[serde(default)]
    required_properties: Option<Vec<String>>,
    #[serde(default)]
    searchable_properties: Option<Vec<String>>,
    #[serde(default)]
    properties: Several<WireProperty>,
    #[serde(default)]
    associations: Several<WireAssociation>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireLabels {
    singular: Option<String>,
    plural: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAssociation {
    id: WireId,
    #[serde(default)]
    name: Option<String>,
    from_object_type_id: WireId,
    to_object_type_id: WireId,
}

impl From<WireSchema> for Schema {
    fn from(wire: WireSchema) -> Self {
        let labels = wire.labels.map(|JsonObject(labels)| labels).unwrap_or_default();
        Self {
            object_type_id: wire.object_type_id.0,
            full_name: wire.fully_qualified_name.unwrap_or_default(),
            name: wire.name,
            singular: labels.singular.unwrap_or_default(),
            plural: labels.plural.unwrap_or_default(),
            description: wire.description.unwrap_or_default(),
            primary_property: wire.primary_display_property.unwrap_or_default(),
            secondary_properties: wire.secondary_display_properties.unwrap_or_default(),
            required_properties: wire.required_properties.unwrap_or_default(),
            searchable_properties: wire.searchable_properties.unwrap_or_default(),
            properties: each(wire.properties),
            associations: each(wire.associations),
            archived: wire.archived.unwrap_or_default(),
            created: time(wire.created_at.as_ref()),
            updated: time(wire.updated_at.as_ref()),
        }
    }
}

impl From<WireAssociation> for SchemaAssociation {
    fn from(wire: WireAssociation) -> Self {
        Self {
            id: wire.id.0,
            name: wire.name.unwrap_or_default(),
            from_type_id: wire.from_object_type_id.0,
            to_type_id: wire.to_object_type_id.0,
        }
    }
}

/// Reads all types that the account has made, or all that it has archived.
pub fn list(version: ApiVersion, archived: bool) -> Ask<Vec<Schema>> {
    let query = archived.then(|| ("archived", "true".to_owned()));
    Ask::get(Path::schemas(version), wire::all::<WireSchema, _>).with_query(query.into_iter().collect())
}

/// Reads one type, by its id or its name in full.
pub fn get(version: ApiVersion, object_type: &str) -> Ask<Schema> {
    Ask::get(
        Path::schemas(version).then_id(object_type),
        wire::one::<WireSchema, _>,
    )
}

impl MayBeRecord for Schema {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_the_accounts_own_says_what_a_record_of_it_needs() {
        let ask = list(ApiVersion::V2026_09, false);
        let read = (ask.decode)(
            br#"{"results":[{"id":"3465404","objectTypeId":"2-3465404","name":"pets","fullyQualifiedName":"p42_pets",
                "labels":{"singular":"Pet","plural":"Pets"},"requiredProperties":["chip"],
                "searchableProperties":["name"],"primaryDisplayProperty":"name","secondaryDisplayProperties":null,
                "properties":[{"name":"chip","type":"string","hasUniqueValue":true}],
                "associations":[{"id":"121","fromObjectTypeId":"2-3465404","toObjectTypeId":"0-1","name":"pet_to_contact"}],
                "archived":false}]}"#,
        )
        .expect("reads");
        let pets = &read.value[0];
        assert_eq!(
            (pets.object_type_id.as_str(), pets.plural.as_str()),
            ("2-3465404", "Pets")
        );
        assert_eq!(pets.required_properties, ["chip"]);
        assert!(pets.properties[0].unique);
        assert_eq!(pets.associations[0].to_type_id, "0-1");
        assert!((ask.decode)(br#"{"results":[{"name":"without an id"}]}"#).is_err());
        let one = get(ApiVersion::V3, "p42_pets");
        assert_eq!(one.path.template(), "/crm-object-schemas/v3/schemas/{id}");
    }
}
