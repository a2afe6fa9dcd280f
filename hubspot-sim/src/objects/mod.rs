//! The CRM of one account: object types, their properties, the records, what belongs together, and how it is all searched
//! and written.
//!
//! `kind` names the types and `standard` what HubSpot fixes about them; `schema` holds the properties of a type, `table` its
//! records; `associations` and their `labels` tie records together; `merge` makes one of two; `pipelines` stand apart.

pub(crate) mod associations;
pub(crate) mod history;
pub(crate) mod kind;
pub(crate) mod labels;
pub(crate) mod matching;
mod merge;
pub(crate) mod pipelines;
pub(crate) mod properties;
pub(crate) mod record;
pub(crate) mod schema;
pub(crate) mod search;
mod search_terms;
pub(crate) mod standard;
mod standard_properties;
pub(crate) mod table;
pub(crate) mod validate;

use std::collections::{BTreeMap, BTreeSet};

use associations::{Associations, Named};
use kind::ObjectType;
use labels::{Label, TypeId};
use pipelines::Pipelines;
use table::Table;

use crate::world::CustomObjectSpec;

/// Everything in the CRM of one account.
#[derive(Debug)]
pub(crate) struct Crm {
    portal_id: u64,
    tables: BTreeMap<ObjectType, Table>,
    /// The types that the account has defined, by number.
    pub(crate) custom: BTreeMap<u32, CustomObjectSpec>,
    /// Which records belong together.
    pub(crate) associations: Associations,
    /// The ways through which records go.
    pub(crate) pipelines: Pipelines,
    /// The addresses that were deleted for good. As at HubSpot, this keeps nobody from creating them again.
    pub(crate) blocklist: BTreeSet<String>,
    /// How long a change stays invisible to search.
    pub(crate) search_lag_micros: i64,
}

impl Crm {
    /// An account with no record yet.
    pub(crate) fn empty(portal_id: u64) -> Self {
        let tables = ObjectType::ALL
            .into_iter()
            .map(|kind| (kind, Table::empty(kind)))
            .collect();
        Self {
            portal_id,
            tables,
            custom: BTreeMap::new(),
            associations: Associations::none(),
            pipelines: Pipelines::standard(),
            blocklist: BTreeSet::new(),
            search_lag_micros: 0,
        }
    }

    /// The records of one type.
    pub(crate) fn table(&mut self, kind: ObjectType) -> &mut Table {
        self.tables.entry(kind).or_insert_with(|| Table::empty(kind))
    }

    /// The records of one type, to read them.
    pub(crate) fn read(&self, kind: ObjectType) -> Option<&Table> {
        self.tables.get(&kind)
    }

    /// Whether there is such a record, and it is not archived.
    pub(crate) fn has(&self, kind: ObjectType, id: u64) -> bool {
        self.tables.get(&kind).is_some_and(|table| table.has(id))
    }

    /// The type that a path names, if the account has it.
    pub(crate) fn resolve(&self, segment: &str) -> Option<ObjectType> {
        let by_name = || {
            let spec = self
                .custom
                .values()
                .find(|spec| self.qualified(spec) == segment)?;
            Some(spec.object_type())
        };
        match ObjectType::parse(segment) {
            Some(ObjectType::Custom(number)) if !self.custom.contains_key(&number) => None,
            Some(kind) => Some(kind),
            None => by_name(),
        }
    }

    /// The name by which answers call a type: `contacts`, `p1001_car`.
    pub(crate) fn name_of(&self, kind: ObjectType) -> String {
        match kind {
            ObjectType::Custom(number) => self.custom.get(&number).map(|spec| self.qualified(spec)),
            _ => None,
        }
        .unwrap_or_else(|| kind.name())
    }

    /// The name by which associations call a type: `contact`.
    pub(crate) fn singular_of(&self, kind: ObjectType) -> String {
        match kind {
            ObjectType::Custom(_) => self.name_of(kind),
            standard => standard.facts().singular.to_owned(),
        }
    }

    /// `p1001_car`.
    pub(crate) fn qualified(&self, spec: &CustomObjectSpec) -> String {
        format!("p{}_{}", self.portal_id, spec.name)
    }

    /// Defines a type of the account's own.
    pub(crate) fn define(&mut self, spec: CustomObjectSpec, at: i64) {
        let (kind, label) = (spec.object_type(), self.qualified(&spec));
        let others: Vec<ObjectType> = ObjectType::ALL
            .into_iter()
            .chain(self.custom.keys().map(|number| ObjectType::Custom(*number)))
            .chain([kind])
            .collect();
        let table = self.table(kind);
        table.label = label;
        table.demanded.clone_from(&spec.required);
        for property in &spec.properties {
            table.schema.define(property.clone(), at);
        }
        table.schema.defaults = vec![spec.primary_display.clone()];
        table.schema.searchable = match spec.searchable.as_slice() {
            [] => vec![spec.primary_display.clone()],
            some => some.to_vec(),
        };
        self.associations.labels.admit(kind, &others);
        self.custom.insert(spec.number, spec);
    }

    /// The live records of one type that a record is associated with, by id, with how they are.
    pub(crate) fn associated(&self, kind: ObjectType, id: u64, to: ObjectType) -> Vec<(u64, Vec<&Label>)> {
        let mut partners = self.associations.of((kind, id), to);
        partners.retain(|(id, _)| self.has(to, *id));
        partners
    }

    /// Associates two records plainly and in these ways, or says why they cannot be.
    pub(crate) fn associate(&mut self, from: Named, to: Named, types: &[TypeId]) -> Result<(), String> {
        if let Some((kind, id)) = [from, to].into_iter().find(|(kind, id)| !self.has(*kind, *id)) {
            return Err(format!("there is no record {id} of {kind}"));
        }
        let possible = self.associations.labels.plain(from.0, to.0).is_some();
        if !possible || self.associations.unknown(from.0, to.0, types).is_some() {
            return Err(format!(
                "there is no such association from {} to {}",
                from.0, to.0
            ));
        }
        self.associations.set(from, to, types);
        Ok(())
    }

    /// Removes a record for good, and everything that points at it.
    pub(crate) fn purge(&mut self, kind: ObjectType, id: u64) {
        if let Some(record) = self.table(kind).purge(id) {
            let email = record.values.get("email").cloned();
            self.blocklist.extend(email);
        }
        self.associations.forget((kind, id));
    }
}
