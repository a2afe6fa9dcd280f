//! What records have to do with each other.

use hubkeep_hubspot::associations::{AssociationType, Category};

use super::{
    ask::Operation,
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
#[derive(Clone, Debug)]
pub struct NewAssociation {
    /// The other record's type.
    pub object_type: ObjectType,
    /// The other record.
    pub id: RecordId,
    /// In which way.
    pub kind: AssociationType,
}

/// From which record to records of which type.
#[derive(Clone, Debug)]
pub struct End {
    /// The type of the record from which it goes out.
    pub object_type: ObjectType,
    /// That record.
    pub id: RecordId,
    /// The type at the other end.
    pub to_type: ObjectType,
}

/// What is asked of associations.
#[derive(Clone, Debug)]
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
            Self::List { .. } => &[Operation::Get],
            Self::Create { .. } | Self::Remove { .. } => &[Operation::Associate],
            Self::Labels { .. } => &[Operation::List],
        }
    }

    /// From which type to which.
    pub(super) const fn types(&self) -> (&ObjectType, &ObjectType) {
        match self {
            Self::List { end, .. } | Self::Create { end, .. } | Self::Remove { end, .. } => {
                (&end.object_type, &end.to_type)
            }
            Self::Labels { object_type, to_type } => (object_type, to_type),
        }
    }

    /// The record from which it goes out.
    pub(super) const fn record_id(&self) -> Option<&RecordId> {
        match self {
            Self::List { end, .. } | Self::Create { end, .. } | Self::Remove { end, .. } => Some(&end.id),
            Self::Labels { .. } => None,
        }
    }

    /// How many records it may touch.
    pub(super) fn touches(&self) -> u64 {
        match self {
            Self::List { limit, .. } => u64::from(*limit),
            Self::Create { .. } | Self::Remove { .. } => 2,
            Self::Labels { .. } => 0,
        }
    }
}
