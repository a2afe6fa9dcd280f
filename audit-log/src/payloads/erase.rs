//! Erasing payloads. Entries stay, and so do the proofs over them.

use hubkeep_core::{
    clock::Timestamp,
    id::{CallId, PortalId},
};
use hubkeep_seal::Keyring;

use super::{keep::LOCK, store};
use crate::{AuditLog, Error, Event, Filter, ObjectRef, Position, Search};

/// Entries that are looked at together.
const AT_ONCE: usize = 256;
/// The entries of a log whose payloads are erased with one statement.
const OF_LOG: i64 = 1_024;

impl AuditLog {
    /// From now on seals what drafts bring along, by these keys.
    pub fn seal_payloads_with(&self, keyring: Keyring) {
        self.sealer().set(keyring);
    }

    /// Whether payloads are sealed: where not, drafts need bring none.
    pub fn seals_payloads(&self) -> bool {
        self.sealer().is_on()
    }

    /// Erases the payloads beside all entries of a portal, whose keys are destroyed already. May be asked again.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn forget_payloads(&self, portal_id: PortalId) -> Result<(), Error> {
        let (log, database) = (self.log_of(portal_id), self.database());
        store::note_log(database, &log, self.clock().now()).await?;
        let (mut from, size) = (0, store::size_of(database, &log).await?);
        while from < size {
            let to = from.saturating_add(OF_LOG);
            store::erase_of_log(database, &log, from, to).await?;
            from = to;
        }
        Ok(())
    }

    /// That nothing which lies sealed beside the entries of a log may be erased.
    ///
    /// # Errors
    /// [`Error::Held`] while the log is held. Or if the database fails.
    pub(crate) async fn must_not_be_held(&self, log: &str) -> Result<(), Error> {
        match store::held_since(self.database(), log).await? {
            None => Ok(()),
            Some(_) => Err(Error::Held { log: log.to_owned() }),
        }
    }

    /// Erases the payload beside one entry of a portal, which the entry at `said_at` says. Gives how many there were.
    pub(crate) async fn erase_payload(
        &self,
        portal_id: PortalId,
        position: Position,
        said_at: Position,
    ) -> Result<u64, Error> {
        self.erase_payloads(portal_id, &[position], said_at).await
    }

    /// Erases the payloads of all calls before `said_at` that were about a record. Gives how many there were.
    pub(crate) async fn erase_payloads_about(
        &self,
        portal_id: PortalId,
        object_type: &str,
        object_ref: ObjectRef,
        said_at: Position,
    ) -> Result<u64, Error> {
        let mut search = Search::oldest(
            Filter {
                portal_id: Some(portal_id),
                object_type: Some(object_type.to_owned()),
                object_ref: Some(object_ref),
                ..Filter::all()
            },
            AT_ONCE,
        );
        search.before = Some(said_at);
        let mut erased = 0_u64;
        loop {
            let found = self.find(&search).await?;
            let positions = self.with_payloads(&found, portal_id).await?;
            erased = erased.saturating_add(self.erase_payloads(portal_id, &positions, said_at).await?);
            match found.last() {
                Some(last) if found.len() == AT_ONCE => search.after = Position(last.position),
                _ => return Ok(erased),
            }
        }
    }

    /// The entries with payloads among these and the others of the same calls: which records a call about many was about, only its
    /// outcome says, and the payload lies beside its intent.
    pub(super) async fn with_payloads(
        &self,
        events: &[Event],
        portal_id: PortalId,
    ) -> Result<Vec<Position>, Error> {
        let mut calls: Vec<CallId> = Vec::new();
        for entry in events.iter().filter_map(|event| event.entry.as_ref()) {
            calls.extend(entry.call_id.parse::<CallId>());
        }
        calls.sort_unstable();
        calls.dedup();
        let mut positions = Vec::new();
        for call_id in calls {
            let of_call = Filter {
                call_id: Some(call_id),
                portal_id: Some(portal_id),
                ..Filter::all()
            };
            let end = self.end().await?;
            let entries = self.reader().all(&of_call, Position::START, end).await?;
            let has_one = |event: &Event| {
                event
                    .entry
                    .as_ref()
                    .is_some_and(|entry| !entry.payload_sha256.is_empty())
            };
            let with = entries.into_iter().filter(has_one);
            positions.extend(with.map(|event| Position(event.position)));
        }
        Ok(positions)
    }

    pub(super) async fn erase_payloads(
        &self,
        portal_id: PortalId,
        positions: &[Position],
        said_at: Position,
    ) -> Result<u64, Error> {
        let log = self.log_of(portal_id);
        let now: Timestamp = self.clock().now();
        let mut erased = 0_u64;
        for some in positions.chunks(AT_ONCE) {
            let mut transaction = self.database().begin().await?;
            // Said in a transaction before this one, or after it: whoever holds a log waits for this lock.
            transaction.lock(LOCK).await?;
            if store::is_held(&mut transaction, &log).await? {
                transaction.rollback().await?;
                return Err(Error::Held { log });
            }
            for position in some {
                let was_there = store::erase(&mut transaction, *position, now, said_at).await?;
                erased = erased.saturating_add(u64::from(was_there));
            }
            transaction.commit().await?;
        }
        Ok(erased)
    }
}
