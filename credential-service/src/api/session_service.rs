//! `hubkeep.credential.v1.SessionService`.

use hubkeep_audit_log::{Cause, Operation};
use hubkeep_core::handle_token::{OpaqueSecret, SecretKind};
use hubkeep_proto::credential::v1::{
    self as wire, GetSessionRequest, GetSessionResponse, ListSessionsRequest, ListSessionsResponse,
    OpenSessionRequest, OpenSessionResponse, RefreshSessionRequest, RefreshSessionResponse,
    RevokeSessionRequest, RevokeSessionResponse, revoke_session_request::Target as Named,
    session_service_server::SessionService,
};
use tonic::{Request, Response, Status};

use super::{
    Desk, Error, fields, page,
    people::{self, Asking, session_to_wire, signed_in},
};
use crate::{
    record::Act,
    sessions::{self, Listing, Sessions, Target, Tokens},
};

/// The list that page tokens of this service are for.
const SESSIONS: &str = "sessions";
/// How long a nonce is, in bytes.
const NONCE: std::ops::RangeInclusive<usize> = 16..=256;

/// Sessions, over gRPC.
#[derive(Clone, Debug)]
pub struct SessionApi {
    desk: Desk,
    sessions: Sessions,
}

impl SessionApi {
    /// The service.
    pub const fn new(desk: Desk, sessions: Sessions) -> Self {
        Self { desk, sessions }
    }
}

#[tonic::async_trait]
impl SessionService for SessionApi {
    async fn open_session(
        &self,
        request: Request<OpenSessionRequest>,
    ) -> Result<Response<OpenSessionResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: OpenSessionRequest| {
            people::by_the_peer(&act)?;
            let nonce = nonce(&request.nonce)?;
            let (session, tokens) = sessions.open(&act, &request.id_token, nonce).await?;
            Ok(OpenSessionResponse {
                session: Some(session_to_wire(&session)),
                tokens: Some(tokens_to_wire(&tokens)),
            })
        };
        self.desk.answer(request, Operation::SessionOpen, work).await
    }

    async fn refresh_session(
        &self,
        request: Request<RefreshSessionRequest>,
    ) -> Result<Response<RefreshSessionResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: RefreshSessionRequest| {
            people::by_the_peer(&act)?;
            let token = OpaqueSecret::parse(SecretKind::Refresh, &request.refresh_token);
            let token = token.map_err(|_| sessions::Error::Session(Cause::SessionUnknown))?;
            let (session, tokens) = sessions.refresh(&act, &token).await?;
            Ok(RefreshSessionResponse {
                session: Some(session_to_wire(&session)),
                tokens: Some(tokens_to_wire(&tokens)),
            })
        };
        self.desk.answer(request, Operation::SessionRefresh, work).await
    }

    async fn get_session(
        &self,
        request: Request<GetSessionRequest>,
    ) -> Result<Response<GetSessionResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: GetSessionRequest| {
            let session = signed_in(&sessions, &act, &request.session_token).await?;
            Ok(GetSessionResponse {
                session: Some(session_to_wire(&session)),
            })
        };
        self.desk.answer(request, Operation::SessionGet, work).await
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act, request| list(&sessions, &act, request).await;
        self.desk.answer(request, Operation::SessionList, work).await
    }

    async fn revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<Response<RevokeSessionResponse>, Status> {
        let sessions = self.sessions.clone();
        let work = async move |act: Act, request: RevokeSessionRequest| {
            let asking = people::asking(&sessions, &act, &request.session_token).await?;
            let ended = sessions.end(&act, &target(&asking, request.target)?).await?;
            Ok(RevokeSessionResponse {
                ended_sessions: ended.sessions,
                ended_authorizations: ended.families,
                revocation_seq: ended.revocation_seq,
            })
        };
        self.desk.answer(request, Operation::SessionRevoke, work).await
    }
}

async fn list(
    sessions: &Sessions,
    act: &Act,
    request: ListSessionsRequest,
) -> Result<ListSessionsResponse, Error> {
    let asking = people::asking(sessions, act, &request.session_token).await?;
    let user = asking.whose(&request.user)?;
    let of = format!(
        "{SESSIONS}/{}",
        user.as_ref().map(ToString::to_string).unwrap_or_default()
    );
    let listing = Listing {
        user,
        after: page::after(&of, &request.page_token)?,
        size: fields::page_size(request.page_size)?,
    };
    let page = sessions.list(&listing).await?;
    Ok(ListSessionsResponse {
        sessions: page.sessions.iter().map(session_to_wire).collect(),
        next_page_token: page
            .more_after
            .map(|last| page::token(&of, &last))
            .unwrap_or_default(),
    })
}

fn target(asking: &Asking, named: Option<Named>) -> Result<Target, Error> {
    let nothing = || Error::field("target", "name a session or a user");
    match (asking, named) {
        (Asking::User(session), None) => Ok(Target::Session(session.session_id, None)),
        (Asking::User(session), Some(Named::SessionId(id))) => {
            let user = session.user.name.clone();
            Ok(Target::Session(fields::id("session_id", &id)?, Some(user)))
        }
        (Asking::User(session), Some(Named::User(name))) if name == session.user.name.as_str() => {
            Ok(Target::User(session.user.name.clone()))
        }
        (Asking::User(_), Some(Named::User(_))) => Err(Error::field("user", "name the user that asks")),
        (Asking::Operator, Some(Named::SessionId(id))) => {
            Ok(Target::Session(fields::id("session_id", &id)?, None))
        }
        (Asking::Operator, Some(Named::User(name))) => Ok(Target::User(people::user_name(&name)?)),
        (Asking::Operator, None) => Err(nothing()),
    }
}

fn nonce(text: &str) -> Result<&str, Error> {
    if NONCE.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text);
    }
    Err(Error::field(
        "nonce",
        "must be 16 to 256 visible ASCII characters",
    ))
}

fn tokens_to_wire(tokens: &Tokens) -> wire::SessionTokens {
    wire::SessionTokens {
        session_token: tokens.session.expose().to_owned(),
        refresh_token: tokens.refresh.expose().to_owned(),
        time_left: fields::to_wire(tokens.lives_for),
    }
}
