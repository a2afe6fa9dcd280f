//! `hubkeep.audit.v1.AuditService`, which both services serve. To read is an act like others: it is on the log.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{FutureExt as _, Stream, StreamExt as _, future, future::BoxFuture};

use hubkeep_core::{
    clock::{SharedClock, Tick},
    error::ServiceError as _,
    grpc::{AUDITOR, Context, bearer_handle},
    handle_token::HandleToken,
    id::{CallId, ClientSlug},
    random::SharedRandom,
};
use hubkeep_proto::audit::v1::{EventFilter, StreamEventsRequest, StreamEventsResponse};
use tokio_util::sync::CancellationToken;
use tonic::{Status, metadata::MetadataMap};

use super::{
    authority::ReadAuthority,
    error::Error,
    filter,
    filter::Asked,
    stream::{self, Responses},
};
use crate::{AuditLog, Draft, Filter, Operation, Outcome, Position, ProvenPortal};

/// How long a stream may outlive the handle that opened it.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long the authority may take to say that it still does.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Serves the log to its readers.
pub struct AuditApi {
    pub(super) log: AuditLog,
    pub(super) authority: Arc<dyn ReadAuthority>,
    pub(super) clock: SharedClock,
    random: SharedRandom,
    stopping: CancellationToken,
}

/// What a reader may read.
pub(super) struct Reading {
    pub(super) filter: Filter,
    /// The portal whose log it is; `None` for an auditor, who reads everything.
    pub(super) portal: Option<ProvenPortal>,
    until: Option<Tick>,
    /// The handle that opened it.
    opened_by: Option<OpenedBy>,
}

/// A handle, and the portal whose log it opened.
struct OpenedBy {
    handle: HandleToken,
    client_slug: ClientSlug,
}

/// A refusal, and the portal it is about where that was proven before.
pub(super) struct Refused {
    pub(super) error: Error,
    pub(super) portal: Option<ProvenPortal>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, portal: None }
    }
}

impl AuditApi {
    /// A service over this log. `stopping` ends its streams.
    pub const fn new(
        log: AuditLog,
        authority: Arc<dyn ReadAuthority>,
        clock: SharedClock,
        random: SharedRandom,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            log,
            authority,
            clock,
            random,
            stopping,
        }
    }

    pub(super) async fn stream(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        request: StreamEventsRequest,
    ) -> Result<Responses<StreamEventsResponse>, Refused> {
        let reading = self.admit(context, metadata, request.filter.as_ref()).await?;
        let opened = self.open_stream(context, &reading, &request).await;
        let after = opened.map_err(|error| Refused {
            error,
            portal: reading.portal.clone(),
        })?;
        let tail = self.log.tail(after, reading.filter.clone());
        let source = tail.map(|tailed| tailed.map(stream::response));
        Ok(self.opened(context, reading, Box::pin(source), true))
    }

    /// A stream to this reader, which ends when it may not read any more.
    pub(super) fn opened<T: Send + 'static>(
        &self,
        context: &Context,
        reading: Reading,
        source: Pin<Box<dyn Stream<Item = Result<T, crate::Error>> + Send>>,
        endless: bool,
    ) -> Responses<T> {
        stream::responses(stream::Open {
            source,
            endless,
            context: context.clone(),
            clock: Arc::clone(&self.clock),
            until: reading.until,
            lost: reading.opened_by.map_or_else(
                || future::pending().boxed(),
                |opened_by| self.lost(context, opened_by),
            ),
            stopping: self.stopping.clone(),
        })
    }

    /// Where the stream begins, after its opening is on the log.
    async fn open_stream(
        &self,
        context: &Context,
        reading: &Reading,
        request: &StreamEventsRequest,
    ) -> Result<Position, Error> {
        let end = self.log.end().await?;
        let after = begin(request, end)?;
        self.on_record(context, reading, Operation::AuditStream).await?;
        Ok(after)
    }

    /// What this caller may read of what it asks for.
    pub(super) async fn admit(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        asked: Option<&EventFilter>,
    ) -> Result<Reading, Error> {
        if context.has_role(AUDITOR) {
            let Asked {
                mut filter,
                object_id,
            } = filter::read(asked)?;
            if let Some(object_id) = object_id {
                let portal = self.portal_of(&filter).await?;
                filter.object_ref = Some(self.object_ref(portal, &filter, &object_id).await?);
            }
            return Ok(Reading {
                filter,
                portal: None,
                until: None,
                opened_by: None,
            });
        }
        if context.caller.name.is_operator() && !metadata.contains_key("authorization") {
            return Err(Error::NotAuditor(context.caller.name.clone()));
        }
        let handle = bearer_handle(metadata)?;
        let Asked { filter, object_id } = filter::read(asked)?;
        let Some(client_slug) = filter.client_slug.clone() else {
            return Err(Error::field(
                "filter.client_slug",
                "name the portal that the handle is for",
            ));
        };
        let granted = self
            .authority
            .by_handle(context, handle.clone(), client_slug.as_str())
            .await;
        let grant = granted.map_err(Error::NotGranted)?;
        // The authority has looked at this too; a mistake there must not open another portal's log.
        if *grant.portal.client_slug() != client_slug {
            let requested = client_slug;
            return Err(Error::PortalMismatch { requested });
        }
        let own = self.log.name_of(&grant.portal);
        if filter.log.as_ref().is_some_and(|log| *log != own) {
            let problem = "is not the log of the handle's portal: leave it out";
            return Err(Error::field("filter.log", problem));
        }
        let opened_by = OpenedBy { handle, client_slug };
        let mut filter = Filter {
            portal_id: Some(grant.portal.portal_id()),
            ..filter
        };
        if let Some(object_id) = object_id {
            let portal = grant.portal.portal_id();
            filter.object_ref = Some(self.object_ref(portal, &filter, &object_id).await?);
        }
        Ok(Reading {
            filter,
            portal: Some(grant.portal),
            until: Some(grant.until),
            opened_by: Some(opened_by),
        })
    }

    /// Ends when the handle no longer opens the log: it is asked about again and again, for a handle that is revoked
    /// says nothing by itself.
    fn lost(&self, context: &Context, opened_by: OpenedBy) -> BoxFuture<'static, Error> {
        let (authority, clock) = (Arc::clone(&self.authority), Arc::clone(&self.clock));
        let mut context = context.clone();
        async move {
            let OpenedBy { handle, client_slug } = opened_by;
            loop {
                clock.sleep(ASKED_AGAIN_AFTER).await;
                context.deadline = clock.tick().plus(ANSWERED_WITHIN);
                let again = authority.by_handle(&context, handle.clone(), client_slug.as_str());
                if let Err(error) = again.await {
                    return Error::NotGranted(error);
                }
            }
        }
        .boxed()
    }

    /// The id of what is about to be recorded.
    pub(super) fn new_call(&self) -> Result<CallId, Error> {
        Ok(CallId::make(&*self.clock, &*self.random)?)
    }

    pub(super) async fn on_record(
        &self,
        context: &Context,
        reading: &Reading,
        operation: Operation,
    ) -> Result<(), Error> {
        let draft = self.draft(context, reading.portal.as_ref(), operation)?;
        let draft = match &reading.filter.client_slug {
            Some(client_slug) => draft.claimed_slug(client_slug),
            None => draft,
        };
        self.log.admin(draft, Outcome::ok()).await?;
        Ok(())
    }

    pub(super) fn draft(
        &self,
        context: &Context,
        portal: Option<&ProvenPortal>,
        operation: Operation,
    ) -> Result<Draft, Error> {
        let call_id = self.new_call()?;
        let draft = match portal {
            Some(portal) => Draft::portal(portal, operation, call_id),
            None => Draft::system(operation, call_id),
        };
        Ok(draft.context(context))
    }

    /// Puts a refusal on record and turns it into what the caller sees.
    pub(super) async fn refuse(&self, context: &Context, operation: Operation, refused: Refused) -> Status {
        let Refused { error, portal } = refused;
        if matches!(error, Error::Recorded(_)) {
            return context.refuse(&error);
        }
        let outcome = Outcome::refused(error.reason());
        let recorded = match self.draft(context, portal.as_ref(), operation) {
            Ok(draft) => self.log.denied(draft, outcome).await.map_err(Error::Log),
            Err(error) => Err(error),
        };
        if let Err(error) = recorded {
            tracing::error!(request_id = %context.request_id, %error, "a refusal is not on the log");
        }
        match error {
            Error::NotGranted(error) => context.refuse(&*error),
            error => context.refuse(&error),
        }
    }
}

/// The position after which a stream begins.
fn begin(request: &StreamEventsRequest, end: Position) -> Result<Position, Error> {
    let after = Position(request.after_position);
    match (request.from_now, after) {
        (true, Position::START) => Ok(end),
        (true, _) => Err(Error::field(
            "from_now",
            "leave it out where after_position is set",
        )),
        (false, after) if after > end => Err(Error::field(
            "after_position",
            "lies beyond the end of the log: it is not a position of this service",
        )),
        (false, after) => Ok(after),
    }
}
