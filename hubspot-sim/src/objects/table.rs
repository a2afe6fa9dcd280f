//! The records of one type in one account: find, list, create, update, archive.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::history::Source;
use super::kind::ObjectType;
use super::properties::{PropertyDef, PropertyKind};
use super::record::{Record, Values};
use super::schema::Schema;
use crate::clock::iso;
use crate::errors::{self, Problem};
use crate::world::Condition;

/// The records of one type in one account.
#[derive(Debug)]
pub(crate) struct Table {
    /// Their type.
    pub(crate) kind: ObjectType,
    /// The name that messages use: `CONTACT`.
    pub(crate) label: String,
    /// Their properties.
    pub(crate) schema: Schema,
    /// What a new record must have besides what HubSpot demands of its type.
    pub(crate) demanded: Vec<String>,
    /// What the account's administrators demand besides.
    pub(crate) conditions: Vec<Condition>,
    pub(super) records: BTreeMap<u64, Record>,
    /// Contacts by each of their e-mail addresses.
    pub(super) emails: HashMap<String, u64>,
    /// What became of the ids that were merged away.
    pub(super) merged: BTreeMap<u64, u64>,
    next_id: u64,
}

/// When a write happens and who does it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// Microseconds since 1970.
    pub(crate) at: i64,
    /// Who.
    pub(crate) source: Source,
}

impl Table {
    /// No record yet, standard properties only.
    pub(crate) fn empty(kind: ObjectType) -> Self {
        Self {
            kind,
            label: match kind {
                ObjectType::Custom(_) => kind.type_id(),
                standard => standard.facts().singular.to_uppercase(),
            },
            schema: Schema::standard(kind),
            demanded: Vec::new(),
            conditions: Vec::new(),
            records: BTreeMap::new(),
            emails: HashMap::new(),
            merged: BTreeMap::new(),
            next_id: kind.first_id(),
        }
    }

    /// A record by id, archived ones included.
    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        self.records.get(&id)
    }

    /// Whether there is a record of this id that is not archived.
    pub(crate) fn has(&self, id: u64) -> bool {
        self.get(id).is_some_and(|record| record.archived_at.is_none())
    }

    /// A live contact by e-mail address.
    pub(crate) fn get_by_email(&self, email: &str) -> Option<&Record> {
        self.emails
            .get(&email.to_lowercase())
            .and_then(|id| self.get(*id))
    }

    /// Live records in order of id.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Record> {
        self.records
            .values()
            .filter(|record| record.archived_at.is_none())
    }

    /// Up to `limit` records with an id greater than `after`, and whether there are more.
    pub(crate) fn page(&self, after: Option<u64>, limit: usize, archived: bool) -> (Vec<&Record>, bool) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self
            .records
            .range((from, Bound::Unbounded))
            .map(|(_, record)| record)
            .filter(|record| record.archived_at.is_some() == archived);
        let page = rest.by_ref().take(limit).collect();
        (page, rest.next().is_some())
    }

    /// Creates a record of values that have been validated.
    pub(crate) fn create(&mut self, values: Values, stamp: Stamp) -> Result<&Record, Problem> {
        self.check_unique(&values, None)?;
        let id = self.new_id();
        self.remember_email(&values, id);
        let mut record = Record {
            id,
            values: Values::new(),
            created_at: stamp.at,
            updated_at: stamp.at,
            archived_at: None,
            changes: Vec::new(),
        };
        record.values.insert("hs_object_id".to_owned(), id.to_string());
        record
            .values
            .insert(self.kind.facts().created.to_owned(), iso(stamp.at));
        let given = values
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        record.apply(self.kind, given, stamp.at, stamp.source);
        Ok(self.records.entry(id).or_insert(record))
    }

    /// An id that no record has had.
    pub(super) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Creates a record as it is, without validation; a property that is not defined becomes a custom text property.
    pub(crate) fn seed(&mut self, values: Values, at: i64) -> Result<u64, Problem> {
        for name in values.keys() {
            if self.schema.find(name).is_none() {
                self.schema.define(PropertyDef::new(name, PropertyKind::Text), at);
            }
        }
        let source = Source::Seed;
        self.create(values, Stamp { at, source }).map(|record| record.id)
    }

    /// Changes a live record.
    pub(crate) fn update(&mut self, id: u64, values: Values, stamp: Stamp) -> Result<&Record, Problem> {
        self.check_unique(&values, Some(id))?;
        let before = self
            .records
            .get(&id)
            .filter(|record| record.archived_at.is_none());
        let old_email = before.ok_or_else(errors::not_found)?.values.get("email").cloned();
        if values.contains_key("email") {
            old_email.and_then(|email| self.emails.remove(&email));
            self.remember_email(&values, id);
        }
        let record = self.records.get_mut(&id).ok_or_else(errors::not_found)?;
        record.apply(self.kind, values, stamp.at, stamp.source);
        Ok(record)
    }

    /// Archives a record. Archiving what is archived or never was changes nothing.
    pub(crate) fn archive(&mut self, id: u64, at: i64) {
        let Some(record) = self
            .records
            .get_mut(&id)
            .filter(|record| record.archived_at.is_none())
        else {
            return;
        };
        record.archived_at = Some(at);
        record.updated_at = at;
        self.free_emails(id);
    }

    /// Removes a record for good, as if it had never been.
    pub(crate) fn purge(&mut self, id: u64) -> Option<Record> {
        self.free_emails(id);
        self.merged.retain(|_, survivor| *survivor != id);
        self.records.remove(&id)
    }

    /// Whether these values could be written, without writing them: HubSpot keeps e-mail addresses unique, and what the
    /// account has defined so.
    pub(crate) fn check_unique(&self, values: &Values, own_id: Option<u64>) -> Result<(), Problem> {
        let given = || values.iter().filter(|(_, value)| !value.is_empty());
        let contact = self.kind == ObjectType::Contacts;
        if let Some((_, email)) = given().find(|(name, _)| contact && *name == "email") {
            match self.emails.get(&email.to_lowercase()) {
                Some(existing) if Some(*existing) != own_id => return Err(errors::contact_exists(*existing)),
                _ => {}
            }
        }
        for (name, value) in given().filter(|(name, _)| self.schema.is_unique(name)) {
            let mut others = self.live().filter(|record| Some(record.id) != own_id);
            if others.any(|record| record.values.get(name) == Some(value)) {
                return Err(errors::value_taken(name, value));
            }
        }
        Ok(())
    }

    fn remember_email(&mut self, values: &Values, id: u64) {
        if self.kind != ObjectType::Contacts {
            return;
        }
        if let Some(email) = values.get("email").filter(|email| !email.is_empty()) {
            self.emails.insert(email.to_lowercase(), id);
        }
    }

    /// Another record may have its addresses from now on, those that it got in merges included.
    fn free_emails(&mut self, id: u64) {
        let record = self.records.get(&id);
        let Some(record) = record.filter(|_| self.kind == ObjectType::Contacts) else {
            return;
        };
        let one = record.values.get("email").map(|email| email.to_lowercase());
        if record.values.contains_key("hs_merged_object_ids") {
            self.emails.retain(|_, owner| *owner != id);
        } else if let Some(email) = one.filter(|email| self.emails.get(email) == Some(&id)) {
            self.emails.remove(&email);
        }
    }
}
