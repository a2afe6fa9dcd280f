//! Whether portals are served: what the room that suspends, resumes and erases them writes here.

use hubkeep_core::{
    database::Transaction,
    id::{ClientSlug, PortalId},
};

use super::{Altered, Error, Listed, Portal, PortalCredential, Portals, State, store, store::own_call};
use crate::record::Act;

/// The portals that are not served for what their rows are.
#[derive(Debug, Default)]
pub struct Compared {
    /// The log knows them newer than their rows are.
    pub rolled_back: Vec<ClientSlug>,
    /// Their rows are not what was written.
    pub altered: Vec<Altered>,
}

impl Portals {
    /// Moves a portal to a state and to its next generation, as part of a transaction; `None`, and nothing is moved, if
    /// it is not any more what it was. Gives the portal as it is then.
    ///
    /// Erasing takes the portal out of the vault: its tokens, its credentials, and what was known of it. Its row stays, as
    /// a tombstone.
    ///
    /// # Errors
    /// If its rows were altered, or the database fails.
    pub async fn set_state(
        &self,
        transaction: &mut Transaction,
        before: &Portal,
        to: State,
    ) -> Result<Option<Portal>, Error> {
        let Some(mut portal) = self.held(transaction, before).await? else {
            return Ok(None);
        };
        if portal.portal_generation != before.portal_generation || portal.state == State::Erased {
            return Ok(None);
        }
        portal.portal_generation = self.next_of(&portal, portal.portal_generation);
        if self.is_behind(&portal) {
            // Versions that the vault has forgotten are not given a second time.
            portal.credential_version = self.newest_of(&portal, portal.credential_version);
        }
        portal.state = to;
        portal.state_time = self.clock.now();
        if to == State::Erased {
            portal.blank();
            self.access_tokens.remove(transaction, portal.portal_id).await?;
            self.vault.remove(transaction, portal.portal_id).await?;
            own_call::forget(transaction, portal.portal_id).await?;
        }
        self.write(transaction, &mut portal).await?;
        Ok(Some(portal))
    }

    /// The generation, or version of a token, that comes after this one. For a row that the log knows newer it is one that
    /// the portal cannot have had since: each of them moved the store version, so none of them is greater than that.
    pub(super) fn next_of(&self, portal: &Portal, number: u64) -> u64 {
        self.newest_of(portal, number).saturating_add(1)
    }

    /// The greatest that it can have been.
    fn newest_of(&self, portal: &Portal, number: u64) -> u64 {
        let head = self.versions.head(portal.portal_id);
        let newer = head.filter(|_| self.is_behind(portal));
        newer.map_or(number, |head| head.store_version.max(number))
    }

    /// Tells the log that a portal was written, and which of its tokens are in force. To be called when the write is
    /// committed, and before it is answered.
    ///
    /// # Errors
    /// If the log cannot be told: the write stands nevertheless.
    pub async fn committed(&self, portal: &Portal) -> Result<(), Error> {
        for credential in &portal.credentials {
            self.versions
                .in_force(credential.credential_id, credential.version)
                .await?;
        }
        let erased = portal.state == State::Erased;
        let (portal_id, store_version) = (portal.portal_id, portal.store_version);
        Ok(self.versions.committed(portal_id, store_version, erased).await?)
    }

    /// The store version: moved by every write to the vault.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn store_version(&self) -> Result<u64, Error> {
        Ok(self.versions.newest().await?)
    }

    /// Compares every portal with what the log was told of it, and tells it what it has missed. Gives the portals that
    /// are not served for what their rows are.
    ///
    /// # Errors
    /// If vault or log cannot be read.
    pub async fn compare(&self) -> Result<Compared, Error> {
        self.versions.look().await?;
        let mut compared = Compared::default();
        for listed in self.all().await? {
            match listed {
                Listed::Altered(altered) => compared.altered.push(altered),
                Listed::Intact(portal) if portal.state == State::RollbackSuspected => {
                    compared.rolled_back.push(portal.client_slug);
                }
                Listed::Intact(portal) => self.tell_missed(&portal).await?,
            }
        }
        Ok(compared)
    }

    /// Tells the log of a write of which it knows nothing: the process that wrote died before it could tell.
    async fn tell_missed(&self, portal: &Portal) -> Result<(), Error> {
        let head = self.versions.head(portal.portal_id);
        let told = head.is_some_and(|head| head.store_version >= portal.store_version);
        let mut credentials = portal.credentials.iter();
        if told && credentials.all(|one| self.versions.token(one.credential_id) == Some(one.version)) {
            return Ok(());
        }
        self.committed(portal).await
    }

    /// The portal as it is served: if the log knows a newer state than its row holds, it is suspected.
    pub(super) fn held_against_log(&self, mut portal: Portal) -> Portal {
        if self.is_behind(&portal) {
            portal.state = State::RollbackSuspected;
        }
        portal
    }

    /// Whether the log knows a newer state of a portal than its row holds, or a newer token of any of its credentials.
    pub(super) fn is_behind(&self, portal: &Portal) -> bool {
        let head = self.versions.head(portal.portal_id);
        let is_old = head.is_some_and(|head| {
            head.store_version > portal.store_version || (head.erased && portal.state != State::Erased)
        });
        is_old || self.replaced(portal).next().is_some()
    }

    /// The credentials of a portal whose tokens were replaced since they were as its row has them.
    pub(super) fn replaced<'a>(
        &'a self,
        portal: &'a Portal,
    ) -> impl Iterator<Item = &'a PortalCredential> + 'a {
        let is_old = |one: &&PortalCredential| {
            let known = self.versions.token(one.credential_id);
            known.is_some_and(|known| known > one.version)
        };
        portal.credentials.iter().filter(is_old)
    }

    /// A portal that is older than the log knows it, if it may be served as it is: no token of it was replaced since,
    /// and HubSpot says of each that it is this portal's.
    ///
    /// # Errors
    /// [`Error::TokenReplaced`] if a token was; or if HubSpot refuses one, or does not answer.
    pub async fn is_good(&self, act: &Act, portal: &Portal) -> Result<(), Error> {
        if let Some(replaced) = self.replaced(portal).next() {
            return Err(Error::TokenReplaced {
                client_slug: portal.client_slug.clone(),
                name: replaced.name.clone(),
            });
        }
        for credential in &portal.credentials {
            self.identify(act, portal, credential).await?;
        }
        Ok(())
    }

    /// A credential of an old row, of which the log knows nothing by itself, as it was told by an older version of this
    /// service: its token may have been replaced, and it is taken for that.
    pub(super) async fn suspect(&self, credential: &PortalCredential) -> Result<(), Error> {
        if self.versions.token(credential.credential_id).is_none() {
            let replaced = credential.version.saturating_add(1);
            self.versions.in_force(credential.credential_id, replaced).await?;
        }
        Ok(())
    }

    /// The portals that the log knows, and that have no row: it was deleted, or a backup from before them was restored.
    /// Erased ones are not among them.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn missing(&self) -> Result<Vec<PortalId>, Error> {
        let rows = store::ids(&self.database).await?;
        let known = self.versions.portals().into_iter();
        Ok(known
            .filter(|(id, head)| !head.erased && !rows.contains(&id.as_i64()))
            .map(|(id, _)| id)
            .collect())
    }

    /// Whether a portal that has no row was in the vault once.
    pub(super) fn is_missing(&self, portal_id: PortalId) -> bool {
        self.versions.head(portal_id).is_some()
    }

    /// Whether the log knows that a portal was erased.
    pub fn was_erased(&self, portal_id: PortalId) -> bool {
        self.versions.head(portal_id).is_some_and(|head| head.erased)
    }
}
