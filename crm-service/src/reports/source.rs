//! What reports are made from: the entries of both services about one portal, and what credential-service knows of it.

use hubkeep_audit_log::{AuditLog, Entry, Event, Filter, Position};
use hubkeep_core::{clock::Timestamp, id::PortalId};
use hubkeep_proto::{
    audit::v1 as wire,
    credential::v1::{Portal, PortalRecord},
};

use super::{
    ask::{Ask, Period, Positions},
    error::Error,
    standings::LogRead,
    tally::written,
};
use crate::credentials::{Credentials, Reader, RecordOf, RecordReading};

/// Entries that are read at once.
const BATCH: usize = 2_000;

/// One portal's entries in one period, as of a position in each log.
pub(super) struct Source {
    log: AuditLog,
    period: Period,
    filter: Filter,
    after: Position,
    until: Position,
    portal_id: PortalId,
    portal: Portal,
    known: PortalRecord,
    /// This service's log, and credential-service's.
    logs: [LogRead; 2],
    /// The index of the first entry of the period that was seen in each.
    first: [Option<u64>; 2],
    theirs: RecordReading,
}

impl Source {
    /// Opens both logs to a reader.
    pub(super) async fn open(
        log: &AuditLog,
        credentials: &Credentials,
        ask: &Ask,
        reader: Reader,
    ) -> Result<Self, Error> {
        // Before anything of this very question is recorded: asked again as of here, the report is the same.
        let newest = log.end().await?;
        let until = match ask.as_of {
            None => newest,
            Some(stated) if Position(stated.crm_service) <= newest => Position(stated.crm_service),
            Some(stated) => return Err(Error::BeyondTheEnd(stated.crm_service)),
        };
        let of = RecordOf {
            client_slug: &ask.client_slug,
            period: (ask.period.start, ask.period.end),
            until_position: ask.as_of.map_or(0, |stated| stated.credential_service),
            call_id: ask.call_id,
        };
        let unknown = || Error::PortalUnknown(ask.client_slug.clone());
        let mut theirs = credentials
            .read_portal_record(of, reader)
            .await?
            .ok_or_else(unknown)?;
        let mut known = std::mem::take(&mut theirs.record);
        let portal = known.portal.take().ok_or_else(unknown)?;
        let portal_id = PortalId::new(portal.portal_id).ok_or_else(unknown)?;
        if let Some(expected) = ask.expected_portal_id.filter(|expected| *expected != portal_id) {
            let client_slug = ask.client_slug.clone();
            return Err(Error::AnotherPortal {
                client_slug,
                expected,
            });
        }
        let standing = log.standing(portal_id, until, ask.period.start).await?;
        let ours = LogRead::ours(log.log_of(portal_id), until.get(), standing);
        Ok(Self {
            logs: [ours, LogRead::theirs(&known)],
            first: [None; 2],
            after: log.before(ask.period.start).await?,
            log: log.clone(),
            period: ask.period,
            filter: Filter {
                portal_id: Some(portal_id),
                client_slug: Some(ask.client_slug.clone()),
                ..Filter::all()
            },
            until,
            portal_id,
            portal,
            known,
            theirs,
        })
    }

    /// HubSpot's id of the portal.
    pub(super) const fn portal_id(&self) -> PortalId {
        self.portal_id
    }

    /// The portal, as credential-service knows it now.
    pub(super) const fn portal(&self) -> &Portal {
        &self.portal
    }

    /// What else credential-service knows of it.
    pub(super) const fn known(&self) -> &PortalRecord {
        &self.known
    }

    /// As of where the logs are read.
    pub(super) fn as_of(&self) -> Positions {
        Positions {
            crm_service: self.until.get(),
            credential_service: self.known.until_position,
        }
    }

    /// The portal's two logs: this service's, and credential-service's.
    pub(super) const fn logs(&self) -> &[LogRead; 2] {
        &self.logs
    }

    /// Whether each log has nothing from before the period. Known when its entries were read.
    pub(super) fn begin_in_period(&self) -> [bool; 2] {
        let [ours, theirs] = &self.logs;
        let [our_first, their_first] = self.first;
        [
            our_first == Some(0) || ours.size == 0,
            their_first == Some(0) || theirs.size == 0,
        ]
    }

    /// What of the period is gone from the two logs, in a sentence for each. Known when their entries were read.
    pub(super) async fn pruned(&self) -> Result<Vec<String>, Error> {
        let own = self.log.beginning(&self.log.log_of(self.portal_id)).await?;
        let own = own.map(wire::Beginning::from);
        let theirs = self.theirs.beginning.clone();
        let missed = [own, theirs].into_iter().flatten().filter_map(|beginning| {
            let newest: Timestamp = beginning.newest_pruned_time?.into();
            (newest >= self.period.start).then(|| gap(&beginning, newest))
        });
        Ok(missed.collect())
    }

    /// Hands every entry of this service's log over, oldest first.
    pub(super) async fn ours(&mut self, mut take: impl FnMut(Event)) -> Result<(), Error> {
        loop {
            let read = self.log.list(&self.filter, self.after, BATCH).await?;
            let full = read.len() == BATCH;
            for event in read {
                self.after = Position(event.position);
                if self.after > self.until {
                    return Ok(());
                }
                if self.is_of_the_period(&event) {
                    let [first, _] = &mut self.first;
                    let _ = first.get_or_insert(event.index);
                    take(event);
                }
            }
            if !full {
                return Ok(());
            }
        }
    }

    /// Hands every entry of credential-service's log over, oldest first.
    pub(super) async fn theirs(&mut self, mut take: impl FnMut(Event)) -> Result<(), Error> {
        while let Some(event) = self.theirs.next().await? {
            if self.is_of_the_period(&event) {
                let [_, first] = &mut self.first;
                let _ = first.get_or_insert(event.index);
                take(event);
            }
        }
        Ok(())
    }

    fn is_of_the_period(&self, event: &Event) -> bool {
        let made = event.entry.as_ref().and_then(made);
        made.is_some_and(|made| self.period.holds(made))
    }
}

fn gap(beginning: &wire::Beginning, newest: Timestamp) -> String {
    format!(
        "entries of this period are gone: {} begins with the entry of index {}, and what was made until {} was older than \
         entries are kept",
        beginning.log,
        beginning.first_index,
        written(newest)
    )
}

/// When an entry was made.
pub(super) fn made(entry: &Entry) -> Option<Timestamp> {
    entry.entry_time.map(Timestamp::from)
}
