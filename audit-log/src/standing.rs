//! How a portal's log stood at a position, and what is signed of it: for who tells others what was counted in it.

use std::time::Duration;

use futures::future::select;
use hubkeep_core::{clock::Timestamp, id::PortalId};
use hubkeep_proto::audit::v1 as wire;

use crate::{AuditLog, Error, Filter, Position, Search, proofs::Checkpoint};

/// How long is waited for a checkpoint that is not there yet. Signing takes some milliseconds, where nothing is wrong.
const PATIENCE: Duration = Duration::from_secs(3);
/// Another replica may be the one that signs, which is seen only by looking.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How a portal's log stood at a position. It is the same whenever it is asked, once there is a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many entries it had up to there: those with an index below.
    pub size: u64,
    /// The smallest signed checkpoint that covers these. `None` where the log is not signed, or was not so far in time.
    pub checkpoint: Option<Checkpoint>,
    /// The newest checkpoint that was signed at a time that was named, or before.
    pub before: Option<Checkpoint>,
    /// The proof by RFC 6962 that the one only adds to the other.
    pub consistency: Vec<[u8; 32]>,
    /// Whether checkpoints are signed at all.
    pub is_signed: bool,
}

impl AuditLog {
    /// How a portal's log stood at a position, beside what was signed of it at `time`. Where nothing that is signed covers the
    /// position yet, that is done now, and waited for up to 3 s.
    ///
    /// # Errors
    /// If the database cannot be read, or what is stored is not what was signed.
    pub async fn standing(
        &self,
        portal_id: PortalId,
        at: Position,
        time: Timestamp,
    ) -> Result<Standing, Error> {
        let log = self.log_of(portal_id);
        let size = self.size_at(portal_id, at).await?;
        if !self.proofs().are_signed() {
            return Ok(Standing {
                size,
                ..Standing::default()
            });
        }
        let checkpoint = match size {
            0 => None,
            size => self.covering(&log, size).await?,
        };
        let before = self.proofs().signed_by(&log, time).await?;
        let consistency = match (&before, &checkpoint) {
            (Some(before), Some(checkpoint)) if before.size < checkpoint.size => {
                let proof = self.consistency(&log, before.size, Some(checkpoint.size));
                proof.await?.hashes
            }
            _ => Vec::new(),
        };
        Ok(Standing {
            size,
            checkpoint,
            before,
            consistency,
            is_signed: true,
        })
    }

    /// How many entries a portal's log had up to a position; where all of these are gone, how many are gone.
    async fn size_at(&self, portal_id: PortalId, at: Position) -> Result<u64, Error> {
        let of_portal = Filter {
            portal_id: Some(portal_id),
            ..Filter::all()
        };
        let mut newest = Search::newest(of_portal, 1);
        newest.before = Some(Position(at.get().saturating_add(1)));
        if let Some(event) = self.find(&newest).await?.first() {
            return Ok(event.index.saturating_add(1));
        }
        let beginning = self.beginning(&self.log_of(portal_id)).await?;
        Ok(beginning.map_or(0, |beginning| beginning.first_index))
    }

    async fn covering(&self, log: &str, size: u64) -> Result<Option<Checkpoint>, Error> {
        let (proofs, clock) = (self.proofs(), self.clock());
        let until = clock.tick().plus(PATIENCE);
        loop {
            // Before it is looked, so that nothing is missed that is signed between.
            let mut signed = proofs.wanted().signed();
            if let Some(found) = proofs.covering(log, size).await? {
                return Ok(Some(found));
            }
            proofs.wanted().want(log);
            let again = select(Box::pin(signed.changed()), Box::pin(clock.sleep(LOOK_EVERY)));
            if clock.timeout_at(until, again).await.is_none() {
                return Ok(proofs.covering(log, size).await?);
            }
        }
    }
}

impl From<Checkpoint> for wire::Checkpoint {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            log: checkpoint.log,
            size: checkpoint.size,
            root: checkpoint.root.to_vec(),
            note: checkpoint.note,
            made_time: Some(checkpoint.made_time.into()),
        }
    }
}
