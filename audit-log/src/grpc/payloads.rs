//! What lies sealed beside entries, over the wire. Opening and erasing are acts of operators, for a reason, and in the log of the
//! portal that they are about.

use hubkeep_core::{
    error::ServiceError as _,
    grpc::{AUDITOR, Context, FLEET},
    id::{ClientSlug, PortalId},
};
use hubkeep_proto::audit::v1::{
    ErasePayloadsRequest, ErasePayloadsResponse, Event, OpenPayloadRequest, OpenPayloadResponse,
    PayloadState, PayloadSubject, erase_payloads_request::Of,
};
use tonic::metadata::MetadataMap;

use super::{
    AuditApi,
    api::Refused,
    error::Error,
    subject::{self, Subject},
};
use crate::{
    Draft, Filter, ObjectRef, Operation, Outcome, Position, ProvenPortal,
    payloads::{Gone, OpenedPayload, PayloadAt},
};

/// What an entry about payloads says.
struct Act<'a> {
    operation: Operation,
    /// Whose log says so; `None` for the service's own.
    portal: Option<ProvenPortal>,
    /// Which entry, or that it is about a record.
    about: String,
    reason: &'a str,
    records: Records,
}

/// The most entries of a call that are looked at: it has few attempts.
const MOST_OF_A_CALL: usize = 1_000;
/// The most records that an entry names beside the first.
const MOST_RECORDS: usize = 200;

/// Which records a payload is of: who asks later who saw a record finds the entry by these.
#[derive(Debug, Default)]
struct Records {
    object_type: String,
    object_ref: String,
    /// Of a call about many: their keyed hashes, one after the other.
    others: Vec<u8>,
}

impl AuditApi {
    pub(super) async fn open(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        request: &OpenPayloadRequest,
    ) -> Result<OpenPayloadResponse, Refused> {
        may(context, metadata, (AUDITOR, "OPEN_PAYLOAD"))?;
        let reason = subject::reason(&request.reason)?;
        let event = self.event(request.position).await?;
        let portal = portal_of(&event);
        let opened = self.log.open_payload(Position(request.position)).await;
        let act = Act {
            operation: Operation::PayloadOpen,
            portal: portal.clone(),
            about: about(&event),
            reason,
            records: self.records_of(&event).await?,
        };
        let outcome = match &opened {
            Ok(_) => Outcome::ok(),
            Err(error) => Outcome::failed(error.reason()),
        };
        // On record before anything is given; and so is that it could not be.
        let recorded = self.record(context, act, outcome).await;
        recorded.map_err(|error| Refused { error, portal })?;
        match opened {
            Ok(Some(found)) => Ok(response(found)),
            Ok(None) => Err(no_entry().into()),
            Err(error) => {
                tracing::error!(position = request.position, %error, "a payload could not be opened");
                Err(Error::Recorded(error).into())
            }
        }
    }

    pub(super) async fn erase(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        request: &ErasePayloadsRequest,
    ) -> Result<ErasePayloadsResponse, Refused> {
        may(context, metadata, (FLEET, "ERASE_PAYLOADS"))?;
        let reason = subject::reason(&request.reason)?;
        match &request.of {
            Some(Of::Position(position)) => self.erase_one(context, *position, reason).await,
            Some(Of::Subject(named)) => self.erase_about(context, named, reason).await,
            None => Err(Error::field("of", "say what is to be erased: set position or subject").into()),
        }
    }

    async fn erase_one(
        &self,
        context: &Context,
        position: u64,
        reason: &str,
    ) -> Result<ErasePayloadsResponse, Refused> {
        let event = self.event(position).await?;
        let portal = portal_of(&event).ok_or_else(|| {
            Error::field(
                "position",
                "is in the service's own log, where nothing is sealed beside entries",
            )
        })?;
        self.must_not_be_held(&portal).await?;
        let act = Act {
            operation: Operation::PayloadErase,
            portal: Some(portal.clone()),
            about: about(&event),
            reason,
            records: self.records_of(&event).await?,
        };
        let portal_id = portal.portal_id();
        let erased = async {
            let said_at = self.record(context, act, Outcome::ok()).await?;
            let erased_count = self
                .log
                .erase_payload(portal_id, Position(position), said_at)
                .await?;
            Ok::<_, Error>(erased_response(erased_count, said_at))
        };
        in_log_of(portal, erased.await)
    }

    async fn erase_about(
        &self,
        context: &Context,
        named: &PayloadSubject,
        reason: &str,
    ) -> Result<ErasePayloadsResponse, Refused> {
        let Subject {
            client_slug,
            object_type,
            object_id,
        } = subject::read(named)?;
        let filter = Filter {
            client_slug: Some(client_slug.clone()),
            object_type: Some(object_type.to_owned()),
            ..Filter::all()
        };
        let portal_id = self.portal_of(&filter).await.map_err(subject::of_subject)?;
        let portal = ProvenPortal::by_entry(portal_id, client_slug);
        self.must_not_be_held(&portal).await?;
        let object_ref = self.object_ref(portal_id, &filter, object_id).await;
        let object_ref = object_ref.map_err(subject::of_subject)?;
        let act = Act {
            operation: Operation::PayloadErase,
            portal: Some(portal.clone()),
            about: "all about the record".to_owned(),
            reason,
            records: Records {
                object_type: object_type.to_owned(),
                object_ref: hex::encode(object_ref.0),
                others: Vec::new(),
            },
        };
        let erased = async {
            let said_at = self.record(context, act, Outcome::ok()).await?;
            let log = &self.log;
            let erased_count = log
                .erase_payloads_about(portal_id, object_type, object_ref, said_at)
                .await?;
            Ok::<_, Error>(erased_response(erased_count, said_at))
        };
        in_log_of(portal, erased.await)
    }

    /// Refused in the log of the portal that it is about.
    async fn must_not_be_held(&self, portal: &ProvenPortal) -> Result<(), Refused> {
        let log = self.log.name_of(portal);
        let held = self.log.must_not_be_held(&log).await;
        in_log_of(portal.clone(), held.map_err(Error::from))
    }

    async fn event(&self, position: u64) -> Result<Event, Error> {
        let found = self.log.event_at(Position(position)).await?;
        found.ok_or_else(no_entry)
    }

    async fn record(&self, context: &Context, act: Act<'_>, outcome: Outcome) -> Result<Position, Error> {
        let Act {
            operation,
            portal,
            about,
            reason,
            records,
        } = act;
        let call_id = self.new_call()?;
        let draft = match &portal {
            Some(portal) => Draft::portal(portal, operation, call_id),
            None => Draft::system(operation, call_id),
        };
        let draft = draft.context(context).subject(&format!("{about}: {reason}"));
        let draft = draft.object(&records.object_type, Some(&records.object_ref));
        let outcome = Outcome {
            record_refs: records.others,
            ..outcome
        };
        Ok(self.log.admin(draft, outcome).await?)
    }

    /// The records of the call that an entry is of: the payload lies beside the intent, and which of many it was about, only the
    /// outcomes say.
    async fn records_of(&self, event: &Event) -> Result<Records, Error> {
        let Some(entry) = &event.entry else {
            return Ok(Records::default());
        };
        let mut others: Vec<[u8; ObjectRef::BYTES]> = Vec::new();
        if let (Ok(call_id), Some(portal_id)) = (entry.call_id.parse(), PortalId::new(entry.portal_id)) {
            let of_call = Filter {
                call_id: Some(call_id),
                portal_id: Some(portal_id),
                ..Filter::all()
            };
            let of_call = self.log.list(&of_call, Position::START, MOST_OF_A_CALL).await?;
            for entry in of_call.iter().filter_map(|event| event.entry.as_ref()) {
                others.extend(entry.record_refs.as_chunks().0);
            }
        }
        others.sort_unstable();
        others.dedup();
        others.truncate(MOST_RECORDS);
        Ok(Records {
            object_type: entry.object_type.clone(),
            object_ref: entry.object_ref.clone(),
            others: others.concat(),
        })
    }
}

/// For operators with this role, and never by a handle: what a handle reads is what is on record, not what is sealed.
fn may(
    context: &Context,
    metadata: &MetadataMap,
    (role, operation): (&'static str, &'static str),
) -> Result<(), Error> {
    if metadata.contains_key("authorization") {
        return Err(Error::NotByHandle(operation));
    }
    match context.has_role(role) {
        true => Ok(()),
        false => Err(Error::WithoutRole {
            caller: context.caller.name.clone(),
            role,
        }),
    }
}

/// The portal whose log the entry is in: that it is there is the proof.
fn portal_of(event: &Event) -> Option<ProvenPortal> {
    let entry = event.entry.as_ref()?;
    let portal_id = PortalId::new(entry.portal_id)?;
    let client_slug: ClientSlug = entry.client_slug.parse().ok()?;
    Some(ProvenPortal::by_entry(portal_id, client_slug))
}

fn about(event: &Event) -> String {
    let entry_id = event.entry.as_ref().map_or("", |entry| entry.entry_id.as_str());
    format!("entry {entry_id} at position {}", event.position)
}

fn no_entry() -> Error {
    Error::field("position", "there is no entry at this position")
}

/// A failure is told in the log of the portal that it is about.
fn in_log_of<T>(portal: ProvenPortal, done: Result<T, Error>) -> Result<T, Refused> {
    done.map_err(|error| Refused {
        error,
        portal: Some(portal),
    })
}

fn erased_response(erased_count: u64, said_at: Position) -> ErasePayloadsResponse {
    ErasePayloadsResponse {
        erased_count,
        erased_position: said_at.get(),
    }
}

fn response(found: PayloadAt) -> OpenPayloadResponse {
    let PayloadAt { event, payload } = found;
    let response = OpenPayloadResponse {
        event: Some(event),
        ..OpenPayloadResponse::default()
    };
    match payload {
        OpenedPayload::Opened(payload) => OpenPayloadResponse {
            state: PayloadState::Opened.into(),
            payload: Some(*payload),
            ..response
        },
        OpenedPayload::None => OpenPayloadResponse {
            state: PayloadState::None.into(),
            ..response
        },
        OpenedPayload::Gone(Gone::Expired(when)) => OpenPayloadResponse {
            state: PayloadState::Expired.into(),
            gone_time: Some(when.into()),
            ..response
        },
        OpenedPayload::Gone(Gone::Erased(when, said_at)) => OpenPayloadResponse {
            state: PayloadState::Erased.into(),
            gone_time: Some(when.into()),
            erased_position: said_at.map_or(0, Position::get),
            ..response
        },
    }
}
