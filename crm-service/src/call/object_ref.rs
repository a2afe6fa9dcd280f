//! What stands in entries for the id of a record, and for the name of a person on whose behalf a caller asks: equal for equal ids of one portal, and meaningless without that
//! portal's key, which can be destroyed.

use hubkeep_core::id::PortalId;
use hubkeep_seal::{Keyring, Owner, Purpose};

use crate::crm::{ObjectType, RecordId};

/// Bytes of the keyed hash that are kept: 128 bits.
const KEPT_BYTES: usize = 16;

/// Makes references to records.
#[derive(Clone, Debug)]
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
        let of = self.of_many(portal, object_type).await?;
        Ok(hex::encode(of(id.as_str())))
    }

    /// The reference to a person on whose behalf a caller asks. `None` for nobody.
    ///
    /// # Errors
    /// If the portal's key cannot be used.
    pub async fn of_actor(
        &self,
        portal: PortalId,
        end_user: &str,
    ) -> Result<Option<String>, hubkeep_seal::Error> {
        if end_user.is_empty() {
            return Ok(None);
        }
        let macs = self
            .keyring
            .macs(Owner::Portal(portal), Purpose::ObjectRef)
            .await?;
        // No type is empty, so that this reads like no record.
        let mac = macs(&[&[0], end_user.as_bytes()].concat());
        Ok(mac.get(..KEPT_BYTES).map(hex::encode))
    }

    /// The references to many records of one type: a function that is kept no longer than the call that it is for.
    ///
    /// # Errors
    /// If the portal's key cannot be used.
    pub async fn of_many(
        &self,
        portal: PortalId,
        object_type: &ObjectType,
    ) -> Result<impl Fn(&str) -> [u8; KEPT_BYTES] + Send + Sync + use<>, hubkeep_seal::Error> {
        let macs = self
            .keyring
            .macs(Owner::Portal(portal), Purpose::ObjectRef)
            .await?;
        // The type cannot hold a zero byte, so that no two pairs read the same.
        let before = [object_type.as_str().as_bytes(), &[0]].concat();
        Ok(move |id: &str| {
            let mac = macs(&[before.as_slice(), id.as_bytes()].concat());
            std::array::from_fn(|place| mac.get(place).copied().unwrap_or_default())
        })
    }
}
