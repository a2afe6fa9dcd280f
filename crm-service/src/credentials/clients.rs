//! What people let their clients do. Codes and tokens are made, kept and judged by credential-service; here they only pass through.

use std::{fmt, time::Duration};

use aws_lc_rs::digest;
use hubkeep_core::{
    error::ErrorReason,
    handle_token::HandleToken,
    id::{CallerName, ClientSlug, HandleId, PortalId},
};
use hubkeep_proto::credential::v1::{
    AuthorizeClientRequest, ClientTokens as WireTokens, Connection, ConnectionLevel, ConnectionState,
    ExchangeCodeRequest, IntrospectTokenRequest, IntrospectTokenResponse, RefreshTokensRequest,
    RevokeTokenRequest, authorization_service_client::AuthorizationServiceClient,
};
use thiserror::Error as ThisError;
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt as _;
use zeroize::Zeroizing;

use super::{
    redeem::Credentials,
    wire::{self, retry_after},
};

/// Whoever waits for a page or a token waits no longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why credential-service gave nothing.
#[derive(Debug, ThisError)]
pub enum ClientError {
    /// The token is none, or none for this resource.
    #[error("the token is not valid here")]
    TokenInvalid,
    /// The code or the refresh token gives nothing.
    #[error("the code or the refresh token gives nothing")]
    GrantInvalid,
    /// The resource is none that it is for.
    #[error("the resource is another")]
    ResourceMismatch,
    /// The browser's session is over.
    #[error("the session is over")]
    SessionInvalid,
    /// It refuses for another reason, which whoever asks may know.
    #[error("credential-service refuses: {}", .reason.wire_name())]
    Refused {
        /// The reason.
        reason: ErrorReason,
        /// Its sentence, for whoever asks.
        said: String,
    },
    /// It did not answer, or not as it should.
    #[error("credential-service gave no answer: {detail}")]
    Unavailable {
        /// What happened, for the log.
        detail: String,
        /// When it may.
        retry_after: Duration,
    },
}

/// What is asked for by somebody who has consented.
#[derive(Clone, Debug)]
pub struct Code<'a> {
    /// The client.
    pub client_id: &'a str,
    /// How it calls itself.
    pub client_name: &'a str,
    /// Where the code goes.
    pub redirect_uri: &'a str,
    /// PKCE, S256.
    pub challenge: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// What it may do.
    pub scopes: &'a [String],
}

/// What a client brings with a code.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The code.
    pub code: &'a str,
    /// The client.
    pub client_id: &'a str,
    /// Where the code went.
    pub redirect_uri: &'a str,
    /// What the challenge was made of.
    pub verifier: &'a str,
    /// The resource; empty where the client names none.
    pub resource: &'a str,
}

/// The tokens of a client. It has no `Debug` that shows them.
pub struct ClientTokens {
    /// The access token.
    pub access_token: Zeroizing<String>,
    /// What gives the next pair.
    pub refresh_token: Zeroizing<String>,
    /// How long the access token lives.
    pub time_left: Duration,
    /// What it may do.
    pub scopes: Vec<String>,
}

impl fmt::Debug for ClientTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTokens")
            .field("time_left", &self.time_left)
            .finish_non_exhaustive()
    }
}

/// Whose a request is: somebody who has signed in, by a client of theirs.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The name under which this user stands on the log.
    pub user: CallerName,
    /// The client.
    pub client_id: String,
    /// The public id of the token.
    pub token_id: HandleId,
    /// What it may do.
    pub scopes: Vec<String>,
    /// What the user has connected, as far as the resource is about it.
    pub connections: Vec<Connected>,
}

/// A HubSpot account that somebody has connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Its slug.
    pub client_slug: ClientSlug,
    /// Which it is.
    pub portal_id: PortalId,
    /// Whether it serves.
    pub standing: Standing,
    /// How far its token reaches: "user", "account", or "unknown".
    pub level: &'static str,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It serves.
    Active,
    /// HubSpot refuses it for good: it must be connected again.
    ConsentRequired,
}

/// What stands in a link for one user, to be held against the user who opens it. It is no secret: who makes one for somebody else
/// gets that somebody to connect their own account to themselves.
pub fn link_mark(user: &CallerName) -> String {
    let text = format!("hubkeep connection of {user}");
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hex::encode(hash.as_ref().get(..16).unwrap_or_default())
}

impl Credentials {
    fn authorizations(&self) -> AuthorizationServiceClient<Channel> {
        AuthorizationServiceClient::new(self.link().channel())
    }

    fn for_clients<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = self.link().request(message);
        request.set_timeout(PATIENCE);
        request
    }

    /// Whose an access token is that was presented at a resource.
    ///
    /// # Errors
    /// If it is none, or none for that resource.
    pub async fn introspect(&self, token: &HandleToken, resource: &str) -> Result<Visitor, ClientError> {
        let request = self.for_clients(IntrospectTokenRequest {
            access_token: token.expose().to_owned(),
            resource: resource.to_owned(),
        });
        let answer = self.authorizations().introspect_token(request).await;
        visitor(answer.map_err(|status| refusal(&status))?.into_inner())
    }

    /// A code for a client that the user of a browser's session has consented to.
    ///
    /// # Errors
    /// If the session is over, or the user may not.
    pub async fn authorize_client(
        &self,
        session_token: &str,
        code: &Code<'_>,
    ) -> Result<Zeroizing<String>, ClientError> {
        let request = self.for_clients(AuthorizeClientRequest {
            session_token: session_token.to_owned(),
            client_id: code.client_id.to_owned(),
            client_name: code.client_name.to_owned(),
            redirect_uri: code.redirect_uri.to_owned(),
            code_challenge: code.challenge.to_owned(),
            resource: code.resource.to_owned(),
            scopes: code.scopes.to_vec(),
        });
        let answer = self.authorizations().authorize_client(request).await;
        let answer = answer.map_err(|status| refusal(&status))?.into_inner();
        Ok(Zeroizing::new(answer.code))
    }

    /// The tokens for a code.
    ///
    /// # Errors
    /// If it gives none.
    pub async fn exchange_code(&self, asked: Exchange<'_>) -> Result<ClientTokens, ClientError> {
        let request = self.for_clients(ExchangeCodeRequest {
            code: asked.code.to_owned(),
            client_id: asked.client_id.to_owned(),
            redirect_uri: asked.redirect_uri.to_owned(),
            code_verifier: asked.verifier.to_owned(),
            resource: asked.resource.to_owned(),
        });
        let answer = self.authorizations().exchange_code(request).await;
        let answer = answer.map_err(|status| refusal(&status))?.into_inner();
        tokens(answer.tokens)
    }

    /// The next tokens for a refresh token.
    ///
    /// # Errors
    /// If it gives none.
    pub async fn refresh_tokens(
        &self,
        refresh_token: &str,
        client_id: &str,
        resource: &str,
    ) -> Result<ClientTokens, ClientError> {
        let request = self.for_clients(RefreshTokensRequest {
            refresh_token: refresh_token.to_owned(),
            client_id: client_id.to_owned(),
            resource: resource.to_owned(),
        });
        let answer = self.authorizations().refresh_tokens(request).await;
        let answer = answer.map_err(|status| refusal(&status))?.into_inner();
        tokens(answer.tokens)
    }

    /// Ends all that a token is a part of.
    ///
    /// # Errors
    /// If credential-service does not answer.
    pub async fn revoke_token(&self, token: &str, client_id: &str) -> Result<(), ClientError> {
        let request = self.for_clients(RevokeTokenRequest {
            token: token.to_owned(),
            client_id: client_id.to_owned(),
        });
        let answer = self.authorizations().revoke_token(request).await;
        answer.map(|_| ()).map_err(|status| refusal(&status))
    }
}

pub(super) fn incomplete() -> ClientError {
    unavailable("the answer is not complete".to_owned(), None)
}

fn unavailable(detail: String, retry_after: Option<Duration>) -> ClientError {
    ClientError::Unavailable {
        detail,
        retry_after: retry_after.unwrap_or(Duration::from_secs(1)),
    }
}

pub(super) fn refusal(status: &Status) -> ClientError {
    let details = status.get_error_details();
    let reason = details
        .error_info()
        .and_then(|info| ErrorReason::from_wire_name(&info.reason));
    match reason {
        Some(ErrorReason::HandleInvalid | ErrorReason::HandleMalformed) => ClientError::TokenInvalid,
        Some(ErrorReason::ClientGrantInvalid) => ClientError::GrantInvalid,
        Some(ErrorReason::ResourceMismatch) => ClientError::ResourceMismatch,
        Some(ErrorReason::SessionInvalid) => ClientError::SessionInvalid,
        // That this very service may not ask is nothing for whoever asks it.
        Some(reason) if reason != ErrorReason::CallerNotAllowed && !is_passing(status.code()) => {
            ClientError::Refused {
                reason,
                said: status.message().to_owned(),
            }
        }
        _ => unavailable(
            format!("{:?} {}", status.code(), wire::said(status)),
            retry_after(status),
        ),
    }
}

/// Whether it says nothing about what was asked.
const fn is_passing(code: tonic::Code) -> bool {
    use tonic::Code::{
        Cancelled, DeadlineExceeded, Internal, ResourceExhausted, Unavailable, Unimplemented, Unknown,
    };
    matches!(
        code,
        Cancelled | DeadlineExceeded | Internal | ResourceExhausted | Unavailable | Unimplemented | Unknown
    )
}

fn tokens(tokens: Option<WireTokens>) -> Result<ClientTokens, ClientError> {
    let tokens = tokens.ok_or_else(incomplete)?;
    let time_left = tokens.time_left.and_then(|left| Duration::try_from(left).ok());
    let whole = !tokens.access_token.is_empty() && !tokens.refresh_token.is_empty();
    Ok(ClientTokens {
        access_token: Zeroizing::new(tokens.access_token),
        refresh_token: Zeroizing::new(tokens.refresh_token),
        time_left: time_left.filter(|_| whole).ok_or_else(incomplete)?,
        scopes: tokens.scopes,
    })
}

fn visitor(answer: IntrospectTokenResponse) -> Result<Visitor, ClientError> {
    let user = answer.user.ok_or_else(incomplete)?;
    let connections = answer.connections.iter().filter_map(connected);
    Ok(Visitor {
        user: user.name.parse().map_err(|_| incomplete())?,
        client_id: answer.client_id,
        token_id: answer.handle_id.parse().map_err(|_| incomplete())?,
        scopes: answer.scopes,
        connections: connections.collect(),
    })
}

/// A connection that serves, or would if the user connected it again.
fn connected(wire: &Connection) -> Option<Connected> {
    let standing = match wire.state() {
        ConnectionState::Active => Standing::Active,
        ConnectionState::ConsentRequired => Standing::ConsentRequired,
        ConnectionState::Unspecified | ConnectionState::Disconnecting | ConnectionState::Disconnected => {
            return None;
        }
    };
    let level = match wire.level() {
        ConnectionLevel::User => "user",
        ConnectionLevel::Account => "account",
        ConnectionLevel::Unspecified => "unknown",
    };
    Some(Connected {
        client_slug: wire.client_slug.parse().ok()?,
        portal_id: PortalId::new(wire.portal_id)?,
        standing,
        level,
    })
}
