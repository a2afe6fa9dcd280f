//! The vocabulary of the CRM: what can be asked, with every limit that HubSpot or Hubkeep sets checked where it is
//! made. No proto and no SQL: what comes in from outside is turned into these words at the door.

mod answer;
mod ask;
mod association;
mod batch;
mod bounds;
mod error;
mod kinds;
mod limits;
mod names;
mod schema;
mod search;
mod wanted;

pub use answer::{Answer, Done, Row, RowError};
pub use ask::{Ask, Operation, RecordKey};
pub use association::{AssociationAsk, End, NewAssociation, read_kind};
pub use batch::{Batch, BatchWork, MAX_BATCH};
pub use bounds::{Bounds, LimitedBy, Outside, Within};
pub use error::{Error, Faults};
pub use kinds::{all_of, shown_of};
pub use limits::{ASSOCIATION_PAGE, HISTORY_PAGE, LIST_PAGE, OWNER_PAGE, PageSize, SEARCH_PAGE, WALK_PAGE};
pub use names::{ObjectType, PropertyName, PropertyNames, PropertyValues, RecordId};
pub(crate) use names::{read_history, read_names, read_values};
pub use schema::{PipelineId, SchemaAsk};
pub use search::{Condition, Search};
pub use wanted::Wanted;
