//! What became of each row of a fleet, told as a table, as JSON, or as a file. Never a token.

use std::{collections::BTreeMap, fmt::Write as _};

use hubkeep_proto::{
    credential::v1::{ImportRotationOutcome, ImportRotationsResponse},
    error::v1::ErrorReason,
};
use serde::Serialize;
use serde_json::json;

use super::rows::Fault;
use crate::{
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output},
};

const SWITCHED: &str = "SWITCHED";
const UNCHANGED: &str = "UNCHANGED";
const REFUSED: &str = "REFUSED";
const UNANSWERED: &str = "UNANSWERED";

/// What became of one row.
#[derive(Clone, Debug, Serialize)]
struct RowResult {
    row: u32,
    client_slug: String,
    portal_id: u64,
    outcome: &'static str,
    rotation_id: String,
    token_fingerprint: String,
    reason: &'static str,
    message: String,
}

/// What became of all rows.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: BTreeMap<u32, RowResult>,
}

impl Report {
    /// Takes a row that was refused without being sent.
    pub(super) fn refused_here(&mut self, row: u32, fault: Fault) {
        self.insert(
            row,
            fault.client_slug,
            REFUSED,
            fault.reason.wire_name(),
            fault.message,
        );
    }

    /// Takes a row that will be sent: until its answer comes, what became of it is not known.
    pub(super) fn sent(&mut self, row: u32, client_slug: String) {
        let message = "no answer came: run the same file again, what is done stays as it is";
        self.insert(row, client_slug, UNANSWERED, "", message.to_owned());
    }

    fn insert(
        &mut self,
        row: u32,
        client_slug: String,
        outcome: &'static str,
        reason: &'static str,
        message: String,
    ) {
        let result = RowResult {
            row,
            client_slug,
            portal_id: 0,
            outcome,
            rotation_id: String::new(),
            token_fingerprint: String::new(),
            reason,
            message,
        };
        self.rows.insert(row, result);
    }

    /// Takes the service's answer for a row.
    pub(super) fn answered(&mut self, answer: ImportRotationsResponse) {
        let reason = match answer.reason() {
            ErrorReason::Unspecified => "",
            reason => reason.wire_name(),
        };
        let outcome = match answer.outcome() {
            ImportRotationOutcome::Switched => SWITCHED,
            ImportRotationOutcome::Unchanged => UNCHANGED,
            ImportRotationOutcome::Refused | ImportRotationOutcome::Unspecified => REFUSED,
        };
        let result = RowResult {
            row: answer.row,
            client_slug: answer.client_slug,
            portal_id: answer.portal_id,
            outcome,
            rotation_id: answer.rotation_id,
            token_fingerprint: answer.token_fingerprint,
            reason,
            message: answer.message,
        };
        self.rows.insert(answer.row, result);
    }

    pub(super) fn refused(&self) -> usize {
        self.count(REFUSED)
    }

    pub(super) fn done(&self) -> usize {
        self.count(SWITCHED) + self.count(UNCHANGED)
    }

    /// How the command ends, if nothing else went wrong.
    pub(super) fn exit(&self) -> Exit {
        if self.refused() == 0 {
            Exit::Done
        } else {
            Exit::RowsRefused
        }
    }

    fn count(&self, outcome: &str) -> usize {
        self.rows.values().filter(|row| row.outcome == outcome).count()
    }

    /// The rows as CSV. No cell of it can be read as a formula or holds a comma.
    pub(super) fn as_csv(&self) -> String {
        let mut text = "row,clientSlug,portalId,outcome,reason,rotationId,tokenFingerprint\n".to_owned();
        for row in self.rows.values() {
            let line = [
                row.row.to_string(),
                row.client_slug.clone(),
                row.portal_id.to_string(),
                row.outcome.to_owned(),
                row.reason.to_owned(),
                row.rotation_id.clone(),
                row.token_fingerprint.clone(),
            ];
            // Writing to a text cannot fail.
            writeln!(text, "{}", line.join(",")).ok();
        }
        text
    }

    /// Prints it; with what cut the rotation short, if something did.
    pub(super) fn print(&self, output: &Output, cut_short: Option<&Error>) -> Result<(), Error> {
        if output.is_json() {
            return output.document(&self.as_json(cut_short));
        }
        let row = |row: &RowResult| {
            let why = match row.reason {
                "" => row.message.clone(),
                reason => format!("{reason}: {}", row.message),
            };
            vec![
                row.row.to_string(),
                row.client_slug.clone(),
                row.outcome.to_lowercase(),
                row.token_fingerprint.clone(),
                why,
            ]
        };
        let header = ["row", "client", "outcome", "token", "why"];
        output.table(&header, self.rows.values().map(row).collect(), "no rows")?;
        let (switched, unchanged) = (self.count(SWITCHED), self.count(UNCHANGED));
        let (refused, unanswered) = (self.refused(), self.count(UNANSWERED));
        let red = if refused + unanswered == 0 { GOOD } else { BAD };
        output.line(&format!(
            "{GOOD}{switched} switched{GOOD:#}, {unchanged} unchanged, {red}{refused} refused, {unanswered} without an \
             answer{red:#}"
        ))
    }

    fn as_json(&self, cut_short: Option<&Error>) -> serde_json::Value {
        let mut document = json!({
            "rows": self.rows.values().collect::<Vec<_>>(),
            "switched": self.count(SWITCHED),
            "unchanged": self.count(UNCHANGED),
            "refused": self.refused(),
            "unanswered": self.count(UNANSWERED),
        });
        if let (Some(document), Some(error)) = (document.as_object_mut(), cut_short) {
            document.insert("error".to_owned(), json!(error.refusal()));
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_an_answer_is_neither_done_nor_refused_and_the_file_says_so() {
        let mut report = Report::default();
        report.sent(1, "acme".to_owned());
        report.sent(2, "globex".to_owned());
        report.answered(ImportRotationsResponse {
            row: 2,
            client_slug: "globex".to_owned(),
            outcome: ImportRotationOutcome::Switched.into(),
            portal_id: 7,
            rotation_id: "r".to_owned(),
            token_fingerprint: "f".to_owned(),
            ..ImportRotationsResponse::default()
        });
        assert_eq!(
            (report.exit(), report.done(), report.refused()),
            (Exit::Done, 1, 0)
        );
        let lines: Vec<String> = report.as_csv().lines().map(str::to_owned).collect();
        assert_eq!(lines[1..], ["1,acme,0,UNANSWERED,,,", "2,globex,7,SWITCHED,,r,f"]);
    }
}
