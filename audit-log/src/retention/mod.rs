//! Entries live for as long as the service is set to keep them. What is older goes from the beginning of each log, up to a
//! minimum index, as C2SP tlog-tiles describes pruning: whole bundles of 256. Trees stay whole, so that every proof goes on
//! being valid.
//!
//! Nothing goes that a signed checkpoint does not cover (where anchors are configured, one that is named by heads that every
//! place has), that has no outcome yet, that is younger than its life, or that is held. First an entry of the log itself says
//! what will go; when a checkpoint covers that one too, it goes, a few bundles in each transaction, together with the record of
//! where the log begins now. So a reader can tell what was pruned from what was lost.
//!
//! | file | holds |
//! |---|---|
//! | `keep` | for how long |
//! | `task` | when: the background work of one process |
//! | `plan` | which entries may go |
//! | `announce` | the entry that says so |
//! | `prune` | they go |
//! | `beginning` | where a log begins now, for whoever reads |
//! | `hold` | what is not pruned, and how far back logs reach |
//! | `store`, `gone` | the tables |

mod announce;
mod beginning;
mod gone;
mod hold;
mod keep;
mod plan;
mod prune;
mod store;
mod task;

pub use beginning::Beginning;
pub use hold::{Hold, Retained};
pub use keep::Keep;

pub(crate) use beginning::{before as pruned_before, within};
pub(crate) use task::{Deps, Pruner};

/// Entries of a bundle: they go together.
pub(crate) const BUNDLE: u64 = 256;

/// Whoever holds it announces and prunes.
const LOCK: &str = "hubkeep audit pruning";

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn read_back(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
