//! `hubkeep.credential.v1.ConnectionService`.

use std::time::Duration;

use hubkeep_audit_log::{Cause, Operation};
use hubkeep_core::{
    handle_token::{OpaqueSecret, SecretKind},
    id::{ClientSlug, ConnectionId},
    secret::PortalToken,
};
use hubkeep_proto::credential::v1::{
    CompleteConnectionRequest, CompleteConnectionResponse, DisconnectRequest, DisconnectResponse,
    GetConnectionRequest, GetConnectionResponse, ListConnectionsRequest, ListConnectionsResponse,
    StartConnectionRequest, StartConnectionResponse, connection_service_server::ConnectionService,
};
use tonic::{Request, Response, Status};

use super::{
    Desk, Error,
    containment_service::reach_to_wire,
    fields, page,
    people::{self, Asking, connection_to_wire, signed_in},
};
use crate::{
    access::Access,
    connections::{self, Connection, Connections, Listing},
    portals::Portals,
    record::Act,
    revocations::Revocations,
    sessions::Sessions,
};

/// The list that page tokens of this service are for.
const CONNECTIONS: &str = "connections";
/// The longest code of HubSpot's.
const LONGEST_CODE: usize = 4_096;
/// Kept back from the caller's deadline by who waits, to write the entry and to answer.
const TO_ANSWER: Duration = Duration::from_millis(500);

/// Connections, over gRPC.
#[derive(Clone, Debug)]
pub struct ConnectionApi {
    /// How requests are answered.
    pub desk: Desk,
    /// Who asks.
    pub sessions: Sessions,
    /// The connections.
    pub connections: Connections,
    /// Who is who.
    pub access: Access,
    /// The portals they are of.
    pub portals: Portals,
    /// Where the end of handles is announced.
    pub revocations: Revocations,
}

#[tonic::async_trait]
impl ConnectionService for ConnectionApi {
    async fn start_connection(
        &self,
        request: Request<StartConnectionRequest>,
    ) -> Result<Response<StartConnectionResponse>, Status> {
        let api = self.clone();
        let work = async move |act: Act, request: StartConnectionRequest| {
            let session = signed_in(&api.sessions, &act, &request.session_token).await?;
            let slug = slug(&request.client_slug)?;
            let started = api.connections.start(&act, &session.user, slug.as_ref()).await?;
            Ok(StartConnectionResponse {
                authorize_url: started.authorize_url,
                state: started.state.expose().to_owned(),
                time_left: fields::to_wire(started.lives_for),
            })
        };
        self.desk.answer(request, Operation::ConnectionStart, work).await
    }

    async fn complete_connection(
        &self,
        request: Request<CompleteConnectionRequest>,
    ) -> Result<Response<CompleteConnectionResponse>, Status> {
        let api = self.clone();
        let work = async move |act: Act, request: CompleteConnectionRequest| {
            let session = signed_in(&api.sessions, &act, &request.session_token).await?;
            let state = OpaqueSecret::parse(SecretKind::Code, &request.state).map_err(|_| {
                act.cause(Cause::StateUnknown);
                connections::Error::StateInvalid(Cause::StateUnknown)
            })?;
            let code = code(request.code)?;
            let made = api.connections.complete(&act, &session.user, &state, code);
            Ok(CompleteConnectionResponse {
                connection: Some(api.to_wire(&made.await?).await?),
            })
        };
        self.desk
            .answer(request, Operation::ConnectionComplete, work)
            .await
    }

    async fn get_connection(
        &self,
        request: Request<GetConnectionRequest>,
    ) -> Result<Response<GetConnectionResponse>, Status> {
        let api = self.clone();
        let work = async move |act: Act, request: GetConnectionRequest| {
            let asking = people::asking(&api.sessions, &act, &request.session_token).await?;
            let found = api.named(&act, &asking, &request.connection_id).await?;
            Ok(GetConnectionResponse {
                connection: Some(api.to_wire(&found).await?),
            })
        };
        self.desk.answer(request, Operation::ConnectionGet, work).await
    }

    async fn list_connections(
        &self,
        request: Request<ListConnectionsRequest>,
    ) -> Result<Response<ListConnectionsResponse>, Status> {
        let api = self.clone();
        let work = async move |act, request| api.list(&act, request).await;
        self.desk.answer(request, Operation::ConnectionList, work).await
    }

    async fn disconnect(
        &self,
        request: Request<DisconnectRequest>,
    ) -> Result<Response<DisconnectResponse>, Status> {
        let api = self.clone();
        let work = async move |act, request| api.ended(&act, request).await;
        self.desk
            .answer(request, Operation::ConnectionDisconnect, work)
            .await
    }
}

impl ConnectionApi {
    async fn to_wire(
        &self,
        connection: &Connection,
    ) -> Result<hubkeep_proto::credential::v1::Connection, Error> {
        connection_to_wire((&self.connections, &self.access), connection).await
    }

    /// The connection of this id, if whoever asks may see it.
    async fn named(&self, act: &Act, asking: &Asking, id: &str) -> Result<Connection, Error> {
        let id: ConnectionId = fields::id("connection_id", id)?;
        act.subject(&id.to_string());
        let found = match asking {
            Asking::User(session) => self.connections.of_user(id, &session.user.name).await?,
            Asking::Operator => self.connections.by_id(id).await?,
        };
        act.user(&found.user);
        if let Some(portal) = self.portals.find(found.portal_id).await? {
            act.concerns(portal.proven());
        }
        Ok(found)
    }

    async fn list(
        &self,
        act: &Act,
        request: ListConnectionsRequest,
    ) -> Result<ListConnectionsResponse, Error> {
        let asking = people::asking(&self.sessions, act, &request.session_token).await?;
        let user = asking.whose(&request.user)?;
        let of = format!(
            "{CONNECTIONS}/{}/{}/{}",
            user.as_ref().map(ToString::to_string).unwrap_or_default(),
            request.client_slug,
            request.with_ended,
        );
        let portal_id = match slug(&request.client_slug)? {
            Some(slug) => match self.portals.named(&slug).await? {
                Some(portal) => Some(portal.portal_id),
                // Who has connected nothing there is not told whether there is such a portal.
                None => return Ok(ListConnectionsResponse::default()),
            },
            None => None,
        };
        let listing = Listing {
            user,
            portal_id,
            with_ended: request.with_ended,
            after: page::after(&of, &request.page_token)?,
            size: fields::page_size(request.page_size)?,
        };
        let page = self.connections.list(&listing).await?;
        let mut connections = Vec::new();
        for connection in &page.connections {
            connections.push(self.to_wire(connection).await?);
        }
        Ok(ListConnectionsResponse {
            connections,
            next_page_token: page
                .more_after
                .map(|last| page::token(&of, &last))
                .unwrap_or_default(),
        })
    }

    async fn ended(&self, act: &Act, request: DisconnectRequest) -> Result<DisconnectResponse, Error> {
        let wait = fields::wait(request.wait)?;
        let asking = people::asking(&self.sessions, act, &request.session_token).await?;
        let found = self.named(act, &asking, &request.connection_id).await?;
        let ended = self.connections.end(act, &found).await?;
        let reach = match wait {
            Some(wait) => {
                let until = self
                    .desk
                    .time_in(wait)
                    .min(act.context().deadline.minus(TO_ANSWER));
                Some(self.revocations.reach(ended.revocation_seq, until).await?)
            }
            None => None,
        };
        Ok(DisconnectResponse {
            access_token_end_time: ended.connection.access_end_time.map(Into::into),
            connection: Some(self.to_wire(&ended.connection).await?),
            revocation_seq: ended.revocation_seq,
            reach: reach.map(reach_to_wire),
        })
    }
}

fn slug(text: &str) -> Result<Option<ClientSlug>, Error> {
    match text {
        "" => Ok(None),
        text => fields::name("client_slug", text).map(Some),
    }
}

/// The code that HubSpot sent, if it sent one.
fn code(text: String) -> Result<Option<PortalToken>, Error> {
    let fits = text.len() <= LONGEST_CODE && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        return Err(Error::field(
            "code",
            "must be at most 4,096 visible ASCII characters",
        ));
    }
    Ok((!text.is_empty()).then(|| PortalToken::new(text)))
}
