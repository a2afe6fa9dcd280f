//! One import: rows go up as they are read, answers come back in any order.

use std::io::Read;

use hubkeep_proto::credential::v1::{
    ImportOutcome, ImportPortalsResponse, portal_service_client::PortalServiceClient,
};
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

use super::{
    reader::{self, Credit, Options, Told},
    report::Report,
    rows::{FileFault, Rows},
};
use crate::{channel::Service, errors::Error};

/// Rows that wait for their answers, at most. Rows are small, and HTTP/2 servers take a hundred small frames that they
/// had no time to read for an attack, and close the connection.
const UNANSWERED: usize = 64;

/// What ended an import before its last row.
pub(super) enum Ended {
    /// The file cannot be read on.
    File(FileFault),
    /// The service refuses the import as a whole, or is not reached.
    Service(Error),
}

/// Sends all rows that can be sent, and notes what became of each in `report`.
pub(super) async fn run<R: Read + Send + 'static>(
    rows: Rows<R>,
    options: Options,
    service: &Service,
    report: &mut Report,
    bar: &ProgressBar,
) -> Result<(), Ended> {
    let (requests, outgoing) = mpsc::channel(UNANSWERED);
    let (credits, mut granted) = mpsc::channel(UNANSWERED);
    let (tell, mut told) = mpsc::unbounded_channel();
    // Files block, so they are read on a thread of their own.
    tokio::task::spawn_blocking(move || reader::run(rows, &options, &requests, &mut granted, &tell));
    let mut client = PortalServiceClient::new(service.connection());
    let opening = client.import_portals(ReceiverStream::new(outgoing));
    let mut notes = Notes {
        report,
        bar,
        fault: None,
        good: 0,
        refused: 0,
    };
    let answered = notes.answers(opening, credits, &mut told).await;
    // The reader ends when its rows do, or when nobody takes them any more.
    while let Some(told) = told.recv().await {
        notes.note(told);
    }
    match (answered, notes.fault) {
        (Err(status), _) => Err(Ended::Service(service.ended(status))),
        (Ok(()), Some(fault)) => Err(Ended::File(fault)),
        (Ok(()), None) => Ok(()),
    }
}

/// What is noted while both sides speak.
struct Notes<'a> {
    report: &'a mut Report,
    bar: &'a ProgressBar,
    fault: Option<FileFault>,
    /// Rows so far, for the bar.
    good: u64,
    refused: u64,
}

impl Notes<'_> {
    /// Takes every answer of the service, and for each lets the reader hand over another row.
    async fn answers(
        &mut self,
        opening: impl Future<Output = Result<Response<Streaming<ImportPortalsResponse>>, Status>>,
        credits: mpsc::Sender<Credit>,
        told: &mut mpsc::UnboundedReceiver<Told>,
    ) -> Result<(), Status> {
        for _ in 0..UNANSWERED {
            credits.try_send(Credit).ok();
        }
        let mut answers = opening.await?.into_inner();
        while let Some(answer) = answers.message().await? {
            match answer.outcome() {
                ImportOutcome::Refused | ImportOutcome::Unspecified => self.refused += 1,
                ImportOutcome::Onboarded | ImportOutcome::Unchanged | ImportOutcome::WouldOnboard => {
                    self.good += 1;
                }
            }
            self.report.answered(answer);
            // A full channel means that all rows are answered; a closed one, that all are handed over.
            credits.try_send(Credit).ok();
            while let Ok(told) = told.try_recv() {
                self.note(told);
            }
            self.bar
                .set_message(format!("{} good, {} refused", self.good, self.refused));
        }
        Ok(())
    }

    fn note(&mut self, told: Told) {
        match told {
            Told::Sent {
                row,
                client_slug,
                bytes,
            } => {
                self.report.sent(row, client_slug);
                self.bar.inc(bytes);
            }
            Told::Refused { row, fault, bytes } => {
                self.refused += 1;
                self.report.refused_here(row, fault);
                self.bar.inc(bytes);
            }
            Told::Ended(fault) => self.fault = Some(fault),
        }
    }
}
