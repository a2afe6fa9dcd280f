//! What nobody can find any more leaves the index.

use hubkeep_core::database::{Database, Transaction};

use super::{Level, merge::parts, store, terms};
use crate::{Error, Position};

/// Which large span a position lies in.
pub(crate) fn large_span(position: Position) -> i64 {
    position.as_i64() / Level::Large.width()
}

/// Forgets in which spans a log has entries, of those that end at this position or before: it has none there any more.
pub(crate) async fn forget_log(
    transaction: &mut Transaction,
    log: &str,
    until: Position,
) -> Result<(), Error> {
    for level in [Level::Small, Level::Large] {
        let spans = until.plus(1).as_i64() / level.width();
        store::forget_term(transaction, level, terms::log(log), spans).await?;
    }
    Ok(())
}

/// Forgets everything about large spans that end before this position: nothing is in them any more. When their entries were
/// made stays, a few bytes for each thousand, because it is read by its place.
pub(crate) async fn forget_before(database: &Database, oldest: Position) -> Result<(), Error> {
    for part in parts() {
        store::forget_large(database, part, large_span(oldest)).await?;
    }
    Ok(())
}
