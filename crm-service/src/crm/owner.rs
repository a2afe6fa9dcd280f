//! By what an owner is named.

use super::RecordId;

/// An owner, by one of the two numbers that it goes by. They are of different kinds: the same number is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OwnerKey {
    /// By its own id, the value that `hubspot_owner_id` takes.
    Owner(RecordId),
    /// By the id of the user that it is.
    User(RecordId),
}

impl OwnerKey {
    /// Its own id, if it is named by that.
    pub const fn owner_id(&self) -> Option<&RecordId> {
        match self {
            Self::Owner(id) => Some(id),
            Self::User(_) => None,
        }
    }
}
