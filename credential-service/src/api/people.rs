//! What the three services about people have in common: who asks in whose name, and how users, sessions and connections are told.

use hubkeep_audit_log::Cause;
use hubkeep_core::{
    grpc::FLEET,
    handle_token::{OpaqueSecret, SecretKind},
    id::CallerName,
};
use hubkeep_hubspot::consent::Level;
use hubkeep_proto::credential::v1::{self as wire, redemption_service_server};

use super::{Error, fields};
use crate::{
    access::{Access, User},
    connections::{Connection, Connections, State},
    handles::Resource,
    record::Act,
    sessions::{self, Session, Sessions},
};

/// In whose name somebody asks.
#[derive(Debug)]
pub(super) enum Asking {
    /// The other service, for the user of this session.
    User(Box<Session>),
    /// An operator.
    Operator,
}

impl Asking {
    /// Whose things may be seen: a user's own, or those of whomever an operator names.
    pub(super) fn whose(&self, named: &str) -> Result<Option<CallerName>, Error> {
        match (self, named) {
            (Self::User(session), "") => Ok(Some(session.user.name.clone())),
            (Self::User(_), _) => Err(Error::field("user", "leave it out: users see their own")),
            (Self::Operator, "") => Ok(None),
            (Self::Operator, name) => Ok(Some(user_name(name)?)),
        }
    }
}

/// A user's name.
pub(super) fn user_name(text: &str) -> Result<CallerName, Error> {
    let name: CallerName = fields::name("user", text)?;
    if name.is_user() {
        return Ok(name);
    }
    Err(Error::field(
        "user",
        "a user's name begins with \"user/\": lists tell it",
    ))
}

/// Refuses everybody but the other service, which has the pages.
pub(super) fn by_the_peer(act: &Act) -> Result<(), Error> {
    let context = act.context();
    if context.may_use(redemption_service_server::SERVICE_NAME) && !context.caller.name.is_operator() {
        return Ok(());
    }
    Err(Error::PeerOnly(context.caller.name.clone()))
}

/// In whose name this is asked.
pub(super) async fn asking(sessions: &Sessions, act: &Act, session_token: &str) -> Result<Asking, Error> {
    if act.context().has_role(FLEET) {
        return match session_token {
            "" => Ok(Asking::Operator),
            _ => Err(Error::field(
                "session_token",
                "leave it out: operators have no sessions",
            )),
        };
    }
    Ok(Asking::User(Box::new(
        signed_in(sessions, act, session_token).await?,
    )))
}

/// The session that the other service shows.
pub(super) async fn signed_in(sessions: &Sessions, act: &Act, session_token: &str) -> Result<Session, Error> {
    by_the_peer(act)?;
    let unknown = || sessions::Error::Session(Cause::SessionUnknown);
    let token = OpaqueSecret::parse(SecretKind::Session, session_token).map_err(|_| {
        act.cause(Cause::SessionUnknown);
        unknown()
    })?;
    Ok(sessions.present(act, &token).await?)
}

/// A resource.
pub(super) fn resource(text: &str) -> Result<Resource, Error> {
    text.parse().map_err(|_| sessions::Error::Resource.into())
}

pub(super) fn user_to_wire(user: &User) -> wire::User {
    wire::User {
        name: user.name.to_string(),
        issuer: user.account.issuer.clone(),
        subject: user.account.subject.clone(),
        email: user.email.expose().to_owned(),
        person_id: user.person.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

pub(super) fn session_to_wire(session: &Session) -> wire::Session {
    let sign_in = &session.sign_in;
    wire::Session {
        session_id: session.session_id.to_string(),
        user: Some(user_to_wire(&session.user)),
        sign_in: Some(wire::SignIn {
            auth_time: sign_in.auth_time.map(Into::into),
            acr: sign_in.acr.clone(),
            amr: sign_in.amr.clone(),
            issue_time: Some(sign_in.issue_time.into()),
        }),
        opened_by: session.opened_by.to_string(),
        open_time: Some(session.open_time.into()),
        expire_time: Some(session.expire_time.into()),
    }
}

/// A connection, with how it stands and whose it is now.
pub(super) async fn connection_to_wire(
    (connections, access): (&Connections, &Access),
    connection: &Connection,
) -> Result<wire::Connection, Error> {
    let details = &connection.details;
    let user = access
        .user(details.account.clone(), details.email.clone())
        .await?;
    let state = match connections.state(connection).await? {
        State::Active => wire::ConnectionState::Active,
        State::ConsentRequired => wire::ConnectionState::ConsentRequired,
        State::Disconnecting => wire::ConnectionState::Disconnecting,
        State::Disconnected => wire::ConnectionState::Disconnected,
    };
    let level = match details.level {
        Some(Level::User) => wire::ConnectionLevel::User,
        Some(Level::Account) => wire::ConnectionLevel::Account,
        None => wire::ConnectionLevel::Unspecified,
    };
    Ok(wire::Connection {
        connection_id: connection.connection_id.to_string(),
        user: Some(user_to_wire(&user)),
        client_slug: connection.client_slug.to_string(),
        portal_id: connection.portal_id.get(),
        state: state.into(),
        level: level.into(),
        scopes: details.scopes.clone(),
        hubspot_user_id: details.hubspot_user_id,
        hubspot_email: details.hubspot_email.expose().to_owned(),
        connect_time: Some(connection.connect_time().into()),
        disconnect_time: connection.end_time.map(Into::into),
    })
}
