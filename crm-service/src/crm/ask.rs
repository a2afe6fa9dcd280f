//! What is asked of the CRM.

use std::sync::Arc;

use super::{
    OwnerKey,
    association::{AssociationAsk, NewAssociation},
    batch::{Batch, BatchWork},
    names::{ObjectType, PropertyName, PropertyNames, PropertyValues, RecordId},
    schema::SchemaAsk,
    search::Search,
    wanted::Wanted,
};

/// What is done with records: the unit in which handles allow things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Read some by id.
    Get,
    /// Page through them.
    List,
    /// Find them.
    Search,
    /// Make some.
    Create,
    /// Change some.
    Update,
    /// Archive some.
    Archive,
    /// Make one of two.
    Merge,
    /// Erase a contact for good.
    Erase,
    /// Associate two, and end that.
    Associate,
    /// Read the audit log of the portal.
    ReadAudit,
    /// Read what is left of the portal's quota.
    Quota,
    /// Make reports about the portal.
    Report,
    /// Change how records are made.
    WriteSchema,
}

impl Operation {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::List => "LIST",
            Self::Search => "SEARCH",
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Archive => "ARCHIVE",
            Self::Merge => "MERGE",
            Self::Erase => "ERASE",
            Self::Associate => "ASSOCIATE",
            Self::ReadAudit => "READ_AUDIT",
            Self::Quota => "QUOTA",
            Self::Report => "REPORT",
            Self::WriteSchema => "WRITE_SCHEMA",
        }
    }

    /// Whether doing it twice is the same as doing it once.
    const fn reads(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Search)
    }
}

/// Which record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordKey {
    /// Its type.
    pub object_type: ObjectType,
    /// Its id, or a value of `id_property`.
    pub id: RecordId,
    /// A unique property; `None` for HubSpot's own id.
    pub id_property: Option<PropertyName>,
}

/// One thing asked of the CRM. Cheap to clone: a call may be attempted several times.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Reads one record.
    GetObject {
        /// Which.
        key: Arc<RecordKey>,
        /// What of it.
        wanted: Arc<Wanted>,
        /// Among the archived.
        archived: bool,
    },
    /// Pages through the records of a type.
    ListObjects {
        /// The type.
        object_type: ObjectType,
        /// What of each.
        wanted: Arc<Wanted>,
        /// The page's size.
        limit: u32,
        /// Where the page begins.
        after: Option<String>,
        /// Only the archived.
        archived: bool,
    },
    /// Finds records.
    SearchObjects(Arc<Search>),
    /// Makes a record.
    CreateObject {
        /// Its type.
        object_type: ObjectType,
        /// Its values.
        values: Arc<PropertyValues>,
        /// What it is associated with from the start.
        associations: Arc<[NewAssociation]>,
    },
    /// Changes a record.
    UpdateObject {
        /// Which.
        key: Arc<RecordKey>,
        /// The new values.
        values: Arc<PropertyValues>,
    },
    /// Archives a record.
    ArchiveObject {
        /// Which.
        key: Arc<RecordKey>,
    },
    /// Makes one record of two.
    MergeObjects {
        /// The type of both.
        object_type: ObjectType,
        /// The one that stays.
        primary: RecordId,
        /// The one that does not.
        merged: RecordId,
    },
    /// Erases a contact for good.
    EraseContact {
        /// Which.
        key: Arc<RecordKey>,
    },
    /// Works on many records of one type.
    Batch(Arc<Batch>),
    /// Reads or changes what records have to do with each other.
    Association(Arc<AssociationAsk>),
    /// Reads or changes how records are made.
    Schema(Arc<SchemaAsk>),
    /// Pages through the owners.
    ListOwners {
        /// Only the owner with this address.
        email: Option<String>,
        /// The page's size.
        limit: u32,
        /// Where the page begins.
        after: Option<String>,
        /// Only the archived.
        archived: bool,
    },
    /// Reads one owner.
    GetOwner {
        /// Which.
        key: OwnerKey,
        /// Whether it is archived.
        archived: bool,
    },
    /// Asks whose account the token is. No caller asks that: this service does, before it writes.
    ReadAccount,
}

impl Ask {
    /// Everything that is done: all of it must be allowed.
    pub fn operations(&self) -> &'static [Operation] {
        match self {
            Self::GetObject { .. } | Self::GetOwner { .. } | Self::ReadAccount => &[Operation::Get],
            Self::ListObjects { .. } | Self::ListOwners { .. } => &[Operation::List],
            Self::SearchObjects(_) => &[Operation::Search],
            Self::CreateObject { .. } => &[Operation::Create],
            Self::UpdateObject { .. } => &[Operation::Update],
            Self::ArchiveObject { .. } => &[Operation::Archive],
            Self::MergeObjects { .. } => &[Operation::Merge],
            Self::EraseContact { .. } => &[Operation::Erase],
            Self::Batch(batch) => batch.operations(),
            Self::Association(ask) => ask.operations(),
            Self::Schema(ask) => ask.operations(),
        }
    }

    /// To what.
    pub fn object_type(&self) -> ObjectType {
        match self {
            Self::ListOwners { .. } | Self::GetOwner { .. } => ObjectType::owners(),
            Self::ReadAccount => ObjectType::account(),
            Self::ListObjects { object_type, .. }
            | Self::CreateObject { object_type, .. }
            | Self::MergeObjects { object_type, .. } => object_type.clone(),
            Self::SearchObjects(search) => search.object_type.clone(),
            Self::Batch(batch) => batch.object_type.clone(),
            Self::Association(ask) => ask.types().0.clone(),
            Self::Schema(ask) => ask.object_type(),
            Self::GetObject { key, .. }
            | Self::UpdateObject { key, .. }
            | Self::ArchiveObject { key }
            | Self::EraseContact { key } => key.object_type.clone(),
        }
    }

    /// What else is touched by it, and how: records of these types must be allowed too.
    pub fn beside(&self) -> Vec<(Operation, &ObjectType)> {
        match self {
            Self::GetObject { wanted, .. } | Self::ListObjects { wanted, .. } => {
                let types = wanted.associated.iter();
                types.map(|other| (Operation::Get, other)).collect()
            }
            Self::CreateObject {
                object_type,
                associations,
                ..
            } if !associations.is_empty() => {
                let others = associations.iter().map(|other| &other.object_type);
                let both = others.chain([object_type]);
                both.map(|each| (Operation::Associate, each)).collect()
            }
            Self::Batch(batch) => {
                let types = batch.associated_types().into_iter();
                types.map(|each| (Operation::Associate, each)).collect()
            }
            Self::Association(ask) => {
                let operations = ask.operations().iter();
                operations.map(|operation| (*operation, ask.types().1)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether it shows or changes what records have to do with each other.
    pub fn has_associations(&self) -> bool {
        match self {
            Self::Association(ask) => !matches!(**ask, AssociationAsk::Labels { .. }),
            _ => !self.beside().is_empty(),
        }
    }

    /// Whether it is for HubSpot's associations API, which has limits of its own.
    pub fn is_for_associations_api(&self) -> bool {
        matches!(self, Self::Association(_))
    }

    /// The record it is about, where it is about one.
    pub fn record_id(&self) -> Option<&RecordId> {
        match self {
            Self::GetObject { key, .. }
            | Self::UpdateObject { key, .. }
            | Self::ArchiveObject { key }
            | Self::EraseContact { key } => Some(&key.id),
            Self::MergeObjects { primary, .. } => Some(primary),
            Self::Association(ask) => ask.record_id(),
            Self::GetOwner { key, .. } => key.owner_id(),
            _ => None,
        }
    }

    /// The other records that it is about, by HubSpot's own ids: the one that a merge ends, those of a batch.
    pub fn other_records(&self) -> Vec<&RecordId> {
        match self {
            Self::MergeObjects { merged, .. } => vec![merged],
            Self::Batch(batch) => batch.record_ids(),
            _ => Vec::new(),
        }
    }

    /// Whether asking twice is the same as asking once.
    pub fn is_read(&self) -> bool {
        self.operations().iter().all(|operation| operation.reads())
    }

    /// Every property that is written, or that decides which records are touched: each must be allowed.
    pub fn deciding_properties(&self) -> Vec<&PropertyName> {
        match self {
            Self::SearchObjects(search) => search.deciding_properties().collect(),
            Self::CreateObject { values, .. } => values.keys().collect(),
            Self::UpdateObject { key, values } => values.keys().chain(&key.id_property).collect(),
            Self::GetObject { key, .. } | Self::ArchiveObject { key } | Self::EraseContact { key } => {
                key.id_property.iter().collect()
            }
            Self::Batch(batch) => batch.deciding_properties(),
            Self::Schema(ask) => ask.property().into_iter().collect(),
            Self::ListObjects { .. }
            | Self::MergeObjects { .. }
            | Self::Association(_)
            | Self::ListOwners { .. }
            | Self::GetOwner { .. }
            | Self::ReadAccount => Vec::new(),
        }
    }

    /// Whether it searches in properties that it does not name.
    pub fn has_free_text(&self) -> bool {
        matches!(self, Self::SearchObjects(search) if search.query.is_some())
    }

    /// How many records it may touch at most.
    pub fn touches(&self) -> u64 {
        match self {
            Self::ListObjects { limit, .. } | Self::ListOwners { limit, .. } => u64::from(*limit),
            Self::SearchObjects(search) => u64::from(search.limit),
            Self::MergeObjects { .. } => 2,
            Self::Batch(batch) => u64::try_from(batch.len()).unwrap_or(u64::MAX),
            Self::Association(ask) => ask.touches(),
            Self::Schema(_) | Self::ReadAccount => 0,
            _ => 1,
        }
    }

    /// The same, in pages of at most `records`. `None` of what has no pages and touches more.
    pub fn at_most(mut self, records: u64) -> Option<Self> {
        let most = u32::try_from(records).unwrap_or(u32::MAX);
        match &mut self {
            Self::ListObjects { limit, .. } | Self::ListOwners { limit, .. } => *limit = most.min(*limit),
            Self::SearchObjects(search) if search.limit > most => Arc::make_mut(search).limit = most,
            Self::Association(ask) => {
                if let AssociationAsk::List { limit, .. } = Arc::make_mut(ask) {
                    *limit = most.min(*limit);
                }
            }
            _ => {}
        }
        (self.touches() <= records).then_some(self)
    }

    /// The same change, of the record with this key. What changes none is as it was.
    #[must_use]
    pub fn to_record(self, record: Arc<RecordKey>) -> Self {
        match self {
            Self::UpdateObject { values, .. } => Self::UpdateObject { key: record, values },
            Self::ArchiveObject { .. } => Self::ArchiveObject { key: record },
            Self::EraseContact { .. } => Self::EraseContact { key: record },
            other => other,
        }
    }

    /// The same, with other wanted properties, and where only some are `readable`, with the history of no others. What wants
    /// none is as it was.
    #[must_use]
    pub fn wanting(
        mut self,
        readable: Option<&PropertyNames>,
        choose: impl FnOnce(&PropertyNames) -> PropertyNames,
    ) -> Self {
        match &mut self {
            Self::GetObject { wanted, .. } | Self::ListObjects { wanted, .. } => {
                *wanted = Arc::new(wanted.with(choose(&wanted.properties), readable));
            }
            Self::SearchObjects(search) => {
                let properties = choose(&search.properties);
                Arc::make_mut(search).properties = properties;
            }
            Self::Batch(batch) => {
                if let BatchWork::Read { wanted, .. } = &mut Arc::make_mut(batch).work {
                    *wanted = wanted.with(choose(&wanted.properties), readable);
                }
            }
            _ => {}
        }
        self
    }
}
