//! Who is who: puts people, forgets them, and says whose a name is.

use std::collections::BTreeSet;

use hubkeep_core::{
    database::Transaction,
    id::{CallerName, PersonId},
};

use super::{
    Access, Error, Known, OidcSubject, Person, SlackUser,
    sealed::{Kind, Record},
    snapshot::Snapshot,
    store,
};
use crate::{holders::Holder, record::Act};

/// What became of a person that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutPerson {
    /// As it is now.
    pub known: Known,
    /// The newest place on the feed, where handles of callers ended; else 0.
    pub revocation_seq: u64,
}

impl Access {
    /// Says by which names a person is known, in the place of what was said before. The handles of each caller that came
    /// to the person, or ceased to be that person's, end.
    ///
    /// # Errors
    /// If a name is another person's.
    pub async fn put_person(&self, act: &Act, person: Person) -> Result<PutPerson, Error> {
        act.subject(person.person_id.as_str());
        loop {
            let snapshot = self.now().await?;
            nobody_else_has(&snapshot, &person)?;
            let id = person.person_id.as_str();
            let before = names_of(&snapshot, &person.person_id);
            let moved: Vec<_> = before.symmetric_difference(&person.certificate_names).collect();
            let known = Known {
                person: person.clone(),
                update_time: self.clock.now(),
            };
            let revision = snapshot.next_revision(Kind::Person, id);
            let row = self
                .seal(Kind::Person, id, revision, &Record::Person(known.clone()))
                .await?;
            let Some(mut transaction) = self.change(&snapshot).await? else {
                continue;
            };
            store::put(&mut transaction, &row).await?;
            let revocation_seq = self.end_handles(&mut transaction, moved).await?;
            transaction.commit().await?;
            self.changed(Kind::Person, id, revision, revocation_seq).await?;
            return Ok(PutPerson {
                known,
                revocation_seq,
            });
        }
    }

    /// Forgets a person. The handles of that person's callers end; gives the newest place of that on the feed, or 0 if
    /// there are no such callers.
    ///
    /// # Errors
    /// If there is none of this id.
    pub async fn delete_person(&self, act: &Act, person_id: &PersonId) -> Result<u64, Error> {
        act.subject(person_id.as_str());
        loop {
            let snapshot = self.now().await?;
            let id = person_id.as_str();
            if snapshot.person(person_id).is_none() && !snapshot.is_altered(Kind::Person, id) {
                return Err(Error::PersonUnknown(person_id.clone()));
            }
            let before = names_of(&snapshot, person_id);
            let revision = snapshot.next_revision(Kind::Person, id);
            let row = self.seal(Kind::Person, id, revision, &Record::Deleted).await?;
            let Some(mut transaction) = self.change(&snapshot).await? else {
                continue;
            };
            store::put(&mut transaction, &row).await?;
            let seq = self.end_handles(&mut transaction, before.iter()).await?;
            transaction.commit().await?;
            self.changed(Kind::Person, id, revision, seq).await?;
            return Ok(seq);
        }
    }

    /// At most `limit` people with an id greater than `after`, by id.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn people(&self, after: &str, limit: usize) -> Result<Vec<Known>, Error> {
        let snapshot = self.now().await?;
        let later = |known: &&Known| known.person.person_id.as_str() > after;
        Ok(snapshot.people().filter(later).take(limit).cloned().collect())
    }

    /// The person whose certificate names this caller.
    ///
    /// # Errors
    /// If people cannot be read.
    pub async fn person_of_caller(&self, caller: &CallerName) -> Result<Option<PersonId>, Error> {
        Ok(self.now().await?.person_of_caller(caller).cloned())
    }

    /// The person who has this account with a sign-in provider.
    ///
    /// # Errors
    /// If people cannot be read.
    pub async fn person_of_oidc(&self, account: &OidcSubject) -> Result<Option<PersonId>, Error> {
        Ok(self.now().await?.person_of_oidc(account).cloned())
    }

    /// The person who is this Slack user.
    ///
    /// # Errors
    /// If people cannot be read.
    pub async fn person_of_slack(&self, user: &SlackUser) -> Result<Option<PersonId>, Error> {
        Ok(self.now().await?.person_of_slack(user).cloned())
    }

    /// Ends the handles of callers; gives the newest place on the feed, or 0 if there are none.
    async fn end_handles(
        &self,
        transaction: &mut Transaction,
        callers: impl IntoIterator<Item = &CallerName>,
    ) -> Result<u64, Error> {
        let mut newest = 0;
        for caller in callers {
            let holder = Holder::Caller(caller.clone());
            newest = self.holders.end_handles(transaction, &holder).await?;
        }
        Ok(newest)
    }
}

fn names_of(snapshot: &Snapshot, person_id: &PersonId) -> BTreeSet<CallerName> {
    let known = snapshot.person(person_id);
    known
        .map(|known| known.person.certificate_names.clone())
        .unwrap_or_default()
}

/// No name of this person is another's.
fn nobody_else_has(snapshot: &Snapshot, person: &Person) -> Result<(), Error> {
    let certificates = person.certificate_names.iter().map(|name| {
        let whose = snapshot.person_of_caller(name);
        (whose, name.to_string())
    });
    let accounts = person.oidc_subjects.iter().map(|account| {
        let whose = snapshot.person_of_oidc(account);
        (whose, format!("{} of {}", account.subject, account.issuer))
    });
    let users = person.slack_users.iter().map(|user| {
        let whose = snapshot.person_of_slack(user);
        (whose, format!("{} of {}", user.user_id, user.team_id))
    });
    for (whose, name) in certificates.chain(accounts).chain(users) {
        if let Some(other) = whose.filter(|other| **other != person.person_id) {
            return Err(Error::IdentityTaken {
                name,
                person_id: other.clone(),
            });
        }
    }
    Ok(())
}
