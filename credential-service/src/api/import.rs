//! `ImportPortals`: rows in, outcomes out, both as streams.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, TryStreamExt as _, future};
use hubkeep_audit_log::Operation;
use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    grpc::Context,
};
use hubkeep_proto::credential::v1::{ImportOutcome, ImportPortalsRequest, ImportPortalsResponse};
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, Error, portal::new_portal_of_row};
use crate::{
    portals::{self, ImportedRows, NewPortal, Onboarded, Portals, ROWS_AT_ONCE, Turn},
    record::Act,
};

/// How long one row may take, with the waits for room in its portal's limits and for HubSpot to be well again. An import
/// has no deadline of its own: it lasts as long as its rows come.
const ROW_LIMIT: Duration = Duration::from_secs(60);

/// An outcome for each row, in the order in which they are ready.
pub(super) type Outcomes = Pin<Box<dyn Stream<Item = Result<ImportPortalsResponse, Status>> + Send>>;

/// A row as it was read: what it asks for, or why it asks for nothing that can be done.
struct Row {
    number: u32,
    client_slug: String,
    new: Result<(NewPortal, Turn), Error>,
}

/// What all rows of one import share.
struct Import {
    desk: Desk,
    portals: Portals,
    context: Context,
    rows: ImportedRows,
}

/// Onboards each row as it comes. A row that is refused refuses itself only; the stream ends when the rows do.
///
/// The import leaves one entry when it begins, and each row one of its own.
pub(super) async fn import(
    desk: Desk,
    portals: Portals,
    request: Request<Streaming<ImportPortalsRequest>>,
) -> Result<Response<Outcomes>, Status> {
    let context = Context::of(&request)?;
    let opened = desk.answer(request, Operation::PortalImport, |_act, rows| {
        future::ready(Ok(rows))
    });
    let rows = opened.await?.into_inner();
    let import = Arc::new(Import {
        desk,
        portals,
        context,
        rows: ImportedRows::default(),
    });
    let outcomes = rows
        .map_err({
            let import = Arc::clone(&import);
            move |broken| import.context.complete(&broken)
        })
        .map_ok({
            let import = Arc::clone(&import);
            // In order, before any row is worked on: which of two equal rows is the first must not be a matter of luck.
            move |row| import.read(row)
        })
        .map_ok(move |row| outcome(Arc::clone(&import), row))
        .try_buffer_unordered(ROWS_AT_ONCE);
    Ok(Response::new(Box::pin(outcomes)))
}

/// In a task of its own, so that a client which hangs up does not cut a row in half.
async fn outcome(import: Arc<Import>, row: Row) -> Result<ImportPortalsResponse, Status> {
    let (number, client_slug) = (row.number, row.client_slug.clone());
    let task = tokio::spawn(async move { import.onboard(row).await });
    let result = task.await.map_err(Error::from).flatten();
    Ok(answer(number, client_slug, result))
}

impl Import {
    fn read(&self, row: ImportPortalsRequest) -> Row {
        let (number, client_slug) = (row.row, row.client_slug.clone());
        let new = new_portal_of_row(row).map(|new| {
            let turn = self.rows.note(number, &new);
            (new, turn)
        });
        Row {
            number,
            client_slug,
            new,
        }
    }

    async fn onboard(&self, row: Row) -> Result<Onboarded, Error> {
        let mut context = self.context.clone();
        context.deadline = self.desk.time_in(ROW_LIMIT);
        let only_checked = row.new.as_ref().is_ok_and(|(new, _)| new.validate_only);
        let operation = if only_checked {
            Operation::PortalCheck
        } else {
            Operation::PortalOnboard
        };
        let act = self.desk.begin(context, operation)?;
        let result = match row.new {
            Ok((new, turn)) => self.in_turn(&act, new, turn).await,
            Err(error) => Err(error),
        };
        self.desk.on_record(&act, result).await
    }

    async fn in_turn(&self, act: &Act, new: NewPortal, mut turn: Turn) -> Result<Onboarded, Error> {
        turn.come().await?;
        let result = self.portals.onboard(act, new).await;
        turn.done(result.is_ok());
        Ok(result?)
    }
}

fn answer(row: u32, client_slug: String, result: Result<Onboarded, Error>) -> ImportPortalsResponse {
    let (portal_id, outcome, reason, message) = match result {
        Ok(Onboarded::Now(portal)) => (
            portal.portal_id.get(),
            ImportOutcome::Onboarded,
            ErrorReason::Unspecified,
            String::new(),
        ),
        Ok(Onboarded::Before(portal)) => (
            portal.portal_id.get(),
            ImportOutcome::Unchanged,
            ErrorReason::Unspecified,
            String::new(),
        ),
        Ok(Onboarded::Would(portal)) => (
            portal.portal_id.get(),
            ImportOutcome::WouldOnboard,
            ErrorReason::Unspecified,
            String::new(),
        ),
        Err(error) => (
            told_by(&error),
            ImportOutcome::Refused,
            error.reason(),
            error.public_message(),
        ),
    };
    ImportPortalsResponse {
        row,
        client_slug,
        portal_id,
        outcome: outcome.into(),
        reason: reason.into(),
        message,
    }
}

/// The portal that HubSpot named, where it named one and the row was refused nevertheless.
fn told_by(error: &Error) -> u64 {
    match error {
        Error::Portals(portals::Error::TokenOfAnotherPortal { actual, .. }) => actual.get(),
        _ => 0,
    }
}
