//! The CRM of one account: object types, their properties, the records, and how they are searched and written.

pub(crate) mod history;
pub(crate) mod kind;
pub(crate) mod matching;
pub(crate) mod properties;
pub(crate) mod record;
pub(crate) mod search;
pub(crate) mod table;
pub(crate) mod validate;

use std::collections::BTreeMap;

use kind::ObjectType;
use table::Table;

/// All records of one account.
#[derive(Debug)]
pub(crate) struct Crm {
    tables: BTreeMap<ObjectType, Table>,
    /// How long a change stays invisible to search.
    pub(crate) search_lag_micros: i64,
}

impl Crm {
    /// An account with no record yet.
    pub(crate) fn empty() -> Self {
        let tables = ObjectType::ALL
            .into_iter()
            .map(|kind| (kind, Table::empty(kind)))
            .collect();
        Self {
            tables,
            search_lag_micros: 0,
        }
    }

    /// The records of one type.
    pub(crate) fn table(&mut self, kind: ObjectType) -> &mut Table {
        self.tables.entry(kind).or_insert_with(|| Table::empty(kind))
    }
}
