//! What a row of the file must hold.

use hubkeep_core::id::{ClientSlug, PortalId};
use hubkeep_proto::credential::v1::{CredentialKind, PortalDetails};
use zeroize::Zeroizing;

use super::columns::Extra;
use crate::commands::bulk::{RowCells, RowFault, fields};

/// A client to onboard.
pub(super) struct Client {
    /// The agency's name for it.
    pub(super) client_slug: ClientSlug,
    /// HubSpot's token.
    pub(super) portal_token: Zeroizing<String>,
    /// The portal that the token must belong to, if one is named.
    pub(super) portal_id: Option<PortalId>,
    /// The operator's name for the credential; empty for the default.
    pub(super) credential_name: String,
    /// What sort of credential it is, where the row says so.
    pub(super) kind: Option<CredentialKind>,
    /// What is known of the client, where the row says anything.
    pub(super) details: Option<PortalDetails>,
}

impl Client {
    /// Reads a row's cells.
    pub(super) fn read(cells: RowCells<'_>) -> Result<Self, RowFault> {
        let text = |column: usize| cells.text(column);
        let client_slug = text(0)
            .and_then(fields::slug)
            .map_err(|message| RowFault::new("", message))?;
        let refuse = |message: String| RowFault::new(client_slug.as_str(), message);
        let portal_token = text(1).and_then(fields::token).map_err(refuse)?;
        let portal_id = text(2).and_then(portal_id).map_err(refuse)?;
        let extra = Extra::read(text).map_err(refuse)?;
        Ok(Self {
            client_slug,
            portal_token,
            portal_id,
            credential_name: extra.credential_name,
            kind: extra.kind,
            details: extra.details,
        })
    }
}

fn portal_id(text: &str) -> Result<Option<PortalId>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits).and_then(PortalId::new);
    number
        .map(Some)
        .ok_or_else(|| "portalId is not the number of a portal; leave it empty if it is not known".to_owned())
}

#[cfg(test)]
mod tests;
