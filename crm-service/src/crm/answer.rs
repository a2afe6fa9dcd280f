//! What the CRM answered.

use hubkeep_core::id::PortalId;
use hubkeep_hubspot::{
    objects::{Object, Page},
    owners::Owner,
};

/// What came back for an [`Ask`](super::Ask).
#[derive(Clone, Debug)]
pub enum Answer {
    /// One record.
    Object(Object),
    /// Some records.
    Objects(Page<Object>),
    /// It was done, and there is nothing to show.
    Done,
    /// One owner.
    Owner(Owner),
    /// Some owners.
    Owners(Page<Owner>),
    /// Whose account it is.
    Account(PortalId),
}

impl Answer {
    /// How many records it is about.
    pub fn records(&self) -> u64 {
        let count = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
        match self {
            Self::Object(_) | Self::Done | Self::Owner(_) => 1,
            Self::Objects(page) => count(page.items.len()),
            Self::Owners(page) => count(page.items.len()),
            Self::Account(_) => 0,
        }
    }

    /// The same, with each record's properties thinned out.
    #[must_use]
    pub fn keeping(mut self, keep: impl Fn(&str) -> bool) -> Self {
        let thin = |object: &mut Object| object.properties.retain(|name, _| keep(name));
        match &mut self {
            Self::Object(object) => thin(object),
            Self::Objects(page) => page.items.iter_mut().for_each(thin),
            Self::Done | Self::Owner(_) | Self::Owners(_) | Self::Account(_) => {}
        }
        self
    }
}
