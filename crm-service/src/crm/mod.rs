//! The vocabulary of the CRM: what can be asked, with every limit that HubSpot or Hubkeep sets checked where it is
//! made. No proto and no SQL: what comes in from outside is turned into these words at the door.

mod answer;
mod ask;
mod bounds;
mod error;
mod kinds;
mod limits;
mod names;
mod search;

pub use answer::Answer;
pub use ask::{Ask, Operation, RecordKey};
pub use bounds::{Bounds, LimitedBy, Outside, Within};
pub use error::{Error, Faults};
pub use kinds::{all_of, shown_of};
pub use limits::{LIST_PAGE, OWNER_PAGE, PageSize, SEARCH_PAGE, WALK_PAGE};
pub use names::{ObjectType, PropertyName, PropertyNames, PropertyValues, RecordId};
pub(crate) use names::{read_names, read_values};
pub use search::{Condition, Search};
