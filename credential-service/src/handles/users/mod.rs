//! Handles of people who have signed in: the access tokens of their clients.
//!
//! Such a handle has no certificate. It is presented at one resource, reads only, and can be redeemed by crm-service only. At
//! first it is for no portal; from its first redemption on it is an ordinary handle of the one portal that its resource
//! names, or that its user has connected, and what is behind it is the user's own connection.
//!
//! | file | does |
//! |---|---|
//! | `resource` | where it may be presented |
//! | `issue` | makes one, and ends those of a session |
//! | `present` | judges a presented one, and says whose it is |
//! | `bind` | makes it a handle of a portal |
//! | `claims` | what it is, and how that is sealed |

mod bind;
mod claims;
mod issue;
mod present;
mod resource;

use hubkeep_core::{
    clock::Timestamp,
    id::{ConnectionId, HandleId, SessionId},
};

pub use issue::{New, UserWish};
pub use present::Introspected;
pub use resource::Resource;

use crate::access::User;

/// What makes a handle one of somebody who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfUser {
    /// The connection behind it.
    pub connection_id: ConnectionId,
    /// The only resource at which it may be presented.
    pub resource: Resource,
}

/// The access token of a client, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserHandle {
    /// Its public id, which is that of the handle too.
    pub handle_id: HandleId,
    /// Whose it is. The person is as of now.
    pub user: User,
    /// The session that it came of.
    pub session_id: SessionId,
    /// Which of its tokens it is.
    pub sequence: u64,
    /// The client that it was given to.
    pub client_id: String,
    /// The only resource at which it may be presented.
    pub resource: Resource,
    /// What its client asked for.
    pub scopes: Vec<String>,
    /// When it was issued.
    pub issue_time: Timestamp,
    /// When it ends.
    pub expire_time: Timestamp,
}
