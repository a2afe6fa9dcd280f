//! What the CRM answered.

use hubkeep_core::id::PortalId;
use hubkeep_hubspot::{
    RowRefusal,
    associations::{Association, Label},
    objects::{Object, Page},
    owners::Owner,
    pipelines::{Pipeline, Stage},
    properties::Property,
    schemas::Schema,
};

use super::bounds::LimitedBy;

/// What came back for an [`Ask`](super::Ask).
#[derive(Clone, Debug)]
pub enum Answer {
    /// One record.
    Object(Object),
    /// Some records.
    Objects(Page<Object>),
    /// What became of each record of a batch, in the order of its inputs.
    Rows(Vec<Row>),
    /// It was done, and there is nothing to show.
    Done,
    /// Some records that another is associated with.
    Associated(Page<Association>),
    /// A page of what each of many records is associated with, in the order of the inputs.
    Pages(Vec<RowOf<Page<Association>>>),
    /// What became of each of many pairs, in the order of the inputs: the kinds in which the two are associated now, as far as
    /// the answer says.
    Pairs(Vec<RowOf<Vec<Label>>>),
    /// Kinds of association.
    Labels(Vec<Label>),
    /// Properties of a type.
    Properties(Vec<Property>),
    /// Pipelines of a type.
    Pipelines(Vec<Pipeline>),
    /// One stage of a pipeline.
    Stage(Stage),
    /// Types of record.
    Types(Vec<Schema>),
    /// One owner.
    Owner(Owner),
    /// Some owners.
    Owners(Page<Owner>),
    /// Whose account it is.
    Account(PortalId),
}

/// What became of one input of a batch.
pub type Row = RowOf<Done>;

/// The same, with something else to show.
pub type RowOf<T> = Result<T, RowError>;

/// A record of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The record; of one that was archived only its id.
    pub object: Object,
    /// Whether it was made, where it might have been there before.
    pub created: bool,
}

impl From<Object> for Done {
    fn from(object: Object) -> Self {
        Self {
            object,
            created: false,
        }
    }
}

/// Why there is no record for an input of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowError {
    /// HubSpot refused it, or does not say what became of it.
    HubSpot(RowRefusal),
    /// It is there, and outside of what the handle is limited to.
    NotAllowed(LimitedBy),
    /// It would write a contact that was erased. It was not sent.
    Erased,
}

impl Answer {
    /// How many records it is about.
    pub fn records(&self) -> u64 {
        let count = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
        match self {
            Self::Object(_) | Self::Done | Self::Owner(_) => 1,
            Self::Objects(page) => count(page.items.len()),
            Self::Rows(rows) => count(rows.iter().filter(|row| is_touched(row)).count()),
            Self::Associated(page) => count(page.items.len()),
            Self::Pages(rows) => count(rows.iter().flatten().map(|page| page.items.len()).sum()),
            Self::Pairs(rows) => count(rows.iter().filter(|row| is_touched(row)).count()).saturating_mul(2),
            Self::Owners(page) => count(page.items.len()),
            Self::Labels(_)
            | Self::Properties(_)
            | Self::Pipelines(_)
            | Self::Stage(_)
            | Self::Types(_)
            | Self::Account(_) => 0,
        }
    }

    /// Whether it leaves a part unknown: a write that may or may not have been made.
    pub fn leaves_open(&self) -> bool {
        match self {
            Self::Rows(rows) => rows.iter().any(is_unknown),
            Self::Pairs(rows) => rows.iter().any(is_unknown),
            _ => false,
        }
    }

    /// The same, with each record's properties thinned out, and what is said of properties themselves.
    #[must_use]
    pub fn keeping(mut self, keep: impl Fn(&str) -> bool) -> Self {
        let thin = |object: &mut Object| {
            object.properties.retain(|name, _| keep(name));
            object.history.retain(|name, _| keep(name));
        };
        match &mut self {
            Self::Object(object) => thin(object),
            Self::Objects(page) => page.items.iter_mut().for_each(thin),
            Self::Rows(rows) => rows.iter_mut().flatten().for_each(|done| thin(&mut done.object)),
            Self::Properties(properties) => properties.retain(|property| keep(&property.name)),
            Self::Done
            | Self::Associated(_)
            | Self::Pages(_)
            | Self::Pairs(_)
            | Self::Labels(_)
            | Self::Pipelines(_)
            | Self::Stage(_)
            | Self::Types(_)
            | Self::Owner(_)
            | Self::Owners(_)
            | Self::Account(_) => {}
        }
        self
    }
}

const fn is_unknown<T>(row: &RowOf<T>) -> bool {
    matches!(row, Err(RowError::HubSpot(RowRefusal::Unknown)))
}

/// Whether a record was read or written, as far as anybody knows.
const fn is_touched<T>(row: &RowOf<T>) -> bool {
    !matches!(
        row,
        Err(RowError::HubSpot(RowRefusal::Refused(_)) | RowError::Erased)
    )
}
