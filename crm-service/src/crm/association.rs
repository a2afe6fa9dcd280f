//! What records have to do with each other.

use hubkeep_hubspot::associations::{AssociationType, Category};

use super::{
    ask::Operation,
    limits::ASSOCIATION_PAGE,
    names::{ObjectType, RecordId},
};

/// Reads a kind of association, in one direction: HubSpot's id of it, and who has made it.
///
/// # Errors
/// With the field at fault and its rule.
pub fn read_kind(type_id: u32, category: &str) -> Result<AssociationType, (&'static str, &'static str)> {
    if type_id == 0 {
        return Err(("type_id", "must be HubSpot's id of the kind of association"));
    }
    let category = match category {
        "" => Category::HubSpot,
        name => Category::from(name),
    };
    if matches!(category, Category::Other(_)) {
        let rule = "must be HUBSPOT_DEFINED, USER_DEFINED, INTEGRATOR_DEFINED or WORK";
        return Err(("category", rule));
    }
    Ok(AssociationType {
        category,
        id: type_id,
    })
}

/// What a new record is associated with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewAssociation {
    /// The other record's type.
    pub object_type: ObjectType,
    /// The other record.
    pub id: RecordId,
    /// In which way.
    pub kind: AssociationType,
}

/// From which record to records of which type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// The type of the record from which it goes out.
    pub object_type: ObjectType,
    /// That record.
    pub id: RecordId,
    /// The type at the other end.
    pub to_type: ObjectType,
}

/// From records of which type to records of which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Between {
    /// The type of the records from which they go out.
    pub object_type: ObjectType,
    /// The type at the other end.
    pub to_type: ObjectType,
}

/// Two records, the first of the one type, the second of the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The record from which it goes out.
    pub from: RecordId,
    /// The record at the other end.
    pub to: RecordId,
}

/// What is asked of associations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AssociationAsk {
    /// Pages through the records at the other end.
    List {
        /// From where.
        end: End,
        /// The page's size.
        limit: u32,
        /// Where the page begins.
        after: Option<String>,
    },
    /// Associates two records. With kinds, exactly these are there afterwards.
    Create {
        /// From where.
        end: End,
        /// The record at the other end.
        to: RecordId,
        /// The kinds; none for the one without a label.
        kinds: Vec<AssociationType>,
    },
    /// Ends all that two records have to do with each other.
    Remove {
        /// From where.
        end: End,
        /// The record at the other end.
        to: RecordId,
    },
    /// Reads a page of what each of many records is associated with.
    ReadMany {
        /// Of which types.
        between: Between,
        /// The records, each with where its page begins.
        of: Vec<(RecordId, Option<String>)>,
    },
    /// Associates many pairs without a label.
    CreateMany {
        /// Of which types.
        between: Between,
        /// The pairs.
        pairs: Vec<Pair>,
    },
    /// Associates many pairs with labels: exactly these are there afterwards.
    LabelMany {
        /// Of which types.
        between: Between,
        /// The pairs, each with its kinds.
        pairs: Vec<(Pair, Vec<AssociationType>)>,
    },
    /// Ends all that the records of many pairs have to do with each other.
    RemoveMany {
        /// Of which types.
        between: Between,
        /// The pairs.
        pairs: Vec<Pair>,
    },
    /// Takes labels off many pairs: whatever else they are to each other stays.
    UnlabelMany {
        /// Of which types.
        between: Between,
        /// The pairs, each with the kinds that are taken off.
        pairs: Vec<(Pair, Vec<AssociationType>)>,
    },
    /// Which kinds there are from one type to another.
    Labels {
        /// From this type.
        object_type: ObjectType,
        /// To this one.
        to_type: ObjectType,
    },
}

impl AssociationAsk {
    /// What is done.
    pub(super) const fn operations(&self) -> &'static [Operation] {
        match self {
            Self::List { .. } | Self::ReadMany { .. } => &[Operation::Get],
            Self::Create { .. }
            | Self::Remove { .. }
            | Self::CreateMany { .. }
            | Self::LabelMany { .. }
            | Self::RemoveMany { .. }
            | Self::UnlabelMany { .. } => &[Operation::Associate],
            Self::Labels { .. } => &[Operation::List],
        }
    }

    /// From which type to which.
    pub(super) const fn types(&self) -> (&ObjectType, &ObjectType) {
        match self {
            Self::List { end, .. } | Self::Create { end, .. } | Self::Remove { end, .. } => {
                (&end.object_type, &end.to_type)
            }
            Self::ReadMany { between, .. }
            | Self::CreateMany { between, .. }
            | Self::LabelMany { between, .. }
            | Self::RemoveMany { between, .. }
            | Self::UnlabelMany { between, .. } => (&between.object_type, &between.to_type),
            Self::Labels { object_type, to_type } => (object_type, to_type),
        }
    }

    /// The record from which it goes out.
    pub(super) const fn record_id(&self) -> Option<&RecordId> {
        match self {
            Self::List { end, .. } | Self::Create { end, .. } | Self::Remove { end, .. } => Some(&end.id),
            Self::ReadMany { .. }
            | Self::CreateMany { .. }
            | Self::LabelMany { .. }
            | Self::RemoveMany { .. }
            | Self::UnlabelMany { .. }
            | Self::Labels { .. } => None,
        }
    }

    /// How many records it may touch.
    pub(super) fn touches(&self) -> u64 {
        match self {
            Self::List { limit, .. } => u64::from(*limit),
            Self::Create { .. } | Self::Remove { .. } => 2,
            // HubSpot gives as many of each as it likes.
            Self::ReadMany { of, .. } => times(of.len(), u64::from(ASSOCIATION_PAGE.most())),
            Self::CreateMany { pairs, .. } | Self::RemoveMany { pairs, .. } => times(pairs.len(), 2),
            Self::LabelMany { pairs, .. } | Self::UnlabelMany { pairs, .. } => times(pairs.len(), 2),
            Self::Labels { .. } => 0,
        }
    }

    /// How many inputs it has, where it is about many.
    pub fn len(&self) -> usize {
        match self {
            Self::ReadMany { of, .. } => of.len(),
            Self::CreateMany { pairs, .. } | Self::RemoveMany { pairs, .. } => pairs.len(),
            Self::LabelMany { pairs, .. } | Self::UnlabelMany { pairs, .. } => pairs.len(),
            Self::List { .. } | Self::Create { .. } | Self::Remove { .. } | Self::Labels { .. } => 1,
        }
    }

    /// Whether it is about nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn times(inputs: usize, each: u64) -> u64 {
    u64::try_from(inputs).unwrap_or(u64::MAX).saturating_mul(each)
}
