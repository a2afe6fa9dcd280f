//! Rows go up as they are read, answers come back in any order.

use std::{io::Read, sync::Arc};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

use super::{
    Work,
    reader::{self, Credit, Told},
    rows::{FileFault, Rows},
    telling::Telling,
};
use crate::{channel::Service, errors::Error};

/// Rows that wait for their answers, at most. Rows are small, and HTTP/2 servers take a hundred small frames that they
/// had no time to read for an attack, and close the connection.
const UNANSWERED: usize = 64;

/// What ended a run before its last row.
pub(super) enum Ended {
    /// The file cannot be read on.
    File(FileFault),
    /// The service refuses the run as a whole, or is not reached.
    Service(Error),
    /// Somebody stopped it.
    Stopped,
}

/// Sends all rows that can be sent, and tells what became of each, until `stop` ends.
pub(super) async fn run<W: Work, R: Read + Send + 'static>(
    work: Arc<W>,
    rows: Rows<R, W::Asked>,
    service: &Service,
    telling: &mut Telling<'_>,
    mut stop: impl AsyncFnMut(),
) -> Result<(), Ended> {
    let (requests, outgoing) = mpsc::channel(UNANSWERED);
    let (credits, mut granted) = mpsc::channel(UNANSWERED);
    let (tell, mut told) = mpsc::unbounded_channel();
    let reading = Arc::clone(&work);
    tokio::task::spawn_blocking(move || reader::run(rows, &reading, &requests, &mut granted, &tell));
    let opening = W::open(service, ReceiverStream::new(outgoing));
    let mut fault = None;
    let answered = tokio::select! {
        answered = answers((&*work, service), opening, credits, &mut told, telling, &mut fault) => {
            answered.map_err(|status| Ended::Service(service.ended(status)))
        }
        () = stop() => Err(Ended::Stopped),
    };
    let rest = async {
        while let Some(told) = told.recv().await {
            take(told, telling, &mut fault);
        }
    };
    tokio::select! {
        () = rest => {}
        // A file that does not end, because it is a pipe, does not hold up somebody who stops twice.
        () = stop() => {}
    }
    match (answered, fault) {
        (Err(ended), _) => Err(ended),
        (Ok(()), Some(fault)) => Err(Ended::File(fault)),
        (Ok(()), None) => Ok(()),
    }
}

/// Takes every answer of the service, and for each lets the reader hand over another row.
async fn answers<W: Work>(
    (work, service): (&W, &Service),
    opening: impl Future<Output = Result<Response<Streaming<W::Answer>>, Status>>,
    credits: mpsc::Sender<Credit>,
    told: &mut mpsc::UnboundedReceiver<Told>,
    telling: &mut Telling<'_>,
    fault: &mut Option<FileFault>,
) -> Result<(), Status> {
    for _ in 0..UNANSWERED {
        credits.try_send(Credit).ok();
    }
    let mut answers = opening.await?.into_inner();
    loop {
        tokio::select! {
            Some(told) = told.recv() => take(told, telling, fault),
            answer = answers.message() => {
                let Some(answer) = answer? else { return Ok(()) };
                // What was told of its row was told before the row was sent.
                while let Ok(told) = told.try_recv() {
                    take(told, telling, fault);
                }
                telling.answered(work.looked_into(service, W::answered(answer)).await);
                // A full channel means that all rows are answered; a closed one, that all are handed over.
                credits.try_send(Credit).ok();
            }
            () = telling.due() => telling.so_far(),
        }
    }
}

fn take(told: Told, telling: &mut Telling<'_>, fault: &mut Option<FileFault>) {
    match told {
        Told::Good {
            at,
            client_slug,
            bytes,
            sent,
        } => telling.not_answered_yet(at, client_slug, sent, bytes),
        Told::Refused { at, fault, bytes } => telling.refused_here(at, fault, bytes),
        Told::Ended(why) => *fault = Some(why),
    }
}
