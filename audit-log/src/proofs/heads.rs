//! Checkpoints into the log of heads: what all logs of the service had come to, once a minute when something moved. Who
//! holds one of its checkpoints misses a log that is taken away whole.
//!
//! A leaf names the logs by the root of a Merkle tree over one line for each, sorted by name: a client is shown its own
//! line with a proof, and learns nothing about other portals.

use std::{cmp::Ordering, collections::BTreeMap, str};

use hubkeep_core::{
    clock::{Clock, Timestamp},
    database::Database,
};
use tlog_tiles::{Hash, HashReader, stored_hashes, tree_hash};

use super::{Error, LogKeys, Tree, edge::Edge, sign, store, store::StoredHeads};
use crate::turn::Turn;

/// The first line of every leaf.
const KIND: &str = "hubkeep heads/1";

/// One line for each log, sorted by name, and the tree over them.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) lines: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
}

impl Lines {
    fn over(log: &str, lines: Vec<Vec<u8>>) -> Result<Self, Error> {
        let mut tree = Self {
            lines: Vec::new(),
            hashes: Vec::new(),
        };
        for line in lines {
            let hashes = stored_hashes(tree.count(), &line, &tree);
            let hashes = hashes.map_err(|error| Error::damaged(log, error.to_string()))?;
            tree.hashes.extend(hashes);
            tree.lines.push(line);
        }
        Ok(tree)
    }

    /// The lines that were stored with a leaf.
    pub(super) fn read(log: &str, stored: &[u8]) -> Result<Self, Error> {
        let ends: Vec<&[u8]> = stored.split_inclusive(|byte| *byte == b'\n').collect();
        // The text of a checkpoint has three of them.
        Self::over(log, ends.chunks(3).map(<[_]>::concat).collect())
    }

    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.lines.len()).unwrap_or(u64::MAX)
    }

    fn leaf(&self, log: &str) -> Result<Vec<u8>, Error> {
        let root = tree_hash(self.count(), self).map_err(|error| Error::damaged(log, error.to_string()))?;
        Ok(format!("{KIND}\n{}\n{root}\n", self.count()).into_bytes())
    }

    /// The log and the size that each line names.
    fn sizes(&self) -> BTreeMap<&str, u64> {
        let read = |line| {
            let mut told = str::from_utf8(line).ok()?.split('\n');
            Some((told.next()?, told.next()?.parse().ok()?))
        };
        self.lines.iter().filter_map(|line| read(line)).collect()
    }

    /// Which line is about this log.
    pub(super) fn find(&self, log: &str) -> Option<usize> {
        let named = [log.as_bytes(), b"\n"].concat();
        self.lines.iter().position(|line| line.starts_with(&named))
    }
}

impl HashReader for Lines {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let hash = |index: &u64| {
            let hash = usize::try_from(*index).ok().and_then(|at| self.hashes.get(at));
            hash.copied().ok_or(tlog_tiles::Error::IndexesNotInTree)
        };
        indexes.iter().map(hash).collect()
    }
}

/// Adds a leaf, and signs it with the same commit, if the last one was made by `made_by` and something moved since.
///
/// # Errors
/// If a log that was named before is gone or shorter, and as signing does.
pub(super) async fn make(
    database: &Database,
    turn: &mut Turn,
    keys: &LogKeys,
    log: &str,
    made_by: Timestamp,
    clock: &dyn Clock,
) -> Result<(), Error> {
    let newest = store::newest_heads(database).await?;
    if newest.as_ref().is_some_and(|newest| newest.made_time > made_by) {
        return Ok(());
    }
    let lines = lines(database, log).await?;
    let leaf = lines.leaf(log)?;
    if lines.lines.is_empty() || newest.as_ref().is_some_and(|newest| newest.leaf == leaf) {
        return Ok(());
    }
    if let Some(newest) = &newest {
        none_is_gone(log, &Lines::read(log, &newest.lines)?, &lines)?;
    }

    let before = store::tree(database, log).await?;
    let index = newest.map_or(0, |newest| newest.index.saturating_add(1));
    if before.size != index {
        return Err(Error::damaged(log, "its leaves are not as many as its tree has"));
    }
    let mut edge = Edge::of(&before, store::edge(database, &before).await?)?;
    edge.append(&leaf)?;
    let (tree, tiles) = edge.finish()?;
    // Every leaf of this log has a checkpoint of its own. The tree before was compared with its root already.
    if before.size > 0 {
        let known = store::verifier_keys(database).await?;
        sign::grown(database, &known, &before, before.size).await?;
    }
    let note = sign::note(keys, &tree)?;

    let (mut transaction, now) = (turn.transaction(database).await?, clock.now());
    let heads = StoredHeads {
        index,
        leaf,
        lines: lines.lines.concat(),
        made_time: now,
    };
    if !store::insert_heads(&mut transaction, heads).await? {
        transaction.rollback().await?;
        return Ok(());
    }
    store::grow(&mut transaction, &tree, tiles, now).await?;
    sign::keep(&mut transaction, &tree, &note, now).await?;
    Ok(transaction.commit().await?)
}

/// What every other log has come to, as its newest checkpoint says.
async fn lines(database: &Database, heads: &str) -> Result<Lines, Error> {
    let mut trees = store::standings(database).await?;
    trees.retain(|tree| tree.log != heads);
    // Databases sort texts each in its own way.
    trees.sort_by(|a, b| a.log.as_bytes().cmp(b.log.as_bytes()));
    let lines = trees.iter().map(line).collect::<Result<_, _>>()?;
    Lines::over(heads, lines)
}

/// What a checkpoint of this tree says, without signatures.
fn line(tree: &Tree) -> Result<Vec<u8>, Error> {
    let text = tlog_tiles::Checkpoint::new(&tree.log, tree.size, tree.root, "");
    let text = text.map_err(|_| Error::damaged(&tree.log, "its name can be no origin of a checkpoint"))?;
    Ok(text.to_bytes())
}

fn none_is_gone(heads: &str, before: &Lines, now: &Lines) -> Result<(), Error> {
    let sizes = now.sizes();
    for (log, size) in before.sizes() {
        match sizes.get(log).map(|now| now.cmp(&size)) {
            Some(Ordering::Equal | Ordering::Greater) => {}
            Some(Ordering::Less) => {
                return Err(Error::damaged(log, "it is shorter than the heads say it was"));
            }
            None => {
                let problem = format!("the log {log}, which they named before, is gone");
                return Err(Error::damaged(heads, problem));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(logs: &[(&str, u64)]) -> Lines {
        let line = |(log, size): &(&str, u64)| {
            let tree = Tree {
                log: (*log).to_owned(),
                size: *size,
                root: tlog_tiles::EMPTY_HASH,
            };
            line(&tree).expect("a line")
        };
        Lines::over("a/heads", logs.iter().map(line).collect()).expect("a tree")
    }

    #[test]
    fn lines_are_read_as_they_were_stored() {
        let made = lines(&[("a/1", 7), ("a/10", 8), ("a/system", 9)]);
        let read = Lines::read("a/heads", &made.lines.concat()).expect("lines");
        assert_eq!(read.lines, made.lines);
        assert_eq!(
            read.leaf("a/heads").expect("a leaf"),
            made.leaf("a/heads").expect("a leaf")
        );
        assert_eq!(
            (read.find("a/10"), read.find("a/100"), read.find("a")),
            (Some(1), None, None)
        );
    }

    #[test]
    fn a_log_that_is_gone_or_shorter_is_missed() {
        let before = lines(&[("a/1", 7), ("a/2", 8)]);
        let check = |now: &[(&str, u64)]| none_is_gone("a/heads", &before, &lines(now));
        check(&[("a/1", 7), ("a/2", 9), ("a/3", 1)]).expect("grown");
        check(&[("a/1", 6), ("a/2", 9)]).expect_err("shorter");
        check(&[("a/2", 9)]).expect_err("gone");
    }
}
