//! A file of many rows: what an import and a fleet's rotation have in common. Rows are read, sent and answered at the same
//! time, and each is told as soon as it is answered; nothing that was there before is lost.

mod cells;
mod exchange;
pub(super) mod fields;
mod places;
mod reader;
mod report;
mod results;
mod rows;
mod same_file;
mod telling;

use std::{fmt::Display, fs::File, io::Read, path::Path, sync::Arc};

use hubkeep_core::{clock::SharedClock, id::ClientSlug};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

pub use self::report::{Report, RowResult};
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use self::rows::Row;
use self::{exchange::Ended, results::Results, telling::Telling};
pub(super) use self::{
    places::{Columns, RowCells, counted},
    report::{Answered, End, Job, Rotated},
    rows::{FileFault, RowFault, Rows},
};
use crate::{channel::Service, errors::Error, exit::Exit, output::Output, stop::until_told};

/// What is done with each row of a file.
pub(super) trait Work: Send + Sync + 'static {
    /// What a row asks for. Holds a token.
    type Asked: Send + 'static;
    /// The same for the service.
    type Request: Send + 'static;
    /// The service's answer.
    type Answer;

    /// The columns of the file.
    const COLUMNS: Columns;
    /// The words for it.
    const JOB: &'static Job;

    /// Reads a row's cells.
    ///
    /// # Errors
    /// If they cannot be right.
    fn read(cells: RowCells<'_>) -> Result<Self::Asked, RowFault>;

    /// The client that a row is about.
    fn slug(asked: &Self::Asked) -> &ClientSlug;

    /// What is sent for a row.
    fn request(&self, row: u32, asked: Self::Asked) -> Self::Request;

    /// Begins to send.
    fn open(
        service: &Service,
        requests: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Answer>>, Status>> + Send;

    /// Reads an answer.
    fn answered(answer: Self::Answer) -> Answered;

    /// Adds to an answer what the service was not asked for yet.
    fn looked_into(&self, _service: &Service, answer: Answered) -> impl Future<Output = Answered> + Send {
        std::future::ready(answer)
    }

    /// Clients of whom something was told beside the rows, and who stand in no row.
    fn left_over(&self, _report: &Report) -> Vec<String> {
        Vec::new()
    }
}

/// The files of a run, as the command line names them.
pub(super) struct Files<'a> {
    /// The rows.
    pub(super) rows: &'a Path,
    /// What else is read: how the option is called, and its file.
    pub(super) also: Option<(&'a str, &'a Path)>,
    /// Where what becomes of each row goes.
    pub(super) results: Option<&'a Path>,
}

impl Files<'_> {
    fn named(&self) -> Vec<(&str, &Path)> {
        let results = self.results.map(|results| ("--results", results));
        [Some(("the file of rows", self.rows)), self.also, results]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Does the work on every row of a file, and tells what became of each.
///
/// # Errors
/// If a file cannot be used, or the service refuses the run as a whole.
pub(super) async fn run<W: Work>(
    work: W,
    files: &Files<'_>,
    service: &Service,
    clock: SharedClock,
    output: &Output,
) -> Result<Exit, Error> {
    let unusable = |why: &dyn Display| Error::ImportFile(format!("{}: {why}", files.rows.display()));
    let file = File::open(files.rows).map_err(|error| unusable(&FileFault::from(error)))?;
    let bytes = file.metadata().map(|found| found.len()).unwrap_or_default();
    same_file::refuse(&files.named())?;
    let rows = Rows::open(file, W::COLUMNS, W::read).map_err(|fault| unusable(&fault))?;
    // A place that cannot be written is noticed before anything is sent.
    let results = files.results.map(|path| Results::create(path, W::JOB));
    let mut telling = Telling::new(Report::of(W::JOB), bytes, results.transpose()?, output, clock);
    let stop = async || {
        // Where the system does not let us listen, nobody can tell us to stop.
        if until_told().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let work = Arc::new(work);
    let ended = exchange::run(Arc::clone(&work), rows, service, &mut telling, stop).await;
    let error = match ended {
        Ok(()) => {
            telling.left_over(&*work);
            None
        }
        Err(Ended::File(fault)) => Some(unusable(&fault)),
        Err(Ended::Service(error)) => Some(error),
        Err(Ended::Stopped) => Some(stopped()),
    };
    let told = telling.has_rows(error.as_ref());
    let report = telling.end(output, error.as_ref())?;
    match error {
        None => Ok(report.exit()),
        // In JSON the error is part of the last document, if there is one.
        Some(error) if told && output.is_json() => Ok(error.exit()),
        Some(error) => Err(error),
    }
}

/// Does the work on rows from anywhere, and gives what became of them.
///
/// # Errors
/// If the rows cannot be read, or the service refuses the run as a whole.
pub(super) async fn of<W: Work>(
    work: W,
    input: impl Read + Send + 'static,
    service: &Service,
) -> Result<Report, Error> {
    let unusable = |fault: FileFault| Error::ImportFile(fault.to_string());
    let rows = Rows::open(input, W::COLUMNS, W::read).map_err(unusable)?;
    let mut telling = Telling::silent(Report::of(W::JOB));
    let never = async || std::future::pending::<()>().await;
    let ended = exchange::run(Arc::new(work), rows, service, &mut telling, never).await;
    match ended {
        Ok(()) => Ok(telling.into_report()),
        Err(Ended::File(fault)) => Err(unusable(fault)),
        Err(Ended::Service(error)) => Err(error),
        Err(Ended::Stopped) => Err(stopped()),
    }
}

fn stopped() -> Error {
    Error::Failed(
        "stopped before the end: a row without an answer may be done or not; run the same file again, what is done \
         stays as it is"
            .to_owned(),
    )
}
