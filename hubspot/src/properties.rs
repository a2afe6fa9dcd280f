//! Properties: what records of a type can have, and of which values.

use std::collections::BTreeMap;

use http::Method;
use hubkeep_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    answer::MayBeRecord,
    config::ApiVersion,
    path::Path,
    request::{Ask, Repeat},
    wire::{self, JsonObject, Several, each, time},
};

/// What records of a type can have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its internal name, by which values are read and written.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What people say of it.
    pub description: String,
    /// The group that people find it in.
    pub group: String,
    /// Of what type its values are, in HubSpot's words: "string", "number", "date", "datetime", "enumeration", "bool", …
    pub kind: String,
    /// By what people enter them, in HubSpot's words: "text", "select", "checkbox", …
    pub field: String,
    /// The values of an enumeration, in their order.
    pub options: Vec<PropertyOption>,
    /// Whether no two records may have the same value.
    pub unique: bool,
    /// Whether HubSpot computes it.
    pub calculated: bool,
    /// Whether it is hidden from people.
    pub hidden: bool,
    /// Whether HubSpot made it, and not the account.
    pub defined_by_hubspot: bool,
    /// Whether its values cannot be written; `None` if HubSpot does not say.
    pub read_only_value: Option<bool>,
    /// Whether the property itself cannot be changed; `None` if HubSpot does not say.
    pub read_only_definition: Option<bool>,
    /// How sensitive its values are, in HubSpot's words: "non_sensitive", "sensitive", "highly_sensitive"; empty if HubSpot does
    /// not say.
    pub sensitivity: String,
    /// The type of the records that its values name, for example "OWNER"; empty where they name none.
    pub refers_to: String,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was made; HubSpot's own ones have no such time.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
}

/// A value of an enumeration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PropertyOption {
    /// The value as it is read and written.
    pub value: String,
    /// What people see.
    pub label: String,
    /// What people say of it.
    pub description: String,
    /// Its place among the others; -1 for after all that have one.
    pub display_order: i64,
    /// Whether it is hidden from forms.
    pub hidden: bool,
}

impl PropertyOption {
    fn body(&self) -> Value {
        json!({
            "value": self.value,
            "label": self.label,
            "description": self.description,
            "displayOrder": self.display_order,
            "hidden": self.hidden,
        })
    }
}

/// A property to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NewProperty {
    /// Its internal name, which stays for good.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The group that people find it in; HubSpot refuses one that there is not.
    pub group: String,
    /// Of what type its values are.
    pub kind: String,
    /// By what people enter them.
    pub field: String,
    /// What people say of it.
    pub description: String,
    /// The values of an enumeration.
    pub options: Vec<PropertyOption>,
    /// Whether no two records may have the same value. That stays for good.
    pub unique: bool,
    /// Whether it is hidden from people.
    pub hidden: bool,
}

/// What changes of a property. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PropertyChange {
    /// What people call it.
    pub label: Option<String>,
    /// The group that people find it in.
    pub group: Option<String>,
    /// Of what type its values are.
    pub kind: Option<String>,
    /// By what people enter them.
    pub field: Option<String>,
    /// What people say of it.
    pub description: Option<String>,
    /// All values of an enumeration: those that are not named here are taken from it.
    pub options: Option<Vec<PropertyOption>>,
    /// Whether it is hidden from people.
    pub hidden: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireProperty {
    name: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    group_name: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    field_type: Option<String>,
    #[serde(default)]
    options: Several<WireOption>,
    #[serde(default)]
    has_unique_value: Option<bool>,
    #[serde(default)]
    calculated: Option<bool>,
    #[serde(default)]
    hidden: Option<bool>,
    #[serde(default)]
    hubspot_defined: Option<bool>,
    #[serde(default)]
    modification_metadata: Option<JsonObject<WireModification>>,
    #[serde(default)]
    data_sensitivity: Option<String>,
    #[serde(default)]
    referenced_object_type: Option<String>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireModification {
    read_only_value: Option<bool>,
    read_only_definition: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOption {
    value: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    display_order: Option<i64>,
    #[serde(default)]
    hidden: Option<bool>,
}

impl From<WireOption> for PropertyOption {
    fn from(wire: WireOption) -> Self {
        Self {
            value: wire.value,
            label: wire.label.unwrap_or_default(),
            description: wire.description.unwrap_or_default(),
            display_order: wire.display_order.unwrap_or(-1),
            hidden: wire.hidden.unwrap_or_default(),
        }
    }
}

impl From<WireProperty> for Property {
    fn from(wire: WireProperty) -> Self {
        let modification = wire.modification_metadata.map(|JsonObject(says)| says);
        let modification = modification.unwrap_or_default();
        Self {
            name: wire.name,
            label: wire.label.unwrap_or_default(),
            description: wire.description.unwrap_or_default(),
            group: wire.group_name.unwrap_or_default(),
            kind: wire.kind.unwrap_or_default(),
            field: wire.field_type.unwrap_or_default(),
            options: each(wire.options),
            unique: wire.has_unique_value.unwrap_or_default(),
            calculated: wire.calculated.unwrap_or_default(),
            hidden: wire.hidden.unwrap_or_default(),
            defined_by_hubspot: wire.hubspot_defined.unwrap_or_default(),
            read_only_value: modification.read_only_value,
            read_only_definition: modification.read_only_definition,
            sensitivity: wire.data_sensitivity.unwrap_or_default(),
            refers_to: wire.referenced_object_type.unwrap_or_default(),
            archived: wire.archived.unwrap_or_default(),
            created: time(wire.created_at.as_ref()),
            updated: time(wire.updated_at.as_ref()),
        }
    }
}

/// Reads all properties of a type at once, or all that are archived. Those of sensitive data are not among them.
pub fn list(version: ApiVersion, object_type: &str, archived: bool) -> Ask<Vec<Property>> {
    let query = archived.then(|| ("archived", "true".to_owned()));
    Ask::get(
        Path::properties(version, object_type),
        wire::all::<WireProperty, _>,
    )
    .with_query(query.into_iter().collect())
}

/// Reads one property.
pub fn get(version: ApiVersion, object_type: &str, name: &str) -> Ask<Property> {
    let path = Path::properties(version, object_type).then_id(name);
    Ask::get(path, wire::one::<WireProperty, _>)
}

/// Makes a property.
pub fn create(version: ApiVersion, object_type: &str, new: &NewProperty) -> Ask<Property> {
    let body = json!({
        "name": new.name,
        "label": new.label,
        "groupName": new.group,
        "type": new.kind,
        "fieldType": new.field,
        "description": new.description,
        "options": options(&new.options),
        "hasUniqueValue": new.unique,
        "hidden": new.hidden,
    });
    let path = Path::properties(version, object_type);
    Ask::get(path, wire::one::<WireProperty, _>).with_body(Repeat::ActsAgain, Method::POST, &body)
}

/// Changes a property.
pub fn update(version: ApiVersion, object_type: &str, name: &str, change: &PropertyChange) -> Ask<Property> {
    let text = |value: &Option<String>| value.clone().map(Value::from);
    let fields = [
        ("label", text(&change.label)),
        ("groupName", text(&change.group)),
        ("type", text(&change.kind)),
        ("fieldType", text(&change.field)),
        ("description", text(&change.description)),
        ("options", change.options.as_deref().map(options)),
        ("hidden", change.hidden.map(Value::from)),
    ];
    let named = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let body = json!(named.collect::<BTreeMap<_, _>>());
    let path = Path::properties(version, object_type).then_id(name);
    Ask::get(path, wire::one::<WireProperty, _>).with_body(Repeat::SameState, Method::PATCH, &body)
}

/// Archives a property, and with it what records have of it.
pub fn archive(version: ApiVersion, object_type: &str, name: &str) -> Ask<()> {
    let path = Path::properties(version, object_type).then_id(name);
    Ask::delete(path, wire::nothing)
}

fn options(options: &[PropertyOption]) -> Value {
    options.iter().map(PropertyOption::body).collect()
}

impl MayBeRecord for Property {}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: ApiVersion = ApiVersion::V2026_09;

    fn body<T>(ask: &Ask<T>) -> Value {
        serde_json::from_slice(ask.body.as_ref().expect("a body")).expect("JSON")
    }

    #[test]
    fn a_property_says_what_it_may_hold_and_who_may_change_it() {
        let ask = list(VERSION, "deals", false);
        let read = (ask.decode)(
            br#"{"results":[{"name":"stage","label":"Stage","type":"enumeration","fieldType":"select","groupName":"g",
                "description":null,"options":[{"label":"New","value":"new","displayOrder":0,"hidden":false},
                {"label":"Old","value":"old"}],"hasUniqueValue":false,"hubspotDefined":true,
                "modificationMetadata":{"archivable":false,"readOnlyDefinition":true,"readOnlyValue":false},
                "dataSensitivity":"non_sensitive","referencedObjectType":"OWNER","createdAt":"2026-01-01T00:00:00Z"},
                {"name":"bare"}]}"#,
        )
        .expect("reads");
        assert_eq!(read.record_count, 2);
        let [stage, bare] = &read.value[..] else {
            panic!("two properties");
        };
        assert_eq!(
            (stage.kind.as_str(), stage.field.as_str()),
            ("enumeration", "select")
        );
        let orders: Vec<i64> = stage.options.iter().map(|option| option.display_order).collect();
        assert_eq!(orders, [0, -1]);
        assert_eq!(
            (stage.read_only_value, stage.read_only_definition),
            (Some(false), Some(true))
        );
        assert!(stage.defined_by_hubspot && stage.created.is_some());
        assert_eq!(
            *bare,
            Property {
                name: "bare".to_owned(),
                ..Property::default()
            }
        );
        assert!((ask.decode)(br#"{"results":[{"label":"without a name"}]}"#).is_err());
    }

    #[test]
    fn a_change_names_what_changes_and_nothing_else() {
        let change = PropertyChange {
            label: Some("New".to_owned()),
            hidden: Some(false),
            ..PropertyChange::default()
        };
        let ask = update(VERSION, "contacts", "plan", &change);
        assert_eq!(body(&ask), json!({ "label": "New", "hidden": false }));
        assert_eq!((ask.method.as_str(), ask.repeat()), ("PATCH", Repeat::SameState));
        assert_eq!(ask.path.template(), "/crm/properties/2026-09/contacts/{id}");
    }

    #[test]
    fn a_new_property_is_not_made_twice_blindly() {
        let new = NewProperty {
            name: "plan".to_owned(),
            label: "Plan".to_owned(),
            group: "contactinformation".to_owned(),
            kind: "string".to_owned(),
            field: "text".to_owned(),
            ..NewProperty::default()
        };
        let ask = create(VERSION, "contacts", &new);
        assert_eq!(ask.repeat(), Repeat::ActsAgain);
        assert_eq!(body(&ask)["groupName"], "contactinformation");
        assert_eq!(archive(VERSION, "contacts", "plan").repeat(), Repeat::SameState);
    }
}
