//! `hubkeep.credential.v1.ContainmentService`.

use hubkeep_audit_log::Operation;
use hubkeep_proto::credential::v1::{
    self as wire, ContainRequest, ContainResponse, HandleHolder, LiftContainmentRequest,
    LiftContainmentResponse, ListContainmentsRequest, ListContainmentsResponse, RevocationReach,
    RevokeHandlesRequest, RevokeHandlesResponse, containment_service_server::ContainmentService,
    handle_holder::Holder as Named, redemption_service_server,
};
use tonic::{Request, Response, Status};

use super::{Desk, Error, fields, page};
use crate::{
    fleet::{Containment, Fleet, Target},
    holders::Holder,
    record::Act,
    revocations::Reach,
};

/// The list that page tokens of this service are for.
const LIST: &str = "containments";
/// The longest reason, in characters.
const MAX_REASON: usize = 256;

/// Containment, over gRPC.
#[derive(Clone, Debug)]
pub struct ContainmentApi {
    desk: Desk,
    fleet: Fleet,
}

impl ContainmentApi {
    /// The service.
    pub const fn new(desk: Desk, fleet: Fleet) -> Self {
        Self { desk, fleet }
    }
}

#[tonic::async_trait]
impl ContainmentService for ContainmentApi {
    async fn contain(&self, request: Request<ContainRequest>) -> Result<Response<ContainResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |act, request: ContainRequest| {
            let (target, reason) = (target(request.target)?, reason(&request.reason)?);
            let wait = fields::wait(request.wait)?.unwrap_or(fields::MAX_WAIT);
            let known = fleet.knows(&act, &target).await?;
            let (containment, ended) = fleet.contain(&act, &target, &reason, wait).await?;
            Ok(ContainResponse {
                containment: Some(to_wire(containment)),
                revocation_seq: ended.seq,
                reach: ended.reach.map(reach_to_wire),
                known,
            })
        };
        self.desk.answer(request, Operation::Contain, work).await
    }

    async fn lift_containment(
        &self,
        request: Request<LiftContainmentRequest>,
    ) -> Result<Response<LiftContainmentResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |act, request: LiftContainmentRequest| {
            by_an_operator(&act)?;
            let (target, reason) = (target(request.target)?, reason(&request.reason)?);
            fleet.lift(&act, &target, &reason).await?;
            Ok(LiftContainmentResponse {})
        };
        self.desk.answer(request, Operation::ContainmentLift, work).await
    }

    async fn list_containments(
        &self,
        request: Request<ListContainmentsRequest>,
    ) -> Result<Response<ListContainmentsResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |act, request| {
            by_an_operator(&act)?;
            list(&fleet, request).await
        };
        self.desk.answer(request, Operation::ContainmentList, work).await
    }

    async fn revoke_handles(
        &self,
        request: Request<RevokeHandlesRequest>,
    ) -> Result<Response<RevokeHandlesResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |act, request: RevokeHandlesRequest| {
            by_an_operator(&act)?;
            let (target, wait) = (target(request.target)?, fields::wait(request.wait)?);
            let ended = fleet.end_handles(&act, &target, wait).await?;
            Ok(RevokeHandlesResponse {
                revocation_seq: ended.seq,
                reach: ended.reach.map(reach_to_wire),
            })
        };
        self.desk.answer(request, Operation::HandlesRevoke, work).await
    }
}

/// The other service contains what an alert is about; it undoes nothing.
fn by_an_operator(act: &Act) -> Result<(), Error> {
    let caller = &act.context().caller.name;
    if !caller.is_operator() && act.context().may_use(redemption_service_server::SERVICE_NAME) {
        return Err(Error::ContainsOnly(caller.clone()));
    }
    Ok(())
}

async fn list(fleet: &Fleet, request: ListContainmentsRequest) -> Result<ListContainmentsResponse, Error> {
    let size = fields::page_size(request.page_size)?;
    let after = page::after(LIST, &request.page_token)?;
    let all = fleet.containments().await?;
    // What was contained since the page before stands before it, and what was lifted is not needed to go on.
    let begin = match &after {
        Some(last) => all.partition_point(|one| key(one) <= *last),
        None => 0,
    };
    let mut found: Vec<Containment> = all.into_iter().skip(begin).collect();
    let has_more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| has_more);
    Ok(ListContainmentsResponse {
        next_page_token: last.map(|last| page::token(LIST, &key(last))).unwrap_or_default(),
        containments: found.into_iter().map(to_wire).collect(),
    })
}

/// What orders the list: the newest first.
fn key(one: &Containment) -> String {
    format!(
        "{:020} {}",
        i64::MAX.saturating_sub(one.time.as_micros()),
        one.target
    )
}

fn target(wire: Option<HandleHolder>) -> Result<Target, Error> {
    match wire.and_then(|wire| wire.holder) {
        Some(Named::ClientSlug(slug)) => Ok(Target::Portal(fields::name("target.client_slug", &slug)?)),
        Some(Named::Caller(name)) => Ok(Target::caller(fields::name("target.caller", &name)?)),
        Some(Named::PersonId(id)) => Ok(Target::person(fields::name("target.person_id", &id)?)),
        Some(Named::HandleId(id)) => Ok(Target::Handle(fields::id("target.handle_id", &id)?)),
        Some(Named::ConnectionId(_)) | None => Err(Error::field(
            "target",
            "name a portal, a caller, a person or a handle",
        )),
    }
}

fn reason(text: &str) -> Result<String, Error> {
    let length = text.chars().count();
    if (1..=MAX_REASON).contains(&length) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Error::field(
        "reason",
        "must be 1 to 256 characters, without control characters",
    ))
}

fn to_wire(containment: Containment) -> wire::Containment {
    let holder = match containment.target {
        Target::Portal(slug) => Named::ClientSlug(slug.to_string()),
        Target::Holder(Holder::Caller(name)) => Named::Caller(name.to_string()),
        Target::Holder(Holder::Person(id)) => Named::PersonId(id.to_string()),
        Target::Handle(id) => Named::HandleId(id.to_string()),
    };
    wire::Containment {
        target: Some(HandleHolder { holder: Some(holder) }),
        contain_time: Some(containment.time.into()),
        contained_by: containment.by.map(|by| by.to_string()).unwrap_or_default(),
        reason: containment.reason,
    }
}

/// How far a revocation has come.
pub(super) const fn reach_to_wire(reach: Reach) -> RevocationReach {
    RevocationReach {
        acknowledged: reach.acknowledged,
        lapsed: reach.lapsed,
        waiting: reach.waiting,
    }
}
