//! `ImportRotations`: rows in, outcomes out, both as streams.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{Stream, TryStreamExt as _, future};
use hubkeep_audit_log::Operation;
use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    grpc::Context,
    id::{ClientSlug, CredentialName},
};
use hubkeep_proto::credential::v1::{ImportRotationOutcome, ImportRotationsRequest, ImportRotationsResponse};
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, Error, rotation::wish_of_row};
use crate::{
    portals::{self, ROWS_AT_ONCE},
    rotation::{Rotated, Rotations, Wish},
};

/// How long one row may take. An import has no deadline of its own: it lasts as long as its rows come.
const ROW_LIMIT: Duration = Duration::from_secs(30);

/// An outcome for each row, in the order in which they are ready.
pub(super) type Outcomes = Pin<Box<dyn Stream<Item = Result<ImportRotationsResponse, Status>> + Send>>;

/// A row as it was read: what it asks for, or why it asks for nothing that can be done.
struct Row {
    number: u32,
    client_slug: String,
    wish: Result<Wish, Error>,
}

/// What all rows of one import share.
struct Import {
    desk: Desk,
    rotations: Rotations,
    context: Context,
    /// Which row was the first for a credential: two tokens for one place cannot both be meant.
    rows: Mutex<HashMap<(ClientSlug, CredentialName), u32>>,
}

/// Rotates each row as it comes. A row that is refused refuses itself only; the stream ends when the rows do.
///
/// The import leaves one entry when it begins, and each row one of its own.
pub(super) async fn import(
    desk: Desk,
    rotations: Rotations,
    request: Request<Streaming<ImportRotationsRequest>>,
) -> Result<Response<Outcomes>, Status> {
    let context = Context::of(&request)?;
    let opened = desk.answer(request, Operation::RotationImport, |_act, rows| {
        future::ready(Ok(rows))
    });
    let rows = opened.await?.into_inner();
    let import = Arc::new(Import {
        desk,
        rotations,
        context,
        rows: Mutex::default(),
    });
    let outcomes = rows
        .map_err({
            let import = Arc::clone(&import);
            move |broken| import.context.complete(&broken)
        })
        .map_ok({
            let import = Arc::clone(&import);
            // In order, before any row is worked on: which of two rows is the first must not be a matter of luck.
            move |row| import.read(row)
        })
        .map_ok(move |row| outcome(Arc::clone(&import), row))
        .try_buffer_unordered(ROWS_AT_ONCE);
    Ok(Response::new(Box::pin(outcomes)))
}

/// In a task of its own, so that a client which hangs up does not cut a row in half.
async fn outcome(import: Arc<Import>, row: Row) -> Result<ImportRotationsResponse, Status> {
    let (number, client_slug) = (row.number, row.client_slug.clone());
    let task = tokio::spawn(async move { import.rotate(row).await });
    let result = task.await.map_err(Error::from).flatten();
    Ok(answer(number, client_slug, result))
}

impl Import {
    fn read(&self, row: ImportRotationsRequest) -> Row {
        let (number, client_slug) = (row.row, row.client_slug.clone());
        let wish = wish_of_row(row).and_then(|wish| self.first_of_its_credential(number, wish));
        Row {
            number,
            client_slug,
            wish,
        }
    }

    fn first_of_its_credential(&self, row: u32, wish: Wish) -> Result<Wish, Error> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (wish.client_slug.clone(), wish.credential_name.clone());
        match rows.get(&place) {
            Some(first_row) => {
                let first_row = *first_row;
                Err(portals::Error::RowDuplicate {
                    row,
                    first_row,
                    what: portals::Repeated::Slug,
                }
                .into())
            }
            None => {
                rows.insert(place, row);
                Ok(wish)
            }
        }
    }

    async fn rotate(&self, row: Row) -> Result<Rotated, Error> {
        let mut context = self.context.clone();
        context.deadline = self.desk.time_in(ROW_LIMIT);
        let act = self.desk.begin(context, Operation::RotationSwitch)?;
        let result = match row.wish {
            Ok(wish) => self.rotations.rotate(&act, wish).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        self.desk.on_record(&act, result).await
    }
}

fn answer(row: u32, client_slug: String, result: Result<Rotated, Error>) -> ImportRotationsResponse {
    let rotated = match result {
        Ok(rotated) => rotated,
        Err(error) => {
            return ImportRotationsResponse {
                row,
                client_slug,
                outcome: ImportRotationOutcome::Refused.into(),
                reason: error.reason().into(),
                message: error.public_message(),
                ..ImportRotationsResponse::default()
            };
        }
    };
    let outcome = match &rotated {
        Rotated::Now(_) => ImportRotationOutcome::Switched,
        Rotated::Before(_) => ImportRotationOutcome::Unchanged,
    };
    let rotation = rotated.rotation();
    ImportRotationsResponse {
        row,
        client_slug,
        outcome: outcome.into(),
        rotation_id: rotation.rotation_id.to_string(),
        portal_id: rotation.portal_id.get(),
        token_fingerprint: rotation.fingerprint_in_force().to_string(),
        reason: ErrorReason::Unspecified.into(),
        message: String::new(),
    }
}
