//! Who may have which handles, and how wide. Nobody may have any unless a grant says so.
//!
//! Grants, and the people that they may be for, lie sealed in their rows: whoever can write the table can neither make one
//! nor widen one, and cannot bring back one that was replaced, because the audit log, which lies in another database, knows
//! how far each had come. All of them are kept in memory, as of a counter that is read with each question: so a change
//! that one replica makes is in force at once on all.
//!
//! | file | does |
//! |---|---|
//! | `scope`, `budget` | what a handle, or a grant, allows |
//! | `grant`, `selection` | a grant: for whom, for which portals, and whether one is narrower than another |
//! | `person`, `user`, `email` | a person, and everything by which one is known; somebody who has signed in |
//! | `permit`, `reading` | which grant covers a wish, and what the nearest lacks if none does; what may be read |
//! | `lapsed` | whether what was permitted still is |
//! | `put`, `people` | changes of grants, and of people |
//! | `replay` | which wishes of the past other grants would not have covered |
//! | `snapshot` | all of it in memory |
//! | `sealed`, `store` | how it lies in the table |

mod budget;
mod email;
mod error;
mod grant;
mod lapsed;
mod people;
mod permit;
mod person;
mod put;
mod reading;
mod replay;
mod scope;
mod sealed;
mod selection;
mod snapshot;
mod store;
mod user;

use std::sync::{Arc, PoisonError, RwLock};

use hubkeep_audit_log::AuditLog;
use hubkeep_core::{
    clock::SharedClock,
    database::Database,
    id::{CallerName, ClientSlug},
};
use hubkeep_seal::Keyring;
use tokio::sync::Mutex;

pub use budget::{Budget, MOST};
pub use email::Email;
pub use error::Error;
pub use grant::{Grant, Granted, Grantee, LONGEST, SHORTEST};
pub use lapsed::Held;
pub use people::PutPerson;
pub use permit::{Asked, Lacking, Permitted};
pub use person::{Known, OidcSubject, Person, SlackUser};
pub use put::PutGrant;
pub use replay::{Past, Proposed, Refusal, Replay, Replayed};
pub use scope::{Named, Operation, Part, Scope};
pub use selection::Selection;
pub use user::User;

use crate::{holders::Holders, revocations::Revocations};
use snapshot::Snapshot;

/// What grants and people are kept with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Where their tables are.
    pub database: Database,
    /// Seals them.
    pub keyring: Keyring,
    /// Whose handles end when a name comes to or leaves a person.
    pub holders: Holders,
    /// Where the end of handles is announced.
    pub revocations: Revocations,
    /// Knows how far each grant and person had come.
    pub log: AuditLog,
    /// The time.
    pub clock: SharedClock,
}

/// The grants, and the people.
#[derive(Clone, Debug)]
pub struct Access {
    database: Database,
    keyring: Keyring,
    holders: Holders,
    revocations: Revocations,
    log: AuditLog,
    clock: SharedClock,
    snapshot: Arc<RwLock<Option<Arc<Snapshot>>>>,
    /// Held by whoever reads everything anew: the others wait for what it finds.
    reading: Arc<Mutex<()>>,
}

impl Access {
    /// The grants and people in this database.
    pub fn build(deps: Deps) -> Self {
        let Deps {
            database,
            keyring,
            holders,
            revocations,
            log,
            clock,
        } = deps;
        Self {
            database,
            keyring,
            holders,
            revocations,
            log,
            clock,
            snapshot: Arc::default(),
            reading: Arc::default(),
        }
    }

    /// Everything as it is now: from memory, if nothing was changed since it was read.
    async fn now(&self) -> Result<Arc<Snapshot>, Error> {
        let version = store::version(&self.database).await?;
        if let Some(snapshot) = self.as_of(version) {
            return Ok(snapshot);
        }
        let _turn = self.reading.lock().await;
        if let Some(snapshot) = self.as_of(version) {
            return Ok(snapshot);
        }
        let read = Arc::new(self.read().await?);
        let mut kept = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(read.clone());
        Ok(read)
    }

    fn as_of(&self, version: i64) -> Option<Arc<Snapshot>> {
        let kept = self.snapshot.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.tick();
        kept.as_ref()
            .filter(|snapshot| snapshot.serves(version, now))
            .cloned()
    }

    /// The grants with an id greater than `after`, by id; of a caller, as itself or as a person, and for a portal with
    /// these tags, where either is named.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn grants(
        &self,
        wanted: &Wanted<'_>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Granted>, Error> {
        let snapshot = self.now().await?;
        let person = wanted.caller.and_then(|caller| snapshot.person_of_caller(caller));
        let fits = |granted: &&Granted| {
            let grant = &granted.grant;
            let caller = wanted
                .caller
                .is_none_or(|caller| grant.grantee.is(caller, person));
            let portal = wanted
                .portal
                .is_none_or(|(slug, tags)| grant.portals.selects(slug, tags));
            caller && portal && grant.grant_id.as_str() > after
        };
        Ok(snapshot.grants().filter(fits).take(limit).cloned().collect())
    }

    /// The grants that selected a portal by the tags that it had, and do not by those that it has now. Handles of that
    /// portal that were issued under them must end.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn no_longer_selecting(
        &self,
        client_slug: &ClientSlug,
        had: &[String],
        has: &[String],
    ) -> Result<Vec<Granted>, Error> {
        let snapshot = self.now().await?;
        let ceased = |granted: &&Granted| {
            let portals = &granted.grant.portals;
            portals.selects(client_slug, had) && !portals.selects(client_slug, has)
        };
        Ok(snapshot.grants().filter(ceased).cloned().collect())
    }
}

/// Which grants are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Those that this caller has.
    pub caller: Option<&'a CallerName>,
    /// Those for this portal, with its tags.
    pub portal: Option<(&'a ClientSlug, &'a [String])>,
}
