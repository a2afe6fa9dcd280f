//! To whom a result is given whose handle is limited by pipeline or owner.

use hubkeep_core::id::PortalId;
use hubkeep_seal::{Owner, Purpose};

use super::{Error, Kept, Row, Writes};

impl Writes {
    /// Whether a result may be given to who asks within these limits: it was made within the same. What an operator has told is
    /// no more than that a write was made and on which record, and goes to the caller whose write it was.
    ///
    /// # Errors
    /// If nobody can say.
    pub async fn is_for(&self, row: &Row, kept: &Kept, bounds: &str) -> Result<bool, Error> {
        if !kept.is_told_by_hand() {
            return Ok(kept.bounds == bounds);
        }
        Ok(row.bounds_mac.is_empty() || row.bounds_mac == self.mac_of_bounds(row.portal_id, bounds).await?)
    }

    pub(super) async fn mac_of_bounds(&self, portal: PortalId, bounds: &str) -> Result<String, Error> {
        let text = format!("bounds {bounds}");
        let mac = self
            .keyring
            .mac(Owner::Portal(portal), Purpose::Writes, text.as_bytes())
            .await?;
        Ok(hex::encode(mac))
    }
}
