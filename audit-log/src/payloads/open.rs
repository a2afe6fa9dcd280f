//! Opening a payload for a reader.

use std::time::Duration;

use hubkeep_core::{clock::Timestamp, id::PortalId};
use hubkeep_proto::audit::v1::{Entry, SealedPayload};
use prost::Message as _;

use super::{
    sealing::{place, sha256},
    store,
};
use crate::{AuditLog, Error, Event, Filter, Position};

/// No two clocks are taken to be further apart than this.
const CLOCKS_APART: Duration = Duration::from_secs(5 * 60);

/// An entry, and what is to be had of its payload.
#[derive(Debug)]
pub struct PayloadAt {
    /// The entry.
    pub event: Event,
    /// Its payload.
    pub payload: OpenedPayload,
}

/// What is to be had of a payload.
#[derive(Debug)]
pub enum OpenedPayload {
    /// What was sealed.
    Opened(Box<SealedPayload>),
    /// Nothing was ever sealed beside the entry.
    None,
    /// It is gone, and that is as it should be.
    Gone(Gone),
}

/// How a payload went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Its time was over, then.
    Expired(Timestamp),
    /// An operator had it erased, as the entry at this position says; or its portal was erased, and it is the position of none.
    Erased(Timestamp, Option<Position>),
}

impl Gone {
    /// Whether it may have gone like this from beside an entry of a log that is held since then: nothing expires there any more.
    fn may_be(&self, held: Option<Timestamp>) -> bool {
        match (self, held) {
            (Self::Expired(when), Some(held)) => *when <= held.plus(CLOCKS_APART),
            _ => true,
        }
    }
}

impl AuditLog {
    /// Gives the entry at a position, with what is to be had of its payload; `None` if there is no entry. Who asks is recorded by
    /// whoever calls this, before anything is given.
    ///
    /// # Errors
    /// [`Error::PayloadAltered`] if what is stored is not what the entry commits to, does not open beside it, or is gone without a
    /// record. Or if a database fails, or the portal's key cannot be used.
    pub async fn open_payload(&self, position: Position) -> Result<Option<PayloadAt>, Error> {
        let Some(event) = self.event_at(position).await? else {
            return Ok(None);
        };
        let payload = match &event.entry {
            Some(entry) if !entry.payload_sha256.is_empty() => self.payload_of(&event, entry).await?,
            _ => OpenedPayload::None,
        };
        Ok(Some(PayloadAt { event, payload }))
    }

    /// The entry at a position.
    pub(crate) async fn event_at(&self, position: Position) -> Result<Option<Event>, Error> {
        let Some(before) = position.get().checked_sub(1) else {
            return Ok(None);
        };
        let reader = self.reader();
        let page = reader.page(&Filter::all(), Position(before), position, 1).await?;
        Ok(page.events.into_iter().next())
    }

    async fn payload_of(&self, event: &Event, entry: &Entry) -> Result<OpenedPayload, Error> {
        let position = Position(event.position);
        let altered = || Error::PayloadAltered { position };
        let held = store::held_since(self.database(), &event.log).await?;
        if held.is_none()
            && let Some(gone) = self.gone(event, entry).await?
        {
            return Ok(OpenedPayload::Gone(gone));
        }
        let sealed = store::find(self.database(), position).await?;
        let Some(sealed) = sealed else {
            // It may have gone since, or before its log was held.
            let gone = self.gone(event, entry).await?;
            let gone = gone.filter(|gone| gone.may_be(held)).ok_or_else(altered)?;
            return Ok(OpenedPayload::Gone(gone));
        };
        if sha256(&sealed) != entry.payload_sha256 {
            return Err(altered());
        }
        let portal_id = PortalId::new(entry.portal_id).ok_or_else(altered)?;
        let keyring = self.sealer().keyring().ok_or(Error::NoKeys)?;
        let place = place(portal_id, &entry.entry_id, entry);
        let opened = keyring.open(&place, &sealed).await.map_err(|error| match error {
            hubkeep_seal::Error::Broken { .. } => altered(),
            error => Error::Seal(error),
        })?;
        let payload = SealedPayload::decode(opened.as_slice()).map_err(|_| altered())?;
        Ok(OpenedPayload::Opened(Box::new(payload)))
    }

    /// How it went, if it did. What is past its time is gone, whether or not it has been removed.
    async fn gone(&self, event: &Event, entry: &Entry) -> Result<Option<Gone>, Error> {
        let database = self.database();
        if let Some(when) = store::log_erased_when(database, &event.log).await? {
            return Ok(Some(Gone::Erased(when, None)));
        }
        if let Some((when, said_at)) = store::erased_when(database, Position(event.position)).await? {
            return Ok(Some(Gone::Erased(when, Some(said_at))));
        }
        let made = Timestamp::from(entry.entry_time.unwrap_or_default());
        if let Some(when) = store::swept_when(database, made).await? {
            return Ok(Some(Gone::Expired(when)));
        }
        let ends = made.plus(self.payloads_kept_for());
        Ok((self.clock().now() >= ends).then_some(Gone::Expired(ends)))
    }
}
