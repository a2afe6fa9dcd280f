//! What is asked of the CRM.

use std::sync::Arc;

use super::{
    names::{ObjectType, PropertyName, PropertyNames, PropertyValues, RecordId},
    search::Search,
};

/// What is done with records: the unit in which handles allow things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Read one by id.
    Get,
    /// Page through them.
    List,
    /// Find them.
    Search,
    /// Make one.
    Create,
    /// Change one.
    Update,
    /// Archive one.
    Archive,
    /// Read the audit log of the portal.
    ReadAudit,
    /// Read what is left of the portal's quota.
    Quota,
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
            Self::ReadAudit => "READ_AUDIT",
            Self::Quota => "QUOTA",
        }
    }
}

/// Which record.
#[derive(Clone, Debug)]
pub struct RecordKey {
    /// Its type.
    pub object_type: ObjectType,
    /// Its id, or a value of `id_property`.
    pub id: RecordId,
    /// A unique property; `None` for HubSpot's own id.
    pub id_property: Option<PropertyName>,
}

/// One thing asked of the CRM. Cheap to clone: a call may be attempted several times.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Reads one record.
    GetObject {
        /// Which.
        key: Arc<RecordKey>,
        /// The properties wanted.
        properties: Arc<PropertyNames>,
        /// Among the archived.
        archived: bool,
    },
    /// Pages through the records of a type.
    ListObjects {
        /// The type.
        object_type: ObjectType,
        /// The properties wanted.
        properties: Arc<PropertyNames>,
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
        id: RecordId,
    },
    /// Asks whose account the token is. No caller asks that: this service does, before it writes.
    ReadAccount,
}

impl Ask {
    /// What is done.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::GetObject { .. } | Self::GetOwner { .. } | Self::ReadAccount => Operation::Get,
            Self::ListObjects { .. } | Self::ListOwners { .. } => Operation::List,
            Self::SearchObjects(_) => Operation::Search,
            Self::CreateObject { .. } => Operation::Create,
            Self::UpdateObject { .. } => Operation::Update,
            Self::ArchiveObject { .. } => Operation::Archive,
        }
    }

    /// To what.
    pub fn object_type(&self) -> ObjectType {
        match self {
            Self::ListOwners { .. } | Self::GetOwner { .. } => ObjectType::owners(),
            Self::ReadAccount => ObjectType::account(),
            Self::ListObjects { object_type, .. } | Self::CreateObject { object_type, .. } => {
                object_type.clone()
            }
            Self::SearchObjects(search) => search.object_type.clone(),
            Self::GetObject { key, .. } | Self::UpdateObject { key, .. } | Self::ArchiveObject { key } => {
                key.object_type.clone()
            }
        }
    }

    /// The record it is about, where it is about one.
    pub fn record_id(&self) -> Option<&RecordId> {
        match self {
            Self::GetObject { key, .. } | Self::UpdateObject { key, .. } | Self::ArchiveObject { key } => {
                Some(&key.id)
            }
            Self::GetOwner { id } => Some(id),
            _ => None,
        }
    }

    /// Whether asking twice is the same as asking once.
    pub const fn is_read(&self) -> bool {
        matches!(
            self.operation(),
            Operation::Get | Operation::List | Operation::Search
        )
    }

    /// Every property that is written, or that decides which records are touched: each must be allowed.
    pub fn deciding_properties(&self) -> Vec<&PropertyName> {
        match self {
            Self::SearchObjects(search) => search.deciding_properties().collect(),
            Self::CreateObject { values, .. } => values.keys().collect(),
            Self::UpdateObject { key, values } => values.keys().chain(&key.id_property).collect(),
            Self::GetObject { key, .. } | Self::ArchiveObject { key } => key.id_property.iter().collect(),
            Self::ListObjects { .. }
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
            Self::ReadAccount => 0,
            _ => 1,
        }
    }

    /// The same, in pages of at most `records`.
    #[must_use]
    pub fn at_most(mut self, records: u64) -> Self {
        let most = u32::try_from(records).unwrap_or(u32::MAX);
        match &mut self {
            Self::ListObjects { limit, .. } | Self::ListOwners { limit, .. } => *limit = most.min(*limit),
            Self::SearchObjects(search) if search.limit > most => Arc::make_mut(search).limit = most,
            _ => {}
        }
        self
    }

    /// The same change, of the record with this key. What changes none is as it was.
    #[must_use]
    pub fn to_record(self, record: Arc<RecordKey>) -> Self {
        match self {
            Self::UpdateObject { values, .. } => Self::UpdateObject { key: record, values },
            Self::ArchiveObject { .. } => Self::ArchiveObject { key: record },
            other => other,
        }
    }

    /// The same, with other wanted properties. What wants none is as it was.
    #[must_use]
    pub fn wanting(self, choose: impl FnOnce(&PropertyNames) -> PropertyNames) -> Self {
        match self {
            Self::GetObject {
                key,
                properties,
                archived,
            } => Self::GetObject {
                key,
                properties: Arc::new(choose(&properties)),
                archived,
            },
            Self::ListObjects {
                object_type,
                properties,
                limit,
                after,
                archived,
            } => {
                let properties = Arc::new(choose(&properties));
                Self::ListObjects {
                    object_type,
                    properties,
                    limit,
                    after,
                    archived,
                }
            }
            Self::SearchObjects(search) => {
                let properties = choose(&search.properties);
                Self::SearchObjects(Arc::new(Search {
                    properties,
                    ..Search::clone(&search)
                }))
            }
            other => other,
        }
    }
}
