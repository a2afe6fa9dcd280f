//! Reads the rows of a file, sends on those that can be sent, and tells of each.

use std::io::Read;

use hubkeep_proto::credential::v1::{CredentialKind, ImportPortalsRequest};
use tokio::sync::mpsc;

use super::rows::{Client, FileFault, Row, RowFault, Rows};

/// The right to hand over one row.
pub(super) struct Credit;

/// What the reader tells: the rows in order, in the end perhaps why there are no more.
pub(super) enum Told {
    /// This row was handed over.
    Sent {
        row: u32,
        client_slug: String,
        bytes: u64,
    },
    /// This row cannot be sent.
    Refused { row: u32, fault: RowFault, bytes: u64 },
    /// The file cannot be read on.
    Ended(FileFault),
}

/// Reads until the rows end, or until nobody takes them any more. Blocks.
pub(super) fn run<R: Read>(
    mut rows: Rows<R>,
    kind: CredentialKind,
    requests: &mpsc::Sender<ImportPortalsRequest>,
    granted: &mut mpsc::Receiver<Credit>,
    tell: &mpsc::UnboundedSender<Told>,
) {
    loop {
        let told = match rows.next_row() {
            Ok(Some(row)) => hand_over(row, kind, requests, granted),
            Ok(None) => return,
            Err(fault) => {
                // Nobody listens only if the import is over anyway.
                tell.send(Told::Ended(fault)).ok();
                return;
            }
        };
        if told.is_none_or(|told| tell.send(told).is_err()) {
            return;
        }
    }
}

/// Sends a row on if it can be sent; `None` if nobody takes it.
fn hand_over(
    row: Row,
    kind: CredentialKind,
    requests: &mpsc::Sender<ImportPortalsRequest>,
    granted: &mut mpsc::Receiver<Credit>,
) -> Option<Told> {
    let Row {
        number: row,
        bytes,
        content,
    } = row;
    match content {
        Err(fault) => Some(Told::Refused { row, fault, bytes }),
        Ok(client) => {
            let client_slug = client.client_slug.to_string();
            granted.blocking_recv()?;
            requests.blocking_send(request(row, client, kind)).ok()?;
            Some(Told::Sent {
                row,
                client_slug,
                bytes,
            })
        }
    }
}

fn request(row: u32, client: Client, kind: CredentialKind) -> ImportPortalsRequest {
    ImportPortalsRequest {
        row,
        client_slug: client.client_slug.to_string(),
        portal_token: client.portal_token.to_string(),
        expected_portal_id: client.portal_id.map_or(0, |id| id.get()),
        credential_kind: kind.into(),
        ..ImportPortalsRequest::default()
    }
}
