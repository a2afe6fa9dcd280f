//! Many records in one call: read, create, update, upsert, archive.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Call;
use super::route::BatchAction;
use super::rows::{self, Outcome, all_traced, id_of, rendered_write};
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::kind::ObjectType;
use crate::objects::record::Values;
use crate::objects::table::Table;
use crate::objects::validate;
use crate::reply::Reply;

const MAX_INPUTS: usize = 100;

/// A row that passed every check: which record it changes, or none to create one, and its values.
type Row = (Option<u64>, Values);

/// Answers a batch call.
pub(super) fn answer(call: &Call<'_>, kind: ObjectType, action: BatchAction) -> Result<Reply, Problem> {
    match action {
        BatchAction::Read => call.reading(kind)?,
        _ => call.writing(kind)?,
    }
    let body = call.json()?;
    let inputs = body
        .get("inputs")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if inputs.is_empty() {
        return Err(errors::invalid(
            "Invalid input JSON: \"inputs\" is missing or empty",
        ));
    }
    if inputs.len() > MAX_INPUTS {
        return Err(errors::invalid(format!(
            "A batch can have at most {MAX_INPUTS} inputs, not {}",
            inputs.len()
        )));
    }
    let mut crm = lock(&call.portal.crm);
    let table = crm.table(kind);
    match action {
        BatchAction::Read => Ok(read(call, table, body, inputs)),
        BatchAction::Archive => Ok(archive(call, table, inputs)),
        BatchAction::Create => write(call, table, inputs, action, |table, input, seen| {
            let values = checked_values(call, table, input, None, seen)?;
            validate::required(kind, &values)?;
            Ok((None, values))
        }),
        BatchAction::Update => write(call, table, inputs, action, |table, input, seen| {
            let record = rows::find(
                table,
                &id_of(input),
                input.get("idProperty").and_then(Value::as_str),
            )?;
            if record.archived_at.is_some() {
                return Err(errors::not_found());
            }
            let id = record.id;
            Ok((Some(id), checked_values(call, table, input, Some(id), seen)?))
        }),
        BatchAction::Upsert => write(call, table, inputs, action, |table, input, seen| {
            upsert(call, table, input, seen)
        }),
    }
}

fn read(call: &Call<'_>, table: &Table, body: &Value, inputs: &[Value]) -> Reply {
    let wanted = rows::wanted(body);
    let archived = call.query.flag("archived");
    let id_property = body.get("idProperty").and_then(Value::as_str);
    let mut outcome = Outcome::at(call.now);
    for input in inputs {
        let found = rows::find(table, &id_of(input), id_property);
        match found.and_then(|r| {
            if r.archived_at.is_some() == archived {
                Ok(r)
            } else {
                Err(errors::not_found())
            }
        }) {
            Ok(record) => outcome.done(input, record.render(table.kind, &table.schema, &wanted)),
            Err(problem) => outcome.refused(input, problem),
        }
    }
    outcome.reply(table.kind.label(), 200)
}

fn archive(call: &Call<'_>, table: &mut Table, inputs: &[Value]) -> Reply {
    for id in inputs.iter().filter_map(|input| id_of(input).parse().ok()) {
        table.archive(id, call.now);
    }
    Reply::empty(204)
}

/// Checks every row before it writes the first. Without trace ids one bad row stops the whole batch.
fn write(
    call: &Call<'_>,
    table: &mut Table,
    inputs: &[Value],
    action: BatchAction,
    check: impl Fn(&Table, &Value, &mut HashSet<String>) -> Result<Row, Problem>,
) -> Result<Reply, Problem> {
    let mut seen = HashSet::new();
    let checked: Vec<_> = inputs
        .iter()
        .map(|input| check(table, input, &mut seen))
        .collect();
    let fatal = checked
        .iter()
        .filter_map(|row| row.as_ref().err())
        .find(|problem| problem.status != 404);
    if let Some(problem) = fatal.filter(|_| !all_traced(inputs)) {
        return Err(problem.clone());
    }
    let mut outcome = Outcome::at(call.now);
    for (input, row) in inputs.iter().zip(checked) {
        match row.and_then(|row| write_row(call, table, row, action)) {
            Ok(result) => outcome.done(input, result),
            Err(problem) => outcome.refused(input, problem),
        }
    }
    let status = if action == BatchAction::Create { 201 } else { 200 };
    Ok(outcome.reply(table.kind.label(), status))
}

fn write_row(
    call: &Call<'_>,
    table: &mut Table,
    (id, values): Row,
    action: BatchAction,
) -> Result<Value, Problem> {
    let record = match id {
        Some(id) => table.update(id, values, call.stamp())?.clone(),
        None => table.create(values, call.stamp())?.clone(),
    };
    let mut shown = rendered_write(&record, table);
    // Only an upsert may do either, so only it tells which of the two it did.
    if let Some(fields) = shown.as_object_mut().filter(|_| action == BatchAction::Upsert) {
        fields.insert("new".to_owned(), json!(id.is_none()));
    }
    Ok(shown)
}

fn upsert(call: &Call<'_>, table: &Table, input: &Value, seen: &mut HashSet<String>) -> Result<Row, Problem> {
    let by = input.get("idProperty").and_then(Value::as_str);
    let id = id_of(input);
    let existing = match rows::find(table, &id, by) {
        Ok(record) => Some(record.id),
        Err(problem) if problem.status == 404 && by.is_some_and(|name| name != "hs_object_id") => None,
        Err(problem) => return Err(problem),
    };
    let mut values = checked_values(call, table, input, existing, seen)?;
    if let (None, Some(name)) = (existing, by) {
        values.entry(name.to_owned()).or_insert(id);
        validate::required(table.kind, &values)?;
    }
    Ok((existing, values))
}

/// The values of a row. `seen` holds the e-mail addresses of the rows before it.
fn checked_values(
    call: &Call<'_>,
    table: &Table,
    input: &Value,
    own_id: Option<u64>,
    seen: &mut HashSet<String>,
) -> Result<Values, Problem> {
    let values = validate::values(input.get("properties"), &table.schema, call.portal.id)?;
    table.check_email(&values, own_id)?;
    if let Some(email) = values
        .get("email")
        .filter(|email| table.kind == ObjectType::Contacts && !email.is_empty())
        && !seen.insert(email.clone())
    {
        return Err(errors::invalid(format!(
            "Duplicate e-mail address in one batch: {email}"
        )));
    }
    Ok(values)
}
