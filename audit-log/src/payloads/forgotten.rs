//! Records that are gone for good where they were: what lies sealed beside entries about them goes, too.

use std::collections::BTreeSet;

use hubkeep_core::id::{CallId, CallerName, ClientSlug, PortalId};

use crate::{AuditLog, Draft, Error, Event, Filter, ObjectRef, Operation, Outcome, Position, ProvenPortal};

/// The call after which nothing personal may lie sealed any more.
#[derive(Clone, Copy, Debug)]
pub struct Forgetting<'a> {
    /// Of which portal.
    pub portal_id: PortalId,
    /// The call.
    pub call_id: CallId,
    /// The type of the records.
    pub object_type: &'a str,
    /// In whose name it is on record.
    pub caller: &'a CallerName,
    /// Why.
    pub reason: &'a str,
}

impl AuditLog {
    /// Erases the payloads of a call, and of all calls before about the records of one type that it named, or that HubSpot named
    /// to it, each on record in the portal's log before it happens. Gives how many there were. May be asked again.
    ///
    /// # Errors
    /// [`Error::Held`] while the portal's log is held: then they stay. Or if the log or its database fails.
    pub async fn forget(&self, asked: Forgetting<'_>) -> Result<u64, Error> {
        let of_call = Filter {
            call_id: Some(asked.call_id),
            portal_id: Some(asked.portal_id),
            ..Filter::all()
        };
        let end = self.end().await?;
        let entries = self.reader().all(&of_call, Position::START, end).await?;
        let Some(portal) = entries.iter().find_map(portal_of) else {
            // They were older than entries are kept.
            return Ok(0);
        };
        self.must_not_be_held(&self.name_of(&portal)).await?;
        let mut erased = 0_u64;
        for record in records(&entries, asked.object_type) {
            let draft = Draft::portal(&portal, Operation::PayloadErase, asked.call_id)
                .caller(asked.caller)
                .subject(&format!("all about the record: {}", asked.reason))
                .object(asked.object_type, Some(&hex::encode(record)));
            let said_at = self.admin(draft, Outcome::ok()).await?;
            let about =
                self.erase_payloads_about(asked.portal_id, asked.object_type, ObjectRef(record), said_at);
            erased = erased.saturating_add(about.await?);
        }
        // Where it named the record by something else than its id, no hash leads to it.
        let own = self.with_payloads(&entries, asked.portal_id).await?;
        if own.is_empty() {
            return Ok(erased);
        }
        let draft = Draft::portal(&portal, Operation::PayloadErase, asked.call_id)
            .caller(asked.caller)
            .subject(&format!("of this call: {}", asked.reason));
        let said_at = self.admin(draft, Outcome::ok()).await?;
        let of_call = self.erase_payloads(asked.portal_id, &own, said_at).await?;
        Ok(erased.saturating_add(of_call))
    }
}

/// The portal whose log an entry is in: that it is there is the proof.
fn portal_of(event: &Event) -> Option<ProvenPortal> {
    let entry = event.entry.as_ref()?;
    let portal_id = PortalId::new(entry.portal_id)?;
    let client_slug: ClientSlug = entry.client_slug.parse().ok()?;
    Some(ProvenPortal::by_entry(portal_id, client_slug))
}

/// The records of this type that entries name.
fn records(entries: &[Event], object_type: &str) -> BTreeSet<[u8; ObjectRef::BYTES]> {
    let of_type = entries
        .iter()
        .filter_map(|event| event.entry.as_ref())
        .filter(|entry| entry.object_type == object_type);
    let mut records = BTreeSet::new();
    for entry in of_type {
        records.extend(ObjectRef::read(&entry.object_ref).ok().map(|own| own.0));
        records.extend(entry.record_refs.as_chunks().0);
    }
    records
}
