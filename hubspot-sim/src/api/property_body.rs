//! A property definition in a body: how it is read, and how it is shown.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::errors::{self, Problem};
use crate::objects::Crm;
use crate::objects::kind::ObjectType;
use crate::objects::pipelines::properties_of;
use crate::objects::properties::{Definition, PropertyDef, PropertyKind, PropertyOption};

/// A definition as a body asks for it.
pub(super) fn new(body: &Value, now: i64) -> Result<Definition, Problem> {
    let needed = |field: &str| {
        let text = text(body, field).filter(|text| !text.is_empty());
        text.ok_or_else(|| {
            errors::invalid(format!("Invalid input JSON: some fields were not set: [{field}]"))
        })
    };
    let name = needed("name")?;
    if !is_internal_name(&name) {
        return Err(errors::invalid(format!(
            "{name} is no property name: lower-case letters, digits and underscores, a letter first"
        )));
    }
    let value_type = needed("type")?;
    let kind = PropertyKind::of_word(&value_type)
        .ok_or_else(|| errors::invalid(format!("{value_type} is no property type")))?;
    let property = PropertyDef {
        label: needed("label")?,
        group: needed("groupName")?,
        unique: flag(body, "hasUniqueValue"),
        ..PropertyDef::new(name, kind)
    };
    let field_type = needed("fieldType")?;
    let definition = Definition {
        value_type,
        field_type,
        ..Definition::custom(property, now)
    };
    changed(definition, body, now)
}

/// A definition with what a body changes of it. Its name and the type of its values stay.
pub(super) fn changed(mut definition: Definition, body: &Value, now: i64) -> Result<Definition, Problem> {
    let property = &mut definition.property;
    for (field, place) in [
        ("label", &mut property.label),
        ("groupName", &mut property.group),
        ("description", &mut property.description),
    ] {
        if let Some(text) = text(body, field) {
            *place = text;
        }
    }
    if let Some(given) = body.get("options").and_then(Value::as_array) {
        property.options = given.iter().map(option).collect::<Result<_, _>>()?;
    }
    if let Some(field_type) = text(body, "fieldType") {
        definition.field_type = field_type;
    }
    definition.updated_at = now;
    Ok(definition)
}

fn option(given: &Value) -> Result<PropertyOption, Problem> {
    let (value, label) = (text(given, "value"), text(given, "label"));
    match (value, label) {
        (Some(value), Some(label)) => Ok(PropertyOption {
            value,
            label,
            hidden: flag(given, "hidden"),
        }),
        _ => Err(errors::invalid(
            "Invalid input JSON: an option needs a label and a value",
        )),
    }
}

fn is_internal_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(plain)
}

fn text(body: &Value, field: &str) -> Option<String> {
    body.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn flag(body: &Value, field: &str) -> bool {
    body.get(field).and_then(Value::as_bool).unwrap_or(false)
}

/// A definition as answers show it. The stages that deals and tickets can have are those of their pipelines.
pub(super) fn render(crm: &mut Crm, kind: ObjectType, definition: &Definition) -> Value {
    let Definition {
        property,
        value_type,
        field_type,
        hubspot_defined,
        created_at,
        updated_at,
        archived_at,
    } = definition;
    let own_group = format!("{}information", kind.facts().singular);
    json!({
        "name": property.name,
        "label": if property.label.is_empty() { &property.name } else { &property.label },
        "type": value_type,
        "fieldType": field_type,
        "description": property.description,
        "groupName": if property.group.is_empty() { &own_group } else { &property.group },
        "options": options(crm, kind, property),
        "displayOrder": -1,
        "calculated": false,
        "externalOptions": property.name == "hubspot_owner_id",
        "hasUniqueValue": property.unique || property.name == "hs_object_id",
        "hidden": false,
        "hubspotDefined": hubspot_defined,
        "formField": !hubspot_defined,
        "modificationMetadata": {
            "archivable": !hubspot_defined,
            "readOnlyDefinition": hubspot_defined,
            "readOnlyOptions": hubspot_defined,
            "readOnlyValue": property.read_only,
        },
        "createdAt": iso(*created_at),
        "updatedAt": iso(*updated_at),
        "archived": archived_at.is_some(),
        "archivedAt": archived_at.map(iso),
    })
}

fn options(crm: &mut Crm, kind: ObjectType, property: &PropertyDef) -> Vec<Value> {
    let (pipeline, stage) = properties_of(kind);
    let listed: Vec<(String, String, bool)> = if property.name == pipeline {
        let all = crm.pipelines.of(kind).iter();
        all.map(|one| (one.label.clone(), one.id.clone(), false))
            .collect()
    } else if property.name == stage {
        let all = crm.pipelines.of(kind).iter().flat_map(|one| &one.stages);
        all.map(|one| (one.label.clone(), one.id.clone(), false))
            .collect()
    } else {
        let all = property.options.iter();
        all.map(|one| (one.label.clone(), one.value.clone(), one.hidden))
            .collect()
    };
    (0..)
        .zip(listed)
        .map(|(order, (label, value, hidden)): (i64, _)| {
            json!({ "label": label, "value": value, "displayOrder": order, "hidden": hidden })
        })
        .collect()
}
