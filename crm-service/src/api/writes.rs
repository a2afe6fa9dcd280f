//! `hubkeep.crm.v1.WriteService`: who may list writes, and that it is on record. A handle that allows READ_AUDIT opens those of
//! its own portal, an operator without a handle those of all. Operators may also say what became of one: [`super::settle`].

use std::sync::{Arc, OnceLock};

use hubkeep_audit_log::{AuditLog, Draft, Operation as Recorded, Outcome};
use hubkeep_core::{
    clock::SharedClock,
    error::ServiceError as _,
    grpc::{Context, FLEET, bearer_handle},
    id::{CallId, PortalId},
    random::SharedRandom,
};
use hubkeep_proto::crm::v1::{
    ListWritesRequest, ListWritesResponse, SettleWriteRequest, SettleWriteResponse, Write, WriteState,
    write_service_server::WriteService,
};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::entrance::meant;
use crate::{
    call::{Cause, Error, ObjectRefs},
    credentials::{self, Credentials, Grant},
    crm::{Faults, Operation, Question, WRITE_PAGE},
    writes::{Mark, Row, State, Writes},
};

/// Lists writes, and has them settled.
#[derive(Clone)]
pub struct WriteApi {
    /// Where every reading and refusal is recorded.
    pub log: AuditLog,
    /// What turns handles into grants.
    pub credentials: Credentials,
    /// What was written.
    pub writes: Writes,
    /// What stands in entries for the ids of records.
    pub object_refs: ObjectRefs,
    /// Time.
    pub clock: SharedClock,
    /// Randomness for ids.
    pub random: SharedRandom,
}

type Proven = OnceLock<Arc<Grant>>;

#[tonic::async_trait]
impl WriteService for WriteApi {
    async fn list_writes(
        &self,
        request: Request<ListWritesRequest>,
    ) -> Result<Response<ListWritesResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, asked) = request.into_parts();
        let made = CallId::make(&*self.clock, &*self.random);
        let call_id = made.map_err(|error| context.refuse(&Error::from(error)))?;
        let proven = Proven::new();
        let listed = self.listed(&context, &metadata, &asked, call_id, &proven).await;
        let draft = match proven.get() {
            Some(grant) => Draft::portal(grant.portal(), Recorded::WriteList, call_id)
                .handle(grant.handle_id())
                .purpose(grant.purpose()),
            None => Draft::system(Recorded::WriteList, call_id),
        };
        let draft = draft.context(&context);
        match listed {
            Ok(response) => {
                let recorded = self.log.admin(draft, Outcome::ok()).await;
                recorded.map_err(|error| context.refuse(&error))?;
                Ok(Response::new(response))
            }
            Err(error) => {
                if let Err(unrecorded) = self.log.denied(draft, Outcome::refused(error.reason())).await {
                    tracing::error!(error = %unrecorded, reason = error.reason().wire_name(), "a refusal was not recorded");
                }
                Err(context.refuse(&error))
            }
        }
    }

    async fn settle_write(
        &self,
        request: Request<SettleWriteRequest>,
    ) -> Result<Response<SettleWriteResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, asked) = request.into_parts();
        let settled = self.settle(&context, &metadata, &asked).await?;
        Ok(Response::new(settled))
    }
}

impl WriteApi {
    async fn listed(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        asked: &ListWritesRequest,
        call_id: CallId,
        proven: &Proven,
    ) -> Result<ListWritesResponse, Error> {
        // The handle is judged first: who has none learns nothing of the rules.
        let grant = match context.has_role(FLEET) && !metadata.contains_key("authorization") {
            true => None,
            false => {
                let handle = bearer_handle(metadata).map_err(credentials::Error::from)?;
                let (caller, deadline) = (&context.caller, context.deadline);
                let grant = self
                    .credentials
                    .redeem(&handle, caller, call_id, deadline)
                    .await?;
                // Set once: a request presents one handle.
                let _ = proven.set(grant.clone());
                Some(grant)
            }
        };
        let wish = Wish::read(asked, grant.as_deref())?;
        let rows = self
            .writes
            .list(
                (wish.portal, &asked.client_slug),
                &wish.states,
                wish.after.as_ref(),
                wish.limit,
            )
            .await?;
        let full = rows.len() >= usize::try_from(wish.limit).unwrap_or(usize::MAX);
        let mark = rows
            .last()
            .filter(|_| full)
            .map(|row| Mark::behind(row).to_text());
        Ok(ListWritesResponse {
            next_page_token: question(asked).token(mark.as_deref()),
            writes: rows.into_iter().map(write).collect(),
        })
    }
}

/// What is to be listed.
struct Wish {
    portal: Option<PortalId>,
    states: Vec<State>,
    after: Option<Mark>,
    limit: u32,
}

impl Wish {
    fn read(asked: &ListWritesRequest, grant: Option<&Grant>) -> Result<Self, Error> {
        let mut faults = Faults::default();
        let limit = faults.keep("page_size", WRITE_PAGE.read(asked.page_size));
        let after = question(asked).cursor(&asked.page_token, &mut faults);
        let after = after.and_then(|text| {
            let mark = Mark::read(&text);
            if mark.is_none() {
                faults.add("page_token", "is not one of a list of writes");
            }
            mark
        });
        let states = states(asked, &mut faults);
        let meant = match grant.is_none() && asked.client_slug.is_empty() {
            true => None,
            false => meant(&asked.client_slug, asked.expected_portal_id, &mut faults),
        };
        let limit = faults.resolve(limit)?;
        if let (Some(grant), Some(meant)) = (grant, &meant)
            && let Some(cause) = shortfall(grant, meant)
        {
            return Err(Error::NotPermitted(cause));
        }
        let stated = PortalId::new(asked.expected_portal_id);
        Ok(Self {
            portal: grant.map(|grant| grant.portal().portal_id()).or(stated),
            states,
            after,
            limit,
        })
    }
}

/// In what a grant falls short of a list of its portal's writes.
fn shortfall(grant: &Grant, meant: &crate::call::Meant) -> Option<Cause> {
    let other = meant.differs_from(grant.portal());
    other.or_else(|| {
        (!grant.allows_operation(Operation::ReadAudit)).then(|| Cause::Operation {
            operation: Operation::ReadAudit.name(),
            object_type: String::new(),
        })
    })
}

fn states(asked: &ListWritesRequest, faults: &mut Faults) -> Vec<State> {
    if asked.states.is_empty() {
        return vec![State::Unknown];
    }
    let read = |(place, number): (usize, &i32)| {
        let state = State::of_number(i64::from(*number)).ok_or("must be one of the states");
        faults.keep(&format!("states[{place}]"), state)
    };
    asked.states.iter().enumerate().filter_map(read).collect()
}

fn question(asked: &ListWritesRequest) -> Question {
    let states = format!("{:?}", asked.states);
    let id = asked.expected_portal_id.to_string();
    Question::of(&["writes", &asked.client_slug, &id, &states])
}

pub(super) fn write(row: Row) -> Write {
    let operation = Recorded::try_from(row.operation).map_or("", |operation| operation.as_str_name());
    Write {
        call_id: row.call_id,
        request_id: row.request_id,
        part: row.part,
        portal_id: row.portal_id.get(),
        client_slug: row.client_slug,
        caller: row.caller,
        operation: operation.trim_start_matches("OPERATION_").to_owned(),
        object_type: row.object_type,
        state: state(row.state).into(),
        begin_time: Some(row.begin_time.into()),
        end_time: Some(row.end_time.into()),
        settled_by: row.settled_by,
        object_ref: row.object_ref,
    }
}

const fn state(state: State) -> WriteState {
    match state {
        State::UnderWay => WriteState::UnderWay,
        State::Done => WriteState::Done,
        State::Unknown => WriteState::Unknown,
        State::NotDone => WriteState::NotDone,
    }
}
