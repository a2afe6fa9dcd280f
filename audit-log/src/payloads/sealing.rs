//! Sealing a payload before its entry is queued for the writer.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use hubkeep_core::id::{EntryId, PortalId};
use hubkeep_proto::audit::v1::Entry;
use hubkeep_seal::{Keyring, Owner, Place, Purpose};

use super::Payload;
use crate::{Draft, Error};

/// A payload, sealed for one entry to be.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// The id that the entry will have: it is authenticated with the payload.
    pub(crate) entry_id: EntryId,
    pub(crate) bytes: Vec<u8>,
}

impl Sealed {
    /// What the entry commits to.
    pub(crate) fn sha256(&self) -> Vec<u8> {
        sha256(&self.bytes)
    }
}

/// Seals what goes beside entries, where that is on and there are keys.
#[derive(Debug)]
pub(crate) struct Sealer {
    enabled: bool,
    keyring: OnceLock<Keyring>,
}

impl Sealer {
    pub(crate) const fn new(enabled: bool) -> Self {
        Self {
            enabled,
            keyring: OnceLock::new(),
        }
    }

    /// From now on by these keys; those that were given first stay.
    pub(crate) fn set(&self, keyring: Keyring) {
        let _ = self.keyring.set(keyring);
    }

    /// Whether it seals anything.
    pub(crate) fn is_on(&self) -> bool {
        self.enabled && self.keyring.get().is_some()
    }

    pub(super) fn keyring(&self) -> Option<&Keyring> {
        self.keyring.get()
    }

    /// Seals a payload for the entry with this id. `None` where nothing is sealed.
    pub(crate) async fn seal(
        &self,
        payload: &Payload,
        entry_id: EntryId,
        draft: &Draft,
    ) -> Result<Option<Sealed>, Error> {
        let (true, Some(keyring)) = (self.enabled, self.keyring.get()) else {
            return Ok(None);
        };
        let entry = draft.entry();
        let Some(portal_id) = PortalId::new(entry.portal_id) else {
            return Ok(None);
        };
        let row = entry_id.to_string();
        let bytes = keyring
            .seal(&place(portal_id, &row, entry), &payload.bytes())
            .await?;
        Ok(Some(Sealed { entry_id, bytes }))
    }
}

/// Where a payload lies: beside this entry of this portal, and nowhere else.
pub(super) fn place<'a>(portal_id: PortalId, entry_id: &'a str, entry: &'a Entry) -> Place<'a> {
    Place {
        owner: Owner::Portal(portal_id),
        purpose: Purpose::AuditPayload,
        table: "audit_payload",
        column: "sealed",
        row: entry_id,
        client_slug: &entry.client_slug,
        kind: &entry.call_id,
        generation: u64::from(entry.attempt),
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}
