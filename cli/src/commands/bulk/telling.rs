//! Tells of each row as soon as it is known what became of it: in the result file, in JSON, and as progress.

use std::time::Duration;

use hubkeep_core::clock::{SharedClock, Tick};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Work,
    report::{Answered, Report, RowResult, UNANSWERED, so_far},
    results::Results,
    rows::{At, RowFault},
};
use crate::{errors::Error, output::Output};

/// How often a line says how far it is, where no bar shows.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// What is told while rows are answered.
pub(super) struct Telling<'a> {
    report: Report,
    rows: Rows<'a>,
    progress: Option<Progress<'a>>,
}

/// Where rows are told, one by one.
struct Rows<'a> {
    output: Option<&'a Output>,
    results: Option<Results>,
    /// The rows known before the service took any: a run that it refuses as a whole tells of none.
    held: Option<Vec<RowResult>>,
    /// The first thing that could not be written. The run goes on: what it does is done, told or not.
    problem: Option<Error>,
}

/// How far it has come.
struct Progress<'a> {
    output: &'a Output,
    clock: SharedClock,
    bar: ProgressBar,
    due: Tick,
    doing: &'static str,
    done: u64,
    refused: u64,
}

impl<'a> Telling<'a> {
    /// Only keeps what is known.
    pub(super) const fn silent(report: Report) -> Self {
        Self {
            report,
            rows: Rows {
                output: None,
                results: None,
                held: None,
                problem: None,
            },
            progress: None,
        }
    }

    /// Tells it here, of a file of so many bytes.
    pub(super) fn new(
        report: Report,
        bytes: u64,
        results: Option<Results>,
        output: &'a Output,
        clock: SharedClock,
    ) -> Self {
        let doing = report.job().doing;
        Self {
            report,
            rows: Rows {
                output: Some(output).filter(|output| output.is_json()),
                results,
                held: Some(Vec::new()),
                problem: None,
            },
            progress: Some(Progress {
                output,
                due: clock.tick().plus(SAID_EVERY),
                clock,
                bar: bar(bytes, doing),
                doing,
                done: 0,
                refused: 0,
            }),
        }
    }

    /// A row that is sent now, or will not be.
    pub(super) fn not_answered_yet(&mut self, at: At, client_slug: String, sent: bool, bytes: u64) {
        self.report.unanswered(at, client_slug, sent);
        self.read(bytes);
    }

    /// A row that is not sent.
    pub(super) fn refused_here(&mut self, at: At, fault: RowFault, bytes: u64) {
        self.rows.tell(self.report.refused_here(at, fault));
        self.read(bytes);
        self.counted(false);
    }

    /// A row that the service has answered.
    pub(super) fn answered(&mut self, answer: Answered) {
        let good = answer.end.is_some();
        self.rows.taken();
        self.rows.tell(self.report.answered(answer));
        self.counted(good);
    }

    fn read(&mut self, bytes: u64) {
        if let Some(progress) = &self.progress {
            progress.bar.inc(bytes);
        }
    }

    fn counted(&mut self, good: bool) {
        if let Some(progress) = &mut self.progress {
            progress.counted(good);
        }
    }

    /// Ends when it is time to say how far it is.
    pub(super) async fn due(&self) {
        match &self.progress {
            Some(progress) => progress.clock.sleep_until(progress.due).await,
            None => std::future::pending().await,
        }
    }

    /// Says how far it is, where no bar shows it.
    pub(super) fn so_far(&mut self) {
        let said = self.progress.as_mut().map(Progress::say);
        if let Some(Err(error)) = said {
            self.rows.noticed(error);
        }
    }

    /// Notes of whom something was told beside the rows, and who stands in none.
    pub(super) fn left_over<W: Work>(&mut self, work: &W) {
        let left_over = work.left_over(&self.report);
        self.report.left_over(left_over);
    }

    /// What is known.
    pub(super) fn into_report(self) -> Report {
        self.report
    }

    /// Whether there is anything to tell of rows: not where the service took none and refused all of it.
    pub(super) fn has_rows(&self, cut_short: Option<&Error>) -> bool {
        let refused = matches!(cut_short, Some(Error::Refused(_) | Error::Handshake { .. }));
        let taken = self.report.heard() || !refused;
        taken && self.report.rows().next().is_some()
    }

    /// Tells the rest: rows without an answer, the result file in order, the end. `cut_short` is what ended it early.
    ///
    /// # Errors
    /// If anything could not be written.
    pub(super) fn end(mut self, output: &Output, cut_short: Option<&Error>) -> Result<Report, Error> {
        if let Some(progress) = &self.progress {
            progress.bar.finish_and_clear();
        }
        let has_rows = self.has_rows(cut_short);
        let results = self.rows.results.take();
        if has_rows {
            self.rows.taken();
            for row in self.report.rows().filter(|row| row.outcome == UNANSWERED) {
                self.rows.tell(row);
            }
        }
        let better = has_rows && (self.report.heard() || cut_short.is_none());
        let written = match results {
            Some(results) if better || (has_rows && !results.are_there_already()) => {
                results.finish(self.report.rows())
            }
            Some(results) => {
                let kept = results.are_there_already().then(|| results.path().to_owned());
                let abandoned = results.abandon();
                if let Some(path) = kept {
                    output.note(&format!(
                        "no row was answered: {} is left as it was",
                        path.display()
                    ))?;
                }
                abandoned
            }
            None => Ok(()),
        };
        if has_rows {
            self.report.print(output, cut_short)?;
        }
        written?;
        self.rows.problem.map_or(Ok(self.report), Err)
    }
}

impl Rows<'_> {
    /// The service takes rows: what was held back is told.
    fn taken(&mut self) {
        for row in self.held.take().into_iter().flatten() {
            self.tell(&row);
        }
    }

    fn tell(&mut self, row: &RowResult) {
        if let Some(held) = &mut self.held {
            held.push(row.clone());
            return;
        }
        if let Some(results) = &mut self.results
            && let Err(error) = results.add(row)
        {
            self.noticed(error);
        }
        if let Some(output) = self.output
            && let Err(error) = serde_json::to_value(row)
                .map_err(|error| Error::Failed(error.to_string()))
                .and_then(|row| output.json_line(&row))
        {
            self.noticed(error);
        }
    }

    /// Keeps the first problem; where it is, nothing more is written.
    fn noticed(&mut self, error: Error) {
        if matches!(error, Error::Output(_)) {
            self.output = None;
        }
        self.problem.get_or_insert(error);
    }
}

impl Progress<'_> {
    fn counted(&mut self, good: bool) {
        if good {
            self.done = self.done.saturating_add(1);
        } else {
            self.refused = self.refused.saturating_add(1);
        }
        self.bar.set_message(so_far(self.done, self.refused));
    }

    fn say(&mut self) -> Result<(), Error> {
        self.due = self.clock.tick().plus(SAID_EVERY);
        if !self.bar.is_hidden() {
            return Ok(());
        }
        let (read, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let percent = read.saturating_mul(100).checked_div(all).unwrap_or_default();
        self.output.note(&format!(
            "{}: {percent}% of the file, {}",
            self.doing,
            so_far(self.done, self.refused)
        ))
    }
}

/// A bar over the file's bytes. It shows on terminals only.
fn bar(bytes: u64, doing: &str) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let template = format!("{doing} {{bar:32.cyan}} {{percent:>3}}%  {{msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{MockClock, Timestamp};
    use hubkeep_proto::error::v1::ErrorReason;

    use super::{super::report::Job, *};

    const JOB: Job = Job {
        doing: "importing",
        ends: &[],
        rotates: false,
    };

    fn good(row: u32) -> Answered {
        Answered {
            row,
            client_slug: "acme".to_owned(),
            portal_id: 1,
            end: Some("ONBOARDED"),
            reason: ErrorReason::Unspecified,
            message: String::new(),
            rotated: None,
        }
    }

    fn bad(row: u32) -> (At, RowFault) {
        let line = u64::from(row) + 1;
        (At { row, line }, RowFault::new("", "no".to_owned()))
    }

    #[tokio::test]
    async fn where_no_bar_shows_a_line_says_now_and_then_how_far_it_is() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let (output, answers, notes) = Output::on_paper(false);
        let mut telling = Telling::new(Report::of(&JOB), 200, None, &output, clock.clone());
        telling.not_answered_yet(At { row: 1, line: 2 }, "acme".to_owned(), true, 50);
        telling.answered(good(1));
        clock.advance(SAID_EVERY);
        telling.due().await;
        telling.so_far();
        assert_eq!(
            notes.text(),
            "importing: 25% of the file, 1 row done, 0 refused\n"
        );
        assert_eq!(answers.text(), "");
    }

    #[test]
    fn rows_are_told_in_json_as_they_are_answered_and_none_before_the_service_takes_any() {
        let clock = MockClock::at(Timestamp::from_micros(0));
        let (output, answers, _) = Output::on_paper(true);
        let mut telling = Telling::new(Report::of(&JOB), 1, None, &output, clock);
        let (at, fault) = bad(1);
        telling.refused_here(at, fault, 1);
        assert_eq!(answers.text(), "");
        telling.not_answered_yet(At { row: 2, line: 3 }, "acme".to_owned(), true, 1);
        telling.answered(good(2));
        let told = answers.text();
        let rows: Vec<u64> = told
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()?["row"].as_u64())
            .collect();
        assert_eq!(rows, [1, 2]);
        telling.not_answered_yet(At { row: 3, line: 4 }, "wayne".to_owned(), true, 1);
        let cut = Error::Failed("stopped".to_owned());
        telling.end(&output, Some(&cut)).expect("written");
        let told = answers.text();
        let lines: Vec<&str> = told.lines().collect();
        assert!(
            lines[2].contains("UNANSWERED") && lines[3].contains("\"unanswered\":1"),
            "{told}"
        );
    }

    #[test]
    fn a_run_that_is_refused_as_a_whole_tells_of_no_row_and_leaves_earlier_results() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results.csv");
        std::fs::write(&path, "row,old\n").expect("written");
        let clock = MockClock::at(Timestamp::from_micros(0));
        let (output, answers, notes) = Output::on_paper(true);
        let results = Results::create(&path, &JOB).expect("makes");
        let mut telling = Telling::new(Report::of(&JOB), 1, Some(results), &output, clock);
        let (at, fault) = bad(1);
        telling.refused_here(at, fault, 1);
        let refused = Error::of_call(
            &hubkeep_core::error::status::from_error(
                &Denied,
                "0190a8b0-0000-7000-8000-000000000000".parse().expect("an id"),
            ),
            "credential-service",
            "here",
        );
        telling.end(&output, Some(&refused)).expect("written");
        assert_eq!(answers.text(), "");
        assert!(notes.text().contains("left as it was"), "{}", notes.text());
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "row,old\n");
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 1);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("denied")]
    struct Denied;

    impl hubkeep_core::error::ServiceError for Denied {
        fn kind(&self) -> hubkeep_core::error::ErrorKind {
            hubkeep_core::error::ErrorKind::PermissionDenied
        }
        fn reason(&self) -> ErrorReason {
            ErrorReason::CallerNotAllowed
        }
        fn public_message(&self) -> String {
            "no".to_owned()
        }
    }
}
