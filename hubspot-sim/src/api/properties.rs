//! Property definitions: list, get, define, change, archive, one by one and many at once.

use serde_json::{Value, json};

use super::route::{BatchAction, PropertyAction};
use super::rows::Outcome;
use super::{Call, property_body};
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::Crm;
use crate::objects::kind::ObjectType;
use crate::objects::properties::Definition;
use crate::reply::Reply;

const MAX_INPUTS: usize = 100;

/// Answers a call about the properties of one type.
pub(super) fn answer(call: &Call<'_>, kind: ObjectType, action: &PropertyAction) -> Result<Reply, Problem> {
    let reads = call.method == "GET" || *action == PropertyAction::Batch(BatchAction::Read);
    match reads {
        true => call.need(kind.facts().schema_read)?,
        false => call.need(kind.facts().schema_write)?,
    }
    match (action, call.method) {
        (PropertyAction::Collection, "GET") => list(call, kind),
        (PropertyAction::Collection, "POST") => define(call, kind),
        (PropertyAction::One(name), "GET") => get(call, kind, name),
        (PropertyAction::One(name), "PATCH") => change(call, kind, name),
        (PropertyAction::One(name), "DELETE") => archive(call, kind, name),
        (PropertyAction::Batch(action), "POST") => batch(call, kind, *action),
        _ => Err(errors::method_not_allowed()),
    }
}

fn list(call: &Call<'_>, kind: ObjectType) -> Result<Reply, Problem> {
    let archived = call.query.flag("archived");
    let mut crm = lock(&call.portal.crm);
    let definitions = crm.table(kind).schema.definitions(archived);
    let results: Vec<Value> = definitions
        .iter()
        .map(|definition| property_body::render(&mut crm, kind, definition))
        .collect();
    Ok(Reply::json(200, &json!({ "results": results })))
}

fn get(call: &Call<'_>, kind: ObjectType, name: &str) -> Result<Reply, Problem> {
    let mut crm = lock(&call.portal.crm);
    let found = crm
        .table(kind)
        .schema
        .definition(name, call.query.flag("archived"));
    let definition = found.ok_or_else(|| no_such(name))?;
    Ok(Reply::json(
        200,
        &property_body::render(&mut crm, kind, &definition),
    ))
}

fn define(call: &Call<'_>, kind: ObjectType) -> Result<Reply, Problem> {
    let body = call.json()?;
    let mut crm = lock(&call.portal.crm);
    let definition = keep_new(&mut crm, kind, body, call.now)?;
    Ok(Reply::json(
        201,
        &property_body::render(&mut crm, kind, &definition),
    ))
}

fn keep_new(crm: &mut Crm, kind: ObjectType, body: &Value, now: i64) -> Result<Definition, Problem> {
    let definition = property_body::new(body, now)?;
    let name = &definition.property.name;
    let schema = &mut crm.table(kind).schema;
    if schema.find(name).is_some() {
        return Err(errors::name_taken("property", name, "Properties.PROPERTY_EXISTS"));
    }
    schema.keep(definition.clone());
    Ok(definition)
}

fn change(call: &Call<'_>, kind: ObjectType, name: &str) -> Result<Reply, Problem> {
    let body = call.json()?;
    let mut crm = lock(&call.portal.crm);
    let before = own(&mut crm, kind, name)?;
    let definition = property_body::changed(before, body, call.now)?;
    crm.table(kind).schema.keep(definition.clone());
    Ok(Reply::json(
        200,
        &property_body::render(&mut crm, kind, &definition),
    ))
}

fn archive(call: &Call<'_>, kind: ObjectType, name: &str) -> Result<Reply, Problem> {
    let mut crm = lock(&call.portal.crm);
    own(&mut crm, kind, name)?;
    crm.table(kind).schema.archive(name, call.now);
    Ok(Reply::empty(204))
}

/// A live property that the account has defined, so that it may be changed.
fn own(crm: &mut Crm, kind: ObjectType, name: &str) -> Result<Definition, Problem> {
    let found = crm.table(kind).schema.definition(name, false);
    let definition = found.ok_or_else(|| no_such(name))?;
    if definition.hubspot_defined {
        let message = format!("The property {name} is defined by HubSpot and cannot be changed");
        return Err(errors::invalid(message).with("subCategory", json!("Properties.PROPERTY_READ_ONLY")));
    }
    Ok(definition)
}

fn batch(call: &Call<'_>, kind: ObjectType, action: BatchAction) -> Result<Reply, Problem> {
    let body = call.json()?;
    let inputs = body.get("inputs").and_then(Value::as_array).map(Vec::as_slice);
    let inputs = inputs.filter(|inputs| (1..=MAX_INPUTS).contains(&inputs.len()));
    let inputs =
        inputs.ok_or_else(|| errors::invalid(format!("\"inputs\" must have 1 to {MAX_INPUTS} rows")))?;
    let archived = body.get("archived").and_then(Value::as_bool).unwrap_or(false);
    let mut crm = lock(&call.portal.crm);
    let mut outcome = Outcome::at(call.now);
    for input in inputs {
        let name = input.get("name").and_then(Value::as_str).unwrap_or_default();
        let row = match action {
            BatchAction::Create => keep_new(&mut crm, kind, input, call.now),
            BatchAction::Archive => own(&mut crm, kind, name),
            _ => {
                let found = crm.table(kind).schema.definition(name, archived);
                found.ok_or_else(|| no_such(name))
            }
        };
        match row {
            Ok(_) if action == BatchAction::Archive => crm.table(kind).schema.archive(name, call.now),
            Ok(definition) => outcome.done(input, property_body::render(&mut crm, kind, &definition)),
            Err(problem) => outcome.refused_alone(problem),
        }
    }
    match action {
        BatchAction::Archive => Ok(outcome.reply_without_body("property")),
        BatchAction::Create => Ok(outcome.reply("property", 201)),
        _ => Ok(outcome.reply("property", 200)),
    }
}

fn no_such(name: &str) -> Problem {
    Problem::new(404, format!("Property {name} does not exist"))
        .with("category", json!("OBJECT_NOT_FOUND"))
        .with("subCategory", json!("Properties.PROPERTY_NOT_FOUND"))
}
