//! What an operator says of a portal that HubSpot is said to move, and does not: who may, and that it is on record first.

use hubkeep_audit_log::{Operation as Recorded, Outcome, ProvenPortal};
use hubkeep_core::{
    error::ServiceError as _,
    grpc::{Context, FLEET, bearer_handle},
    id::{CallId, PortalId},
};
use hubkeep_proto::crm::v1::{LiftMigrationRequest, LiftMigrationResponse};
use tonic::{Status, metadata::MetadataMap};

use super::{
    entrance::meant,
    error::Error,
    quota_desk::{Proven, QuotaDesk},
    settle::reason,
};
use crate::{
    call::{Cause, Error as CallError, Meant},
    credentials,
    crm::Faults,
};

/// What no handle allows.
const LIFT: &str = "LIFT_MIGRATION";

impl QuotaDesk {
    /// Says that a portal is not moved, and has it on record; or refuses, on record too.
    pub(super) async fn lift(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        asked: &LiftMigrationRequest,
    ) -> Result<LiftMigrationResponse, Status> {
        let call_id = self.call_id().map_err(|error| context.refuse(&error))?;
        let proven = Proven::new();
        match self.lifted((context, call_id), metadata, asked, &proven).await {
            Ok(response) => Ok(response),
            Err(error) => {
                let draft = self.draft(Recorded::MigrationLift, context, call_id, proven.get());
                if let Err(unrecorded) = self.log.denied(draft, Outcome::refused(error.reason())).await {
                    tracing::error!(error = %unrecorded, reason = error.reason().wire_name(), "a refusal was not recorded");
                }
                Err(context.refuse(&error))
            }
        }
    }

    async fn lifted(
        &self,
        (context, call_id): (&Context, CallId),
        metadata: &MetadataMap,
        asked: &LiftMigrationRequest,
        proven: &Proven,
    ) -> Result<LiftMigrationResponse, Error> {
        self.may_lift((context, call_id), metadata, proven).await?;
        let (
            Meant {
                client_slug,
                expected_portal_id,
            },
            why,
        ) = read(asked)?;
        let expected = PortalId::new(expected_portal_id);
        let found = self.quota.find_moving(&client_slug).await?;
        let found = found.filter(|found| expected.is_none_or(|expected| expected == found.portal));
        let found = found.ok_or_else(|| Error::PortalUnknown(client_slug.clone()))?;
        let portal = ProvenPortal::by_kept_row(found.portal, client_slug);
        let draft = hubkeep_audit_log::Draft::portal(&portal, Recorded::MigrationLift, call_id)
            .context(context)
            .subject(&why);
        // Who said it is on record before anything goes by it.
        self.log.admin(draft, Outcome::ok()).await?;
        if found.until.is_some() {
            self.quota.lift_moving(found.portal).await?;
        }
        Ok(LiftMigrationResponse {
            portal_id: found.portal.get(),
            moved_until_time: found.until.map(Into::into),
        })
    }

    /// An operator, and nobody by a handle.
    async fn may_lift(
        &self,
        (context, call_id): (&Context, CallId),
        metadata: &MetadataMap,
        proven: &Proven,
    ) -> Result<(), Error> {
        if context.has_role(FLEET) && !metadata.contains_key("authorization") {
            return Ok(());
        }
        let handle = bearer_handle(metadata)
            .map_err(|malformed| CallError::from(credentials::Error::from(malformed)))?;
        // Set once: a request presents one handle.
        let _ = proven.set(self.redeemed(context, &handle, call_id).await?);
        let cause = Cause::Operation {
            operation: LIFT,
            object_type: String::new(),
        };
        Err(CallError::NotPermitted(cause).into())
    }
}

fn read(asked: &LiftMigrationRequest) -> Result<(Meant, String), Error> {
    let mut faults = Faults::default();
    let meant = meant(&asked.client_slug, asked.expected_portal_id, &mut faults);
    let why = faults.keep("reason", reason(&asked.reason));
    Ok(faults.resolve(meant.zip(why)).map_err(CallError::from)?)
}
