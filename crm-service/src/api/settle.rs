//! What an operator says of a write that nobody can find: who may, and that it is on record first.

use std::sync::{Arc, OnceLock};

use hubkeep_audit_log::{Draft, Operation as Recorded, Outcome, ProvenPortal};
use hubkeep_core::{
    error::ServiceError as _,
    grpc::{Context, FLEET, bearer_handle},
    id::{CallId, ClientSlug, PortalId},
};
use hubkeep_proto::crm::v1::{SettleWriteRequest, SettleWriteResponse, WriteState};
use tonic::{Status, metadata::MetadataMap};

use super::{
    entrance::meant,
    writes::{WriteApi, write},
};
use crate::{
    call::{Cause, Error},
    credentials::{self, Grant},
    crm::{Faults, ObjectType, RecordId},
    writes::{self, Row, Said},
};

/// What no handle allows.
const SETTLE: &str = "SETTLE_WRITE";
/// The longest reason, in characters.
const MAX_REASON: usize = 300;

/// Whose log tells of a refusal, as far as that is known.
#[derive(Default)]
struct Known {
    grant: OnceLock<Arc<Grant>>,
    slug: OnceLock<ClientSlug>,
}

/// What is said, read.
struct Wish {
    client_slug: ClientSlug,
    portal: Option<PortalId>,
    call_id: CallId,
    said: Said,
    reason: String,
}

impl WriteApi {
    /// Settles a write, and has it on record; or refuses, on record too.
    pub(super) async fn settle(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        asked: &SettleWriteRequest,
    ) -> Result<SettleWriteResponse, Status> {
        let made = CallId::make(&*self.clock, &*self.random);
        let call_id = made.map_err(|error| context.refuse(&Error::from(error)))?;
        let known = Known::default();
        match self.settled((context, call_id), metadata, asked, &known).await {
            Ok(row) => Ok(SettleWriteResponse {
                write: Some(write(row)),
            }),
            Err(error) => {
                let draft = refused(&known, call_id).context(context);
                if let Err(unrecorded) = self.log.denied(draft, Outcome::refused(error.reason())).await {
                    tracing::error!(error = %unrecorded, reason = error.reason().wire_name(), "a refusal was not recorded");
                }
                Err(context.refuse(&error))
            }
        }
    }

    async fn settled(
        &self,
        (context, call_id): (&Context, CallId),
        metadata: &MetadataMap,
        asked: &SettleWriteRequest,
        known: &Known,
    ) -> Result<Row, Error> {
        self.may_settle((context, call_id), metadata, known).await?;
        let wish = Wish::read(asked)?;
        // Set once: a request names one portal.
        let _ = known.slug.set(wish.client_slug.clone());
        let named = wish.call_id.to_string();
        let of = (&wish.client_slug, wish.portal);
        let row = self.writes.to_be_settled(of, &named, &wish.said).await?;
        let object_ref = self.object_ref(&row, &wish.said).await?;
        let portal = ProvenPortal::by_kept_row(row.portal_id, wish.client_slug);
        let said = match wish.said {
            Said::Done(_) => "done",
            Said::NotDone => "not done",
        };
        let draft = Draft::portal(&portal, Recorded::WriteSettle, call_id)
            .context(context)
            .object(&row.object_type, object_ref.as_deref())
            .subject(&format!("{named}: {said}, by an operator: {}", wish.reason));
        // Who said it is on record before anything goes by it.
        let entry = self.log.admin(draft, Outcome::ok()).await;
        let entry = entry.map_err(writes::Error::from)?;
        let object_ref = object_ref.unwrap_or_default();
        let settled = self
            .writes
            .settle_by_hand(&row, &wish.said, entry, &object_ref)
            .await?;
        Ok(settled)
    }

    /// An operator, and nobody by a handle: who wrote is not the one to say that it went well.
    async fn may_settle(
        &self,
        (context, call_id): (&Context, CallId),
        metadata: &MetadataMap,
        known: &Known,
    ) -> Result<(), Error> {
        if context.has_role(FLEET) && !metadata.contains_key("authorization") {
            return Ok(());
        }
        let handle = bearer_handle(metadata).map_err(credentials::Error::from)?;
        let redeemed = self
            .credentials
            .redeem(&handle, &context.caller, call_id, context.deadline);
        // Set once: a request presents one handle.
        let _ = known.grant.set(redeemed.await?);
        Err(Error::NotPermitted(Cause::Operation {
            operation: SETTLE,
            object_type: String::new(),
        }))
    }

    /// What entries have for the record that an operator names.
    async fn object_ref(&self, row: &Row, said: &Said) -> Result<Option<String>, Error> {
        let Said::Done(Some(id)) = said else {
            return Ok(None);
        };
        let Ok(object_type) = ObjectType::read(&row.object_type) else {
            return Ok(None);
        };
        let made = self.object_refs.of(row.portal_id, &object_type, id).await?;
        Ok(Some(made))
    }
}

fn refused(known: &Known, call_id: CallId) -> Draft {
    match (known.grant.get(), known.slug.get()) {
        (Some(grant), _) => Draft::portal(grant.portal(), Recorded::WriteSettle, call_id)
            .handle(grant.handle_id())
            .purpose(grant.purpose()),
        (None, Some(slug)) => Draft::system(Recorded::WriteSettle, call_id).claimed_slug(slug),
        (None, None) => Draft::system(Recorded::WriteSettle, call_id),
    }
}

impl Wish {
    fn read(asked: &SettleWriteRequest) -> Result<Self, Error> {
        let mut faults = Faults::default();
        let meant = meant(&asked.client_slug, asked.expected_portal_id, &mut faults);
        let call_id = asked.call_id.parse::<CallId>();
        let call_id = faults.keep(
            "call_id",
            call_id.map_err(|_| "must be the call of a write, as ListWrites has it"),
        );
        let id = match asked.object_id.as_str() {
            "" => None,
            id => faults.keep("object_id", RecordId::read(id)),
        };
        let said = match asked.state() {
            WriteState::Done => Ok(Said::Done(id)),
            WriteState::NotDone if asked.object_id.is_empty() => Ok(Said::NotDone),
            WriteState::NotDone => {
                faults.add("object_id", "stands for what was done only");
                Ok(Said::NotDone)
            }
            _ => Err("must be WRITE_STATE_DONE or WRITE_STATE_NOT_DONE"),
        };
        let said = faults.keep("state", said);
        let reason = faults.keep("reason", reason(&asked.reason));
        let read = meant.zip(call_id).zip(said).zip(reason);
        let (((meant, call_id), said), reason) = faults.resolve(read)?;
        Ok(Self {
            client_slug: meant.client_slug,
            portal: PortalId::new(meant.expected_portal_id),
            call_id,
            said,
            reason,
        })
    }
}

/// Why an operator says something: it stands in the log.
pub(super) fn reason(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let fits = (1..=MAX_REASON).contains(&text.chars().count()) && !text.contains(char::is_control);
    fits.then(|| text.to_owned())
        .ok_or("must be 1 to 300 characters in one line")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn asked() -> SettleWriteRequest {
        SettleWriteRequest {
            client_slug: "acme".to_owned(),
            expected_portal_id: 0,
            call_id: CALL.to_owned(),
            state: WriteState::Done.into(),
            object_id: "17".to_owned(),
            reason: "it is there".to_owned(),
        }
    }

    #[test]
    fn what_is_said_is_read_whole() {
        let wish = Wish::read(&asked()).expect("read");
        let id = RecordId::read("17").expect("an id");
        assert_eq!(wish.said, Said::Done(Some(id)));
        assert_eq!((wish.portal, wish.reason.as_str()), (None, "it is there"));
    }

    #[test]
    fn every_field_at_fault_is_told_at_once() {
        let faulty = SettleWriteRequest {
            client_slug: "Not A Slug".to_owned(),
            call_id: "x".to_owned(),
            state: WriteState::Unknown.into(),
            object_id: "x".to_owned(),
            reason: "in\ntwo lines".to_owned(),
            ..asked()
        };
        let error = Wish::read(&faulty).err().expect("refused");
        let fields = error.field_violations().into_iter().map(|at| at.field);
        let fields: Vec<_> = fields.collect();
        assert_eq!(fields, ["client_slug", "call_id", "object_id", "state", "reason"]);
        let of_nothing = SettleWriteRequest {
            state: WriteState::NotDone.into(),
            ..asked()
        };
        let error = Wish::read(&of_nothing).err().expect("refused");
        assert_eq!(error.field_violations()[0].field, "object_id");
    }
}
