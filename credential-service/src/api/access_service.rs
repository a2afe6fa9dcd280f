//! `hubkeep.credential.v1.AccessService`.

use hubkeep_audit_log::Operation;
use hubkeep_core::id::{CallerName, ClientSlug};
use hubkeep_proto::credential::v1::{
    DeleteGrantRequest, DeleteGrantResponse, DeletePersonRequest, DeletePersonResponse, ListGrantsRequest,
    ListGrantsResponse, ListPeopleRequest, ListPeopleResponse, PutGrantRequest, PutGrantResponse,
    PutPersonRequest, PutPersonResponse, ReplayGrantsRequest, ReplayGrantsResponse,
    access_service_server::AccessService,
};
use tonic::{Request, Response, Status};

use super::{Desk, Error, fields, grant, page, person};
use crate::{
    access::{Access, Wanted},
    handles::Handles,
    portals::Portals,
    record::Act,
};

/// The lists that page tokens of this service are for.
const GRANTS: &str = "grants";
const PEOPLE: &str = "people";

/// Grants and people, over gRPC.
#[derive(Clone, Debug)]
pub struct AccessApi {
    desk: Desk,
    access: Access,
    handles: Handles,
    portals: Portals,
}

impl AccessApi {
    /// The service.
    pub const fn new(desk: Desk, access: Access, handles: Handles, portals: Portals) -> Self {
        Self {
            desk,
            access,
            handles,
            portals,
        }
    }
}

#[tonic::async_trait]
impl AccessService for AccessApi {
    async fn put_grant(
        &self,
        request: Request<PutGrantRequest>,
    ) -> Result<Response<PutGrantResponse>, Status> {
        let (access, handles) = (self.access.clone(), self.handles.clone());
        let operation = if request.get_ref().validate_only {
            Operation::GrantCheck
        } else {
            Operation::GrantPut
        };
        let work = async move |act, request| put(&access, &handles, &act, request).await;
        self.desk.answer(request, operation, work).await
    }

    async fn list_grants(
        &self,
        request: Request<ListGrantsRequest>,
    ) -> Result<Response<ListGrantsResponse>, Status> {
        let (access, portals) = (self.access.clone(), self.portals.clone());
        let work = async move |_act, request| list(&access, &portals, request).await;
        self.desk.answer(request, Operation::GrantList, work).await
    }

    async fn delete_grant(
        &self,
        request: Request<DeleteGrantRequest>,
    ) -> Result<Response<DeleteGrantResponse>, Status> {
        let (access, handles) = (self.access.clone(), self.handles.clone());
        let work = async move |act: Act, request: DeleteGrantRequest| {
            let grant_id = fields::name("grant_id", &request.grant_id)?;
            let ended_handles = handles.living_under(&grant_id).await?;
            Ok(DeleteGrantResponse {
                revocation_seq: access.delete_grant(&act, &grant_id).await?,
                ended_handles,
            })
        };
        self.desk.answer(request, Operation::GrantDelete, work).await
    }

    async fn replay_grants(
        &self,
        request: Request<ReplayGrantsRequest>,
    ) -> Result<Response<ReplayGrantsResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |_act, request| {
            let (proposed, since) = grant::proposed(request)?;
            Ok(grant::replayed_to_wire(handles.replay(proposed, since).await?))
        };
        self.desk.answer(request, Operation::GrantReplay, work).await
    }

    async fn put_person(
        &self,
        request: Request<PutPersonRequest>,
    ) -> Result<Response<PutPersonResponse>, Status> {
        let access = self.access.clone();
        let work = async move |act, request: PutPersonRequest| {
            let person = person::person(request.person.unwrap_or_default())?;
            let put = access.put_person(&act, person).await?;
            Ok(PutPersonResponse {
                person: Some(person::to_wire(&put.known)),
                revocation_seq: put.revocation_seq,
            })
        };
        self.desk.answer(request, Operation::PersonPut, work).await
    }

    async fn list_people(
        &self,
        request: Request<ListPeopleRequest>,
    ) -> Result<Response<ListPeopleResponse>, Status> {
        let access = self.access.clone();
        let work = async move |_act, request| list_people(&access, request).await;
        self.desk.answer(request, Operation::PersonList, work).await
    }

    async fn delete_person(
        &self,
        request: Request<DeletePersonRequest>,
    ) -> Result<Response<DeletePersonResponse>, Status> {
        let access = self.access.clone();
        let work = async move |act: Act, request: DeletePersonRequest| {
            let person_id = fields::name("person_id", &request.person_id)?;
            Ok(DeletePersonResponse {
                revocation_seq: access.delete_person(&act, &person_id).await?,
            })
        };
        self.desk.answer(request, Operation::PersonDelete, work).await
    }
}

async fn put(
    access: &Access,
    handles: &Handles,
    act: &Act,
    request: PutGrantRequest,
) -> Result<PutGrantResponse, Error> {
    let grant = grant::grant("grant", request.grant.unwrap_or_default())?;
    // Counted before: afterwards they do not live any more.
    let living = handles.living_under(&grant.grant_id).await?;
    let put = access.put_grant(act, grant, request.validate_only).await?;
    Ok(PutGrantResponse {
        grant: Some(grant::to_wire(&put.granted)),
        ended_handles: if put.ends_handles { living } else { 0 },
        revocation_seq: put.revocation_seq,
    })
}

async fn list(
    access: &Access,
    portals: &Portals,
    request: ListGrantsRequest,
) -> Result<ListGrantsResponse, Error> {
    let size = fields::page_size(request.page_size)?;
    let caller: Option<CallerName> = named("caller", &request.caller)?;
    let slug: Option<ClientSlug> = named("client_slug", &request.client_slug)?;
    let tags = match &slug {
        Some(slug) => portals.tags(slug).await?,
        None => Vec::new(),
    };
    let of = format!("{GRANTS}/{}/{}", request.caller, request.client_slug);
    let after = page::after(&of, &request.page_token)?.unwrap_or_default();
    let wanted = Wanted {
        caller: caller.as_ref(),
        portal: slug.as_ref().map(|slug| (slug, tags.as_slice())),
    };
    let found = access.grants(&wanted, &after, size).await?;
    let last = found.last().filter(|_| found.len() == size);
    Ok(ListGrantsResponse {
        next_page_token: last
            .map(|granted| page::token(&of, granted.grant.grant_id.as_str()))
            .unwrap_or_default(),
        grants: found.iter().map(grant::to_wire).collect(),
    })
}

async fn list_people(access: &Access, request: ListPeopleRequest) -> Result<ListPeopleResponse, Error> {
    let size = fields::page_size(request.page_size)?;
    let after = page::after(PEOPLE, &request.page_token)?.unwrap_or_default();
    let found = access.people(&after, size).await?;
    let last = found.last().filter(|_| found.len() == size);
    Ok(ListPeopleResponse {
        next_page_token: last
            .map(|known| page::token(PEOPLE, known.person.person_id.as_str()))
            .unwrap_or_default(),
        people: found.iter().map(person::to_wire).collect(),
    })
}

/// A name that may be left out.
fn named<N>(field: &str, text: &str) -> Result<Option<N>, Error>
where
    N: std::str::FromStr<Err = hubkeep_core::id::InvalidName>,
{
    match text {
        "" => Ok(None),
        text => fields::name(field, text).map(Some),
    }
}
