//! The key that authenticates rows, and the one time that rows without a mac are taken as they are: when that key is
//! made. From then on the audit log, which lies in another database, knows that there is one. So whoever can write to
//! the vault cannot bring that time about again by deleting the key, or macs.

use hubkeep_core::database::Database;
use hubkeep_seal::{Keyring, MacKey, Owner, Purpose};

use super::{Error, store};
use crate::store_version::StoreVersion;

/// The key, with every row authenticated that there was before it.
pub(super) async fn open(
    database: &Database,
    keyring: &Keyring,
    versions: &StoreVersion,
) -> Result<MacKey, Error> {
    let told = versions.row_keys().await?;
    let there = keyring.mac_key(Owner::Service, Purpose::Rows).await?;
    if let Some(key) = there.filter(|key| told.iter().any(|id| id == key.id())) {
        return Ok(key);
    }
    // A vault without portals has nothing that could have been altered: it may begin anew beside an old log.
    if !told.is_empty() && store::count(database).await? != 0 {
        return Err(Error::RowKeyMissing);
    }
    let key = keyring.mac_key_or_make(Owner::Service, Purpose::Rows).await?;
    adopt(database, &key).await?;
    versions.tell_row_key(key.id()).await?;
    Ok(key)
}

/// Gives their macs to the rows from before the key. A process that dies meanwhile has told the log nothing, and the
/// next goes on.
async fn adopt(database: &Database, key: &MacKey) -> Result<(), Error> {
    let portals = store::without_mac(database).await?;
    if !portals.is_empty() {
        tracing::info!(
            portals = portals.len(),
            "rows from before they were authenticated are taken as they are"
        );
    }
    for portal_id in portals {
        let mut transaction = database.begin().await?;
        store::adopt(&mut transaction, key, portal_id).await?;
        transaction.commit().await?;
    }
    Ok(())
}
