//! The index over the log: which entries are a portal's, a caller's, about a record … It is made beside the call path, out of
//! what is durable already, and is only a hint: every entry that it finds is read, and judged by itself.
//!
//! | to | see |
//! |---|---|
//! | what an entry is found by | `terms` |
//! | which positions of a span, as they are stored | `places` |
//! | making it: spans of 1,024 positions, and 64 of these put together | `build`, `merge` |
//! | finding by it: span by span, the newest entries, which are in no span yet, from the log itself | `find`, `block` |
//! | what is forgotten when entries are pruned | `forget` |
//! | the tables | `store` |

mod block;
mod build;
mod find;
mod forget;
mod merge;
mod places;
mod store;
mod terms;
mod times;

pub(crate) use build::Indexer;
pub(crate) use find::{Finder, Wanted};
pub(crate) use forget::{forget_before, forget_log, large_span};

use crate::position::SPAN;

/// Spans of level 0 that become one of level 1.
const MERGED: i64 = 64;

/// By which rules terms are made. Whoever changes what an entry's terms are, or what they are hashed to, counts it up.
const RULES: i64 = 1;

/// How large spans are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// Those that entries are put into.
    Small,
    /// What 64 of them are put together to.
    Large,
}

impl Level {
    const fn number(self) -> i64 {
        match self {
            Self::Small => 0,
            Self::Large => 1,
        }
    }

    /// Positions in a span.
    const fn width(self) -> i64 {
        match self {
            Self::Small => SPAN,
            Self::Large => SPAN * MERGED,
        }
    }
}
