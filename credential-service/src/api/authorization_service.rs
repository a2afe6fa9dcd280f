//! `hubkeep.credential.v1.AuthorizationService`.

use hubkeep_audit_log::{Cause, Operation};
use hubkeep_core::handle_token::{HandleToken, OpaqueSecret, SecretKind};
use hubkeep_proto::credential::v1::{
    AuthorizeClientRequest, AuthorizeClientResponse, ExchangeCodeRequest, ExchangeCodeResponse,
    IntrospectTokenRequest, IntrospectTokenResponse, ListAuthorizationsRequest, ListAuthorizationsResponse,
    RefreshTokensRequest, RefreshTokensResponse, RevokeAuthorizationRequest, RevokeAuthorizationResponse,
    RevokeTokenRequest, RevokeTokenResponse, authorization_service_server::AuthorizationService,
};
use tonic::{Request, Response, Status};

use super::{
    Desk, Error, authorization as read, fields, page,
    people::{self, Asking, connection_to_wire, signed_in, user_to_wire},
};
use crate::{
    access::Access,
    connections::Connections,
    handles::Handles,
    record::Act,
    sessions::{self, Sessions, clients::ClientToken},
};

/// The list that page tokens of this service are for.
const AUTHORIZATIONS: &str = "authorizations";

/// What people let clients do for them, over gRPC.
#[derive(Clone, Debug)]
pub struct AuthorizationApi {
    desk: Desk,
    sessions: Sessions,
    handles: Handles,
    connections: Connections,
    access: Access,
}

impl AuthorizationApi {
    /// The service.
    pub const fn new(
        desk: Desk,
        sessions: Sessions,
        handles: Handles,
        connections: Connections,
        access: Access,
    ) -> Self {
        Self {
            desk,
            sessions,
            handles,
            connections,
            access,
        }
    }
}

#[tonic::async_trait]
impl AuthorizationService for AuthorizationApi {
    async fn authorize_client(
        &self,
        request: Request<AuthorizeClientRequest>,
    ) -> Result<Response<AuthorizeClientResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: AuthorizeClientRequest| {
            let session = signed_in(&sessions, &act, &request.session_token).await?;
            let asked = read::asked(request)?;
            let (code, lives_for) = sessions.authorize(&act, &session, asked).await?;
            Ok(AuthorizeClientResponse {
                code: code.expose().to_owned(),
                time_left: fields::to_wire(lives_for),
            })
        };
        self.desk.answer(request, Operation::ClientAuthorize, work).await
    }

    async fn exchange_code(
        &self,
        request: Request<ExchangeCodeRequest>,
    ) -> Result<Response<ExchangeCodeResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: ExchangeCodeRequest| {
            people::by_the_peer(&act)?;
            let code = secret(&act, SecretKind::Code, &request.code)?;
            let tokens = sessions
                .exchange(&act, &code, &read::code_presented(request)?)
                .await?;
            Ok(ExchangeCodeResponse {
                tokens: Some(read::to_wire(&tokens)),
            })
        };
        self.desk.answer(request, Operation::CodeExchange, work).await
    }

    async fn refresh_tokens(
        &self,
        request: Request<RefreshTokensRequest>,
    ) -> Result<Response<RefreshTokensResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: RefreshTokensRequest| {
            people::by_the_peer(&act)?;
            let token = secret(&act, SecretKind::Refresh, &request.refresh_token)?;
            let presented = read::presented(&request.client_id, &request.resource)?;
            let tokens = sessions.refresh_tokens(&act, &token, &presented).await?;
            Ok(RefreshTokensResponse {
                tokens: Some(read::to_wire(&tokens)),
            })
        };
        self.desk
            .answer(request, Operation::ClientTokensRefresh, work)
            .await
    }

    async fn revoke_token(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<Response<RevokeTokenResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: RevokeTokenRequest| {
            people::by_the_peer(&act)?;
            let client_id = read::client_id(&request.client_id)?;
            let token = HandleToken::parse(&request.token)
                .map(ClientToken::Access)
                .or_else(|_| {
                    let refresh = OpaqueSecret::parse(SecretKind::Refresh, &request.token);
                    refresh.map(ClientToken::Refresh)
                });
            // What is no token at all is as good as ended, too.
            let ended = match token {
                Ok(token) => sessions.revoke_token(&act, &token, client_id).await?,
                Err(_) => sessions::Ended::default(),
            };
            Ok(RevokeTokenResponse {
                revocation_seq: ended.revocation_seq,
            })
        };
        self.desk
            .answer(request, Operation::ClientTokenRevoke, work)
            .await
    }

    async fn introspect_token(
        &self,
        request: Request<IntrospectTokenRequest>,
    ) -> Result<Response<IntrospectTokenResponse>, Status> {
        let api = self.clone();
        let work = async move |act, request| api.introspected(&act, request).await;
        self.desk
            .answer(request, Operation::ClientTokenIntrospect, work)
            .await
    }

    async fn list_authorizations(
        &self,
        request: Request<ListAuthorizationsRequest>,
    ) -> Result<Response<ListAuthorizationsResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act, request| list(&sessions, &act, request).await;
        self.desk
            .answer(request, Operation::AuthorizationList, work)
            .await
    }

    async fn revoke_authorization(
        &self,
        request: Request<RevokeAuthorizationRequest>,
    ) -> Result<Response<RevokeAuthorizationResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: RevokeAuthorizationRequest| {
            let asking = people::asking(&sessions, &act, &request.session_token).await?;
            let client_id = read::client_id(&request.client_id)?;
            let user = asking.whose(&request.user)?;
            let user = user.ok_or_else(|| Error::field("user", "name the user"))?;
            let ended = sessions.revoke_authorization(&act, &user, client_id).await?;
            Ok(RevokeAuthorizationResponse {
                ended_families: ended.families,
                revocation_seq: ended.revocation_seq,
            })
        };
        self.desk
            .answer(request, Operation::AuthorizationRevoke, work)
            .await
    }
}

impl AuthorizationApi {
    async fn introspected(
        &self,
        act: &Act,
        request: IntrospectTokenRequest,
    ) -> Result<IntrospectTokenResponse, Error> {
        people::by_the_peer(act)?;
        let token = fields::handle(&request.access_token)?;
        let resource = people::resource(&request.resource)?;
        let found = self.handles.introspect_of_user(act, &token, &resource).await?;
        let handle = &found.handle;
        let live = self
            .connections
            .live_of(&handle.user.name, resource.client_slug());
        let mut connections = Vec::new();
        for connection in live.await? {
            let rooms = (&self.connections, &self.access);
            connections.push(connection_to_wire(rooms, &connection).await?);
        }
        Ok(IntrospectTokenResponse {
            handle_id: handle.handle_id.to_string(),
            user: Some(user_to_wire(&handle.user)),
            client_id: handle.client_id.clone(),
            scopes: handle.scopes.clone(),
            time_left: fields::to_wire(found.time_left),
            connections,
        })
    }
}

async fn list(
    sessions: &Sessions,
    act: &Act,
    request: ListAuthorizationsRequest,
) -> Result<ListAuthorizationsResponse, Error> {
    let asking: Asking = people::asking(sessions, act, &request.session_token).await?;
    let user = asking.whose(&request.user)?;
    let size = fields::page_size(request.page_size)?;
    let of = format!(
        "{AUTHORIZATIONS}/{}",
        user.as_ref().map(ToString::to_string).unwrap_or_default()
    );
    let after = page::after(&of, &request.page_token)?;
    let after = match &after {
        Some(last) => Some(last.split_once(' ').ok_or(Error::PageToken)?),
        None => None,
    };
    let page = sessions.authorizations(user.as_ref(), after, size).await?;
    Ok(ListAuthorizationsResponse {
        authorizations: page
            .authorizations
            .iter()
            .map(read::authorization_to_wire)
            .collect(),
        next_page_token: page
            .more_after
            .map(|(user, client)| page::token(&of, &format!("{user} {client}")))
            .unwrap_or_default(),
    })
}

/// A secret that a client presented. What is none was never given out.
fn secret(act: &Act, kind: SecretKind, text: &str) -> Result<OpaqueSecret, Error> {
    OpaqueSecret::parse(kind, text).map_err(|_| {
        act.cause(Cause::SessionUnknown);
        sessions::Error::Client(Cause::SessionUnknown).into()
    })
}
