//! What single and batch calls share: finding the record that is meant, and the rows of a batch with their outcomes.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Call;
use crate::clock::iso;
use crate::errors::{self, Problem};
use crate::objects::record::{Record, Values, Wanted};
use crate::objects::table::Table;
use crate::objects::validate;
use crate::reply::Reply;

/// The record that an id means, which is a value of `id_property` if that is given.
pub(super) fn find<'a>(table: &'a Table, id: &str, id_property: Option<&str>) -> Result<&'a Record, Problem> {
    let found = match id_property {
        None | Some("hs_object_id") => id.parse().ok().and_then(|id| table.get(id)),
        Some("email") => table.get_by_email(id),
        Some(name) if table.schema.find(name).is_none() => {
            return Err(errors::invalid(format!("Property \"{name}\" does not exist")));
        }
        Some(name) => table
            .live()
            .find(|record| record.values.get(name).is_some_and(|value| value == id)),
    };
    found.ok_or_else(errors::not_found)
}

/// As [`find`], for a call about one record: there an id that was merged away leads to the record that is left.
pub(super) fn find_one<'a>(
    table: &'a Table,
    id: &str,
    id_property: Option<&str>,
) -> Result<&'a Record, Problem> {
    match (id_property, id.parse()) {
        (None | Some("hs_object_id"), Ok(id)) => {
            table.get(table.survivor_of(id)).ok_or_else(errors::not_found)
        }
        _ => find(table, id, id_property),
    }
}

/// The properties that a body asks for.
pub(super) fn wanted(body: &Value) -> Wanted {
    let names = |field: &str| {
        let list = body
            .get(field)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Wanted {
        properties: names("properties"),
        with_history: names("propertiesWithHistory"),
    }
}

/// The id of a row, which may be a string or a number.
pub(super) fn id_of(input: &Value) -> String {
    match input.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    }
}

/// Whether every row carries an `objectWriteTraceId` of its own, without which a batch succeeds or fails as a whole.
pub(super) fn all_traced(inputs: &[Value]) -> bool {
    let traces: HashSet<&str> = inputs.iter().filter_map(trace_of).collect();
    !inputs.is_empty() && traces.len() == inputs.len()
}

fn trace_of(input: &Value) -> Option<&str> {
    input.get("objectWriteTraceId").and_then(Value::as_str)
}

/// What became of the rows of a batch.
#[derive(Debug)]
pub(super) struct Outcome {
    at: i64,
    results: Vec<Value>,
    errors: Vec<Value>,
    missing: Vec<String>,
}

impl Outcome {
    /// Nothing yet.
    pub(super) fn at(at: i64) -> Self {
        Self {
            at,
            results: Vec::new(),
            errors: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// A row that went well; an answer to a write repeats its trace id.
    pub(super) fn done(&mut self, input: &Value, mut result: Value) {
        if let (Some(trace), Some(fields)) = (trace_of(input), result.as_object_mut()) {
            fields.insert("objectWriteTraceId".to_owned(), json!(trace));
        }
        self.results.push(result);
    }

    /// A row that was refused.
    pub(super) fn refused(&mut self, input: &Value, problem: Problem) {
        match trace_of(input) {
            Some(trace) => {
                let problem = problem.with("context", json!({ "objectWriteTraceId": [trace] }));
                self.errors.push(Value::Object(problem.body));
            }
            None if problem.status == 404 => self.missing.push(id_of(input)),
            None => self.errors.push(Value::Object(problem.body)),
        }
    }

    /// A row that was refused for reasons of its own, which no other row shares.
    pub(super) fn refused_alone(&mut self, problem: Problem) {
        self.errors.push(Value::Object(problem.body));
    }

    /// The answer to what has no results: none if every row went well, else 207.
    pub(super) fn reply_without_body(self, label: &str) -> Reply {
        if self.errors.is_empty() {
            return Reply::empty(204);
        }
        self.reply(label, 200)
    }

    /// The answer: `status` if every row went well, else 207.
    pub(super) fn reply(mut self, label: &str, status: u16) -> Reply {
        if !self.missing.is_empty() {
            // Rows without trace id that were not found share one error.
            let message = format!("Could not get some {label} objects, they may be deleted or not exist.");
            let problem = Problem::new(404, message)
                .with("category", json!("OBJECT_NOT_FOUND"))
                .with("context", json!({ "ids": self.missing }));
            self.errors.push(Value::Object(problem.body));
        }
        let mut body = json!({
            "status": "COMPLETE",
            "results": self.results,
            "startedAt": iso(self.at),
            "completedAt": iso(self.at),
        });
        if self.errors.is_empty() {
            return Reply::json(status, &body);
        }
        if let Some(fields) = body.as_object_mut() {
            fields.insert("numErrors".to_owned(), json!(self.errors.len()));
            fields.insert("errors".to_owned(), Value::Array(self.errors));
        }
        Reply::json(207, &body)
    }
}

/// The values of a write, which must be acceptable for this record, or for a new one.
pub(super) fn values(
    call: &Call<'_>,
    table: &Table,
    body: &Value,
    own_id: Option<u64>,
) -> Result<Values, Problem> {
    let values = validate::values(body.get("properties"), &table.schema, call.portal.id)?;
    if call.enforces {
        let before = own_id.and_then(|id| table.get(id)).map(|record| &record.values);
        validate::conditions(table, before, &values)?;
    }
    Ok(values)
}

/// The answer to a write shows every value of the record.
pub(super) fn rendered_write(record: &Record, table: &Table) -> Value {
    let wanted = Wanted {
        properties: record.values.keys().cloned().collect(),
        with_history: Vec::new(),
    };
    record.render(table.kind, &table.schema, &wanted)
}
