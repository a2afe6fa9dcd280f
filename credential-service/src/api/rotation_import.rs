//! `ImportRotations`: rows in, outcomes out, both as streams.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    grpc::Context,
    id::{ClientSlug, CredentialName},
};
use hubkeep_proto::credential::v1::{ImportRotationOutcome, ImportRotationsRequest, ImportRotationsResponse};
use tonic::{Request, Response, Status, Streaming};

use super::{
    Desk, Error,
    rotation::wish_of_row,
    rows::{self, Outcomes, Row},
};
use crate::{
    portals,
    rotation::{Rotated, Rotations, Wish},
};

/// How long one row may take. An import has no deadline of its own: it lasts as long as its rows come.
const ROW_LIMIT: Duration = Duration::from_secs(30);

/// What all rows of one import share.
struct Import {
    desk: Desk,
    rotations: Rotations,
    context: Context,
    /// Which row was the first for a credential: two tokens for one place cannot both be meant.
    rows: Mutex<HashMap<(ClientSlug, CredentialName), u32>>,
}

/// Rotates each row as it comes.
pub(super) async fn import(
    desk: Desk,
    rotations: Rotations,
    request: Request<Streaming<ImportRotationsRequest>>,
) -> Result<Response<Outcomes<ImportRotationsResponse>>, Status> {
    let begin = |context| Import {
        desk: desk.clone(),
        rotations,
        context,
        rows: Mutex::default(),
    };
    rows::import(&desk, Operation::RotationImport, request, begin).await
}

impl rows::Import for Import {
    type Request = ImportRotationsRequest;
    type Wish = Wish;
    type Done = Rotated;
    type Response = ImportRotationsResponse;

    fn read(&self, row: ImportRotationsRequest) -> Row<Wish> {
        let (number, client_slug) = (row.row, row.client_slug.clone());
        let wish = wish_of_row(row).and_then(|wish| self.first_of_its_credential(number, wish));
        Row {
            number,
            client_slug,
            wish,
        }
    }

    async fn work(&self, wish: Result<Wish, Error>) -> Result<Rotated, Error> {
        let mut context = self.context.clone();
        context.deadline = self.desk.time_in(ROW_LIMIT);
        let act = self.desk.begin(context, Operation::RotationSwitch)?;
        let result = match wish {
            Ok(wish) => self.rotations.rotate(&act, wish).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        self.desk.on_record(&act, result).await
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
}

impl Import {
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
}
