//! Takes sealed tokens out of the vault that no rotation can put in force any more: those out of force that HubSpot
//! refuses, and, of a rotation that was rolled back, the old one, which is in force sealed anew under another version.

use hubkeep_audit_log::{Draft, Operation, Outcome};
use hubkeep_core::id::CallId;

use super::{Error, Rotations, rotation::Rotation, store::rotations};

/// Rotations swept in one round.
const AT_ONCE: i64 = 16;

impl Rotations {
    /// Rotations that have left sealed tokens behind for long enough: whoever read the portal just before a switch has
    /// opened its token by then.
    pub(super) async fn due_sweeps(&self) -> Result<Vec<Rotation>, Error> {
        let now = self.clock.now();
        let settled = now.minus(self.config.keep_replaced);
        rotations::to_sweep(&self.database, now, settled, AT_ONCE).await
    }

    /// Takes out what one rotation has left behind, if no other replica does. A crash before the end leaves it all to the
    /// next round; bytes in a store outside of the database go with its own sweep.
    pub(super) async fn sweep(&self, rotation: &Rotation) -> Result<(), Error> {
        let mut transaction = self.database.begin().await?;
        let mut removed = false;
        for version in left_behind(rotation) {
            let credential = rotation.in_vault(version);
            // Cannot be, whatever the rotation's row says: what is in force stays.
            if !self.portals.has_in_force(&mut transaction, &credential).await? {
                removed |= self.vault.remove_one(&mut transaction, &credential).await?;
                self.portals
                    .remove_access_token(&mut transaction, &credential)
                    .await?;
            }
        }
        // Last, as when a portal is erased: two transactions that take their rows in one order wait, and go on.
        if !rotations::swept(&mut transaction, rotation, self.clock.now()).await? {
            return Ok(transaction.rollback().await?);
        }
        transaction.commit().await?;
        if !removed {
            return Ok(());
        }
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let retired = rotation.retired();
        let draft = Draft::portal(&rotation.proven(), Operation::RotationSweep, call_id)
            .caller(&self.name)
            .subject(&rotation.rotation_id.to_string())
            .credential_version(retired.version)
            .token(retired.fingerprint);
        if let Err(error) = self.log.admin(draft, Outcome::ok()).await {
            tracing::warn!(%error, rotation = %rotation.rotation_id, "that a token was removed is not on the log");
        }
        Ok(())
    }
}

/// The versions that nothing opens any more.
fn left_behind(rotation: &Rotation) -> Vec<u64> {
    let rolled_back = rotation.credential_version != rotation.new_version;
    let retired = rotation.alive().is_none().then_some(rotation.retired().version);
    retired
        .into_iter()
        .chain(rolled_back.then_some(rotation.old_version))
        .collect()
}
