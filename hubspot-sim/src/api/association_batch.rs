//! Many associations in one call: read, create, end.

use serde_json::{Value, json};

use super::associations::sides;
use super::route::{AssociationAction, AssociationBatch};
use super::rows::{Outcome, id_of};
use super::{Call, labels, linked};
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::Crm;
use crate::objects::kind::ObjectType;
use crate::reply::Reply;

const MOST_READ: usize = 1_000;
const MOST_WRITTEN: usize = 2_000;

/// The types on the two sides.
pub(super) type Pair = (ObjectType, ObjectType);

/// Answers a call about associations between two types.
pub(super) fn answer(call: &Call<'_>, pair: Pair, action: &AssociationAction) -> Result<Reply, Problem> {
    match (action, call.method) {
        (AssociationAction::Batch(AssociationBatch::Read), "POST") => read(call, pair),
        (AssociationAction::Batch(action), "POST") => write(call, pair, *action),
        (AssociationAction::Labels, _) => labels::all(call, pair),
        (AssociationAction::Label(number), "DELETE") => labels::remove(call, pair, number),
        _ => Err(errors::method_not_allowed()),
    }
}

fn inputs<'a>(call: &'a Call<'_>, most: usize) -> Result<&'a [Value], Problem> {
    let inputs = call.json()?.get("inputs").and_then(Value::as_array);
    let inputs = inputs.map(Vec::as_slice).unwrap_or_default();
    match inputs.len() {
        0 => Err(errors::invalid(
            "Invalid input JSON: \"inputs\" is missing or empty",
        )),
        given if given > most => Err(errors::invalid(format!(
            "A batch can have at most {most} inputs, not {given}"
        ))),
        _ => Ok(inputs),
    }
}

fn read(call: &Call<'_>, (from, to): Pair) -> Result<Reply, Problem> {
    linked::reading(call, [from, to])?;
    let inputs = inputs(call, MOST_READ)?;
    let crm = lock(&call.portal.crm);
    linked::known(&crm, from, to, &[])?;
    let mut outcome = Outcome::at(call.now);
    for input in inputs {
        match read_row(&crm, (from, to), input) {
            Ok(row) => outcome.done(input, row),
            Err(problem) => outcome.refused_alone(problem),
        }
    }
    Ok(outcome.reply("association", 200))
}

/// Who is associated with nothing is an error, as at HubSpot.
fn read_row(crm: &Crm, (from, to): Pair, input: &Value) -> Result<Value, Problem> {
    let id = id_of(input);
    let after: Option<u64> = linked::text_of(input.get("after")).parse().ok();
    let mut partners = id
        .parse()
        .map(|id| crm.associated(from, id, to))
        .unwrap_or_default();
    if partners.is_empty() {
        return Err(errors::not_associated(
            &crm.singular_of(from),
            &id,
            &crm.singular_of(to),
        ));
    }
    partners.retain(|(id, _)| after.is_none_or(|after| *id > after));
    let more = partners.len() > linked::MOST_SHOWN;
    partners.truncate(linked::MOST_SHOWN);
    let shown: Vec<Value> = partners
        .iter()
        .map(|(id, labels)| linked::partner(*id, labels))
        .collect();
    let mut row = json!({ "from": { "id": id }, "to": shown });
    if let (Some((last, _)), Some(fields)) = (partners.last().filter(|_| more), row.as_object_mut()) {
        let next = json!({ "next": { "after": last.to_string(), "link": format!("?after={last}") } });
        fields.insert("paging".to_owned(), next);
    }
    Ok(row)
}

fn write(call: &Call<'_>, (from, to): Pair, action: AssociationBatch) -> Result<Reply, Problem> {
    linked::writing(call, [from, to])?;
    let inputs = inputs(call, MOST_WRITTEN)?;
    let mut crm = lock(&call.portal.crm);
    linked::known(&crm, from, to, &[])?;
    let mut outcome = Outcome::at(call.now);
    for input in inputs {
        match write_row(&mut crm, (from, to), input, action) {
            Ok(rows) => rows.into_iter().for_each(|row| outcome.done(input, row)),
            Err(problem) => outcome.refused_alone(problem),
        }
    }
    match action {
        AssociationBatch::Create => Ok(outcome.reply("association", 201)),
        AssociationBatch::Default | AssociationBatch::Read => Ok(outcome.reply("association", 200)),
        AssociationBatch::Archive | AssociationBatch::ArchiveLabels => {
            Ok(outcome.reply_without_body("association"))
        }
    }
}

fn write_row(
    crm: &mut Crm,
    (from, to): Pair,
    input: &Value,
    action: AssociationBatch,
) -> Result<Vec<Value>, Problem> {
    let (one, other) = sides(input);
    if action == AssociationBatch::Archive {
        return archive_row(crm, (from, to), &one, input);
    }
    let (one, other) = (linked::record(crm, from, &one)?, linked::record(crm, to, &other)?);
    if action == AssociationBatch::Default {
        crm.associations.add_plain(one, other);
        return Ok(linked::plainly(crm, one, other));
    }
    let types = linked::types(input.get("types"))?;
    linked::known(crm, from, to, &types)?;
    if action == AssociationBatch::ArchiveLabels {
        crm.associations.take_off(one, other, &types);
        return Ok(Vec::new());
    }
    crm.associations.set(one, other, &types);
    Ok(vec![linked::labelled(crm, one, other)])
}

/// Unlike the others, a row to archive names several records on its other side.
fn archive_row(crm: &mut Crm, (from, to): Pair, one: &str, input: &Value) -> Result<Vec<Value>, Problem> {
    let one = linked::record(crm, from, one)?;
    let others = input
        .get("to")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for id in others.iter().filter_map(|other| id_of(other).parse().ok()) {
        crm.associations.cut(one, (to, id));
    }
    Ok(Vec::new())
}
