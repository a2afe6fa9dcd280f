//! Who may read a quota, and that it is on record: by a handle that allows QUOTA its own portal's, an operator without
//! a handle those of all portals that were called through this process.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hubkeep_audit_log::{AuditLog, Draft, Operation as Recorded, Outcome, ProvenPortal};
use hubkeep_core::{
    clock::SharedClock,
    error::ServiceError as _,
    grpc::{Context, FLEET, bearer_handle},
    handle_token::HandleToken,
    id::CallId,
    random::SharedRandom,
};
use tonic::{Status, metadata::MetadataMap};

use super::{entrance, error::Error};
use crate::{
    call::{Cause, Error as CallError, Meant, Usage},
    credentials::{self, Credentials, Grant, RefusedToken},
    crm::{Faults, Operation},
    quota::{PortalQuota, Quota},
};

/// How long credential-service may take to say that a handle still holds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Opens quotas to those who may read them.
#[derive(Clone)]
pub struct QuotaDesk {
    /// Where every reading and refusal is recorded.
    pub log: AuditLog,
    /// What turns handles into grants.
    pub credentials: Credentials,
    /// What each portal may still do now.
    pub quota: Quota,
    /// What asks HubSpot for the calls of today.
    pub usage: Usage,
    /// Time.
    pub clock: SharedClock,
    /// Randomness for ids.
    pub random: SharedRandom,
}

/// A quota that may be read.
pub(super) struct Opened {
    pub(super) quota: PortalQuota,
    /// The handle that opened it; none for an operator.
    pub(super) by: Option<Reader>,
}

/// Who reads by a handle.
pub(super) struct Reader {
    handle: HandleToken,
    grant: Arc<Grant>,
    meant: Meant,
    context: Context,
}

/// The grant of whoever asks, as soon as there is one.
pub(super) type Proven = OnceLock<Arc<Grant>>;

impl QuotaDesk {
    /// Opens the quota that a request names, asks HubSpot if too little is known, and puts it on record; or refuses, on
    /// record too.
    pub(super) async fn open(
        &self,
        operation: Recorded,
        context: &Context,
        metadata: &MetadataMap,
        named: (&str, u64),
    ) -> Result<Opened, Status> {
        let call_id = self.call_id().map_err(|error| context.refuse(&error))?;
        let proven = Proven::new();
        let by_name = context.has_role(FLEET) && !metadata.contains_key("authorization");
        let opened = if by_name {
            self.by_name(named)
        } else {
            self.by_handle(context, metadata, named, call_id, &proven).await
        };
        let draft = self.draft(operation, context, call_id, proven.get());
        match opened {
            Ok(opened) => {
                let draft = match &opened.by {
                    Some(_) => draft,
                    None => draft.claimed_slug(opened.quota.portal().client_slug()),
                };
                let recorded = self.log.admin(draft, Outcome::ok()).await;
                recorded.map_err(|error| context.refuse(&Error::Log(error)))?;
                Ok(opened)
            }
            Err(error) => {
                let outcome = Outcome::refused(error.reason());
                if let Err(unrecorded) = self.log.denied(draft, outcome).await {
                    tracing::error!(error = %unrecorded, reason = error.reason().wire_name(), "a refusal was not recorded");
                }
                Err(context.refuse(&error))
            }
        }
    }

    /// The tokens of the portal that HubSpot refuses.
    pub(super) fn refused_tokens(&self, opened: &Opened) -> Vec<RefusedToken> {
        let portal = opened.quota.portal();
        self.credentials.refused_tokens(portal.portal_id())
    }

    /// Whether the quota that was opened may still be read.
    pub(super) async fn still_open(&self, opened: &Opened) -> Result<(), Error> {
        let Some(reader) = &opened.by else {
            return Ok(());
        };
        let mut context = reader.context.clone();
        context.deadline = self.clock.tick().plus(ANSWERED_WITHIN);
        let grant = self.redeemed(&context, &reader.handle, self.call_id()?).await?;
        permitted(&grant, &reader.meant)
    }

    /// Whether the handle's time is over.
    pub(super) fn is_over(&self, opened: &Opened) -> Result<(), Error> {
        let ends = opened.by.as_ref().map(|reader| reader.grant.ends());
        match ends {
            Some(ends) if self.clock.tick() >= ends => {
                Err(CallError::from(credentials::Error::Invalid).into())
            }
            _ => Ok(()),
        }
    }

    fn by_name(&self, named: (&str, u64)) -> Result<Opened, Error> {
        let meant = read(named)?;
        let quota = self.quota.find(&meant.client_slug);
        let quota = quota.ok_or_else(|| Error::PortalUnknown(meant.client_slug.clone()))?;
        is_meant(&meant, quota.portal())?;
        Ok(Opened { quota, by: None })
    }

    async fn by_handle(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        named: (&str, u64),
        call_id: CallId,
        proven: &Proven,
    ) -> Result<Opened, Error> {
        let handle = bearer_handle(metadata)
            .map_err(|malformed| CallError::from(credentials::Error::from(malformed)))?;
        // The handle is judged first: who has none learns nothing of the rules.
        let grant = self.redeemed(context, &handle, call_id).await?;
        // Set once: a request presents one handle.
        let _ = proven.set(grant.clone());
        let meant = read(named)?;
        permitted(&grant, &meant)?;
        let quota = self.quota.of(grant.portal(), grant.time_zone());
        self.usage.refresh(&quota, &grant, context, call_id).await;
        let by = Some(Reader {
            handle,
            grant,
            meant,
            context: context.clone(),
        });
        Ok(Opened { quota, by })
    }

    pub(super) async fn redeemed(
        &self,
        context: &Context,
        handle: &HandleToken,
        call_id: CallId,
    ) -> Result<Arc<Grant>, Error> {
        let redeemed = self
            .credentials
            .redeem(handle, &context.caller, call_id, context.deadline)
            .await;
        Ok(redeemed.map_err(CallError::from)?)
    }

    pub(super) fn call_id(&self) -> Result<CallId, Error> {
        Ok(CallId::make(&*self.clock, &*self.random).map_err(CallError::from)?)
    }

    pub(super) fn draft(
        &self,
        operation: Recorded,
        context: &Context,
        call_id: CallId,
        proven: Option<&Arc<Grant>>,
    ) -> Draft {
        let draft = match proven {
            Some(grant) => Draft::portal(grant.portal(), operation, call_id)
                .handle(grant.handle_id())
                .purpose(grant.purpose()),
            None => Draft::system(operation, call_id),
        };
        draft.context(context)
    }
}

/// Whether a grant opens the quota of this portal.
fn permitted(grant: &Grant, meant: &Meant) -> Result<(), Error> {
    is_meant(meant, grant.portal())?;
    if grant.allows_operation(Operation::Quota) {
        return Ok(());
    }
    let cause = Cause::Operation {
        operation: Operation::Quota.name(),
        object_type: String::new(),
    };
    Err(CallError::NotPermitted(cause).into())
}

fn is_meant(meant: &Meant, portal: &ProvenPortal) -> Result<(), Error> {
    match meant.differs_from(portal) {
        Some(cause) => Err(CallError::NotPermitted(cause).into()),
        None => Ok(()),
    }
}

fn read((client_slug, expected_portal_id): (&str, u64)) -> Result<Meant, Error> {
    let mut faults = Faults::default();
    let read = entrance::meant(client_slug, expected_portal_id, &mut faults);
    Ok(faults.resolve(read).map_err(CallError::from)?)
}
