//! What the writer of a log does about outcomes that the log did not take.

use std::collections::HashSet;

use super::{record::Record, task::Spill};
use crate::{
    Position,
    gate::Gate,
    pending::{Effect, Pending},
};

/// Outcomes that the log did not take so far: they are put on disk, and calls for their portals are kept out.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    spill: Option<Spill>,
    gate: Gate,
    /// The intents whose outcomes were put into the file, and are not in the log yet.
    put: HashSet<Position>,
    /// How many were told to wait.
    told: usize,
}

impl Unwritten {
    /// With a file, or without.
    pub(crate) fn new(spill: Option<Spill>, gate: Gate) -> Self {
        metrics::gauge!("hubkeep_audit_waiting_outcomes").set(0.0);
        Self {
            spill,
            gate,
            ..Self::default()
        }
    }

    /// Whether there is a file to put them into.
    pub(crate) const fn are_spilled(&self) -> bool {
        self.spill.is_some()
    }

    /// Puts those on disk that are not there.
    pub(crate) fn spill(&mut self, outcomes: Vec<Record>) {
        let Some(spill) = &self.spill else {
            return;
        };
        let mut new = outcomes;
        new.retain(|record| self.put.insert(record.intent()));
        // Also where nothing is new: what the disk has refused is tried again.
        spill.put(new);
    }

    /// A batch is in the log.
    pub(crate) fn written(&mut self, batch: &[Pending]) {
        if self.put.is_empty() {
            return;
        }
        for pending in batch {
            if let Effect::Closes(intent) = pending.effect {
                self.put.remove(&intent);
            }
        }
        if let Some(spill) = self.spill.as_ref().filter(|_| self.put.is_empty()) {
            spill.clear();
        }
    }

    /// Tells how many wait; and, where the log has refused some of them again, keeps out calls for their portals.
    pub(crate) fn wait(&mut self, waiting: &[Pending], again: bool) {
        let outcomes = waiting
            .iter()
            .filter(|pending| matches!(pending.effect, Effect::Closes(_)));
        let logs: Vec<&str> = outcomes.map(|outcome| outcome.row.keys.log.as_str()).collect();
        if logs.len() != self.told {
            self.told = logs.len();
            let told = u32::try_from(self.told).unwrap_or(u32::MAX);
            metrics::gauge!("hubkeep_audit_waiting_outcomes").set(f64::from(told));
        }
        let behind = logs.into_iter().filter(|_| again).map(str::to_owned);
        self.gate.are_behind(behind.collect());
    }

    /// Lets go of the file, with what is in it.
    pub(crate) async fn close(self) {
        if let Some(spill) = self.spill {
            spill.close().await;
        }
    }
}
