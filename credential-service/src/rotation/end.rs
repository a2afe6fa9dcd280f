//! What an operator ends: a rotation that is cancelled goes back to its old token, and one that is closed stays as it is.

use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    id::RotationId,
};

use super::{
    Error, Rotations,
    consumers::concerned,
    rotation::{Checklist, End, Rotation},
    state::{Known, Standing, Step, Token},
    store::{rotations, tasks},
    switch::ATTEMPTS,
};
use crate::{portals::Staged, record::Act};

impl Rotations {
    /// Puts the old token back in force, after HubSpot has accepted it, and gives every consumer its task anew. A rotation
    /// that was rolled back before stays as it is.
    ///
    /// # Errors
    /// If HubSpot refuses the old token, or a later rotation, a close, or its own end stands in the way.
    pub async fn cancel(&self, act: &Act, rotation_id: RotationId, reason: &str) -> Result<Rotation, Error> {
        for _ in 0..ATTEMPTS {
            let rotation = self.get(act, rotation_id).await?;
            if rotation.standing == Standing::RolledBack {
                return Ok(rotation);
            }
            if rotation.standing == Standing::InForce && rotation.old_token == Token::Refused {
                return Err(Error::OldTokenRefused(rotation_id));
            }
            let consumers = rotation.checklist.done.saturating_add(rotation.checklist.open());
            let known = possible(&rotation, Step::RollBack { consumers })?;
            let Some(staged) = self.stage_old(act, &rotation).await? else {
                continue;
            };
            if let Some(rolled_back) = self.roll_back(act, (&rotation, known), &staged, reason).await? {
                act.credential(rolled_back.credential_version, &rolled_back.old_fingerprint);
                return Ok(rolled_back);
            }
        }
        Err(Error::Contended(self.get(act, rotation_id).await?.client_slug))
    }

    /// The old token, accepted by HubSpot and sealed for the next version. `None` if the rotation is not any more what it was.
    async fn stage_old(&self, act: &Act, rotation: &Rotation) -> Result<Option<Staged>, Error> {
        let name = &rotation.credential_name;
        let (portal, credential) = self.portals.credential(act, &rotation.client_slug, name).await?;
        if credential.version != rotation.credential_version {
            let now = self.get(act, rotation.rotation_id).await?;
            if now.credential_version != rotation.credential_version {
                return Ok(None);
            }
            return Err(Error::State {
                rotation_id: rotation.rotation_id,
                state: super::State::Superseded,
            });
        }
        let token = match self.vault.open(&rotation.in_vault(rotation.old_version)).await {
            Ok(token) => token,
            Err(error) => {
                return Err(self
                    .refused_meanwhile(act, rotation)
                    .await
                    .unwrap_or(error.into()));
            }
        };
        let checked = self.portals.check_token(act, &portal, &credential, &token).await;
        let checked = checked.map_err(|error| match error.reason() {
            ErrorReason::TokenRefused | ErrorReason::ConsentRequired => {
                Error::OldTokenRefused(rotation.rotation_id)
            }
            _ => error.into(),
        })?;
        let staged = self.portals.stage(portal, credential, &token, checked).await?;
        Ok(Some(staged))
    }

    /// What HubSpot refuses is taken out of the vault: then this is why the old token was not found there.
    async fn refused_meanwhile(&self, act: &Act, rotation: &Rotation) -> Option<Error> {
        let now = self.get(act, rotation.rotation_id).await.ok()?;
        (now.old_token == Token::Refused).then_some(Error::OldTokenRefused(rotation.rotation_id))
    }

    /// `None`, and nothing done, if others were quicker.
    async fn roll_back(
        &self,
        act: &Act,
        (before, known): (&Rotation, Known),
        staged: &Staged,
        reason: &str,
    ) -> Result<Option<Rotation>, Error> {
        let end = self.end_by(act, reason);
        let tagged = self.tagged(staged.portal()).await?;
        let mut transaction = self.revocations.begin(act).await?;
        let Some(placed) = self.put_in_force(&mut transaction, staged).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let mut after = Rotation {
            standing: known.standing,
            old_token: known.old,
            new_token: known.new,
            credential_version: staged.after().version,
            store_version: placed.store_version,
            next_probe_time: Some(end.time.plus(self.config.probe_soonest)),
            // Whoever is not concerned any more keeps what became of its task.
            checklist: Checklist {
                ended: before.checklist.ended,
                ..Checklist::default()
            },
            end: Some(end.clone()),
            ..before.clone()
        };
        if !rotations::end(&mut transaction, before, &after, &end).await? {
            transaction.rollback().await?;
            return Ok(None);
        }
        for stored in concerned(&mut transaction, &before.client_slug, &tagged).await? {
            let task = self.task(before.rotation_id, &stored, end.time)?;
            tasks::give(&mut transaction, &task).await?;
            after.checklist.behind += 1;
        }
        transaction.commit().await?;
        self.announce(placed.revocation_seq);
        self.portals.switched(staged, placed.store_version).await?;
        Ok(Some(after))
    }

    /// Ends a rotation that is not done, and drops its open tasks; they stay with it. One that is rolled back stays so,
    /// with the reason for that: only its tasks end.
    ///
    /// # Errors
    /// If it is done, or was ended before.
    pub async fn close(&self, act: &Act, rotation_id: RotationId, reason: &str) -> Result<Rotation, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.get(act, rotation_id).await?;
            let known = possible(&before, Step::Close)?;
            let end = self.end_by(act, reason);
            let kept = before
                .end
                .clone()
                .filter(|_| before.standing == Standing::RolledBack);
            let of_rotation = kept.unwrap_or_else(|| end.clone());
            let mut after = Rotation {
                standing: known.standing,
                next_probe_time: before.next_probe_time.filter(|_| known.is_probed()),
                end: Some(of_rotation.clone()),
                ..before.clone()
            };
            let mut transaction = self.revocations.begin(act).await?;
            if rotations::end(&mut transaction, &before, &after, &of_rotation).await? {
                let dropped = tasks::drop_of_rotation(&mut transaction, rotation_id, &end).await?;
                transaction.commit().await?;
                after.checklist = closed(before.checklist, dropped);
                self.announce_state();
                return Ok(after);
            }
            transaction.rollback().await?;
        }
        Err(Error::Contended(self.get(act, rotation_id).await?.client_slug))
    }

    pub(super) fn end_by(&self, act: &Act, reason: &str) -> End {
        End {
            reason: reason.to_owned(),
            by: act.context().caller.name.to_string(),
            time: self.clock.now(),
        }
    }
}

/// How far the consumers are after so many open tasks were dropped: whatever was open else was done meanwhile.
fn closed(before: Checklist, dropped: u64) -> Checklist {
    let dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
    Checklist {
        done: before.done.saturating_add(before.open().saturating_sub(dropped)),
        ended: before.ended.saturating_add(dropped),
        ..Checklist::default()
    }
}

/// What is known after a step, if it is possible.
fn possible(rotation: &Rotation, step: Step) -> Result<Known, Error> {
    rotation.known().after(step).map_err(|state| Error::State {
        rotation_id: rotation.rotation_id,
        state,
    })
}
