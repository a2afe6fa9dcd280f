//! What became of each row, kept for the end: counted, and told as a table. Never a token.

use std::collections::BTreeMap;

use hubkeep_proto::error::v1::ErrorReason;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    counted,
    rows::{At, RowFault},
};
use crate::{
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output},
    wording::of_row,
};

pub(super) const REFUSED: &str = "REFUSED";
pub(super) const UNANSWERED: &str = "UNANSWERED";

/// What is done with the rows of a file, and the words for it.
#[derive(Debug)]
pub(in crate::commands) struct Job {
    /// What is being done: "importing".
    pub(in crate::commands) doing: &'static str,
    /// How a row can end that was not refused.
    pub(in crate::commands) ends: &'static [End],
    /// Whether rows are told with their rotation and their token's fingerprint.
    pub(in crate::commands) rotates: bool,
}

/// How a row can end.
#[derive(Debug)]
pub(in crate::commands) struct End {
    /// As it stands in results: "ONBOARDED".
    pub(in crate::commands) outcome: &'static str,
    /// The name of its count in JSON.
    pub(in crate::commands) key: &'static str,
    /// What is said behind its count.
    pub(in crate::commands) words: &'static str,
    /// Whether it is said also where there is none.
    pub(in crate::commands) always: bool,
}

/// What became of one row.
#[derive(Clone, Debug, Serialize)]
pub struct RowResult {
    /// The row's number, from 1, without the header.
    pub row: u32,
    /// Its line in the file, from 1.
    pub line: u64,
    /// Its slug; empty where it had none.
    pub client_slug: String,
    /// The verified portal; 0 where HubSpot was not asked or did not say.
    pub portal_id: u64,
    /// "ONBOARDED", "UNCHANGED", "REFUSED", in a dry run "WOULD_ONBOARD", in a rotation "SWITCHED"; or "UNANSWERED" if
    /// the run ended before its answer came.
    pub outcome: &'static str,
    /// Why it was refused; empty if it was not.
    pub reason: &'static str,
    /// The same in words.
    pub message: String,
    /// What a rotation adds.
    #[serde(flatten)]
    pub rotated: Option<Rotated>,
}

/// What a rotation tells of a row. All empty where the row was refused.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rotated {
    /// The rotation.
    pub rotation_id: String,
    /// The fingerprint of the token in force.
    pub token_fingerprint: String,
}

/// The service's answer for a row.
pub(in crate::commands) struct Answered {
    pub(in crate::commands) row: u32,
    pub(in crate::commands) client_slug: String,
    pub(in crate::commands) portal_id: u64,
    /// How it ended; `None` if it was refused.
    pub(in crate::commands) end: Option<&'static str>,
    pub(in crate::commands) reason: ErrorReason,
    pub(in crate::commands) message: String,
    pub(in crate::commands) rotated: Option<Rotated>,
}

/// What became of all rows.
#[derive(Debug)]
pub struct Report {
    job: &'static Job,
    rows: BTreeMap<u32, RowResult>,
    heard: bool,
    left_over: Vec<String>,
}

impl Report {
    pub(super) const fn of(job: &'static Job) -> Self {
        Self {
            job,
            rows: BTreeMap::new(),
            heard: false,
            left_over: Vec::new(),
        }
    }

    /// Takes a row that was refused without being sent.
    pub(super) fn refused_here(&mut self, at: At, fault: RowFault) -> &RowResult {
        let mut result = self.result(at, fault.client_slug, REFUSED);
        result.reason = fault.reason.wire_name();
        result.message = fault.message;
        self.rows.entry(at.row).insert_entry(result).into_mut()
    }

    /// Takes a row of which no more is known than this, until its answer comes: whether it was sent.
    pub(super) fn unanswered(&mut self, at: At, client_slug: String, sent: bool) {
        let why = if sent { "no answer came" } else { "it was not sent" };
        let mut result = self.result(at, client_slug, UNANSWERED);
        result.message = format!("{why}: run the same file again, what is done stays as it is");
        self.rows.insert(at.row, result);
    }

    /// Takes the service's answer for a row.
    pub(super) fn answered(&mut self, answer: Answered) -> &RowResult {
        self.heard = true;
        let at = At {
            row: answer.row,
            line: self.rows.get(&answer.row).map_or(0, |row| row.line),
        };
        let mut result = self.result(at, answer.client_slug, answer.end.unwrap_or(REFUSED));
        result.portal_id = answer.portal_id;
        result.message = of_row(&answer.message);
        if answer.reason != ErrorReason::Unspecified {
            result.reason = answer.reason.wire_name();
        }
        if answer.rotated.is_some() {
            result.rotated = answer.rotated;
        }
        self.rows.entry(at.row).insert_entry(result).into_mut()
    }

    fn result(&self, at: At, client_slug: String, outcome: &'static str) -> RowResult {
        RowResult {
            row: at.row,
            line: at.line,
            client_slug,
            portal_id: 0,
            outcome,
            reason: "",
            message: String::new(),
            rotated: self.job.rotates.then(Rotated::default),
        }
    }

    /// Notes of whom something was told beside the rows, and who stands in none.
    pub(super) fn left_over(&mut self, slugs: Vec<String>) {
        self.left_over = slugs;
    }

    /// What is done with the rows.
    pub(super) const fn job(&self) -> &'static Job {
        self.job
    }

    /// Whether the service has answered for any row.
    pub(super) const fn heard(&self) -> bool {
        self.heard
    }

    /// The rows in order of the file.
    pub fn rows(&self) -> impl Iterator<Item = &RowResult> {
        self.rows.values()
    }

    /// How many rows have this outcome.
    pub fn count(&self, outcome: &str) -> usize {
        self.rows().filter(|row| row.outcome == outcome).count()
    }

    /// How the command ends, if nothing else went wrong.
    pub fn exit(&self) -> Exit {
        if self.count(REFUSED) + self.count(UNANSWERED) + self.left_over.len() == 0 {
            Exit::Done
        } else {
            Exit::RowsRefused
        }
    }

    /// Prints the end of it; with what cut it short, if something did. In JSON the rows have been told by now.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub(super) fn print(&self, output: &Output, cut_short: Option<&Error>) -> Result<(), Error> {
        if output.is_json() {
            return output.json_line(&self.summary(cut_short));
        }
        let header: &[&str] = if self.job.rotates {
            &["row", "line", "client", "portal", "outcome", "token", "why"]
        } else {
            &["row", "line", "client", "portal", "outcome", "why"]
        };
        let rows = self.rows().map(cells).collect();
        output.table_without(&["portal", "token"], header, rows, "no rows")?;
        output.line(&self.sentence())?;
        if self.left_over.is_empty() {
            return Ok(());
        }
        let slugs = self.left_over.join(", ");
        output.note(&format!(
            "{BAD}--details says something of {slugs}: no row names them{BAD:#}"
        ))
    }

    fn sentence(&self) -> String {
        let mut ends: Vec<String> = Vec::new();
        for end in self.job.ends {
            let count = self.count(end.outcome);
            if end.always || count > 0 {
                let color = if ends.is_empty() {
                    GOOD
                } else {
                    anstyle::Style::new()
                };
                ends.push(format!("{color}{count} {}{color:#}", end.words));
            }
        }
        let (refused, unanswered) = (self.count(REFUSED), self.count(UNANSWERED));
        let red = if refused + unanswered == 0 { GOOD } else { BAD };
        let unanswered = match unanswered {
            0 => String::new(),
            rows => format!(", {rows} without an answer"),
        };
        format!("{}, {red}{refused} refused{unanswered}{red:#}", ends.join(", "))
    }

    /// The last document.
    fn summary(&self, cut_short: Option<&Error>) -> Value {
        let mut counts = Map::new();
        for end in self.job.ends {
            counts.insert(end.key.to_owned(), json!(self.count(end.outcome)));
        }
        counts.insert("refused".to_owned(), json!(self.count(REFUSED)));
        counts.insert("unanswered".to_owned(), json!(self.count(UNANSWERED)));
        if !self.left_over.is_empty() {
            counts.insert("details_without_row".to_owned(), json!(self.left_over));
        }
        match cut_short {
            None => json!({ "summary": counts }),
            Some(error) => json!({ "summary": counts, "error": error.refusal() }),
        }
    }
}

fn cells(row: &RowResult) -> Vec<String> {
    let why = match row.reason {
        "" => row.message.clone(),
        reason => format!("{reason}: {}", row.message),
    };
    let mut cells = vec![
        row.row.to_string(),
        row.line.to_string(),
        row.client_slug.clone(),
        row.portal().unwrap_or_else(|| "–".to_owned()),
        row.outcome.to_lowercase().replace('_', " "),
    ];
    cells.extend(
        row.rotated
            .iter()
            .map(|rotated| rotated.token_fingerprint.clone()),
    );
    cells.push(why);
    cells
}

impl RowResult {
    /// The portal's id, if it is known.
    pub(super) fn portal(&self) -> Option<String> {
        (self.portal_id != 0).then(|| self.portal_id.to_string())
    }
}

/// "3 rows answered, 1 refused": how far it has come.
pub(super) fn so_far(answered: u64, refused: u64) -> String {
    let answered = counted(usize::try_from(answered).unwrap_or(usize::MAX), "row");
    format!("{answered} done, {refused} refused")
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMPORT: Job = Job {
        doing: "importing",
        ends: &[
            End {
                outcome: "ONBOARDED",
                key: "onboarded",
                words: "onboarded",
                always: true,
            },
            End {
                outcome: "WOULD_ONBOARD",
                key: "would_onboard",
                words: "would be onboarded",
                always: false,
            },
        ],
        rotates: false,
    };

    fn answer(row: u32, end: Option<&'static str>, reason: ErrorReason) -> Answered {
        Answered {
            row,
            client_slug: "acme".to_owned(),
            portal_id: 42,
            end,
            reason,
            message: "because".to_owned(),
            rotated: None,
        }
    }

    fn at(row: u32) -> At {
        At {
            row,
            line: u64::from(row) + 1,
        }
    }

    #[test]
    fn a_refused_row_gives_the_run_its_own_exit_code_and_one_without_an_answer_too() {
        let mut report = Report::of(&IMPORT);
        report.unanswered(at(1), "acme".to_owned(), true);
        assert_eq!(report.exit(), Exit::RowsRefused);
        let told = report.answered(answer(1, Some("ONBOARDED"), ErrorReason::Unspecified));
        assert_eq!((told.line, told.portal_id), (2, 42));
        assert_eq!(report.exit(), Exit::Done);
        report.answered(answer(2, None, ErrorReason::TokenRefused));
        assert_eq!(
            (report.exit(), report.count("ONBOARDED"), report.count(REFUSED)),
            (Exit::RowsRefused, 1, 1)
        );
    }

    #[test]
    fn the_last_document_counts_each_end_and_says_what_cut_the_run_short() {
        let mut report = Report::of(&IMPORT);
        report.unanswered(at(7), "acme".to_owned(), true);
        let cut = Error::Failed("cut".to_owned());
        let (output, answers, _) = Output::on_paper(true);
        report.print(&output, Some(&cut)).expect("written");
        let document: Value = serde_json::from_str(&answers.text()).expect("JSON");
        assert_eq!(document["summary"]["unanswered"], 1);
        assert_eq!(document["summary"]["onboarded"], 0);
        assert_eq!(document["error"]["message"], "cut");
    }

    #[test]
    fn details_of_clients_that_no_row_names_are_told_and_are_no_success() {
        for json in [true, false] {
            let mut report = Report::of(&IMPORT);
            report.left_over(vec!["umbra".to_owned()]);
            let (output, answers, notes) = Output::on_paper(json);
            report.print(&output, None).expect("written");
            assert_eq!(report.exit(), Exit::RowsRefused);
            assert!((answers.text() + &notes.text()).contains("umbra"));
        }
    }

    #[test]
    fn a_refused_row_is_shown_with_its_number_its_line_and_its_slug() {
        let mut report = Report::of(&IMPORT);
        report.refused_here(at(3), RowFault::new("globex", "has 1 cell".to_owned()));
        let (output, answers, _) = Output::on_paper(false);
        report.print(&output, None).expect("written");
        let text = answers.text();
        let row = text.lines().find(|line| line.contains("globex")).expect("a row");
        for part in ["3", "4", "refused", "IMPORT_ROW_INVALID: has 1 cell"] {
            assert!(row.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("would be"), "{text}");
    }
}
