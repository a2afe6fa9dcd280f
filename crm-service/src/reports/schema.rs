//! The published schemas of reports: what stands in docs/schemas is what these types say.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{frame::VERSION, processing, provider, scope, subject, sunset, usage};

/// Every schema, by its name: "usage-report/1".
fn all() -> Vec<(String, Value)> {
    [
        ("usage-report", of::<usage::Body>()),
        ("processing-record", of::<processing::Body>()),
        ("service-provider-report", of::<provider::Body>()),
        ("subject-report", of::<subject::Body>()),
        ("scope-report", of::<scope::Body>()),
        ("sunset-report", of::<sunset::Body>()),
    ]
    .into_iter()
    .map(|(name, body)| (name.to_owned(), framed(name, body)))
    .collect()
}

fn of<B: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<B>()
}

/// What a report says, inside what stands around every report.
fn framed(name: &str, body: Schema) -> Value {
    let mut body = Value::from(body);
    let definitions = body.as_object_mut().and_then(|body| body.remove("$defs"));
    if let Some(body) = body.as_object_mut() {
        body.remove("$schema");
        body.remove("title");
    }
    let closed = |properties: Value| {
        let names: Vec<String> = properties
            .as_object()
            .map(Map::keys)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
    };
    let number = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": "string" });
    let signed = closed(json!({ "size": number, "root": text, "note": text }));
    let log = closed(json!({
        "log": text,
        "until_position": number,
        "size": number,
        "checkpoint": { "anyOf": [signed, { "type": "null" }] },
    }));
    let time = json!({ "type": "string", "format": "date-time" });
    let mut whole = closed(json!({
        "schema": { "const": format!("{name}/{VERSION}") },
        "title": { "type": "string" },
        "portal": closed(json!({
            "client_slug": { "type": "string" },
            "portal_id": { "type": "integer", "minimum": 1 },
        })),
        "period": closed(json!({ "start": time, "end": time })),
        "made_from": { "type": "array", "items": log, "minItems": 2, "maxItems": 2 },
        "report": body,
        "gaps": { "type": "array", "items": { "type": "string" } },
    }));
    if let Some(whole) = whole.as_object_mut() {
        whole.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        whole.insert("title".to_owned(), json!(format!("Hubkeep {name}")));
        whole.extend(definitions.map(|definitions| ("$defs".to_owned(), definitions)));
    }
    whole
}

#[test]
fn the_published_schemas_are_those_of_what_is_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas");
    for (name, schema) in all() {
        let file = folder.join(format!("{name}-{VERSION}.json"));
        let written = serde_json::to_string_pretty(&schema).expect("writes") + "\n";
        let published = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            published == written,
            "{} is not what is written now; write this there:\n{written}",
            file.display()
        );
    }
}
