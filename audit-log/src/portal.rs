//! Whose log an entry goes to. A portal's log is opened by proof only: a stranger who names a slug cannot write there.

use hubkeep_core::id::{ClientSlug, PortalId};

/// A portal of which it is proven that the call is about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProvenPortal {
    portal_id: PortalId,
    client_slug: ClientSlug,
}

impl ProvenPortal {
    /// Proven by a row of the vault, or by HubSpot's answer about a token that is about to become one.
    pub const fn by_vault_row(portal_id: PortalId, client_slug: ClientSlug) -> Self {
        Self {
            portal_id,
            client_slug,
        }
    }

    /// Proven by a handle that credential-service redeemed.
    pub const fn by_redeemed_handle(portal_id: PortalId, client_slug: ClientSlug) -> Self {
        Self {
            portal_id,
            client_slug,
        }
    }

    /// Proven by the order to erase it, from credential-service.
    pub const fn by_erasure(portal_id: PortalId, client_slug: ClientSlug) -> Self {
        Self {
            portal_id,
            client_slug,
        }
    }

    /// Proven by what credential-service has recorded of it.
    pub const fn by_record(portal_id: PortalId, client_slug: ClientSlug) -> Self {
        Self {
            portal_id,
            client_slug,
        }
    }

    /// Proven by a row of this service's own, which a call with a redeemed handle has left.
    pub const fn by_kept_row(portal_id: PortalId, client_slug: ClientSlug) -> Self {
        Self {
            portal_id,
            client_slug,
        }
    }

    /// Proven by an entry that is in its log.
    pub(crate) const fn by_entry(portal_id: PortalId, client_slug: ClientSlug) -> Self {
        Self {
            portal_id,
            client_slug,
        }
    }

    /// HubSpot's id of the portal.
    pub const fn portal_id(&self) -> PortalId {
        self.portal_id
    }

    /// The agency's name for its client.
    pub const fn client_slug(&self) -> &ClientSlug {
        &self.client_slug
    }
}

/// Whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// The service itself.
    System,
    /// A portal.
    Portal(PortalId),
}
