//! `hubkeep.credential.v1.HandleService`.

use std::{str::FromStr, time::Duration};

use hubkeep_audit_log::Operation as Recorded;
use hubkeep_core::{
    error::FieldViolation,
    grpc::FLEET,
    id::{CallerName, ClientSlug, InvalidName},
    tls::Identity,
};
use hubkeep_proto::credential::v1::{
    self as wire, HandleBudgetLeft, IntrospectHandleRequest, IntrospectHandleResponse, IssueHandleRequest,
    IssueHandleResponse, ListHandlesRequest, ListHandlesResponse, NarrowHandleRequest, NarrowHandleResponse,
    RenewCertificateRequest, RenewCertificateResponse, RevokeHandleRequest, RevokeHandleResponse,
    handle_service_server::HandleService, revoke_handle_request,
};
use tonic::{Request, Response, Status};

use super::{Desk, Error, containment_service::reach_to_wire, fields, page, scope};
use crate::{
    handles::{self, Handle, Handles, Listing, Narrowing, Reach, Target, Wish},
    record::Act,
    revocations::Revocations,
};

/// Every caller's handles.
const EVERYBODY: &str = "*";
/// The most certificates between one and a CA that is trusted.
const MAX_INTERMEDIATES: usize = 8;
/// Kept back from the caller's deadline by who waits, to write the entry and to answer.
const TO_ANSWER: Duration = Duration::from_millis(500);

/// Handles, over gRPC.
#[derive(Clone, Debug)]
pub struct HandleApi {
    desk: Desk,
    handles: Handles,
    revocations: Revocations,
    identity: Option<Identity>,
}

impl HandleApi {
    /// The service. `identity` says whose certificates are trusted, where callers have any.
    pub const fn new(
        desk: Desk,
        handles: Handles,
        revocations: Revocations,
        identity: Option<Identity>,
    ) -> Self {
        Self {
            desk,
            handles,
            revocations,
            identity,
        }
    }
}

#[tonic::async_trait]
impl HandleService for HandleApi {
    async fn issue_handle(
        &self,
        request: Request<IssueHandleRequest>,
    ) -> Result<Response<IssueHandleResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |act, request| {
            let issued = handles.issue(&act, wish(request)?).await?;
            Ok(IssueHandleResponse {
                handle: issued.token.expose().to_owned(),
                description: Some(to_wire(&issued.handle)),
            })
        };
        self.desk.answer(request, Recorded::HandleIssue, work).await
    }

    async fn introspect_handle(
        &self,
        request: Request<IntrospectHandleRequest>,
    ) -> Result<Response<IntrospectHandleResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |act, request: IntrospectHandleRequest| {
            let token = fields::handle(&request.handle)?;
            let (living, left) = handles.introspect(&act, &token).await?;
            let budget_left = HandleBudgetLeft {
                calls: left.max_calls,
                records: left.max_records,
            };
            Ok(IntrospectHandleResponse {
                description: Some(to_wire(&living.handle)),
                time_left: fields::to_wire(living.time_left),
                budget_left: left.is_limited().then_some(budget_left),
            })
        };
        self.desk.answer(request, Recorded::HandleIntrospect, work).await
    }

    async fn revoke_handle(
        &self,
        request: Request<RevokeHandleRequest>,
    ) -> Result<Response<RevokeHandleResponse>, Status> {
        let (handles, revocations) = (self.handles.clone(), self.revocations.clone());
        let desk = self.desk.clone();
        let work = async move |act: Act, request: RevokeHandleRequest| {
            let wait = fields::wait(request.wait)?;
            let reach = if request.family {
                Reach::Family
            } else {
                Reach::Children
            };
            let revocation_seq = handles.revoke(&act, target(request.target)?, reach).await?;
            let reach = match wait {
                Some(wait) => {
                    let until = desk.time_in(wait).min(act.context().deadline.minus(TO_ANSWER));
                    Some(revocations.reach(revocation_seq, until).await?)
                }
                None => None,
            };
            Ok(RevokeHandleResponse {
                revocation_seq,
                reach: reach.map(reach_to_wire),
            })
        };
        self.desk.answer(request, Recorded::HandleRevoke, work).await
    }

    async fn narrow_handle(
        &self,
        request: Request<NarrowHandleRequest>,
    ) -> Result<Response<NarrowHandleResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |act, request: NarrowHandleRequest| {
            let parent = fields::handle(&request.handle)?;
            let issued = handles.narrow(&act, &parent, narrowing(request)?).await?;
            Ok(NarrowHandleResponse {
                handle: issued.token.expose().to_owned(),
                description: Some(to_wire(&issued.handle)),
            })
        };
        self.desk.answer(request, Recorded::HandleNarrow, work).await
    }

    async fn renew_certificate(
        &self,
        request: Request<RenewCertificateRequest>,
    ) -> Result<Response<RenewCertificateResponse>, Status> {
        let (handles, identity) = (self.handles.clone(), self.identity.clone());
        let work = async move |act, request: RenewCertificateRequest| {
            let successor = match identity {
                Some(_) if request.intermediates.len() > MAX_INTERMEDIATES => {
                    Err("more stands between it and a CA than may: 8 certificates".to_owned())
                }
                Some(identity) => identity.caller_of(&request.certificate, &request.intermediates),
                None => Err("callers have no certificates here, in development".to_owned()),
            };
            let successor = successor.map_err(handles::Error::CertificateRefused)?;
            let expire_time = handles.succeed(&act, &successor).await?;
            Ok(RenewCertificateResponse {
                expire_time: Some(expire_time.into()),
            })
        };
        self.desk.answer(request, Recorded::CertificateRenew, work).await
    }

    async fn list_handles(
        &self,
        request: Request<ListHandlesRequest>,
    ) -> Result<Response<ListHandlesResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |act, request| list(&handles, &act, request).await;
        self.desk.answer(request, Recorded::HandleList, work).await
    }
}

async fn list(
    handles: &Handles,
    act: &Act,
    request: ListHandlesRequest,
) -> Result<ListHandlesResponse, Error> {
    let asks = &act.context().caller.name;
    let whose = whose(&request, asks, act.context().has_role(FLEET))?;
    let others = matches!(whose, Whose::Others { .. });
    let size = fields::page_size(request.page_size)?;
    let list = format!("handles/{}/{}/{asks}", request.client_slug, request.caller);
    let after = page::after(&list, &request.page_token)?;
    let found = match whose {
        Whose::Own(client_slug) => handles.list_own(act, client_slug, after, size).await?,
        Whose::Others { client_slug, caller } => {
            let listing = Listing {
                client_slug,
                caller,
                after,
                size,
            };
            handles.list(act, &listing).await?
        }
    };
    Ok(ListHandlesResponse {
        handles: found
            .handles
            .iter()
            .map(|handle| listed(handle, others))
            .collect(),
        altered_count: found.altered,
        next_page_token: found
            .more_after
            .map(|last| page::token(&list, &last))
            .unwrap_or_default(),
    })
}

/// Whose handles are listed.
enum Whose {
    /// The caller's own, of this portal.
    Own(ClientSlug),
    /// Those of one portal, or caller, or both.
    Others {
        client_slug: Option<ClientSlug>,
        caller: Option<CallerName>,
    },
}

/// A handle in a list. On whose behalf others have theirs is between them and their end users.
fn listed(handle: &Handle, is_anothers: bool) -> wire::Handle {
    let mut wire = to_wire(handle);
    if is_anothers {
        wire.end_user.clear();
    }
    wire
}

fn whose(request: &ListHandlesRequest, asks: &CallerName, looks_after_all: bool) -> Result<Whose, Error> {
    if request.caller.is_empty() || request.caller == asks.as_str() && !request.client_slug.is_empty() {
        return fields::name("client_slug", &request.client_slug).map(Whose::Own);
    }
    if !looks_after_all {
        return Err(Error::OthersHandles(asks.clone()));
    }
    let client_slug = stated("client_slug", &request.client_slug)?;
    let caller = match request.caller.as_str() {
        EVERYBODY => None,
        name => Some(fields::name("caller", name)?),
    };
    if client_slug.is_none() && caller.is_none() {
        return Err(Error::field("client_slug", "name a portal, or a caller, or both"));
    }
    Ok(Whose::Others { client_slug, caller })
}

fn wish(request: IssueHandleRequest) -> Result<Wish, Error> {
    Ok(Wish {
        client_slug: fields::name("client_slug", &request.client_slug)?,
        scope: scope::read(request.scope.unwrap_or_default())?,
        lifetime: request
            .lifetime
            .map(|wire| fields::duration("lifetime", wire))
            .transpose()?,
        purpose: fields::name("purpose_code", &request.purpose_code)?,
        budget: scope::budget(request.budget)?,
        expected_portal_id: fields::portal_id("expected_portal_id", request.expected_portal_id)?,
        audience: stated("audience", &request.audience)?,
        end_user: match request.end_user.as_str() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|violation: FieldViolation| Error::Fields(vec![violation]))?,
            ),
        },
    })
}

fn narrowing(request: NarrowHandleRequest) -> Result<Narrowing, Error> {
    Ok(Narrowing {
        named: scope::named(request.scope.unwrap_or_default())?,
        read_only: request.read_only,
        budget: scope::budget(request.budget)?,
        lifetime: request
            .lifetime
            .map(|wire| fields::duration("lifetime", wire))
            .transpose()?,
        purpose: stated("purpose_code", &request.purpose_code)?,
    })
}

/// A name that may be left out.
fn stated<N: FromStr<Err = InvalidName>>(field: &str, text: &str) -> Result<Option<N>, Error> {
    match text {
        "" => Ok(None),
        text => fields::name(field, text).map(Some),
    }
}

fn target(target: Option<revoke_handle_request::Target>) -> Result<Target, Error> {
    match target {
        Some(revoke_handle_request::Target::Handle(text)) => Ok(Target::Token(fields::handle(&text)?)),
        Some(revoke_handle_request::Target::HandleId(text)) => {
            Ok(Target::Id(fields::id("handle_id", &text)?))
        }
        None => Err(Error::field("target", "send the handle, or its id")),
    }
}

/// A handle without its secret.
pub(super) fn to_wire(handle: &Handle) -> wire::Handle {
    wire::Handle {
        handle_id: handle.handle_id.to_string(),
        client_slug: handle.client_slug.to_string(),
        portal_id: handle.portal_id.get(),
        caller: handle.caller.name.to_string(),
        scope: Some(scope::to_wire(&handle.scope)),
        purpose_code: handle.purpose.to_string(),
        issue_time: Some(handle.issue_time.into()),
        expire_time: Some(handle.expire_time.into()),
        ancestor_ids: handle.ancestors.iter().map(ToString::to_string).collect(),
        budget: scope::budget_to_wire(handle.budget),
        grant_id: handle.under.grant_id.to_string(),
        audience: handle.audience.to_string(),
        end_user: handle
            .end_user
            .as_ref()
            .map(|user| user.expose().to_owned())
            .unwrap_or_default(),
        writes_need_approval: handle.under.writes_need_approval,
        ..wire::Handle::default()
    }
}
