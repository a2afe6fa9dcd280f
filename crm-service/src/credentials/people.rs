//! People at credential-service: their sessions, what they connect, and what they let clients do. Everything is decided there.

use std::time::Duration;

use hubkeep_core::{clock::Timestamp, id::CallerName};
use hubkeep_proto::credential::v1::{
    CompleteConnectionRequest, Connection, ConnectionLevel, ConnectionState, DisconnectRequest,
    GetSessionRequest, ListAuthorizationsRequest, ListConnectionsRequest, ListSessionsRequest,
    OpenSessionRequest, RefreshSessionRequest, RevokeAuthorizationRequest, RevokeSessionRequest, Session,
    SessionTokens, StartConnectionRequest, authorization_service_client::AuthorizationServiceClient,
    connection_service_client::ConnectionServiceClient, revoke_session_request::Target,
    session_service_client::SessionServiceClient,
};
use tonic::{Request, transport::Channel};
use zeroize::Zeroizing;

use super::{
    clients::{ClientError, incomplete, refusal},
    redeem::Credentials,
};

/// How long credential-service may take: it asks HubSpot, or a provider, where it must.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it waits until all services know that a connection has ended.
const UNTIL_KNOWN: Duration = Duration::from_secs(5);
/// The most that a page shows of a list.
const MOST: i32 = 100;

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The name under which the user stands on the log.
    pub user: CallerName,
    /// The provider, by its name.
    pub issuer: String,
    /// The address that the provider has verified.
    pub email: String,
    /// Which of the user's sessions it is.
    pub session_id: String,
}

/// The tokens of a session. They are a browser's, and shown nowhere: it has no `Debug`.
#[derive(Clone)]
pub struct Tokens {
    /// Shows whose a request is.
    pub session: Zeroizing<String>,
    /// Gets the next pair.
    pub refresh: Zeroizing<String>,
}

/// A session of a user's, in some browser.
#[derive(Clone, Debug)]
pub struct OwnSession {
    /// Its id.
    pub session_id: String,
    /// When somebody signed in for it.
    pub opened: Option<Timestamp>,
    /// When it ends, at the latest.
    pub ends: Option<Timestamp>,
}

/// A HubSpot account that a user has connected, as the user sees it.
#[derive(Clone, Debug)]
pub struct OwnConnection {
    /// Its id.
    pub connection_id: String,
    /// The portal's name here.
    pub client_slug: String,
    /// HubSpot's id of the account.
    pub portal_id: u64,
    /// As whom, at HubSpot.
    pub hubspot_email: String,
    /// Whether it follows the user's own permissions; `None` where HubSpot has not said.
    pub follows_the_user: Option<bool>,
    /// Whether it must be connected again.
    pub is_lost: bool,
    /// Whether it was ended here, and HubSpot does not know it yet.
    pub is_ending: bool,
    /// What HubSpot has granted.
    pub scopes: Vec<String>,
}

/// A connection that was ended.
#[derive(Clone, Debug)]
pub struct Disconnected {
    /// Which.
    pub connection: OwnConnection,
    /// Until when an access token that has leaked may live; `None` if none can.
    pub may_live_until: Option<Timestamp>,
}

/// A client that a user lets read for them.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// Its id.
    pub client_id: String,
    /// How it calls itself.
    pub client_name: String,
    /// When the user consented last.
    pub consented: Option<Timestamp>,
    /// How many of its sign-ins live.
    pub live: u32,
}

/// People, at credential-service. Cheap to clone.
#[derive(Clone)]
pub struct People(Credentials);

impl Credentials {
    /// What concerns people.
    pub fn people(&self) -> People {
        People(self.clone())
    }
}

impl People {
    /// Opens a session for whoever this ID token is about.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn open(&self, id_token: &str, nonce: &str) -> Result<(SignedIn, Tokens), ClientError> {
        let request = self.request(OpenSessionRequest {
            id_token: id_token.to_owned(),
            nonce: nonce.to_owned(),
        });
        let opened = self.sessions().open_session(request).await;
        let opened = opened.map_err(|status| refusal(&status))?.into_inner();
        Ok((signed_in(opened.session)?, tokens(opened.tokens)?))
    }

    /// Gives the next pair.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn refresh(&self, refresh_token: &str) -> Result<(SignedIn, Tokens), ClientError> {
        let request = self.request(RefreshSessionRequest {
            refresh_token: refresh_token.to_owned(),
        });
        let given = self.sessions().refresh_session(request).await;
        let given = given.map_err(|status| refusal(&status))?.into_inner();
        Ok((signed_in(given.session)?, tokens(given.tokens)?))
    }

    /// Says whose a session token is.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn who(&self, session_token: &str) -> Result<SignedIn, ClientError> {
        let request = self.request(GetSessionRequest {
            session_token: session_token.to_owned(),
        });
        let shown = self.sessions().get_session(request).await;
        signed_in(shown.map_err(|status| refusal(&status))?.into_inner().session)
    }

    /// The sessions of the user whose this one is.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn all_sessions(&self, session_token: &str) -> Result<Vec<OwnSession>, ClientError> {
        let request = self.request(ListSessionsRequest {
            session_token: session_token.to_owned(),
            page_size: MOST,
            ..ListSessionsRequest::default()
        });
        let listed = self.sessions().list_sessions(request).await;
        let listed = listed.map_err(|status| refusal(&status))?.into_inner();
        let own = listed.sessions.into_iter().map(|one| OwnSession {
            session_id: one.session_id,
            opened: one.open_time.map(Timestamp::from),
            ends: one.expire_time.map(Timestamp::from),
        });
        Ok(own.collect())
    }

    /// Ends a session of the same user; without an id the very one that asks.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn end(&self, session_token: &str, session_id: Option<&str>) -> Result<(), ClientError> {
        let target = session_id.map(|id| Target::SessionId(id.to_owned()));
        self.revoke(session_token, target).await
    }

    /// Ends all sessions of the user who asks, and what all clients were given.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn end_everything(&self, session_token: &str, user: &CallerName) -> Result<(), ClientError> {
        let target = Target::User(user.to_string());
        self.revoke(session_token, Some(target)).await
    }

    async fn revoke(&self, session_token: &str, target: Option<Target>) -> Result<(), ClientError> {
        let request = self.request(RevokeSessionRequest {
            session_token: session_token.to_owned(),
            target,
        });
        let ended = self.sessions().revoke_session(request).await;
        ended.map(drop).map_err(|status| refusal(&status))
    }

    /// Begins a connection, to this portal if it is named. Gives where the browser is sent, and the state that it comes back with.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn start(&self, session_token: &str, slug: &str) -> Result<(String, String), ClientError> {
        let request = self.request(StartConnectionRequest {
            session_token: session_token.to_owned(),
            client_slug: slug.to_owned(),
        });
        let started = self.connections().start_connection(request).await;
        let started = started.map_err(|status| refusal(&status))?.into_inner();
        Ok((started.authorize_url, started.state))
    }

    /// Completes it; without a code, the user has declined.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn complete(
        &self,
        session_token: &str,
        state: &str,
        code: &str,
    ) -> Result<OwnConnection, ClientError> {
        let request = self.request(CompleteConnectionRequest {
            session_token: session_token.to_owned(),
            state: state.to_owned(),
            code: code.to_owned(),
        });
        let made = self.connections().complete_connection(request).await;
        let made = made.map_err(|status| refusal(&status))?.into_inner();
        Ok(own(made.connection.ok_or_else(incomplete)?))
    }

    /// What a user has connected.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn connected(&self, session_token: &str) -> Result<Vec<OwnConnection>, ClientError> {
        let request = self.request(ListConnectionsRequest {
            session_token: session_token.to_owned(),
            page_size: MOST,
            ..ListConnectionsRequest::default()
        });
        let listed = self.connections().list_connections(request).await;
        let listed = listed.map_err(|status| refusal(&status))?.into_inner();
        Ok(listed.connections.into_iter().map(own).collect())
    }

    /// Ends a connection.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn disconnect(&self, session_token: &str, id: &str) -> Result<Disconnected, ClientError> {
        let request = self.request(DisconnectRequest {
            session_token: session_token.to_owned(),
            connection_id: id.to_owned(),
            wait: prost_types::Duration::try_from(UNTIL_KNOWN).ok(),
        });
        let ended = self.connections().disconnect(request).await;
        let ended = ended.map_err(|status| refusal(&status))?.into_inner();
        Ok(Disconnected {
            connection: own(ended.connection.ok_or_else(incomplete)?),
            may_live_until: ended.access_token_end_time.map(Timestamp::from),
        })
    }

    /// The clients that a user lets read for them.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn allowed(&self, session_token: &str) -> Result<Vec<Allowed>, ClientError> {
        let request = self.request(ListAuthorizationsRequest {
            session_token: session_token.to_owned(),
            page_size: MOST,
            ..ListAuthorizationsRequest::default()
        });
        let listed = self.clients().list_authorizations(request).await;
        let listed = listed.map_err(|status| refusal(&status))?.into_inner();
        let allowed = listed.authorizations.into_iter().map(|one| Allowed {
            client_id: one.client_id,
            client_name: one.client_name,
            consented: one.consent_time.map(Timestamp::from),
            live: one.live_families,
        });
        Ok(allowed.collect())
    }

    /// Ends what a client was given.
    ///
    /// # Errors
    /// As credential-service refuses.
    pub async fn forbid(&self, session_token: &str, client_id: &str) -> Result<(), ClientError> {
        let request = self.request(RevokeAuthorizationRequest {
            session_token: session_token.to_owned(),
            client_id: client_id.to_owned(),
            ..RevokeAuthorizationRequest::default()
        });
        let ended = self.clients().revoke_authorization(request).await;
        ended.map(drop).map_err(|status| refusal(&status))
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = self.0.link().request(message);
        request.set_timeout(PATIENCE);
        request
    }

    fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.0.link().channel())
    }

    fn connections(&self) -> ConnectionServiceClient<Channel> {
        ConnectionServiceClient::new(self.0.link().channel())
    }

    fn clients(&self) -> AuthorizationServiceClient<Channel> {
        AuthorizationServiceClient::new(self.0.link().channel())
    }
}

fn signed_in(session: Option<Session>) -> Result<SignedIn, ClientError> {
    let session = session.ok_or_else(incomplete)?;
    let user = session.user.ok_or_else(incomplete)?;
    Ok(SignedIn {
        user: user.name.parse().map_err(|_| incomplete())?,
        issuer: user.issuer,
        email: user.email,
        session_id: session.session_id,
    })
}

fn tokens(given: Option<SessionTokens>) -> Result<Tokens, ClientError> {
    let given = given.ok_or_else(incomplete)?;
    Ok(Tokens {
        session: Zeroizing::new(given.session_token),
        refresh: Zeroizing::new(given.refresh_token),
    })
}

fn own(wire: Connection) -> OwnConnection {
    OwnConnection {
        follows_the_user: match wire.level() {
            ConnectionLevel::User => Some(true),
            ConnectionLevel::Account => Some(false),
            ConnectionLevel::Unspecified => None,
        },
        is_lost: wire.state() == ConnectionState::ConsentRequired,
        is_ending: wire.state() == ConnectionState::Disconnecting,
        connection_id: wire.connection_id,
        client_slug: wire.client_slug,
        portal_id: wire.portal_id,
        hubspot_email: wire.hubspot_email,
        scopes: wire.scopes,
    }
}
