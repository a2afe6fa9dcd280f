//! What goes into actions and comes out of them, as JSON Schema: short, because every client reads all of it before it asks
//! anything.

use serde_json::{Value, json};

use crate::crm::{LIST_PAGE, OWNER_PAGE, SEARCH_PAGE};

/// An object with these members and no others.
fn closed(members: &Value, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": members, "additionalProperties": false });
    if let (false, Some(object)) = (required.is_empty(), schema.as_object_mut()) {
        object.insert("required".to_owned(), json!(required));
    }
    schema
}

/// The same, which may hold more one day.
fn open(members: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": members, "required": required })
}

/// The same inside of another.
fn inner(members: &Value) -> Value {
    json!({ "type": "object", "properties": members })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn fields() -> Value {
    json!({ "type": "array", "items": text() })
}

fn page_size(most: u32) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": most })
}

/// An id: models write numbers where text is meant.
fn id() -> Value {
    json!({ "type": ["string", "integer"] })
}

pub(super) fn list_input() -> Value {
    closed(
        &json!({ "fields": fields(), "page_size": page_size(LIST_PAGE.most()), "page_token": text() }),
        &[],
    )
}

pub(super) fn get_input() -> Value {
    closed(&json!({ "id": id(), "fields": fields() }), &["id"])
}

pub(super) fn search_input() -> Value {
    let value = json!({ "type": ["string", "number", "boolean"] });
    let mut filter = inner(&json!({
        "field": text(),
        "operator": { "enum": super::filters::NAMES },
        "value": value,
        "high_value": value,
        "values": { "type": "array" },
    }));
    let mut sort = inner(&json!({ "field": text(), "descending": { "type": "boolean" } }));
    for (schema, required) in [
        (&mut filter, json!(["field", "operator"])),
        (&mut sort, json!(["field"])),
    ] {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("required".to_owned(), required);
        }
    }
    closed(
        &json!({
            "query": text(),
            "filters": { "type": "array", "items": filter, "maxItems": super::filters::MOST },
            "sort": sort,
            "fields": fields(),
            "page_size": page_size(SEARCH_PAGE.most()),
            "page_token": text(),
        }),
        &[],
    )
}

pub(super) fn owners_input() -> Value {
    closed(
        &json!({ "email": text(), "page_size": page_size(OWNER_PAGE.most()), "page_token": text() }),
        &[],
    )
}

/// Which portal it came from.
fn portal() -> Value {
    inner(&json!({ "client_slug": text(), "hub_id": { "type": "integer" } }))
}

fn record() -> Value {
    inner(&json!({
        "id": text(),
        "fields": { "type": "object" },
        "created_at": text(),
        "updated_at": text(),
    }))
}

pub(super) fn record_output() -> Value {
    open(
        &json!({ "portal": portal(), "record": record() }),
        &["portal", "record"],
    )
}

fn page(name: &str, item: &Value, total: bool) -> Value {
    let mut members = json!({ "portal": portal(), "next_page_token": text() });
    if let Some(members) = members.as_object_mut() {
        members.insert(name.to_owned(), json!({ "type": "array", "items": item }));
        if total {
            members.insert("total".to_owned(), json!({ "type": "integer" }));
        }
    }
    open(&members, &["portal", name])
}

pub(super) fn records_output() -> Value {
    page("records", &record(), false)
}

pub(super) fn found_output() -> Value {
    page("records", &record(), true)
}

pub(super) fn owners_output() -> Value {
    let owner = inner(&json!({ "id": text(), "type": text(), "email": text(), "name": text() }));
    page("owners", &owner, false)
}
