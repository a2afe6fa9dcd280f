//! Reads the rows of a file, sends on those that can be sent, and tells of each.

use std::{collections::BTreeMap, io::Read};

use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{CredentialKind, ImportPortalsRequest, PortalDetails};
use tokio::sync::mpsc;

use super::rows::{Client, FileFault, Row, RowFault, Rows};

/// What holds for every row.
#[derive(Debug)]
pub(super) struct Options {
    /// What sort of credential a token is whose row does not say.
    pub(super) kind: CredentialKind,
    /// What is known of clients beside their rows.
    pub(super) details: BTreeMap<ClientSlug, PortalDetails>,
    /// Whether nothing shall be stored.
    pub(super) dry_run: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kind: CredentialKind::Unspecified,
            details: BTreeMap::new(),
            dry_run: false,
        }
    }
}

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
    options: &Options,
    requests: &mpsc::Sender<ImportPortalsRequest>,
    granted: &mut mpsc::Receiver<Credit>,
    tell: &mpsc::UnboundedSender<Told>,
) {
    loop {
        let told = match rows.next_row() {
            Ok(Some(row)) => hand_over(row, options, requests, granted),
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
    options: &Options,
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
            requests.blocking_send(request(row, client, options)).ok()?;
            Some(Told::Sent {
                row,
                client_slug,
                bytes,
            })
        }
    }
}

fn request(row: u32, client: Client, options: &Options) -> ImportPortalsRequest {
    let known = options.details.get(&client.client_slug);
    ImportPortalsRequest {
        row,
        client_slug: client.client_slug.to_string(),
        portal_token: client.portal_token.to_string(),
        expected_portal_id: client.portal_id.map_or(0, |id| id.get()),
        credential_kind: client.kind.unwrap_or(options.kind).into(),
        credential_name: client.credential_name,
        // A row's own words come before the file's.
        details: client.details.or_else(|| known.cloned()),
        validate_only: options.dry_run,
    }
}
