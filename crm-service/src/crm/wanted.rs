//! What is wanted of records beside their ids and times.

use std::collections::BTreeSet;

use super::names::{ObjectType, PropertyNames};

/// What is wanted of each record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// These properties; none means HubSpot's default ones.
    pub properties: PropertyNames,
    /// All values that these properties had; none means of none.
    pub history: PropertyNames,
    /// The ids of the records of these types that it is associated with; none means none.
    pub associated: BTreeSet<ObjectType>,
}

impl Wanted {
    /// Nothing but these properties.
    pub fn properties(properties: PropertyNames) -> Self {
        Self {
            properties,
            ..Self::default()
        }
    }

    /// The same, with other properties, and no history but of these where only these may be read.
    #[must_use]
    pub(super) fn with(&self, properties: PropertyNames, readable: Option<&PropertyNames>) -> Self {
        let history = match readable {
            Some(readable) => self.history.intersection(readable).cloned().collect(),
            None => self.history.clone(),
        };
        Self {
            properties,
            history,
            associated: self.associated.clone(),
        }
    }
}
