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
mod owner;
mod page_token;
mod property;
mod rows;
mod schema;
mod search;
mod wanted;

pub use answer::{Answer, Done, Row, RowError, RowOf};
pub use ask::{Ask, Operation, RecordKey};
pub use association::{AssociationAsk, Between, End, NewAssociation, Pair, read_kind};
pub use batch::{Batch, BatchWork, MAX_BATCH, NewRecord};
pub use bounds::{Bounds, LimitedBy, Outside, Within};
pub use error::{Error, Faults};
pub use kinds::{all_of, shown_of};
pub use limits::{
    ASSOCIATION_PAGE, HISTORY_PAGE, LIST_PAGE, MAX_ASSOCIATIONS_MADE, MAX_ASSOCIATIONS_READ, OWNER_PAGE,
    PageSize, SEARCH_PAGE, WALK_HISTORY_PAGE, WALK_PAGE, WRITE_PAGE,
};
pub use names::{ADDRESSES, ObjectType, PropertyName, PropertyNames, PropertyValues, RecordId};
pub(crate) use names::{read_history, read_names, read_values};
pub use owner::OwnerKey;
pub use page_token::Question;
pub(crate) use property::{check_each_option, check_options, read_kind_and_field};
pub use property::{read_description, read_field, read_group, read_label, read_new_name};
pub use schema::{PipelineId, PipelineWork, SchemaAsk};
pub use search::{Condition, Search};
pub use wanted::Wanted;
