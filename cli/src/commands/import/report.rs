//! What became of each row, told as a table or as JSON. Never a token.

use std::collections::BTreeMap;

use hubkeep_proto::{
    credential::v1::{ImportOutcome, ImportPortalsResponse},
    error::v1::ErrorReason,
};
use serde::Serialize;
use serde_json::json;

use super::rows::RowFault;
use crate::{
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output},
};

/// What became of one row.
#[derive(Clone, Debug, Serialize)]
pub struct RowResult {
    /// The row's number, from 1, without the header.
    pub row: u32,
    /// Its slug; empty where it had none.
    pub client_slug: String,
    /// The verified portal; 0 where HubSpot was not asked or did not say.
    pub portal_id: u64,
    /// "ONBOARDED", "UNCHANGED", "REFUSED", in a dry run "WOULD_ONBOARD", or "UNANSWERED" if the connection broke before its answer came.
    pub outcome: &'static str,
    /// Why it was refused; empty if it was not.
    pub reason: &'static str,
    /// The same in words.
    pub message: String,
}

const ONBOARDED: &str = "ONBOARDED";
const UNCHANGED: &str = "UNCHANGED";
const WOULD_ONBOARD: &str = "WOULD_ONBOARD";
const REFUSED: &str = "REFUSED";
const UNANSWERED: &str = "UNANSWERED";

/// What became of all rows.
#[derive(Debug, Default)]
pub struct Report {
    rows: BTreeMap<u32, RowResult>,
    heard: bool,
}

impl Report {
    /// Takes a row that was refused without being sent.
    pub(super) fn refused_here(&mut self, row: u32, fault: RowFault) {
        let result = RowResult {
            row,
            client_slug: fault.client_slug,
            portal_id: 0,
            outcome: REFUSED,
            reason: fault.reason.wire_name(),
            message: fault.message,
        };
        self.rows.insert(row, result);
    }

    /// Takes a row that was sent: until its answer comes, what became of it is not known.
    pub(super) fn sent(&mut self, row: u32, client_slug: String) {
        let message = "no answer came: import the file again, rows that are there stay as they are";
        let result = RowResult {
            row,
            client_slug,
            portal_id: 0,
            outcome: UNANSWERED,
            reason: "",
            message: message.to_owned(),
        };
        self.rows.entry(row).or_insert(result);
    }

    /// Takes the service's answer for a row.
    pub(super) fn answered(&mut self, answer: ImportPortalsResponse) {
        self.heard = true;
        let reason = match answer.reason() {
            ErrorReason::Unspecified => "",
            reason => reason.wire_name(),
        };
        let outcome = match answer.outcome() {
            ImportOutcome::Onboarded => ONBOARDED,
            ImportOutcome::Unchanged => UNCHANGED,
            ImportOutcome::WouldOnboard => WOULD_ONBOARD,
            ImportOutcome::Refused | ImportOutcome::Unspecified => REFUSED,
        };
        let result = RowResult {
            row: answer.row,
            client_slug: answer.client_slug,
            portal_id: answer.portal_id,
            outcome,
            reason,
            message: answer.message,
        };
        self.rows.insert(answer.row, result);
    }

    /// Whether the service has answered for any row.
    pub(super) const fn heard(&self) -> bool {
        self.heard
    }

    /// The rows in order of the file.
    pub fn rows(&self) -> impl Iterator<Item = &RowResult> {
        self.rows.values()
    }

    /// How many rows are verified and stored by this import.
    pub fn onboarded(&self) -> usize {
        self.count(ONBOARDED)
    }

    /// How many rows were refused.
    pub fn refused(&self) -> usize {
        self.count(REFUSED)
    }

    /// How the command ends, if nothing else went wrong.
    pub fn exit(&self) -> Exit {
        if self.refused() == 0 {
            Exit::Done
        } else {
            Exit::RowsRefused
        }
    }

    fn count(&self, outcome: &str) -> usize {
        self.rows().filter(|row| row.outcome == outcome).count()
    }

    /// Prints it; with what cut the import short, if something did.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn print(&self, output: &Output, cut_short: Option<&Error>) -> Result<(), Error> {
        if output.is_json() {
            return output.document(&self.as_json(cut_short));
        }
        let row = |row: &RowResult| {
            let portal = if row.portal_id == 0 {
                "–".to_owned()
            } else {
                row.portal_id.to_string()
            };
            let why = match row.reason {
                "" => row.message.clone(),
                reason => format!("{reason}: {}", row.message),
            };
            vec![
                row.row.to_string(),
                row.client_slug.clone(),
                portal,
                row.outcome.to_lowercase().replace('_', " "),
                why,
            ]
        };
        let header = ["row", "client", "portal", "outcome", "why"];
        output.table(&header, self.rows().map(row).collect(), "no rows")?;
        let (onboarded, unchanged) = (self.onboarded(), self.count(UNCHANGED));
        let (refused, unanswered) = (self.refused(), self.count(UNANSWERED));
        let red = if refused + unanswered == 0 { GOOD } else { BAD };
        let would = match self.count(WOULD_ONBOARD) {
            0 => String::new(),
            rows => format!("{rows} would be onboarded (nothing is stored), "),
        };
        let unanswered = match unanswered {
            0 => String::new(),
            rows => format!(", {rows} without an answer"),
        };
        output.line(&format!(
            "{would}{GOOD}{onboarded} onboarded{GOOD:#}, {unchanged} unchanged, {red}{refused} refused{unanswered}{red:#}"
        ))
    }

    fn as_json(&self, cut_short: Option<&Error>) -> serde_json::Value {
        let mut document = json!({
            "rows": self.rows().collect::<Vec<_>>(),
            "onboarded": self.onboarded(),
            "unchanged": self.count(UNCHANGED),
            "would_onboard": self.count(WOULD_ONBOARD),
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

    fn answer(row: u32, outcome: ImportOutcome, reason: ErrorReason) -> ImportPortalsResponse {
        ImportPortalsResponse {
            row,
            client_slug: "acme".to_owned(),
            portal_id: 42,
            outcome: outcome.into(),
            reason: reason.into(),
            message: "because".to_owned(),
        }
    }

    #[test]
    fn a_refused_row_gives_the_import_its_own_exit_code() {
        let mut report = Report::default();
        report.sent(1, "acme".to_owned());
        report.answered(answer(1, ImportOutcome::Onboarded, ErrorReason::Unspecified));
        assert_eq!(report.exit(), Exit::Done);
        report.answered(answer(2, ImportOutcome::Refused, ErrorReason::TokenRefused));
        assert_eq!(
            (report.exit(), report.onboarded(), report.refused()),
            (Exit::RowsRefused, 1, 1)
        );
    }

    #[test]
    fn a_row_whose_answer_never_came_is_neither_done_nor_refused() {
        let mut report = Report::default();
        report.sent(7, "acme".to_owned());
        let cut = Error::Failed("cut".to_owned());
        let (output, answers, _) = Output::on_paper(true);
        report.print(&output, Some(&cut)).expect("written");
        let document: serde_json::Value = serde_json::from_str(&answers.text()).expect("JSON");
        assert_eq!(document["rows"][0]["outcome"], "UNANSWERED");
        assert_eq!(document["unanswered"], 1);
        assert_eq!(document["error"]["message"], "cut");
    }

    #[test]
    fn an_answer_that_overtook_the_note_of_sending_stays() {
        let mut report = Report::default();
        report.answered(answer(1, ImportOutcome::Unchanged, ErrorReason::Unspecified));
        report.sent(1, "acme".to_owned());
        assert_eq!(report.rows().next().map(|row| row.outcome), Some("UNCHANGED"));
    }
}
