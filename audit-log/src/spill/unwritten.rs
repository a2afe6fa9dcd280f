//! What the writer of a log does about outcomes that the log did not take.

use std::{collections::HashSet, mem};

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
    /// For each outcome in a batch that takes too long, or behind it, the name of its log.
    hanging: Vec<String>,
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

    /// A batch takes longer than it may, and these outcomes are in it, or have come behind it: they are put on disk, and calls for
    /// their portals are kept out at once. Nobody knows when that ends, so they need not wait for it until their own deadlines.
    pub(crate) fn hang(&mut self, outcomes: Vec<Record>) {
        self.hanging
            .extend(outcomes.iter().map(|outcome| outcome.log.clone()));
        let hanging = mem::take(&mut self.hanging);
        self.tell(hanging.iter().map(String::as_str), true);
        self.hanging = hanging;
        self.spill(outcomes);
    }

    /// Tells how many wait; and, where the log has refused some of them again or has taken too long, keeps out calls for their
    /// portals.
    pub(crate) fn wait(&mut self, waiting: &[Pending], again: bool) {
        let has_hung = !mem::take(&mut self.hanging).is_empty();
        let outcomes = waiting
            .iter()
            .filter(|pending| matches!(pending.effect, Effect::Closes(_)));
        self.tell(
            outcomes.map(|outcome| outcome.row.keys.log.as_str()),
            again || has_hung,
        );
    }

    fn tell<'a>(&mut self, waiting: impl Iterator<Item = &'a str>, are_kept_out: bool) {
        let logs: Vec<&str> = waiting.collect();
        if logs.len() != self.told {
            self.told = logs.len();
            let told = u32::try_from(self.told).unwrap_or(u32::MAX);
            metrics::gauge!("hubkeep_audit_waiting_outcomes").set(f64::from(told));
        }
        let behind = logs.into_iter().filter(|_| are_kept_out).map(str::to_owned);
        self.gate.are_behind(behind.collect());
    }

    /// Lets go of the file, with what is in it.
    pub(crate) async fn close(self) {
        if let Some(spill) = self.spill {
            spill.close().await;
        }
    }
}
