//! What stands in entries for the id of a record: equal for equal ids of one portal, and meaningless without that
//! portal's key, which can be destroyed.

use hubkeep_core::id::PortalId;
use hubkeep_seal::{Keyring, Owner, Purpose};

use crate::crm::{ObjectType, RecordId};

/// Bytes of the keyed hash that are kept: 128 bits.
const KEPT_BYTES: usize = 16;

/// Makes references to records.
#[derive(Clone)]
pub struct ObjectRefs {
    keyring: Keyring,
}

impl ObjectRefs {
    /// By keys of this ring.
    pub const fn new(keyring: Keyring) -> Self {
        Self { keyring }
    }

    /// The reference to a record.
    ///
    /// # Errors
    /// If the portal's key cannot be used.
    pub async fn of(
        &self,
        portal: PortalId,
        object_type: &ObjectType,
        id: &RecordId,
    ) -> Result<String, hubkeep_seal::Error> {
        // The type cannot hold a zero byte, so that no two pairs read the same.
        let message = [object_type.as_str().as_bytes(), &[0], id.as_str().as_bytes()].concat();
        let mac = self
            .keyring
            .mac(Owner::Portal(portal), Purpose::ObjectRef, &message)
            .await?;
        Ok(mac
            .iter()
            .take(KEPT_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }
}
