//! A fleet: rows go up as fast as they are answered, answers come back in any order.

use std::{
    fs::{self, File},
    path::Path,
};

use hubkeep_proto::credential::v1::{
    ImportRotationsRequest, ImportRotationsResponse, rotation_service_client::RotationServiceClient,
};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{
    report::Report,
    rows::{self, NewToken},
};
use crate::{channel::Service, errors::Error, exit::Exit, output::Output};

/// Rows that wait for their answers, at most. Rows are small, and HTTP/2 servers take a hundred small frames that they
/// had no time to read for an attack, and close the connection.
const UNANSWERED: usize = 64;

/// Rotates every row of a file, and prints what became of each.
///
/// # Errors
/// If the file cannot be used, or the service refuses the rotation as a whole.
pub(super) async fn run(
    file: &Path,
    result: Option<&Path>,
    allow_narrower_scopes: bool,
    service: &Service,
    output: &Output,
) -> Result<Exit, Error> {
    let unusable = |why: String| Error::ImportFile(format!("{}: {why}", file.display()));
    let opened = File::open(file).map_err(|error| unusable(format!("it cannot be read: {error}")))?;
    let rows = rows::read(opened).map_err(unusable)?;
    // A place for the result that cannot be written is told before anything is done.
    if let Some(result) = result {
        fs::write(result, "").map_err(|error| not_written(result, &error))?;
    }
    let bar = progress(rows.len());
    let mut report = Report::default();
    let mut requests = Vec::new();
    for row in rows {
        match row.content {
            Ok(new) => {
                report.sent(row.number, new.client_slug.to_string());
                requests.push(request(row.number, &new, allow_narrower_scopes));
            }
            Err(fault) => report.refused_here(row.number, fault),
        }
    }
    let ended = exchange(requests, service, &mut report, &bar).await;
    bar.finish_and_clear();
    if let Some(result) = result {
        fs::write(result, report.as_csv()).map_err(|error| not_written(result, &error))?;
    }
    match ended {
        Ok(()) => {
            report.print(output, None)?;
            Ok(report.exit())
        }
        Err(status) => {
            let error = service.ended(status);
            report.print(output, Some(&error))?;
            // In JSON the error is part of the report.
            if output.is_json() {
                Ok(error.exit())
            } else {
                Err(error)
            }
        }
    }
}

async fn exchange(
    requests: Vec<ImportRotationsRequest>,
    service: &Service,
    report: &mut Report,
    bar: &ProgressBar,
) -> Result<(), Status> {
    let (first, outgoing) = mpsc::channel(UNANSWERED);
    let mut waiting = requests.into_iter();
    for request in waiting.by_ref().take(UNANSWERED) {
        first.try_send(request).ok();
    }
    let mut sender = Some(first).filter(|_| waiting.len() > 0);
    bar.set_position(count(report));
    let mut client = RotationServiceClient::new(service.connection());
    let mut answers = client
        .import_rotations(ReceiverStream::new(outgoing))
        .await?
        .into_inner();
    while let Some(answer) = answers.message().await? {
        note(answer, report, bar);
        // A row for each answer; when the last one is handed over, our side is closed.
        match (waiting.next(), &sender) {
            (Some(request), Some(open)) => {
                open.try_send(request).ok();
            }
            _ => sender = None,
        }
    }
    Ok(())
}

fn note(answer: ImportRotationsResponse, report: &mut Report, bar: &ProgressBar) {
    report.answered(answer);
    bar.set_position(count(report));
    bar.set_message(format!("{} good, {} refused", report.done(), report.refused()));
}

fn count(report: &Report) -> u64 {
    u64::try_from(report.done() + report.refused()).unwrap_or(u64::MAX)
}

fn request(row: u32, new: &NewToken, allow_narrower_scopes: bool) -> ImportRotationsRequest {
    ImportRotationsRequest {
        row,
        client_slug: new.client_slug.to_string(),
        credential_name: new.credential_name.clone(),
        portal_token: new.portal_token.to_string(),
        allow_narrower_scopes,
    }
}

fn not_written(result: &Path, error: &std::io::Error) -> Error {
    Error::Usage(format!("{} cannot be written: {error}", result.display()))
}

/// A bar over the rows. It shows on terminals only.
fn progress(rows: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(rows).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("rotating {bar:32.cyan} {pos}/{len}  {msg}") {
        bar.set_style(style);
    }
    bar
}
