//! Who is who: puts people, forgets them, and says whose a name is.

use std::collections::BTreeSet;

use hubkeep_core::{
    database::Transaction,
    id::{CallerName, PersonId},
};

use super::{
    Access, Error, Granted, Grantee, Known, OidcSubject, Person, SlackUser,
    sealed::{Kind, Record},
    snapshot::Snapshot,
    store,
};
use crate::{
    holders::{Concerned, Holder},
    record::Act,
};

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
    /// If a name is another person's, or a contained person would lose one: it would not be contained by that any more.
    pub async fn put_person(&self, act: &Act, person: Person) -> Result<PutPerson, Error> {
        act.subject(person.person_id.as_str());
        loop {
            let snapshot = self.now().await?;
            nobody_else_has(&snapshot, &person)?;
            let id = person.person_id.as_str();
            let before = names_of(&snapshot, &person.person_id);
            let after = person.caller_names();
            let moved: Vec<_> = before.symmetric_difference(&after).collect();
            let known = Known {
                person: person.clone(),
                update_time: self.clock.now(),
            };
            let revision = snapshot.next_revision(Kind::Person, id);
            let row = self
                .seal(Kind::Person, id, revision, &Record::Person(known.clone()))
                .await?;
            let Some(mut transaction) = self.change(act, &snapshot).await? else {
                continue;
            };
            if self.is_contained(&mut transaction, &person.person_id).await? {
                if loses_a_name(&snapshot, &person) {
                    transaction.rollback().await?;
                    return Err(Error::PersonContained(person.person_id));
                }
                for name in after.difference(&before) {
                    self.holders.hold(&mut transaction, name, true).await?;
                }
            }
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
    /// If there is none of this id, or it is contained.
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
            let Some(mut transaction) = self.change(act, &snapshot).await? else {
                continue;
            };
            if self.is_contained(&mut transaction, person_id).await? {
                transaction.rollback().await?;
                return Err(Error::PersonContained(person_id.clone()));
            }
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

    /// The callers that a holder of handles is, in a transaction before whose end nothing changes that.
    ///
    /// # Errors
    /// If whoever acts is contained, or people cannot be read.
    pub async fn callers_of(
        &self,
        act: &Act,
        holder: &Holder,
    ) -> Result<(Transaction, Vec<Concerned>), Error> {
        loop {
            let snapshot = self.now().await?;
            let Some(transaction) = self.change(act, &snapshot).await? else {
                continue;
            };
            let callers = match holder {
                Holder::Caller(caller) => vec![Concerned {
                    caller: caller.clone(),
                    also: snapshot.person_of_caller(caller).cloned().map(Holder::Person),
                }],
                Holder::Person(person) => {
                    let itself = |caller: CallerName| Concerned {
                        also: Some(Holder::Caller(caller.clone())),
                        caller,
                    };
                    names_of(&snapshot, person).into_iter().map(itself).collect()
                }
            };
            return Ok((transaction, callers));
        }
    }

    /// Whether a person is known, or a caller is named by a grant or a person.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn knows(&self, holder: &Holder) -> Result<bool, Error> {
        let snapshot = self.now().await?;
        Ok(match holder {
            Holder::Person(person) => snapshot.person(person).is_some(),
            Holder::Caller(caller) => {
                let names = |granted: &Granted| match &granted.grant.grantee {
                    Grantee::Everyone => false,
                    grantee => grantee.is(caller, None),
                };
                snapshot.person_of_caller(caller).is_some() || snapshot.grants().any(names)
            }
        })
    }

    async fn is_contained(&self, transaction: &mut Transaction, person_id: &PersonId) -> Result<bool, Error> {
        let person = Holder::Person(person_id.clone());
        Ok(self.holders.is_contained(transaction, &person).await?)
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
    known.map(|known| known.person.caller_names()).unwrap_or_default()
}

/// Whether a person would lose a name that it has.
fn loses_a_name(snapshot: &Snapshot, person: &Person) -> bool {
    snapshot.person(&person.person_id).is_some_and(|known| {
        let before = &known.person;
        !before.certificate_names.is_subset(&person.certificate_names)
            || !before.oidc_subjects.is_subset(&person.oidc_subjects)
            || !before.slack_users.is_subset(&person.slack_users)
    })
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
