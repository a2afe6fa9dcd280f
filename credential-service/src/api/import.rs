//! `ImportPortals`: rows in, outcomes out, both as streams.

use std::time::Duration;

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    grpc::Context,
};
use hubkeep_proto::credential::v1::{ImportOutcome, ImportPortalsRequest, ImportPortalsResponse};
use tonic::{Request, Response, Status, Streaming};

use super::{
    Desk, Error,
    portal::new_portal_of_row,
    rows::{self, Outcomes, Row},
};
use crate::{
    portals::{self, ImportedRows, NewPortal, Onboarded, Portals, Turn},
    record::Act,
};

/// How long one row may take, with the waits for room in its portal's limits and for HubSpot to be well again. An import
/// has no deadline of its own: it lasts as long as its rows come.
const ROW_LIMIT: Duration = Duration::from_secs(60);

/// What all rows of one import share.
struct Import {
    desk: Desk,
    portals: Portals,
    context: Context,
    rows: ImportedRows,
}

/// Onboards each row as it comes.
pub(super) async fn import(
    desk: Desk,
    portals: Portals,
    request: Request<Streaming<ImportPortalsRequest>>,
) -> Result<Response<Outcomes<ImportPortalsResponse>>, Status> {
    let begin = |context| Import {
        desk: desk.clone(),
        portals,
        context,
        rows: ImportedRows::default(),
    };
    rows::import(&desk, Operation::PortalImport, request, begin).await
}

impl rows::Import for Import {
    type Request = ImportPortalsRequest;
    type Wish = (NewPortal, Turn);
    type Done = Onboarded;
    type Response = ImportPortalsResponse;

    fn read(&self, row: ImportPortalsRequest) -> Row<(NewPortal, Turn)> {
        let (number, client_slug) = (row.row, row.client_slug.clone());
        let wish = new_portal_of_row(row).map(|new| {
            let turn = self.rows.note(number, &new);
            (new, turn)
        });
        Row {
            number,
            client_slug,
            wish,
        }
    }

    async fn work(&self, wish: Result<(NewPortal, Turn), Error>) -> Result<Onboarded, Error> {
        let mut context = self.context.clone();
        context.deadline = self.desk.time_in(ROW_LIMIT);
        let only_checked = wish.as_ref().is_ok_and(|(new, _)| new.validate_only);
        let operation = if only_checked {
            Operation::PortalCheck
        } else {
            Operation::PortalOnboard
        };
        let act = self.desk.begin(context, operation)?;
        let result = match wish {
            Ok((new, turn)) => self.in_turn(&act, new, turn).await,
            Err(error) => Err(error),
        };
        self.desk.on_record(&act, result).await
    }

    fn answer(row: u32, client_slug: String, result: Result<Onboarded, Error>) -> ImportPortalsResponse {
        let (portal_id, outcome, reason, message) = told(result);
        ImportPortalsResponse {
            row,
            client_slug,
            portal_id,
            outcome: outcome.into(),
            reason: reason.into(),
            message,
        }
    }
}

impl Import {
    async fn in_turn(&self, act: &Act, new: NewPortal, mut turn: Turn) -> Result<Onboarded, Error> {
        turn.come().await?;
        let result = self.portals.onboard(act, new).await;
        turn.done(result.is_ok());
        Ok(result?)
    }
}

/// What became of a row: the portal, in a word, why, and in words.
fn told(result: Result<Onboarded, Error>) -> (u64, ImportOutcome, ErrorReason, String) {
    let (portal, outcome) = match result {
        Ok(Onboarded::Now(portal)) => (portal, ImportOutcome::Onboarded),
        Ok(Onboarded::Before(portal)) => (portal, ImportOutcome::Unchanged),
        Ok(Onboarded::Would(portal)) => (portal, ImportOutcome::WouldOnboard),
        Err(error) => {
            let (reason, message) = (error.reason(), error.public_message());
            return (told_by(&error), ImportOutcome::Refused, reason, message);
        }
    };
    (
        portal.portal_id.get(),
        outcome,
        ErrorReason::Unspecified,
        String::new(),
    )
}

/// The portal that HubSpot named, where it named one and the row was refused nevertheless.
fn told_by(error: &Error) -> u64 {
    match error {
        Error::Portals(portals::Error::TokenOfAnotherPortal { actual, .. }) => actual.get(),
        _ => 0,
    }
}
