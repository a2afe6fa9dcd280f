//! Merges: two records become one, and the id of the other one leads to it.

use super::Crm;
use super::history::Source;
use super::kind::ObjectType;
use super::record::{Record, Values};
use super::table::{Stamp, Table};
use crate::errors::{self, Problem};

/// No record takes up more than this many others.
const MAX_MERGES: usize = 250;
const MERGED_IDS: &str = "hs_merged_object_ids";
const MORE_EMAILS: &str = "hs_additional_emails";

impl Crm {
    /// Merges `other` into `primary`, whose values win. Gives the record that is left.
    pub(crate) fn merge(
        &mut self,
        kind: ObjectType,
        primary: u64,
        other: u64,
        at: i64,
    ) -> Result<&Record, Problem> {
        let table = self.table(kind);
        let (primary, other) = (table.survivor_of(primary), table.survivor_of(other));
        if primary == other {
            return Err(errors::invalid("A record cannot be merged with itself"));
        }
        if !table.has(primary) || !table.has(other) {
            return Err(errors::not_found());
        }
        table.absorb(primary, other, at)?;
        self.associations.hand_over(kind, other, primary);
        self.table(kind).get(primary).ok_or_else(errors::not_found)
    }
}

impl Table {
    /// The id under which a record goes on, which is another one if it was merged.
    pub(crate) fn survivor_of(&self, id: u64) -> u64 {
        self.merged.get(&id).copied().unwrap_or(id)
    }

    fn absorb(&mut self, primary: u64, other: u64, at: i64) -> Result<(), Problem> {
        let merged = |table: &Self, id| table.merged.values().filter(|survivor| **survivor == id).count();
        if merged(self, primary) + merged(self, other) >= MAX_MERGES {
            return Err(errors::too_many_merges(primary, MAX_MERGES));
        }
        let (Some(gone), Some(left)) = (self.records.remove(&other), self.records.get_mut(&primary)) else {
            return Err(errors::not_found());
        };
        let taken_over = taken_over(left, &gone);
        left.apply(self.kind, taken_over, at, Source::Merge);
        for owner in self.emails.values_mut().filter(|owner| **owner == other) {
            *owner = primary;
        }
        for survivor in self.merged.values_mut().filter(|survivor| **survivor == other) {
            *survivor = primary;
        }
        self.merged.insert(other, primary);
        Ok(())
    }

    /// Changes a record by hand: no token, no scope, no limit.
    pub(crate) fn edit(&mut self, id: u64, values: Values, user: u64, at: i64) -> Result<(), Problem> {
        let source = Source::User(user);
        self.update(id, values, Stamp { at, source }).map(drop)
    }
}

/// What the record that is left did not have, and what it must remember of the one that is gone.
fn taken_over(left: &Record, gone: &Record) -> Values {
    let absent = |(name, _): &(&String, &String)| !left.values.contains_key(*name) && *name != MERGED_IDS;
    let mut values: Values = gone
        .values
        .iter()
        .filter(absent)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let gone_id = gone.id.to_string();
    let ids = [
        left.values.get(MERGED_IDS),
        gone.values.get(MERGED_IDS),
        Some(&gone_id),
    ];
    values.insert(MERGED_IDS.to_owned(), joined(&ids));
    let emails = [
        left.values.get(MORE_EMAILS),
        gone.values.get(MORE_EMAILS),
        gone.values
            .get("email")
            .filter(|_| left.values.contains_key("email")),
    ];
    let emails = joined(&emails);
    if !emails.is_empty() {
        values.insert(MORE_EMAILS.to_owned(), emails);
    }
    values
}

fn joined(parts: &[Option<&String>]) -> String {
    let parts: Vec<&str> = parts.iter().flatten().map(|part| part.as_str()).collect();
    parts.join(";")
}
