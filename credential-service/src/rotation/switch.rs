//! A new token in the place of an old one: verified, staged, switched, and its consumers given their tasks, all of it in
//! one transaction.

use hubkeep_core::{
    clock::Timestamp,
    database::Transaction,
    id::{ClientSlug, CredentialName, DeliveryId, RotationId},
    secret::{PortalToken, TokenFingerprint},
};

use super::{
    Error, Rotations,
    consumers::concerned,
    rotation::{Checklist, Rotation, Task},
    state::{Standing, Token},
    store::{consumers::Stored, rotations, tasks},
};
use crate::{
    portals::{Portal, PortalCredential, Staged},
    record::Act,
    revocations::Scope,
};

/// How often a switch is tried when others change credentials of the same portal. HubSpot is asked once.
pub(super) const ATTEMPTS: usize = 5;

/// A rotation that is asked for.
#[derive(Debug)]
pub struct Wish {
    /// The portal.
    pub client_slug: ClientSlug,
    /// Which of its credentials.
    pub credential_name: CredentialName,
    /// The new token.
    pub token: PortalToken,
    /// Whether it may lack scopes of the old one.
    pub allow_narrower_scopes: bool,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Rotated {
    /// The new token is in force.
    Now(Rotation),
    /// It was before. Nothing changed.
    Before(Rotation),
}

impl Rotated {
    /// The rotation, new or not.
    pub const fn rotation(&self) -> &Rotation {
        match self {
            Self::Now(rotation) | Self::Before(rotation) => rotation,
        }
    }
}

/// Where a switch stands among all others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// The vault's store version.
    pub(super) store_version: u64,
    /// The place in the feed of revocations.
    pub(super) revocation_seq: u64,
}

impl Rotations {
    /// Verifies a new token with HubSpot and puts it in the place of a credential's old one.
    ///
    /// # Errors
    /// If HubSpot refuses the token or names another portal, it may do less than the old one and that was not allowed, it
    /// is there already, or something needed does not answer. Nothing changes then.
    pub async fn rotate(&self, act: &Act, wish: Wish) -> Result<Rotated, Error> {
        let rotated = self.verify_and_switch(act, &wish).await?;
        let rotation = rotated.rotation();
        act.subject(&rotation.rotation_id.to_string());
        act.credential(rotation.credential_version, &rotation.new_fingerprint);
        Ok(rotated)
    }

    async fn verify_and_switch(&self, act: &Act, wish: &Wish) -> Result<Rotated, Error> {
        let Wish {
            client_slug,
            credential_name,
            token,
            allow_narrower_scopes,
        } = wish;
        let fingerprint = token.fingerprint();
        let (mut portal, mut credential) = self.portals.credential(act, client_slug, credential_name).await?;

        // What can be known without HubSpot comes first.
        if let Some(before) = self.held(&portal, &credential, &fingerprint).await? {
            return Ok(Rotated::Before(before));
        }
        let checked = self.portals.check_token(act, &portal, &credential, token).await?;
        for _ in 0..ATTEMPTS {
            let lost = missing(&credential.scopes, &checked.scopes);
            if !lost.is_empty() && !allow_narrower_scopes {
                return Err(Error::ScopesNarrower(lost));
            }
            let staged = self
                .portals
                .stage(portal, credential, token, checked.clone())
                .await?;
            if let Some(rotation) = self.switch(act, &staged, lost).await? {
                return Ok(Rotated::Now(rotation));
            }
            // Somebody was quicker: what is stored now decides.
            (portal, credential) = self.portals.credential(act, client_slug, credential_name).await?;
            if let Some(before) = self.held(&portal, &credential, &fingerprint).await? {
                return Ok(Rotated::Before(before));
            }
        }
        Err(Error::Contended(client_slug.clone()))
    }

    /// The rotation by which a credential holds this token; `None` if the portal does not hold it.
    async fn held(
        &self,
        portal: &Portal,
        credential: &PortalCredential,
        token: &TokenFingerprint,
    ) -> Result<Option<Rotation>, Error> {
        let Some(holder) = portal.with_token(token) else {
            return Ok(None);
        };
        if holder.credential_id == credential.credential_id {
            let newest =
                rotations::newest_of(&self.database, credential.credential_id, self.clock.now()).await?;
            let by_it = newest.filter(|newest| {
                newest.new_fingerprint == *token && newest.credential_version == credential.version
            });
            if by_it.is_some() {
                return Ok(by_it);
            }
        }
        Err(Error::TokenUnchanged {
            client_slug: portal.client_slug.clone(),
            name: holder.name.clone(),
        })
    }

    /// Puts what is staged in force, with all that follows; `None`, and nothing done, if others were quicker.
    async fn switch(&self, act: &Act, staged: &Staged, lost: Vec<String>) -> Result<Option<Rotation>, Error> {
        let mut rotation = self.as_new(act, staged, lost)?;
        let tagged = self.tagged(staged.portal()).await?;
        let mut transaction = self.revocations.begin(act).await?;
        let Some(placed) = self.put_in_force(&mut transaction, staged).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        rotation.store_version = placed.store_version;
        rotations::supersede(&mut transaction, &rotation).await?;
        tasks::supersede(&mut transaction, &rotation).await?;
        rotations::insert(&mut transaction, &rotation).await?;
        for stored in concerned(&mut transaction, &rotation.client_slug, &tagged).await? {
            let task = self.task(rotation.rotation_id, &stored, rotation.switch_time)?;
            tasks::give(&mut transaction, &task).await?;
            rotation.checklist.behind += 1;
        }
        transaction.commit().await?;
        self.announce(placed.revocation_seq);
        self.portals.switched(staged, placed.store_version).await?;
        Ok(Some(rotation))
    }

    /// Switches the credential and revokes the redeemed tokens of older versions; `None` if others were quicker.
    pub(super) async fn put_in_force(
        &self,
        transaction: &mut Transaction,
        staged: &Staged,
    ) -> Result<Option<Placed>, Error> {
        let Some(store_version) = self.portals.switch_credential(transaction, staged).await? else {
            return Ok(None);
        };
        let scope = Scope::CredentialVersion(staged.portal().portal_id, staged.after().version);
        let revocation_seq = self.revocations.append(transaction, scope).await?;
        Ok(Some(Placed {
            store_version,
            revocation_seq,
        }))
    }

    /// What a consumer has to do from now on.
    pub(super) fn task(
        &self,
        rotation_id: RotationId,
        stored: &Stored,
        now: Timestamp,
    ) -> Result<Task, Error> {
        Ok(Task {
            rotation_id,
            consumer: stored.consumer.name.clone(),
            delivery_id: DeliveryId::make(&*self.clock, &*self.random)?,
            due_time: now.plus(stored.consumer.deadline),
            told_time: None,
            next_tell_time: stored.webhook.as_ref().map(|_| now),
            failed_deliveries: 0,
            last_failure: String::new(),
            acknowledged: None,
            ended: None,
        })
    }

    fn as_new(&self, act: &Act, staged: &Staged, lost_scopes: Vec<String>) -> Result<Rotation, Error> {
        let (portal, before, after) = (staged.portal(), staged.before(), staged.after());
        let now = self.clock.now();
        Ok(Rotation {
            rotation_id: RotationId::make(&*self.clock, &*self.random)?,
            portal_id: portal.portal_id,
            client_slug: portal.client_slug.clone(),
            credential_id: before.credential_id,
            credential_name: before.name.clone(),
            standing: Standing::InForce,
            old_version: before.version,
            new_version: after.version,
            credential_version: after.version,
            old_fingerprint: before.token_fingerprint.clone(),
            new_fingerprint: after.token_fingerprint.clone(),
            old_token: Token::Unknown,
            new_token: Token::Accepted,
            lost_scopes,
            store_version: 0,
            rotated_by: act.context().caller.name.clone(),
            switch_time: now,
            probe_time: None,
            next_probe_time: Some(now.plus(self.config.probe_soonest)),
            end: None,
            checklist: Checklist::default(),
        })
    }
}

/// What `before` has and `after` has not.
fn missing(before: &[String], after: &[String]) -> Vec<String> {
    let lost = before.iter().filter(|scope| !after.contains(scope));
    lost.cloned().collect()
}
