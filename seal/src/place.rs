//! Where a sealed value lies. All of it is authenticated with the value.

use std::fmt;

use hubkeep_core::id::PortalId;

/// Marks associated data as ours, in this layout.
const DOMAIN: &str = "hubkeep/1";

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The service itself.
    Service,
    /// One portal.
    Portal(PortalId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Portal(id) => write!(f, "portal/{id}"),
        }
    }
}

impl Owner {
    /// The owner as it is stored; `None` if that is none.
    pub(crate) fn from_stored(text: &str) -> Option<Self> {
        match text.strip_prefix("portal/") {
            Some(id) => PortalId::new(id.parse().ok()?).map(Self::Portal),
            None => (text == "service").then_some(Self::Service),
        }
    }
}

/// Declares the purposes with the names under which they are stored, so that none is left out of [`Purpose::ALL`]: a
/// purpose that cannot be read back would be left behind when keys are wrapped anew.
macro_rules! purposes {
    ($($(#[$doc:meta])* $purpose:ident = $name:literal,)*) => {
        /// What a key is for. A key serves one purpose only.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Purpose {
            $($(#[$doc])* $purpose,)*
        }

        impl Purpose {
            /// Every purpose.
            pub const ALL: &[Self] = &[$(Self::$purpose),*];

            /// The name as it is stored. Never changes.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$purpose => $name,)*
                }
            }
        }
    };
}

purposes! {
    /// HubSpot tokens.
    Credential = "credential",
    /// The key under which handles are looked up.
    HandlePepper = "handle-pepper",
    /// What handles allow.
    HandleClaims = "handle-claims",
    /// The key under which ids of records stand in audit entries.
    ObjectRef = "object-ref",
    /// What reports need to know of a portal's client.
    PortalDetails = "portal-details",
    /// The key with which the service signs.
    Signing = "signing",
    /// Addresses and secrets of webhooks.
    Webhook = "webhook",
    /// The key that authenticates rows which lie in clear.
    Rows = "rows",
    /// Who may have which handles, and who is who.
    Access = "access",
    /// The key under which addresses of erased contacts are kept.
    Suppression = "suppression",
    /// What came of writes that may be asked for again.
    Writes = "writes",
    /// What is personal in audit entries, beside them.
    AuditPayload = "audit-payload",
    /// The key under which secrets of sessions are looked up.
    SessionPepper = "session-pepper",
    /// Whose sessions and connections are, and what clients were given.
    Sessions = "sessions",
}

impl Purpose {
    /// The purpose as it is stored; `None` if that is none.
    pub(crate) fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.name() == text)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a sealed value lies. It opens only where every field is as it was when it was sealed.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Whose it is.
    pub owner: Owner,
    /// What it is for.
    pub purpose: Purpose,
    /// The table it lies in.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's id.
    pub row: &'a str,
    /// The portal's slug; empty where there is no portal.
    pub client_slug: &'a str,
    /// What sort of value it is, where one column holds several.
    pub kind: &'a str,
    /// The version or generation it belongs to.
    pub generation: u64,
}

impl Place<'_> {
    /// The place as associated data for a message, or for the data key of one, under the key `key_id`.
    pub(crate) fn aad(&self, level: &str, key_id: &str) -> Vec<u8> {
        let (owner, generation) = (self.owner.to_string(), self.generation.to_be_bytes());
        length_prefixed(&[
            DOMAIN.as_bytes(),
            level.as_bytes(),
            self.table.as_bytes(),
            self.column.as_bytes(),
            self.row.as_bytes(),
            self.client_slug.as_bytes(),
            owner.as_bytes(),
            self.purpose.name().as_bytes(),
            self.kind.as_bytes(),
            generation.as_slice(),
            key_id.as_bytes(),
        ])
    }
}

/// Associated data for a wrapped key: it opens only in its own row of `seal_key`.
pub(crate) fn aad_of_key(key_id: &str, owner: Owner, purpose: Purpose, kek_id: &str) -> Vec<u8> {
    let owner = owner.to_string();
    length_prefixed(&[
        DOMAIN.as_bytes(),
        b"seal_key",
        key_id.as_bytes(),
        owner.as_bytes(),
        purpose.name().as_bytes(),
        kek_id.as_bytes(),
    ])
}

/// Each field after its length, so that no two lists of fields give the same bytes.
fn length_prefixed(fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back() {
        let portal = Owner::Portal(PortalId::new(42).expect("not zero"));
        for owner in [Owner::Service, portal] {
            assert_eq!(Owner::from_stored(&owner.to_string()), Some(owner));
        }
        for purpose in Purpose::ALL.iter().copied() {
            assert_eq!(Purpose::from_stored(purpose.name()), Some(purpose));
        }
        for none in ["", "portal/", "portal/0", "portal/x", "Service"] {
            assert_eq!(Owner::from_stored(none), None, "{none}");
        }
    }

    #[test]
    fn every_field_of_a_place_is_in_its_associated_data() {
        let here = Place {
            owner: Owner::Service,
            purpose: Purpose::Credential,
            table: "secret",
            column: "sealed",
            row: "1",
            client_slug: "acme",
            kind: "token",
            generation: 1,
        };
        let portal = PortalId::new(42).map(Owner::Portal).expect("not zero");
        let elsewhere = [
            Place {
                owner: portal,
                ..here
            },
            Place {
                purpose: Purpose::Webhook,
                ..here
            },
            Place {
                table: "other",
                ..here
            },
            Place {
                column: "other",
                ..here
            },
            Place { row: "2", ..here },
            Place {
                client_slug: "globex",
                ..here
            },
            Place {
                kind: "other",
                ..here
            },
            Place {
                generation: 2,
                ..here
            },
        ];
        let aad = here.aad("message", "key");
        for there in elsewhere {
            assert_ne!(there.aad("message", "key"), aad, "{there:?}");
        }
        assert_ne!(here.aad("data-key", "key"), aad);
        assert_ne!(here.aad("message", "other"), aad);
    }

    #[test]
    fn moving_a_letter_from_one_field_to_the_next_changes_the_bytes() {
        assert_ne!(length_prefixed(&[b"ab", b"c"]), length_prefixed(&[b"a", b"bc"]));
        assert_ne!(length_prefixed(&[b"ab"]), length_prefixed(&[b"ab", b""]));
    }
}
