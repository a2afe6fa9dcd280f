//! How callers stand in this replica's line, so that all lines together serve them as one would.

use std::{collections::HashMap, sync::Arc};

use super::class::{ByClass, Class};

/// All of a caller's part, in millionths.
pub(super) const ALL: u64 = 1_000_000;
/// A class that waits lets nine calls of higher ones pass, in thousandths of a call.
pub(super) const LETS_PASS: u64 = 9_000;
/// However the classes are spread over the replicas: no more than nine calls on end go before a higher class.
const LEAST: u64 = 1_000 / 9;
/// Nobody waits for more than this.
const MOST: u64 = 1_000_000;

/// What of each caller's part is here, and how the classes take turns here. Who is not named has all of it here, and the
/// classes the turns of a line that is the only one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Here {
    parts: ByClass<HashMap<Arc<str>, u64>>,
    lets_pass: ByClass<Option<u64>>,
}

impl Here {
    /// Of what a caller is to have of the limit, so many millionths are to be had here.
    pub(super) fn part(&self, class: Class, caller: &str) -> u64 {
        self.parts.of(class).get(caller).copied().unwrap_or(ALL)
    }

    /// So many thousandths of a call of higher classes a class lets pass here while it waits.
    pub(super) fn lets_pass(&self, class: Class) -> u64 {
        self.lets_pass.of(class).unwrap_or(LETS_PASS)
    }

    pub(super) fn has(&mut self, class: Class, caller: &str, millionths: u64) {
        let parts = self.parts.of_mut(class);
        parts.insert(caller.into(), millionths.clamp(1, ALL));
    }

    pub(super) fn lets(&mut self, class: Class, thousandths: u64) {
        *self.lets_pass.of_mut(class) = Some(thousandths.clamp(LEAST, MOST));
    }
}
