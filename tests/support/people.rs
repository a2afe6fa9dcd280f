//! People who have signed in, as the double of credential-service knows them: whose session is whose, which codes and tokens were given
//! for what, and what is connected.

use std::collections::HashMap;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hubkeep_core::{clock::SystemClock, handle_token::HandleToken, id::HandleId, random::SystemRandom};
use hubkeep_proto::{
    ERROR_DOMAIN,
    credential::v1::{
        AuthorizeClientRequest, AuthorizeClientResponse, ClientTokens, Connection, ConnectionLevel,
        ConnectionState, ExchangeCodeRequest, ExchangeCodeResponse, IntrospectTokenRequest,
        IntrospectTokenResponse, ListAuthorizationsRequest, ListAuthorizationsResponse, RefreshTokensRequest,
        RefreshTokensResponse, RevokeAuthorizationRequest, RevokeAuthorizationResponse, RevokeTokenRequest,
        RevokeTokenResponse, User, authorization_service_server::AuthorizationService,
    },
    error::v1::ErrorReason,
};
use hubspot_sim::World;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{
    browser::Browser,
    limited::{Double, Limited, Wish, unknown},
};

/// The user of these tests.
pub const ANN: &str = "user/0123456789abcdef0123456789abcdef";

/// What a code or a token stands for.
#[derive(Clone, Debug)]
struct Given {
    user: String,
    asked: AuthorizeClientRequest,
}

/// What the double knows of people.
#[derive(Debug, Default)]
pub(super) struct People {
    sessions: HashMap<String, String>,
    codes: HashMap<String, Given>,
    refresh: HashMap<String, Given>,
    tokens: HashMap<String, (Given, String)>,
    connected: HashMap<String, Vec<Connection>>,
    /// Whose next answers fail as if nobody were there.
    silent: bool,
    asked: usize,
}

impl Limited {
    /// crm-service with its MCP endpoint, before a double that knows people.
    pub async fn with_people(world: World) -> Self {
        Self::changed(world, |config| {
            config.mcp.listen = Some(([127, 0, 0, 1], 0).into())
        })
        .await
    }

    /// Somebody's browser, or a program of theirs.
    pub fn outside(&self) -> Browser {
        Browser::at(self.crm.mcp_address().expect("it was set up with an endpoint"))
    }

    /// The address of the authorization server.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.crm.mcp_address().expect("it was set up"))
    }

    /// Ann has connected these portals; none takes all away.
    pub fn connect(&self, slugs: &[&str], state: ConnectionState) {
        let connection = |slug: &&str| Connection {
            connection_id: String::new(),
            client_slug: (*slug).to_owned(),
            portal_id: self.hubspot.portal_id(slug).expect("it is in the world"),
            state: state.into(),
            level: ConnectionLevel::Account.into(),
            ..Connection::default()
        };
        let mut people = self.double.0.people.lock().expect("not poisoned");
        let own = slugs.iter().map(connection).collect();
        people.connected.insert(ANN.to_owned(), own);
    }

    /// An access token of Ann's for a resource, by its path, that opens this portal.
    pub fn access_token(&self, slug: &str, path: &str, scopes: &[&str]) -> String {
        let resource = format!("{}{path}", self.issuer());
        let (token, id) = self.give(slug, &Wish::default(), ANN, &resource);
        let given = Given {
            user: ANN.to_owned(),
            asked: AuthorizeClientRequest {
                client_id: "test".to_owned(),
                resource,
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
                ..AuthorizeClientRequest::default()
            },
        };
        let mut people = self.double.0.people.lock().expect("not poisoned");
        people.tokens.insert(token.clone(), (given, id));
        token
    }

    /// A session of Ann's, in a browser that has signed in.
    pub fn session(&self) -> String {
        let token = random();
        let mut people = self.double.0.people.lock().expect("not poisoned");
        people.sessions.insert(token.clone(), ANN.to_owned());
        token
    }

    /// Whether the double answers nobody about people.
    pub fn silence(&self, silent: bool) {
        self.double.0.people.lock().expect("not poisoned").silent = silent;
    }

    /// How often the double was asked for a code or for tokens.
    pub fn asked_for_tokens(&self) -> usize {
        self.double.0.people.lock().expect("not poisoned").asked
    }
}

fn random() -> String {
    let bytes = SystemRandom::shared().bytes::<32>().expect("random");
    URL_SAFE_NO_PAD.encode(bytes)
}

fn refused(code: Code, reason: ErrorReason) -> Status {
    let details = ErrorDetails::with_error_info(reason.wire_name(), ERROR_DOMAIN, HashMap::new());
    Status::with_error_details(code, "refused", details)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the double is no service of ours: it fails as a broken connection does, without a reason"
)]
fn nobody_is_there() -> Status {
    Status::unavailable("nobody is there")
}

impl People {
    fn heard(&mut self) -> Result<(), Status> {
        self.asked += 1;
        match self.silent {
            true => Err(nobody_is_there()),
            false => Ok(()),
        }
    }

    fn tokens(&mut self, given: Given) -> ClientTokens {
        let (clock, chance) = (SystemClock::shared(), SystemRandom::shared());
        let handle = HandleToken::make(&*chance).expect("random");
        let id = HandleId::make(&*clock, &*chance).expect("random").to_string();
        let (access_token, refresh_token) = (handle.expose().to_owned(), format!("hr1_{}", random()));
        self.refresh.insert(refresh_token.clone(), given.clone());
        self.tokens.insert(access_token.clone(), (given.clone(), id));
        ClientTokens {
            access_token,
            refresh_token,
            time_left: Some(prost_types::Duration {
                seconds: 900,
                nanos: 0,
            }),
            scopes: given.asked.scopes,
            resource: given.asked.resource,
        }
    }
}

fn same_resource(asked: &str, given: &str) -> Result<(), Status> {
    match asked.is_empty() || asked.trim_end_matches('/') == given {
        true => Ok(()),
        false => Err(refused(Code::InvalidArgument, ErrorReason::ResourceMismatch)),
    }
}

#[tonic::async_trait]
impl AuthorizationService for Double {
    async fn authorize_client(
        &self,
        request: Request<AuthorizeClientRequest>,
    ) -> Result<Response<AuthorizeClientResponse>, Status> {
        let asked = request.into_inner();
        let mut people = self.0.people.lock().expect("not poisoned");
        people.heard()?;
        let user = people.sessions.get(&asked.session_token).cloned();
        let user = user.ok_or_else(|| refused(Code::Unauthenticated, ErrorReason::SessionInvalid))?;
        let code = format!("hc1_{}", random());
        people.codes.insert(code.clone(), Given { user, asked });
        Ok(Response::new(AuthorizeClientResponse {
            code,
            time_left: None,
        }))
    }

    async fn exchange_code(
        &self,
        request: Request<ExchangeCodeRequest>,
    ) -> Result<Response<ExchangeCodeResponse>, Status> {
        let asked = request.into_inner();
        let mut people = self.0.people.lock().expect("not poisoned");
        people.heard()?;
        let invalid = || refused(Code::Unauthenticated, ErrorReason::ClientGrantInvalid);
        let given = people.codes.remove(&asked.code).ok_or_else(invalid)?;
        let hash = digest::digest(&digest::SHA256, asked.code_verifier.as_bytes());
        let proven = URL_SAFE_NO_PAD.encode(hash) == given.asked.code_challenge;
        let same = asked.client_id == given.asked.client_id && asked.redirect_uri == given.asked.redirect_uri;
        if !proven || !same {
            return Err(invalid());
        }
        same_resource(&asked.resource, &given.asked.resource)?;
        let tokens = Some(people.tokens(given));
        Ok(Response::new(ExchangeCodeResponse { tokens }))
    }

    async fn refresh_tokens(
        &self,
        request: Request<RefreshTokensRequest>,
    ) -> Result<Response<RefreshTokensResponse>, Status> {
        let asked = request.into_inner();
        let mut people = self.0.people.lock().expect("not poisoned");
        people.heard()?;
        let given = people.refresh.remove(&asked.refresh_token);
        let given = given.filter(|given| given.asked.client_id == asked.client_id);
        let given = given.ok_or_else(|| refused(Code::Unauthenticated, ErrorReason::ClientGrantInvalid))?;
        same_resource(&asked.resource, &given.asked.resource)?;
        let tokens = Some(people.tokens(given));
        Ok(Response::new(RefreshTokensResponse { tokens }))
    }

    async fn revoke_token(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<Response<RevokeTokenResponse>, Status> {
        let asked = request.into_inner();
        let mut people = self.0.people.lock().expect("not poisoned");
        people.heard()?;
        people.refresh.remove(&asked.token);
        people.tokens.remove(&asked.token);
        Ok(Response::new(RevokeTokenResponse::default()))
    }

    async fn introspect_token(
        &self,
        request: Request<IntrospectTokenRequest>,
    ) -> Result<Response<IntrospectTokenResponse>, Status> {
        let asked = request.into_inner();
        let people = self.0.people.lock().expect("not poisoned");
        if people.silent {
            return Err(nobody_is_there());
        }
        let (given, id) = people.tokens.get(&asked.access_token).ok_or_else(unknown)?;
        if given.asked.resource != asked.resource {
            return Err(unknown());
        }
        let connections = people.connected.get(&given.user).cloned().unwrap_or_default();
        let named = asked.resource.rsplit_once("/mcp/").map(|(_, slug)| slug);
        let about = |one: &Connection| named.is_none_or(|slug| one.client_slug == slug);
        Ok(Response::new(IntrospectTokenResponse {
            handle_id: id.clone(),
            user: Some(User {
                name: given.user.clone(),
                ..User::default()
            }),
            client_id: given.asked.client_id.clone(),
            scopes: given.asked.scopes.clone(),
            time_left: None,
            connections: connections.into_iter().filter(about).collect(),
        }))
    }

    async fn list_authorizations(
        &self,
        _: Request<ListAuthorizationsRequest>,
    ) -> Result<Response<ListAuthorizationsResponse>, Status> {
        Err(unknown())
    }

    async fn revoke_authorization(
        &self,
        _: Request<RevokeAuthorizationRequest>,
    ) -> Result<Response<RevokeAuthorizationResponse>, Status> {
        Err(unknown())
    }
}
