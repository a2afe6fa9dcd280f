//! Entries into trees: a bounded batch at a time, in order of position, each batch in one transaction.

use std::collections::BTreeMap;

use hubkeep_core::{clock::Clock, database::Database};

use super::{
    Error,
    edge::{Edge, Place},
    store,
};
use crate::{
    store::{Scan, StoredEntry},
    turn::Turn,
};

/// Entries in one batch: what is held in memory, some 4 MB of usual ones. The more there are, the fewer times the tree of a busy
/// portal is read and written.
pub(super) const BATCH: usize = 8_192;

/// What a batch has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Built {
    /// So many entries were looked at, and are in their trees now.
    Entries(usize),
    /// Another process was at it at the same time, and quicker: nothing was changed.
    OthersWere,
}

/// Puts the entries that come next into their trees. A log whose tree is not what it was, or whose next entry has another
/// index than comes next, gets nothing more; it is given in `damaged`, and the others go on.
///
/// # Errors
/// If an entry is missing, for then nobody knows whose.
pub(super) async fn batch(
    (database, scan): (&Database, &Scan),
    turn: &mut Turn,
    clock: &dyn Clock,
    damaged: &mut Vec<Error>,
) -> Result<Built, Error> {
    let from = store::end(database).await?;
    let entries = scan.entries(from, u64::MAX, BATCH).await?;
    let Some(last) = entries.last() else {
        return Ok(Built::Entries(0));
    };
    let (count, to) = (entries.len(), last.position);
    let mut grown = Vec::new();
    for (log, leaves) in by_log(from, entries)? {
        match grow(database, &log, leaves).await {
            Ok(tree) => grown.push(tree),
            Err(error @ Error::Damaged { .. }) => damaged.push(error),
            Err(error) => return Err(error),
        }
    }
    let mut transaction = turn.transaction(database).await?;
    if !store::set_end(&mut transaction, from, to).await? {
        transaction.rollback().await?;
        return Ok(Built::OthersWere);
    }
    let now = clock.now();
    for (tree, tiles) in grown {
        store::grow(&mut transaction, &tree, tiles, now).await?;
    }
    transaction.commit().await?;
    Ok(Built::Entries(count))
}

/// The entries of each log, in order. Positions have no gap: one that is missing was taken away.
fn by_log(after: u64, entries: Vec<StoredEntry>) -> Result<BTreeMap<String, Vec<StoredEntry>>, Error> {
    let mut logs: BTreeMap<String, Vec<StoredEntry>> = BTreeMap::new();
    let mut before = after;
    for entry in entries {
        if entry.position != before.saturating_add(1) {
            let missing = before.saturating_add(1);
            return Err(Error::damaged(
                &entry.log,
                format!("the entry at position {missing} is gone"),
            ));
        }
        before = entry.position;
        logs.entry(entry.log.clone()).or_default().push(entry);
    }
    Ok(logs)
}

async fn grow(
    database: &Database,
    log: &str,
    leaves: Vec<StoredEntry>,
) -> Result<(super::Tree, BTreeMap<Place, Vec<u8>>), Error> {
    let tree = store::tree(database, log).await?;
    let mut edge = Edge::of(&tree, store::edge(database, &tree).await?)?;
    for entry in leaves {
        if entry.index != edge.size() {
            let problem = format!(
                "the entry at position {} has index {}, where {} comes next",
                entry.position,
                entry.index,
                edge.size()
            );
            return Err(Error::damaged(log, problem));
        }
        edge.append(&entry.leaf)?;
    }
    edge.finish()
}
