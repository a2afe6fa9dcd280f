//! Which reads can be one.

use hubkeep_core::{id::PortalId, secret::TokenFingerprint};

use crate::{
    call::{Call, Counted},
    crm::{Ask, ObjectType, PropertyName, RecordId},
    quota::Class,
};

/// Reads of one kind can be one: of the same portal, by the same token, equally urgent, and alike in what is asked. What a
/// person waits for neither waits with batch work nor behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    portal: PortalId,
    credential_version: u64,
    token: TokenFingerprint,
    class: Class,
    pub(super) likeness: Likeness,
}

/// In what they are alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Likeness {
    /// One record each, of this type: a batch reads them all.
    Records {
        object_type: ObjectType,
        id_property: Option<PropertyName>,
        /// Whether HubSpot's default properties are wanted, which no list of names adds to.
        defaults: bool,
    },
    /// The very same question.
    Question(Box<Ask>),
}

impl Kind {
    /// The kind of a call of this class; `None` of one that goes alone.
    pub(super) fn of(call: &Call<Counted>, class: Class) -> Option<Self> {
        // A question of a step's own is part of another call; and what was attempted before is another attempt.
        if !call.ask.is_read() || call.aside || call.attempt != 1 {
            return None;
        }
        let likeness = match &call.ask {
            // Its answer is about the token, and asked once for all already.
            Ask::ReadAccount => return None,
            Ask::GetObject {
                key,
                wanted,
                archived: false,
            } if wanted.history.is_empty() && wanted.associated.is_empty() => Likeness::Records {
                object_type: key.object_type.clone(),
                id_property: key.id_property.clone(),
                defaults: wanted.properties.is_empty(),
            },
            ask => Likeness::Question(Box::new(ask.clone())),
        };
        let grant = call.authority.grant();
        Some(Self {
            portal: grant.portal().portal_id(),
            credential_version: grant.credential_version(),
            token: grant.fingerprint().clone(),
            class,
            likeness,
        })
    }
}

/// The record that a call of likeness [`Likeness::Records`] is about.
pub(super) fn record_of(call: &Call<Counted>) -> Option<&RecordId> {
    match &call.ask {
        Ask::GetObject { key, .. } => Some(&key.id),
        _ => None,
    }
}
