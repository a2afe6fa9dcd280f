//! `hubkeep.credential.v1.HandleService`.

use std::{str::FromStr, time::Duration};

use hubkeep_audit_log::Operation as Recorded;
use hubkeep_core::{
    error::FieldViolation,
    id::{ClientSlug, InvalidName},
    tls::Identity,
};
use hubkeep_proto::credential::v1::{
    self as wire, IntrospectHandleRequest, IntrospectHandleResponse, IssueHandleRequest, IssueHandleResponse,
    ListHandlesRequest, ListHandlesResponse, NarrowHandleRequest, NarrowHandleResponse,
    RenewCertificateRequest, RenewCertificateResponse, RevokeHandleRequest, RevokeHandleResponse,
    handle_service_server::HandleService, revoke_handle_request,
};
use tonic::{Request, Response, Status};

use super::{Desk, Error, containment_service::reach_to_wire, fields, page, scope};
use crate::{
    handles::{self, Handle, Handles, Narrowing, Reach, Target, Wish},
    record::Act,
    revocations::Revocations,
};

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
            let living = handles
                .introspect(&act, &fields::handle(&request.handle)?)
                .await?;
            Ok(IntrospectHandleResponse {
                description: Some(to_wire(&living.handle)),
                time_left: fields::to_wire(living.time_left),
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
                Some(identity) => identity.caller_of(&request.certificate),
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
    let client_slug: ClientSlug = fields::name("client_slug", &request.client_slug)?;
    let size = fields::page_size(request.page_size)?;
    let list = format!("handles/{client_slug}/{}", act.context().caller.name);
    let after = match page::after(&list, &request.page_token)? {
        Some(last) => Some(last.parse().map_err(|_| Error::PageToken)?),
        None => None,
    };
    let found = handles.list(act, &client_slug, after, size).await?;
    Ok(ListHandlesResponse {
        handles: found.handles.iter().map(to_wire).collect(),
        next_page_token: found
            .more_after
            .map(|last| page::token(&list, &last.to_string()))
            .unwrap_or_default(),
    })
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
    }
}
