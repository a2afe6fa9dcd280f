//! Puts grants, and takes them away.

use hubkeep_core::{
    database::Transaction,
    id::{GrantId, PersonId},
};

use super::{
    Access, Error, Grant, Granted, Grantee, Person,
    sealed::{Kind, Record},
    snapshot::Snapshot,
    store,
};
use crate::{record::Act, revocations::Scope};

/// What became of a grant that was put, or would become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutGrant {
    /// As it is now.
    pub granted: Granted,
    /// Whether the handles that were issued under it before end.
    pub ends_handles: bool,
    /// The place of their end on the feed; 0 where none end, or nothing was changed.
    pub revocation_seq: u64,
}

impl Access {
    /// Puts a grant, or checks only what that would do. Handles issued under the one of its id live on if the new one is
    /// nowhere narrower, and else end.
    ///
    /// # Errors
    /// If it is for a person that there is not.
    pub async fn put_grant(&self, act: &Act, grant: Grant, validate_only: bool) -> Result<PutGrant, Error> {
        act.subject(grant.grant_id.as_str());
        loop {
            let snapshot = self.now().await?;
            let mut put = self.putting(act, &snapshot, &grant)?;
            if validate_only {
                return Ok(put);
            }
            let (id, revision) = (grant.grant_id.as_str(), put.granted.revision);
            let row = self
                .seal(
                    Kind::Grant,
                    id,
                    revision,
                    &Record::Grant(Box::new(put.granted.clone())),
                )
                .await?;
            let Some(mut transaction) = self.change(act, &snapshot).await? else {
                continue;
            };
            store::put(&mut transaction, &row).await?;
            if put.ends_handles {
                let ended = Scope::GrantRevision(grant.grant_id.clone(), put.granted.living_from);
                put.revocation_seq = self.revocations.append(&mut transaction, ended).await?;
            }
            transaction.commit().await?;
            self.changed(Kind::Grant, id, revision, put.revocation_seq)
                .await?;
            return Ok(put);
        }
    }

    /// Takes a grant away, and ends the handles issued under it. Gives the place of that on the feed.
    ///
    /// # Errors
    /// If there is none of this id.
    pub async fn delete_grant(&self, act: &Act, grant_id: &GrantId) -> Result<u64, Error> {
        act.subject(grant_id.as_str());
        loop {
            let snapshot = self.now().await?;
            let id = grant_id.as_str();
            if snapshot.grant(grant_id).is_none() && !snapshot.is_altered(Kind::Grant, id) {
                return Err(Error::GrantUnknown(grant_id.clone()));
            }
            let revision = snapshot.next_revision(Kind::Grant, id);
            let row = self.seal(Kind::Grant, id, revision, &Record::Deleted).await?;
            let Some(mut transaction) = self.change(act, &snapshot).await? else {
                continue;
            };
            store::put(&mut transaction, &row).await?;
            let ended = Scope::GrantRevision(grant_id.clone(), revision);
            let seq = self.revocations.append(&mut transaction, ended).await?;
            transaction.commit().await?;
            self.changed(Kind::Grant, id, revision, seq).await?;
            return Ok(seq);
        }
    }

    /// What putting a grant makes of it.
    fn putting(&self, act: &Act, snapshot: &Snapshot, grant: &Grant) -> Result<PutGrant, Error> {
        if let Grantee::Person(person) = &grant.grantee {
            known(snapshot, person)?;
        }
        let id = grant.grant_id.as_str();
        let revision = snapshot.next_revision(Kind::Grant, id);
        let old = snapshot.grant(&grant.grant_id);
        let living_from = old
            .filter(|old| grant.is_nowhere_narrower(&old.grant, person_of(snapshot, &old.grant)))
            .map_or(revision, |old| old.living_from);
        Ok(PutGrant {
            granted: Granted {
                grant: grant.clone(),
                revision,
                living_from,
                update_time: self.clock.now(),
                updated_by: act.context().caller.name.clone(),
            },
            // Of what was altered nobody knows any more what it allowed.
            ends_handles: living_from == revision && (old.is_some() || snapshot.is_altered(Kind::Grant, id)),
            revocation_seq: 0,
        })
    }

    /// A transaction for a change of what this snapshot shows; `None` if somebody else was quicker. Nobody else changes
    /// anything before it has ended. Refused if whoever acts is contained by then.
    pub(super) async fn change(&self, act: &Act, snapshot: &Snapshot) -> Result<Option<Transaction>, Error> {
        let mut transaction = self.revocations.begin_alone(act).await?;
        if store::advance(&mut transaction, snapshot.version()).await? {
            return Ok(Some(transaction));
        }
        transaction.rollback().await?;
        Ok(None)
    }

    /// Tells those who must know that a change is committed.
    pub(super) async fn changed(&self, kind: Kind, id: &str, revision: u64, seq: u64) -> Result<(), Error> {
        self.revocations.announce(seq);
        self.tell_head(kind, id, revision).await
    }
}

/// The person of this id.
pub(super) fn known<'s>(snapshot: &'s Snapshot, person_id: &PersonId) -> Result<&'s Person, Error> {
    let known = snapshot.person(person_id).map(|known| &known.person);
    known.ok_or_else(|| Error::PersonUnknown(person_id.clone()))
}

/// The person of the caller that a grant names.
fn person_of<'s>(snapshot: &'s Snapshot, grant: &Grant) -> Option<&'s Person> {
    match &grant.grantee {
        Grantee::Caller(caller) => {
            let person = snapshot.person_of_caller(caller)?;
            snapshot.person(person).map(|known| &known.person)
        }
        Grantee::Below(_) | Grantee::Everyone | Grantee::Person(_) => None,
    }
}
