//! Reads the rows of a file, sends on those that can be sent, and tells of each. Files block: this runs on a thread of
//! its own.

use std::{io::Read, sync::Arc};

use tokio::sync::mpsc;

use super::{
    Work,
    rows::{At, FileFault, Row, RowFault, Rows},
};

/// The right to hand over one row.
pub(super) struct Credit;

/// What the reader tells: the rows in order, in the end perhaps why there are no more.
pub(super) enum Told {
    /// This row is handed over next, or nobody takes it any more.
    Good {
        at: At,
        client_slug: String,
        bytes: u64,
        sent: bool,
    },
    /// This row cannot be sent.
    Refused { at: At, fault: RowFault, bytes: u64 },
    /// The file cannot be read on.
    Ended(FileFault),
}

/// Reads until the rows end, or nobody listens any more. Where nobody takes rows any more, they are told all the same:
/// of each row of the file is known what became of it.
pub(super) fn run<W: Work, R: Read>(
    mut rows: Rows<R, W::Asked>,
    work: &Arc<W>,
    requests: &mpsc::Sender<W::Request>,
    granted: &mut mpsc::Receiver<Credit>,
    tell: &mpsc::UnboundedSender<Told>,
) {
    loop {
        let listens = match rows.next_row() {
            Ok(Some(row)) => hand_over(row, &**work, requests, granted, tell),
            Ok(None) => return,
            Err(fault) => {
                // Nobody listens only if the run is over anyway.
                tell.send(Told::Ended(fault)).ok();
                return;
            }
        };
        if !listens {
            return;
        }
    }
}

/// Sends a row on if it can be sent, and tells of it first: its answer must not come before. Whether anybody listens.
fn hand_over<W: Work>(
    row: Row<W::Asked>,
    work: &W,
    requests: &mpsc::Sender<W::Request>,
    granted: &mut mpsc::Receiver<Credit>,
    tell: &mpsc::UnboundedSender<Told>,
) -> bool {
    let Row { at, bytes, content } = row;
    let asked = match content {
        Err(fault) => return tell.send(Told::Refused { at, fault, bytes }).is_ok(),
        Ok(asked) => asked,
    };
    let sent = granted.blocking_recv().is_some() && !requests.is_closed();
    let good = Told::Good {
        at,
        client_slug: W::slug(&asked).to_string(),
        bytes,
        sent,
    };
    let listens = tell.send(good).is_ok();
    if sent {
        // Who takes no more rows does not answer this one: it was told as sent, and has no answer.
        requests.blocking_send(work.request(at.row, asked)).ok();
    }
    listens
}
