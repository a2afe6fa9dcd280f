//! The records of one type in one account: find, list, create, update, archive.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::kind::ObjectType;
use super::properties::{PropertyDef, PropertyKind, Schema};
use super::record::{Record, Values};
use crate::clock::iso;
use crate::errors::{self, Problem};

/// The records of one type in one account.
#[derive(Debug)]
pub(crate) struct Table {
    /// Their type.
    pub(crate) kind: ObjectType,
    /// Their properties.
    pub(crate) schema: Schema,
    records: BTreeMap<u64, Record>,
    /// Live contacts by e-mail address: the one thing that HubSpot keeps unique.
    emails: HashMap<String, u64>,
    next_id: u64,
}

/// When a write happens and which app does it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// Microseconds since 1970.
    pub(crate) at: i64,
    /// `None` for what the world is seeded with.
    pub(crate) app_id: Option<u64>,
}

impl Table {
    /// No record yet, standard properties only.
    pub(crate) fn empty(kind: ObjectType) -> Self {
        let schema = Schema::standard(kind);
        Self {
            kind,
            schema,
            records: BTreeMap::new(),
            emails: HashMap::new(),
            next_id: kind.first_id(),
        }
    }

    /// A record by id, archived ones included.
    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        self.records.get(&id)
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
        self.check_email(&values, None)?;
        let id = self.next_id;
        self.next_id += 1;
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
            .insert(self.kind.created_property().to_owned(), iso(stamp.at));
        let given = values
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        record.apply(self.kind, given, stamp.at, stamp.app_id);
        Ok(self.records.entry(id).or_insert(record))
    }

    /// Creates a record as it is, without validation; a property that is not defined becomes a custom text property.
    pub(crate) fn seed(&mut self, values: Values, at: i64) -> Result<u64, Problem> {
        for name in values.keys() {
            if self.schema.find(name).is_none() {
                self.schema.define(PropertyDef::new(name, PropertyKind::Text));
            }
        }
        self.create(values, Stamp { at, app_id: None })
            .map(|record| record.id)
    }

    /// Changes a live record.
    pub(crate) fn update(&mut self, id: u64, values: Values, stamp: Stamp) -> Result<&Record, Problem> {
        self.check_email(&values, Some(id))?;
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
        record.apply(self.kind, values, stamp.at, stamp.app_id);
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
        if self.kind == ObjectType::Contacts
            && let Some(email) = record.values.get("email")
        {
            self.emails.remove(email);
        }
    }

    /// Whether these values could be written, without writing them.
    pub(crate) fn check_email(&self, values: &Values, own_id: Option<u64>) -> Result<(), Problem> {
        let Some(email) = values.get("email").filter(|_| self.kind == ObjectType::Contacts) else {
            return Ok(());
        };
        match self.emails.get(&email.to_lowercase()) {
            Some(existing) if Some(*existing) != own_id => Err(errors::contact_exists(*existing)),
            _ => Ok(()),
        }
    }

    fn remember_email(&mut self, values: &Values, id: u64) {
        if self.kind != ObjectType::Contacts {
            return;
        }
        if let Some(email) = values.get("email").filter(|email| !email.is_empty()) {
            self.emails.insert(email.to_lowercase(), id);
        }
    }
}
