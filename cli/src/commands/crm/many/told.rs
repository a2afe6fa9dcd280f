//! What became of each row of a file.

use hubkeep_proto::{
    crm::v1::{ObjectResult, object_result::Result as Became},
    error::v1::ErrorReason,
};
use serde_json::json;

use super::{
    super::{rows::Row, show},
    Work,
};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{Output, printable},
    wire_json,
};

/// A row, and what became of it, for a script.
pub(super) fn line(row: &Row, result: &ObjectResult) -> Result<serde_json::Value, Error> {
    let result = wire_json::of("hubkeep.crm.v1.ObjectResult", result)?;
    Ok(json!({ "row": row.number, "id": row.id, "result": result }))
}

/// Nobody knows what became of rows of which nothing is told.
///
/// # Errors
/// If there are any.
pub(super) fn whole(service: &Service, given: usize, sent: usize) -> Result<(), Error> {
    if given == sent {
        return Ok(());
    }
    let name = service.name();
    Err(Error::Failed(format!("{name} told of {given} of {sent} rows")))
}

/// How a run ends in which rows were refused for these reasons. A write of which a row is unknown ends as such: whoever runs it
/// again would write twice.
pub(super) fn exit(reasons: impl Iterator<Item = ErrorReason>) -> Exit {
    reasons.fold(Exit::Done, |exit, reason| match reason {
        ErrorReason::OutcomeUnknown => Exit::OutcomeUnknown,
        _ if exit == Exit::OutcomeUnknown => exit,
        _ => Exit::RowsRefused,
    })
}

/// What became of the rows so far.
#[derive(Default)]
pub(super) struct Told {
    pub(super) rows: Vec<(Row, ObjectResult)>,
}

impl Told {
    /// How the run ends.
    pub(super) fn exit(&self) -> Exit {
        exit(self.rows.iter().filter_map(|(_, result)| match &result.result {
            Some(Became::Error(error)) => Some(error.reason()),
            Some(Became::Object(_)) => None,
            None => Some(ErrorReason::Unspecified),
        }))
    }

    /// For people: what was read as a table, what was written row by row, and what was refused in any case.
    pub(super) fn show(&self, work: &Work, output: &Output) -> Result<(), Error> {
        if output.is_json() {
            return Ok(());
        }
        if let Work::Read { properties, .. } = work {
            let found = self.rows.iter().filter_map(|(_, result)| match &result.result {
                Some(Became::Object(object)) => Some(object.clone()),
                _ => None,
            });
            let found: Vec<_> = found.collect();
            show::objects(&found, properties, output)?;
        }
        let lines: Vec<Vec<String>> = self
            .rows
            .iter()
            .filter_map(|(row, result)| cells(work, row, result))
            .collect();
        match lines.is_empty() {
            true => Ok(()),
            false => output.table(&["row", "id", "", "why"], lines, ""),
        }
    }
}

/// What is told of a row beside its record; nothing of one that was read.
fn cells(work: &Work, row: &Row, result: &ObjectResult) -> Option<Vec<String>> {
    let number = row.number.to_string();
    match &result.result {
        Some(Became::Object(_)) if !work.writes() => None,
        Some(Became::Object(object)) => {
            let done = work.done(result.created).to_owned();
            Some(vec![number, object.object_id.clone(), done, String::new()])
        }
        Some(Became::Error(error)) => {
            let reason = error.reason().wire_name();
            let why = printable(&error.message);
            Some(vec![number, row.id.clone(), reason.to_owned(), why])
        }
        None => Some(vec![number, row.id.clone(), "?".to_owned(), String::new()]),
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::crm::v1::{ItemError, Object};

    use super::*;

    fn told(reasons: &[Option<ErrorReason>]) -> Told {
        let rows = (1..).zip(reasons).map(|(number, reason)| {
            let result = match reason {
                Some(reason) => Became::Error(ItemError {
                    reason: (*reason).into(),
                    message: "no".to_owned(),
                    ..ItemError::default()
                }),
                None => Became::Object(Object {
                    object_id: "7".to_owned(),
                    ..Object::default()
                }),
            };
            let row = Row {
                number,
                id: "7".to_owned(),
                values: std::collections::BTreeMap::default(),
            };
            let result = ObjectResult {
                result: Some(result),
                created: false,
            };
            (row, result)
        });
        Told { rows: rows.collect() }
    }

    #[test]
    fn the_exit_code_tells_if_some_rows_failed_and_if_one_is_unknown() {
        let (refused, unknown) = (ErrorReason::ObjectNotFound, ErrorReason::OutcomeUnknown);
        assert_eq!(told(&[None, None]).exit(), Exit::Done);
        assert_eq!(told(&[None, Some(refused)]).exit(), Exit::RowsRefused);
        assert_eq!(told(&[Some(refused), Some(unknown)]).exit(), Exit::OutcomeUnknown);
    }

    #[test]
    fn each_row_is_told_with_what_became_of_it() {
        let (output, answers, _) = Output::on_paper(false);
        let told = told(&[None, Some(ErrorReason::ObjectConflict)]);
        told.show(&Work::Create, &output).expect("written");
        let text = answers.text();
        for part in ["created", "OBJECT_CONFLICT", "why", "no"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
