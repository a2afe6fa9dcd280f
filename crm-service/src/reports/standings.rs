//! How both logs stood where a report was made, and what is signed of them: so that who holds bundles of the logs can count again.

use hubkeep_audit_log::{Standing, proofs::Checkpoint};
use hubkeep_proto::{audit::v1 as wire, credential::v1::PortalRecord};
use schemars::JsonSchema;
use serde::Serialize;

/// A signed checkpoint of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Signed {
    /// How many entries it covers: those with an index below.
    pub(super) size: u64,
    /// The root of the Merkle tree over these, in hexadecimal digits.
    pub(super) root: String,
    /// The C2SP signed note.
    note: String,
}

/// One of the two logs, as far as a report was made from it.
#[derive(Clone, Debug)]
pub(super) struct LogRead {
    /// Its full name.
    pub(super) name: String,
    /// The newest position of the service's log that was looked at.
    pub(super) until_position: u64,
    /// How many entries the log had up to there.
    pub(super) size: u64,
    /// The smallest signed checkpoint that covers these.
    pub(super) checkpoint: Option<Signed>,
    /// The newest that was signed when the period began.
    pub(super) start: Option<Signed>,
    /// That the one only adds to the other: hashes in hexadecimal digits.
    pub(super) consistency: Vec<String>,
    is_signed: bool,
}

impl LogRead {
    /// The log of this service.
    pub(super) fn ours(name: String, until_position: u64, standing: Standing) -> Self {
        Self {
            name,
            until_position,
            size: standing.size,
            checkpoint: standing.checkpoint.map(Signed::from),
            start: standing.before.map(Signed::from),
            consistency: standing.consistency.iter().map(hex::encode).collect(),
            is_signed: standing.is_signed,
        }
    }

    /// The log of credential-service, as it says.
    pub(super) fn theirs(record: &PortalRecord) -> Self {
        Self {
            name: record.log.clone(),
            until_position: record.until_position,
            size: record.log_size,
            checkpoint: record.checkpoint.clone().map(Signed::from),
            start: record.start_checkpoint.clone().map(Signed::from),
            consistency: record.consistency.iter().map(hex::encode).collect(),
            is_signed: record.is_signed,
        }
    }

    /// What is missing where no signature covers what was counted.
    pub(super) fn gap(&self) -> Option<String> {
        let name = &self.name;
        match (&self.checkpoint, self.is_signed) {
            (Some(_), _) => None,
            (None, false) => Some(format!(
                "made_from.checkpoint: {name} is not signed: set audit.proofs.key_file of its service"
            )),
            (None, true) if self.size == 0 => None,
            (None, true) => Some(format!(
                "made_from.checkpoint: {name} was not signed up to here in time: ask again as of the same positions"
            )),
        }
    }

    /// In words, for people.
    pub(super) fn told(&self) -> String {
        let (name, size) = (&self.name, self.size);
        match &self.checkpoint {
            Some(signed) => format!(
                "{name}: {size} entries; the signed checkpoint of {} with the root {} covers them",
                signed.size, signed.root
            ),
            None => format!("{name}: {size} entries; no signed checkpoint covers them"),
        }
    }
}

impl From<Checkpoint> for Signed {
    fn from(checkpoint: Checkpoint) -> Self {
        wire::Checkpoint::from(checkpoint).into()
    }
}

impl From<wire::Checkpoint> for Signed {
    fn from(checkpoint: wire::Checkpoint) -> Self {
        Self {
            size: checkpoint.size,
            root: hex::encode(checkpoint.root),
            note: checkpoint.note,
        }
    }
}
