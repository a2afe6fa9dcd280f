//! Up to a hundred records in one call.

use std::collections::BTreeSet;

use super::{
    ask::Operation,
    association::NewAssociation,
    names::{ObjectType, PropertyName, PropertyValues, RecordId},
    wanted::Wanted,
};

/// The most records that HubSpot takes in one call.
pub const MAX_BATCH: usize = 100;

/// One call about many records of one type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    /// Their type.
    pub object_type: ObjectType,
    /// What is done with them.
    pub work: BatchWork,
}

/// A record that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewRecord {
    /// Its values.
    pub values: PropertyValues,
    /// What it is associated with from the start.
    pub associations: Vec<NewAssociation>,
}

/// What is done with each record of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BatchWork {
    /// They are read.
    Read {
        /// Which: by ids, or by values of `id_property`.
        ids: Vec<RecordId>,
        /// A unique property; `None` for HubSpot's own id.
        id_property: Option<PropertyName>,
        /// What of each.
        wanted: Wanted,
        /// Among the archived.
        archived: bool,
    },
    /// They are made.
    Create(Vec<NewRecord>),
    /// They are changed.
    Update {
        /// Which, and to what.
        changes: Vec<(RecordId, PropertyValues)>,
        /// A unique property; `None` for HubSpot's own id.
        id_property: Option<PropertyName>,
    },
    /// They are changed, or made where they are not there.
    Upsert {
        /// Which, and to what.
        changes: Vec<(RecordId, PropertyValues)>,
        /// The unique property that decides which is which.
        id_property: PropertyName,
    },
    /// They are archived.
    Archive(Vec<RecordId>),
}

impl Batch {
    /// How many records it is about.
    pub fn len(&self) -> usize {
        match &self.work {
            BatchWork::Read { ids, .. } | BatchWork::Archive(ids) => ids.len(),
            BatchWork::Create(inputs) => inputs.len(),
            BatchWork::Update { changes, .. } | BatchWork::Upsert { changes, .. } => changes.len(),
        }
    }

    /// Whether it is about none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// HubSpot's own ids of the records that it is about: none where they are made, or named by another property.
    pub(super) fn record_ids(&self) -> Vec<&RecordId> {
        match &self.work {
            BatchWork::Read {
                ids,
                id_property: None,
                ..
            }
            | BatchWork::Archive(ids) => ids.iter().collect(),
            BatchWork::Update {
                changes,
                id_property: None,
            } => changes.iter().map(|(id, _)| id).collect(),
            BatchWork::Read { .. }
            | BatchWork::Create(_)
            | BatchWork::Update { .. }
            | BatchWork::Upsert { .. } => Vec::new(),
        }
    }

    /// What must be allowed.
    pub(super) const fn operations(&self) -> &'static [Operation] {
        match self.work {
            BatchWork::Read { .. } => &[Operation::Get],
            BatchWork::Create(_) => &[Operation::Create],
            BatchWork::Update { .. } => &[Operation::Update],
            BatchWork::Upsert { .. } => &[Operation::Create, Operation::Update],
            BatchWork::Archive(_) => &[Operation::Archive],
        }
    }

    /// The types of the records at the other end, and their own, where what is made is associated from the start.
    pub(super) fn associated_types(&self) -> BTreeSet<&ObjectType> {
        let BatchWork::Create(inputs) = &self.work else {
            return BTreeSet::new();
        };
        let others = inputs.iter().flat_map(|input| &input.associations);
        let mut types: BTreeSet<&ObjectType> = others.map(|other| &other.object_type).collect();
        if !types.is_empty() {
            types.insert(&self.object_type);
        }
        types
    }

    /// Every property that is written, or that decides which records are touched.
    pub(super) fn deciding_properties(&self) -> Vec<&PropertyName> {
        match &self.work {
            BatchWork::Read { id_property, .. } => id_property.iter().collect(),
            BatchWork::Create(inputs) => inputs.iter().flat_map(|input| input.values.keys()).collect(),
            BatchWork::Update { changes, id_property } => {
                let mut deciding = written(changes);
                deciding.extend(id_property);
                deciding
            }
            BatchWork::Upsert { changes, id_property } => {
                let mut deciding = written(changes);
                deciding.push(id_property);
                deciding
            }
            BatchWork::Archive(_) => Vec::new(),
        }
    }
}

fn written(changes: &[(RecordId, PropertyValues)]) -> Vec<&PropertyName> {
    changes.iter().flat_map(|(_, values)| values.keys()).collect()
}
