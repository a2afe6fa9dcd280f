//! Contains what is not to be trusted any more: its handles die, it gets no new ones, and whoever asked for that hears how
//! far it has come among the services that redeem handles.

use std::{cmp::Reverse, fmt, time::Duration};

use hubkeep_core::{
    clock::{Tick, Timestamp},
    id::{CallerName, ClientSlug, ConnectionId, HandleId, PersonId},
};

use super::{
    Error, Fleet,
    store::containments::{self, Noted},
};
use crate::{
    holders::{self, Holder},
    portals::{Listed, Portal, State},
    record::Act,
    revocations::{POLL, Reach, Scope},
};

/// Kept back from the caller's deadline, to write the entry and to answer.
const TO_ANSWER: Duration = Duration::from_millis(500);
/// Each replica of this service has read who is contained by then: it looks twice a second, and this is a margin more.
const REPLICAS: Duration = POLL.saturating_add(Duration::from_millis(250));
/// How often a portal is looked at anew, that somebody else changes at the same moment.
const ATTEMPTS: usize = 3;

/// What is contained, or whose handles are ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A portal.
    Portal(ClientSlug),
    /// A caller or a person.
    Holder(Holder),
    /// A handle, with all that are of its family.
    Handle(HandleId),
    /// A connection: its handles can be ended, and it cannot be contained.
    Connection(ConnectionId),
}

impl Target {
    /// A caller.
    pub const fn caller(name: CallerName) -> Self {
        Self::Holder(Holder::Caller(name))
    }

    /// Every caller that is this person.
    pub const fn person(id: PersonId) -> Self {
        Self::Holder(Holder::Person(id))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Portal(slug) => write!(f, "portal {slug}"),
            Self::Holder(holder) => holder.fmt(f),
            Self::Handle(id) => write!(f, "handle {id}"),
            Self::Connection(id) => write!(f, "connection {id}"),
        }
    }
}

/// Something that is contained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Containment {
    /// What.
    pub target: Target,
    /// Since when.
    pub time: Timestamp,
    /// By whom; `None` if the note of it is gone.
    pub by: Option<CallerName>,
    /// Why.
    pub reason: String,
}

/// What was ended, and how far that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its place on the feed.
    pub seq: u64,
    /// How far it has come, where that was waited for.
    pub reach: Option<Reach>,
}

impl Fleet {
    /// Contains something, and waits until every redeemer has acknowledged that or its lease has run out, and until the
    /// other replicas of this service have read who is contained, `wait` at most. What is contained stays as it is, and is
    /// waited for again.
    ///
    /// # Errors
    /// If whoever acts is contained; if there is no such portal or handle, the portal was erased or is older than the log
    /// knows it, or the database fails. What was contained by then stays so: containing it again waits again.
    pub async fn contain(
        &self,
        act: &Act,
        target: &Target,
        reason: &str,
        wait: Duration,
    ) -> Result<(Containment, Ended), Error> {
        act.subject(&format!("{target}: {reason}"));
        let by = act.context().caller.name.clone();
        let new = Noted {
            time: self.clock.now(),
            by: by.clone(),
            reason: reason.to_owned(),
            was_active: true,
        };
        let (noted, seq) = match target {
            Target::Portal(slug) => self.contain_portal(act, slug, new).await?,
            Target::Holder(holder) => self.contain_holder(act, holder, new).await?,
            Target::Handle(id) => (new, self.handles.revoke_family(act, *id).await?),
            Target::Connection(id) => (new, self.handles.revoke_of_connection(act, *id).await?),
        };
        let containment = Containment {
            target: target.clone(),
            time: noted.time,
            by: Some(noted.by),
            reason: noted.reason,
        };
        let until = self.until(act, wait);
        let read_by_all = self.clock.tick().plus(REPLICAS).min(until);
        let reach = Some(self.revocations.reach(seq, until).await?);
        if self.database.is_shared() && matches!(target, Target::Holder(_)) {
            self.clock.sleep_until(read_by_all).await;
        }
        Ok((containment, Ended { seq, reach }))
    }

    /// Whether anything names a target, so that it is no typo. Of a portal or a handle containing tells that itself.
    ///
    /// # Errors
    /// If grants, people or handles cannot be read.
    pub async fn knows(&self, act: &Act, target: &Target) -> Result<bool, Error> {
        let Target::Holder(holder) = target else {
            return Ok(true);
        };
        let named = self.access.knows(holder).await?;
        Ok(match holder {
            Holder::Caller(caller) if !named => {
                act.context().is_named(caller) || self.handles.knows(caller).await?
            }
            Holder::Caller(_) | Holder::Person(_) => named,
        })
    }

    /// Lifts a containment. Handles that it ended stay dead; a portal that was suspended before is suspended again.
    ///
    /// # Errors
    /// If it is not contained, or is a handle, which never lives again.
    pub async fn lift(&self, act: &Act, target: &Target, reason: &str) -> Result<(), Error> {
        act.subject(&format!("{target}: {reason}"));
        match target {
            Target::Portal(slug) => self.lift_portal(act, slug).await,
            Target::Holder(holder) => {
                let (mut transaction, callers) = self.access.callers_of(act, holder).await?;
                let seq = match self.holders.lift(&mut transaction, holder, &callers).await {
                    Ok(seq) => seq,
                    Err(error) => {
                        transaction.rollback().await?;
                        return Err(error.into());
                    }
                };
                transaction.commit().await?;
                self.revocations.announce(seq);
                Ok(())
            }
            Target::Handle(_) | Target::Connection(_) => {
                Err(holders::Error::NotContained(target.to_string()).into())
            }
        }
    }

    /// Everything that is contained, the newest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn containments(&self) -> Result<Vec<Containment>, Error> {
        let mut notes = containments::all(&self.database).await?;
        let held = self.holders.list().await?.into_iter().map(|one| Containment {
            target: Target::Holder(one.holder),
            time: one.time,
            by: Some(one.by),
            reason: one.reason,
        });
        let mut all: Vec<Containment> = held.collect();
        for listed in self.portals.all().await? {
            let Listed::Intact(portal) = listed else { continue };
            if portal.state == State::Contained {
                let noted = notes.remove(&portal.portal_id.as_i64());
                all.push(of_portal(*portal, noted));
            }
        }
        all.sort_by_cached_key(|one| (Reverse(one.time), one.target.to_string()));
        Ok(all)
    }

    /// Ends every living handle of a portal, a caller, a person or a connection, or of a handle's family, and forbids nothing.
    ///
    /// # Errors
    /// As [`Fleet::contain`].
    pub async fn end_handles(
        &self,
        act: &Act,
        target: &Target,
        wait: Option<Duration>,
    ) -> Result<Ended, Error> {
        act.subject(&target.to_string());
        let seq = match target {
            Target::Portal(slug) => self.end_handles_of_portal(act, slug).await?,
            Target::Holder(holder) => {
                let mut transaction = self.revocations.begin(act).await?;
                let seq = self.holders.end_handles(&mut transaction, holder).await?;
                transaction.commit().await?;
                self.revocations.announce(seq);
                seq
            }
            Target::Handle(id) => self.handles.revoke_family(act, *id).await?,
            Target::Connection(id) => self.handles.revoke_of_connection(act, *id).await?,
        };
        let reach = match wait {
            Some(wait) => Some(self.revocations.reach(seq, self.until(act, wait)).await?),
            None => None,
        };
        Ok(Ended { seq, reach })
    }

    /// Nobody waits for longer than the caller does.
    fn until(&self, act: &Act, wait: Duration) -> Tick {
        let until = self.clock.tick().plus(wait);
        until.min(act.context().deadline.minus(TO_ANSWER))
    }

    async fn contain_holder(&self, act: &Act, holder: &Holder, new: Noted) -> Result<(Noted, u64), Error> {
        let (mut transaction, callers) = self.access.callers_of(act, holder).await?;
        let why = (&new.by, new.reason.as_str());
        let seq = self
            .holders
            .contain(&mut transaction, holder, &callers, why)
            .await?;
        transaction.commit().await?;
        self.revocations.announce(seq);
        // If it was contained before, then by whom and why.
        let stands = self.holders.contained(holder).await?;
        let noted = stands.map_or(new, |one| Noted {
            time: one.time,
            by: one.by,
            reason: one.reason,
            was_active: true,
        });
        Ok((noted, seq))
    }

    async fn contain_portal(&self, act: &Act, slug: &ClientSlug, new: Noted) -> Result<(Noted, u64), Error> {
        for _ in 0..ATTEMPTS {
            let portal = self.portals.get(act, slug).await?;
            portal.kept()?;
            if portal.state == State::Contained {
                let seq = self.revocations.newest().await?;
                let mut notes = containments::all(&self.database).await?;
                let noted = notes.remove(&portal.portal_id.as_i64());
                return Ok((noted.unwrap_or(new), seq));
            }
            let mut transaction = self.revocations.begin(act).await?;
            let moved = self
                .portals
                .set_state(&mut transaction, &portal, State::Contained)
                .await?;
            let Some(moved) = moved else {
                transaction.rollback().await?;
                continue;
            };
            let noted = Noted {
                was_active: portal.state == State::Active,
                ..new
            };
            containments::put(&mut transaction, portal.portal_id, &noted).await?;
            let scope = Scope::PortalGeneration(moved.portal_id, moved.portal_generation);
            let seq = self.revocations.append(&mut transaction, scope).await?;
            transaction.commit().await?;
            self.revocations.announce(seq);
            self.portals.committed(&moved).await?;
            return Ok((noted, seq));
        }
        Err(Error::Contended(slug.clone()))
    }

    async fn lift_portal(&self, act: &Act, slug: &ClientSlug) -> Result<(), Error> {
        let portal = self.portals.get(act, slug).await?;
        if portal.state != State::Contained {
            portal.kept()?;
            return Err(holders::Error::NotContained(format!("portal {slug}")).into());
        }
        let mut transaction = self.revocations.begin(act).await?;
        let noted = containments::take(&mut transaction, portal.portal_id).await?;
        // Where nobody noted how it was, somebody must say that it may be served.
        let to = match noted {
            Some(Noted { was_active: true, .. }) => State::Active,
            _ => State::Suspended,
        };
        let moved = self.portals.set_state(&mut transaction, &portal, to).await?;
        let Some(moved) = moved else {
            transaction.rollback().await?;
            return Err(Error::Contended(slug.clone()));
        };
        let scope = Scope::PortalGeneration(moved.portal_id, moved.portal_generation);
        let seq = self.revocations.append(&mut transaction, scope).await?;
        transaction.commit().await?;
        self.revocations.announce(seq);
        Ok(self.portals.committed(&moved).await?)
    }

    async fn end_handles_of_portal(&self, act: &Act, slug: &ClientSlug) -> Result<u64, Error> {
        for _ in 0..ATTEMPTS {
            let portal = self.portals.get(act, slug).await?;
            portal.kept()?;
            let mut transaction = self.revocations.begin(act).await?;
            let moved = self
                .portals
                .set_state(&mut transaction, &portal, portal.state)
                .await?;
            let Some(moved) = moved else {
                transaction.rollback().await?;
                continue;
            };
            let scope = Scope::PortalGeneration(moved.portal_id, moved.portal_generation);
            let seq = self.revocations.append(&mut transaction, scope).await?;
            transaction.commit().await?;
            self.revocations.announce(seq);
            self.portals.committed(&moved).await?;
            return Ok(seq);
        }
        Err(Error::Contended(slug.clone()))
    }
}

/// A portal whose row says that it is contained.
fn of_portal(portal: Portal, noted: Option<Noted>) -> Containment {
    let target = Target::Portal(portal.client_slug.clone());
    match noted {
        Some(noted) => Containment {
            target,
            time: noted.time,
            by: Some(noted.by),
            reason: noted.reason,
        },
        // The note is gone, which takes nothing from it.
        None => Containment {
            target,
            time: portal.state_time(),
            by: None,
            reason: String::new(),
        },
    }
}
