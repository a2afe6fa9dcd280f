//! Many records in one call: read, create, update, upsert, archive.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Call;
use super::linked::{self, Link};
use super::objects::MAX_WITH_HISTORY;
use super::route::BatchAction;
use super::rows::{self, Outcome, all_traced, id_of, rendered_write};
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::Crm;
use crate::objects::kind::ObjectType;
use crate::objects::record::Values;
use crate::objects::table::Table;
use crate::objects::validate;
use crate::reply::Reply;

const MAX_INPUTS: usize = 100;

/// A row that passed every check: which record it changes, or none to create one, its values, and what a new record is to
/// be associated with.
type Row = (Option<u64>, Values, Vec<Link>);

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
    let with_history = action == BatchAction::Read && !rows::wanted(body).with_history.is_empty();
    let most = if with_history {
        MAX_WITH_HISTORY
    } else {
        MAX_INPUTS
    };
    if inputs.len() > most {
        return Err(errors::invalid(format!(
            "A batch can have at most {most} inputs, not {}",
            inputs.len()
        )));
    }
    let mut crm = lock(&call.portal.crm);
    let crm = &mut *crm;
    match action {
        BatchAction::Read => Ok(read(call, crm.table(kind), body, inputs)),
        BatchAction::Archive => Ok(archive(call, crm.table(kind), inputs)),
        BatchAction::Create => write(call, crm, kind, inputs, action, |crm, table, input, seen| {
            let values = checked_values(call, table, input, None, seen)?;
            validate::required(table, &values)?;
            let links = linked::asked(crm, kind, input.get("associations"))?;
            Ok((None, values, links))
        }),
        BatchAction::Update => write(call, crm, kind, inputs, action, |_, table, input, seen| {
            let record = rows::find(
                table,
                &id_of(input),
                input.get("idProperty").and_then(Value::as_str),
            )?;
            if record.archived_at.is_some() {
                return Err(errors::not_found());
            }
            let id = record.id;
            Ok((
                Some(id),
                checked_values(call, table, input, Some(id), seen)?,
                Vec::new(),
            ))
        }),
        BatchAction::Upsert => write(call, crm, kind, inputs, action, |_, table, input, seen| {
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
    outcome.reply(&table.label, 200)
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
    crm: &mut Crm,
    kind: ObjectType,
    inputs: &[Value],
    action: BatchAction,
    check: impl Fn(&Crm, &Table, &Value, &mut HashSet<String>) -> Result<Row, Problem>,
) -> Result<Reply, Problem> {
    crm.table(kind);
    let table = crm.read(kind).ok_or_else(errors::not_found)?;
    let mut seen = HashSet::new();
    let checked: Vec<_> = inputs
        .iter()
        .map(|input| check(crm, table, input, &mut seen))
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
        match row.and_then(|row| write_row(call, crm, kind, row, action)) {
            Ok(result) => outcome.done(input, result),
            Err(problem) => outcome.refused(input, problem),
        }
    }
    let status = if action == BatchAction::Create { 201 } else { 200 };
    Ok(outcome.reply(&crm.table(kind).label, status))
}

fn write_row(
    call: &Call<'_>,
    crm: &mut Crm,
    kind: ObjectType,
    (id, values, links): Row,
    action: BatchAction,
) -> Result<Value, Problem> {
    let table = crm.table(kind);
    let record = match id {
        Some(id) => table.update(id, values, call.stamp())?.clone(),
        None => table.create(values, call.stamp())?.clone(),
    };
    let mut shown = rendered_write(&record, table);
    linked::tie(crm, (kind, record.id), &links);
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
        validate::required(table, &values)?;
    }
    Ok((existing, values, Vec::new()))
}

/// The values of a row. `seen` holds the e-mail addresses of the rows before it.
fn checked_values(
    call: &Call<'_>,
    table: &Table,
    input: &Value,
    own_id: Option<u64>,
    seen: &mut HashSet<String>,
) -> Result<Values, Problem> {
    let values = rows::values(call, table, input, own_id)?;
    table.check_unique(&values, own_id)?;
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
