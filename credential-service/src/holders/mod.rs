//! Whose handles: callers and people, the generation of their handles that lives, and whether they are contained.
//!
//! A handle is issued under the generation that its caller, and the caller's person, have then, and dies when either
//! moves. Who is contained gets no handle until that is lifted; handles that it ended stay dead. Nor does a contained caller
//! get anything else: each service mirrors who is, here from the table (`mirror`), elsewhere from the feed.

mod error;
mod mirror;
mod store;

use std::fmt;

use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::{Database, Transaction},
    id::{CallerName, PersonId},
};

pub use error::Error;
pub use mirror::{Mirror, MirrorError};

use crate::revocations::{Revocations, Scope};

/// Whose handles.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Of this caller.
    Caller(CallerName),
    /// Of every caller that is this person.
    Person(PersonId),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(name) => write!(f, "caller {name}"),
            Self::Person(id) => write!(f, "person {id}"),
        }
    }
}

impl Holder {
    fn scope(&self, generation: u64) -> Scope {
        match self {
            Self::Caller(name) => Scope::CallerGeneration(name.clone(), generation),
            Self::Person(id) => Scope::PersonGeneration(id.clone(), generation),
        }
    }
}

/// How a holder stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The generation of its handles that lives: 1 if nothing was ever said of it.
    pub generation: u64,
    /// Whether it gets no handle.
    pub contained: bool,
}

/// A caller that a containment, or its end, is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concerned {
    /// The caller.
    pub caller: CallerName,
    /// As what else it may be contained: itself, where its person is contained; its person, where it is itself.
    pub also: Option<Holder>,
}

/// A holder that is contained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contained {
    /// Who.
    pub holder: Holder,
    /// Since when.
    pub time: Timestamp,
    /// By whom.
    pub by: CallerName,
    /// Why.
    pub reason: String,
}

/// Callers and people, as far as anything was said of them.
#[derive(Clone, Debug)]
pub struct Holders {
    database: Database,
    revocations: Revocations,
    clock: SharedClock,
}

impl Holders {
    /// The holders in this database.
    pub const fn build(database: Database, revocations: Revocations, clock: SharedClock) -> Self {
        Self {
            database,
            revocations,
            clock,
        }
    }

    /// How a holder stands.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn standing(&self, holder: &Holder) -> Result<Standing, Error> {
        store::standing(&self.database, holder).await
    }

    /// Ends every handle of a holder, as part of a transaction: moves its generation, and says so on the feed. Gives the
    /// place there, to be [announced](Revocations::announce) after the commit.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn end_handles(&self, transaction: &mut Transaction, holder: &Holder) -> Result<u64, Error> {
        let generation = store::next_generation(transaction, holder).await?;
        Ok(self
            .revocations
            .append(transaction, holder.scope(generation))
            .await?)
    }

    /// Contains a holder, and so these callers, as part of a transaction: ends its handles, and gives it no new ones. Gives
    /// the place on the feed, to be [announced](Revocations::announce) after the commit. One that is contained stays as it
    /// is, and the place is one by which it was.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn contain(
        &self,
        transaction: &mut Transaction,
        holder: &Holder,
        callers: &[Concerned],
        (by, reason): (&CallerName, &str),
    ) -> Result<u64, Error> {
        let now = self.clock.now();
        let Some(generation) = store::contain(transaction, holder, by, reason, now).await? else {
            return Ok(self.revocations.newest_in(transaction).await?);
        };
        for one in callers {
            self.hold(transaction, &one.caller, true).await?;
        }
        Ok(self
            .revocations
            .append(transaction, holder.scope(generation))
            .await?)
    }

    /// Says on the feed whether a caller is contained, as part of a transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn hold(
        &self,
        transaction: &mut Transaction,
        caller: &CallerName,
        held: bool,
    ) -> Result<u64, Error> {
        let scope = Scope::CallerHold(caller.clone(), held);
        Ok(self.revocations.append(transaction, scope).await?)
    }

    /// Whether a holder is contained, as a transaction sees it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_contained(&self, transaction: &mut Transaction, holder: &Holder) -> Result<bool, Error> {
        store::is_contained(transaction, holder).await
    }

    /// Lets a holder, and these callers, have handles again, as part of a transaction. Those that were ended stay so, and a
    /// caller that is contained also as something else stays contained. Gives the newest place on the feed.
    ///
    /// # Errors
    /// [`Error::NotContained`] if it is not; or if the database fails.
    pub async fn lift(
        &self,
        transaction: &mut Transaction,
        holder: &Holder,
        callers: &[Concerned],
    ) -> Result<u64, Error> {
        if !store::lift(transaction, holder).await? {
            return Err(Error::NotContained(holder.to_string()));
        }
        for one in callers {
            let held = match &one.also {
                Some(also) => store::is_contained(transaction, also).await?,
                None => false,
            };
            if !held {
                self.hold(transaction, &one.caller, false).await?;
            }
        }
        Ok(self.revocations.newest_in(transaction).await?)
    }

    /// A holder, if it is contained.
    ///
    /// # Errors
    /// If the database fails, or its row cannot be read.
    pub async fn contained(&self, holder: &Holder) -> Result<Option<Contained>, Error> {
        store::contained(&self.database, holder).await
    }

    /// Every holder that is contained.
    ///
    /// # Errors
    /// If the database fails, or a row cannot be read.
    pub async fn list(&self) -> Result<Vec<Contained>, Error> {
        store::list(&self.database).await
    }
}
