//! `hubkeep.credential.v1.PortalRecordService`: what the other service's reports and alerts need of portals.

use std::{collections::VecDeque, pin::Pin};

use futures::{Stream, stream};
use hubkeep_audit_log::{AuditLog, Event, Filter, Operation, Position};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    grpc::{AUDITOR, Context},
    id::{CallerName, ClientSlug},
};
use hubkeep_proto::credential::v1::{
    ListOldTokensRequest, ListOldTokensResponse, PortalRecord, PresentedHandle, ReadPortalRecordRequest,
    ReadPortalRecordResponse, portal_record_service_server::PortalRecordService,
    read_portal_record_request::Reader, read_portal_record_response::Message,
};
use tonic::{Request, Response, Status};

use super::{Desk, Error, fields, grant, old_tokens, portal, redemption};
use crate::{
    access::{Access, Wanted},
    handles::{Handles, Reading},
    portals::Portals,
    record::Act,
};

/// Events that are read at once.
const BATCH: usize = 1_000;
/// The most grants of one portal that are told.
const MOST_GRANTS: usize = 1_000;

/// Portals' records, over gRPC.
#[derive(Clone, Debug)]
pub struct PortalRecordApi {
    desk: Desk,
    log: AuditLog,
    handles: Handles,
    portals: Portals,
    access: Access,
    clock: SharedClock,
}

impl PortalRecordApi {
    /// The service.
    pub fn new(
        desk: Desk,
        log: AuditLog,
        handles: Handles,
        (portals, access): (Portals, Access),
        clock: SharedClock,
    ) -> Self {
        Self {
            desk,
            log,
            handles,
            portals,
            access,
            clock,
        }
    }

    /// Opens a record to whoever may read it.
    async fn open(&self, act: &Act, request: ReadPortalRecordRequest) -> Result<Opened, Error> {
        act.for_call(fields::id("call_id", &request.call_id)?);
        let client_slug: ClientSlug = fields::name("client_slug", &request.client_slug)?;
        self.admit(act, &client_slug, request.reader).await?;
        let period = Period {
            start: time("start_time", request.start_time)?,
            end: time("end_time", request.end_time)?,
        };
        // Before the entry of this very reading: asked for again as of here, the record is the same.
        let newest = self.log.end().await?;
        let until = match Position(request.until_position) {
            Position::START => newest,
            stated if stated <= newest => stated,
            _ => {
                return Err(Error::field(
                    "until_position",
                    "lies beyond the end of the log: it is not a position of this service",
                ));
            }
        };
        let portal = self.portals.get(act, &client_slug).await?;
        let details = self.portals.details(&portal).await?;
        let tags = details.as_ref().map(|details| details.tags.clone());
        let wanted = Wanted {
            caller: None,
            portal: Some((&client_slug, tags.as_deref().unwrap_or_default())),
        };
        let grants = self.access.grants(&wanted, "", MOST_GRANTS).await?;
        let standing = self.log.standing(portal.portal_id, until, period.start).await?;
        Ok(Opened {
            record: Some(PortalRecord {
                log: self.log.log_of(portal.portal_id),
                grants: grants.iter().map(grant::to_wire).collect(),
                until_position: until.get(),
                log_size: standing.size,
                checkpoint: standing.checkpoint.map(Into::into),
                start_checkpoint: standing.before.map(Into::into),
                consistency: standing.consistency.iter().map(|hash| hash.to_vec()).collect(),
                is_signed: standing.is_signed,
                portal: Some(portal::described(&portal, details)),
            }),
            events: Events {
                after: self.log.before(period.start).await?,
                log: self.log.clone(),
                filter: Filter {
                    portal_id: Some(portal.portal_id),
                    client_slug: Some(client_slug),
                    ..Filter::all()
                },
                until,
                period,
                waiting: VecDeque::new(),
                over: false,
                name: self.log.log_of(portal.portal_id),
                begun: false,
            },
        })
    }

    /// Whether it may be read for whom it is asked: the other service's word for that is not enough.
    async fn admit(&self, act: &Act, client_slug: &ClientSlug, reader: Option<Reader>) -> Result<(), Error> {
        match reader {
            Some(Reader::Handle(handle)) => {
                let PresentedHandle {
                    handle,
                    presented_by,
                    presented_thumbprint,
                } = handle;
                let token = fields::handle(&handle)?;
                let presenter = redemption::presenter(&presented_by, &presented_thumbprint)?;
                let opened = self
                    .handles
                    .open_to(&presenter, &token, client_slug.as_str(), Reading::Report)
                    .await?;
                act.concerns(opened.portal);
                act.subject(&presented_by);
                Ok(())
            }
            Some(Reader::Operator(name)) => {
                let operator: CallerName = fields::name("operator", &name)?;
                if !operator.is_operator() || !act.context().has_role_of(&operator, AUDITOR) {
                    return Err(Error::NoAuditor(operator));
                }
                act.subject(&name);
                Ok(())
            }
            None => Err(Error::field("reader", "say for whom it is read")),
        }
    }
}

#[tonic::async_trait]
impl PortalRecordService for PortalRecordApi {
    type ReadPortalRecordStream =
        Pin<Box<dyn Stream<Item = Result<ReadPortalRecordResponse, Status>> + Send>>;

    async fn read_portal_record(
        &self,
        request: Request<ReadPortalRecordRequest>,
    ) -> Result<Response<Self::ReadPortalRecordStream>, Status> {
        let context = Context::of_stream(&request)?;
        let api = self.clone();
        let work = async move |act: Act, request| api.open(&act, request).await;
        let opened = self
            .desk
            .answer(request, Operation::PortalRecordRead, work)
            .await?;
        Ok(Response::new(opened.into_inner().into_stream(context)))
    }

    async fn list_old_tokens(
        &self,
        request: Request<ListOldTokensRequest>,
    ) -> Result<Response<ListOldTokensResponse>, Status> {
        let (portals, now) = (self.portals.clone(), self.clock.now());
        let work = async move |act: Act, request| old_tokens::list(&act, &portals, request, now).await;
        self.desk.answer(request, Operation::OldTokenList, work).await
    }
}

/// A record that may be read.
struct Opened {
    /// What is known, until it is given.
    record: Option<PortalRecord>,
    events: Events,
}

impl Opened {
    fn into_stream(
        self,
        context: Context,
    ) -> <PortalRecordApi as PortalRecordService>::ReadPortalRecordStream {
        Box::pin(stream::unfold(Some((self, context)), |state| async move {
            let (mut opened, context) = state?;
            let message = match opened.record.take() {
                Some(record) => Ok(Some(Message::Record(record))),
                None => opened.events.message().await,
            };
            match message {
                Ok(message @ Some(_)) => {
                    Some((Ok(ReadPortalRecordResponse { message }), Some((opened, context))))
                }
                Ok(None) => None,
                Err(error) => Some((Err(context.refuse(&error)), None)),
            }
        }))
    }
}

/// From when to when.
struct Period {
    start: Timestamp,
    end: Timestamp,
}

/// What the log holds of a portal in a period, a batch at a time.
struct Events {
    log: AuditLog,
    filter: Filter,
    after: Position,
    until: Position,
    period: Period,
    waiting: VecDeque<Event>,
    over: bool,
    /// The portal's log.
    name: String,
    /// It was said where that begins.
    begun: bool,
}

impl Events {
    /// The next event; behind the last, where the log begins, if something of the period may be gone.
    async fn message(&mut self) -> Result<Option<Message>, Error> {
        if let Some(event) = self.next().await? {
            return Ok(Some(Message::Event(event)));
        }
        if std::mem::replace(&mut self.begun, true) {
            return Ok(None);
        }
        let beginning = self.log.beginning(&self.name).await?;
        let missed = beginning.filter(|beginning| beginning.newest_pruned_time >= self.period.start);
        Ok(missed.map(|beginning| Message::Beginning(beginning.into())))
    }

    async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if self.over {
                return Ok(None);
            }
            let read = self.log.list(&self.filter, self.after, BATCH).await?;
            self.over = read.len() < BATCH;
            for event in read {
                self.after = Position(event.position);
                self.over |= self.after >= self.until;
                if self.after <= self.until && self.period.holds(&event) {
                    self.waiting.push_back(event);
                }
            }
        }
    }
}

impl Period {
    fn holds(&self, event: &Event) -> bool {
        let made = event.entry.as_ref().and_then(|entry| entry.entry_time);
        made.map(Timestamp::from)
            .is_some_and(|made| self.start <= made && made < self.end)
    }
}

fn time(field: &str, wire: Option<prost_types::Timestamp>) -> Result<Timestamp, Error> {
    let wire = wire.ok_or_else(|| Error::field(field, "say from when to when"))?;
    Ok(wire.into())
}
