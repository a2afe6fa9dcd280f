//! Orders to erase a portal, and the word that it is done.

use hubkeep_core::id::{ClientSlug, PortalId};
use hubkeep_proto::credential::v1::{
    ConfirmErasureRequest, PortalErasure, redemption_service_client::RedemptionServiceClient,
};

use super::{Credentials, Error, wire};

/// An order to destroy everything that this service has of a portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureOrder {
    /// The portal.
    pub portal_id: PortalId,
    /// The agency's name for its client.
    pub client_slug: ClientSlug,
}

/// The keys of a portal are destroyed, and the log says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureDone {
    /// The portal.
    pub portal_id: PortalId,
    /// The log that holds the tombstone.
    pub log: String,
    /// The tombstone's place in everything that this service has recorded.
    pub position: u64,
    /// Its place in that log.
    pub index: u64,
    /// Its id.
    pub entry_id: String,
    /// The purposes of the keys that were destroyed.
    pub destroyed_keys: Vec<String>,
}

impl Credentials {
    /// Tells credential-service that a portal's keys are destroyed here.
    ///
    /// # Errors
    /// If it does not answer, or does not accept it.
    pub async fn confirm_erasure(&self, done: &ErasureDone) -> Result<(), Error> {
        let request = self.link().request(ConfirmErasureRequest {
            portal_id: done.portal_id.get(),
            log: done.log.clone(),
            position: done.position,
            index: done.index,
            entry_id: done.entry_id.clone(),
            destroyed_keys: done.destroyed_keys.clone(),
        });
        let answer = RedemptionServiceClient::new(self.link().channel())
            .confirm_erasure(request)
            .await;
        answer.map(|_| ()).map_err(|status| wire::refusal(&status))
    }
}

/// The order in an event of the feed; `None` if it is not one that can be read.
pub(super) fn order(event: &PortalErasure) -> Option<ErasureOrder> {
    Some(ErasureOrder {
        portal_id: PortalId::new(event.portal_id)?,
        client_slug: event.client_slug.parse().ok()?,
    })
}
