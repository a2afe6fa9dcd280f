//! `Debug` for the messages about people: tokens, codes, states and addresses are left out, and so are e-mail addresses and
//! subjects.

use std::fmt;

use crate::credential::v1::{
    AuthorizeClientRequest, AuthorizeClientResponse, ClientTokens, CompleteConnectionRequest, Connection,
    DisconnectRequest, ExchangeCodeRequest, ExchangeCodeResponse, GetConnectionRequest, GetSessionRequest,
    IntrospectTokenRequest, ListAuthorizationsRequest, ListConnectionsRequest, ListSessionsRequest,
    OpenSessionRequest, OpenSessionResponse, RefreshSessionRequest, RefreshSessionResponse,
    RefreshTokensRequest, RefreshTokensResponse, RevokeAuthorizationRequest, RevokeSessionRequest,
    RevokeTokenRequest, SessionTokens, StartConnectionRequest, StartConnectionResponse, User,
    revoke_session_request,
};

/// Shows the fields that are named, and says that there are more.
macro_rules! shows {
    ($($message:ident: $($field:ident)*;)*) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message))
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        })*
    };
}

shows! {
    User: name person_id;
    Connection: connection_id user client_slug portal_id state level;
    OpenSessionRequest: ;
    OpenSessionResponse: session;
    SessionTokens: time_left;
    RefreshSessionRequest: ;
    RefreshSessionResponse: session;
    GetSessionRequest: ;
    ListSessionsRequest: user page_size;
    RevokeSessionRequest: target;
    AuthorizeClientRequest: client_id resource scopes;
    AuthorizeClientResponse: time_left;
    ClientTokens: time_left scopes resource;
    ExchangeCodeRequest: client_id resource;
    ExchangeCodeResponse: tokens;
    RefreshTokensRequest: client_id resource;
    RefreshTokensResponse: tokens;
    RevokeTokenRequest: client_id;
    IntrospectTokenRequest: resource;
    ListAuthorizationsRequest: user page_size;
    RevokeAuthorizationRequest: user client_id;
    StartConnectionRequest: client_slug;
    StartConnectionResponse: time_left;
    CompleteConnectionRequest: ;
    GetConnectionRequest: connection_id;
    ListConnectionsRequest: user client_slug page_size;
    DisconnectRequest: connection_id wait;
}

impl fmt::Debug for revoke_session_request::Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionId(id) => f.debug_tuple("SessionId").field(id).finish(),
            Self::User(name) => f.debug_tuple("User").field(name).finish(),
        }
    }
}
