//! Merges: of two records a third one is made, with an id of its own, and the ids of both lead to it.

use super::Crm;
use super::history::{Change, Source};
use super::kind::ObjectType;
use super::record::{Record, Values};
use super::table::{Stamp, Table};
use crate::errors::{self, Problem};

/// No record is the outcome of more merges than this.
const MAX_MERGES: usize = 250;
const MERGED_IDS: &str = "hs_merged_object_ids";
const MORE_EMAILS: &str = "hs_additional_emails";

impl Crm {
    /// Makes one record of two; where both have a value or can have one associated record only, that of `primary` stays.
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
        let id = table.unite(primary, other, at)?;
        self.associations.hand_over(kind, primary, id);
        self.associations.hand_over(kind, other, id);
        self.table(kind).get(id).ok_or_else(errors::not_found)
    }
}

impl Table {
    /// The id under which a record goes on, which is another one if it was merged.
    pub(crate) fn survivor_of(&self, id: u64) -> u64 {
        self.merged.get(&id).copied().unwrap_or(id)
    }

    /// Each merge leaves two ids that lead elsewhere.
    fn merges_of(&self, id: u64) -> usize {
        let led_here = self.merged.values().filter(|survivor| **survivor == id);
        led_here.count() / 2
    }

    fn unite(&mut self, primary: u64, other: u64, at: i64) -> Result<u64, Problem> {
        if self.merges_of(primary) + self.merges_of(other) >= MAX_MERGES {
            return Err(errors::too_many_merges(primary, MAX_MERGES));
        }
        let (Some(first), Some(second)) = (self.records.remove(&primary), self.records.remove(&other)) else {
            return Err(errors::not_found());
        };
        let id = self.new_id();
        self.records.insert(id, united(self.kind, id, first, &second, at));
        let gone = [primary, other];
        let elsewhere = self.emails.values_mut().chain(self.merged.values_mut());
        elsewhere
            .filter(|target| gone.contains(target))
            .for_each(|target| *target = id);
        self.merged.extend(gone.map(|gone| (gone, id)));
        Ok(id)
    }

    /// Changes a record by hand: no token, no scope, no limit.
    pub(crate) fn edit(&mut self, id: u64, values: Values, user: u64, at: i64) -> Result<(), Problem> {
        let source = Source::User(user);
        self.update(id, values, Stamp { at, source }).map(drop)
    }
}

/// The one record that two become. It has the history of both.
fn united(kind: ObjectType, id: u64, first: Record, second: &Record, at: i64) -> Record {
    let mut values = taken_over(&first, second);
    for (name, value) in &first.values {
        values.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let mut changes: Vec<Change> = second.changes.iter().chain(&first.changes).cloned().collect();
    changes.sort_by_key(|change| change.at);
    let mut record = Record {
        id,
        values,
        created_at: first.created_at.min(second.created_at),
        updated_at: at,
        archived_at: None,
        changes,
    };
    // What a property holds is what it was given last.
    let last = |name: &str| record.changes.iter().rev().find(|change| change.name == name);
    let differs =
        |(name, value): &(&String, &String)| last(name).is_none_or(|change| change.value != **value);
    let kept = [kind.facts().created, kind.facts().modified, "hs_object_id"];
    let given: Values = record
        .values
        .iter()
        .filter(|(name, _)| !kept.contains(&name.as_str()))
        .filter(differs)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    record.values.insert("hs_object_id".to_owned(), id.to_string());
    record.apply(kind, given, at, Source::Merge);
    record
}

/// What the first record did not have, and what must be remembered of both.
fn taken_over(first: &Record, second: &Record) -> Values {
    let absent = |(name, _): &(&String, &String)| !first.values.contains_key(*name);
    let mut values: Values = second
        .values
        .iter()
        .filter(absent)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let own = [first.id.to_string(), second.id.to_string()];
    let ids = [
        first.values.get(MERGED_IDS),
        second.values.get(MERGED_IDS),
        own.first(),
        own.last(),
    ];
    values.insert(MERGED_IDS.to_owned(), joined(&ids));
    let other_email = second.values.get("email");
    let emails = [
        first.values.get(MORE_EMAILS),
        second.values.get(MORE_EMAILS),
        other_email.filter(|_| first.values.contains_key("email")),
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
