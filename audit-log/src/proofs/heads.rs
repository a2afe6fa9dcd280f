//! Checkpoints into the log of heads: what all logs of the service had come to, once a minute when something moved. Who
//! holds one of its checkpoints misses a log that is taken away whole.
//!
//! A leaf names the logs by the root of a Merkle tree over one line for each, sorted by name: a client is shown its own
//! line with a proof, and learns nothing about other portals.

use std::collections::HashMap;

use hubkeep_core::{
    clock::{Clock, Timestamp},
    database::Database,
};
use tlog_tiles::{
    Checkpoint, Hash, HashReader, prove_record, record_hash, stored_hash_index, stored_hashes, tree_hash,
};

use super::{Error, LogKeys, Tree, edge::Edge, named, sign, store, store::StoredHeads, tiles};
use crate::turn::Turn;

/// The first line of every leaf.
const KIND: &str = "hubkeep heads/1";

/// A line of a leaf: name, size and root of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text, as of a checkpoint.
    pub text: Vec<u8>,
    /// Which of the lines it is.
    pub index: u64,
    /// The proof that it is under the root in the leaf.
    pub proof: Vec<[u8; 32]>,
}

/// One line for each log, sorted by name, and the tree over them.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) lines: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
}

impl Lines {
    /// The lines of these logs, in whatever order they come.
    pub(super) fn of(log: &str, mut trees: Vec<Tree>) -> Result<Self, Error> {
        // Databases sort texts each in its own way.
        trees.sort_by(|a, b| a.log.as_bytes().cmp(b.log.as_bytes()));
        let lines = trees.iter().map(line).collect::<Result<_, _>>()?;
        Self::over(log, lines)
    }

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

    /// The leaf that names them.
    pub(super) fn leaf(&self, log: &str) -> Result<Vec<u8>, Error> {
        let root = tree_hash(self.count(), self).map_err(|error| Error::damaged(log, error.to_string()))?;
        Ok(format!("{KIND}\n{}\n{root}\n", self.count()).into_bytes())
    }

    /// The tree that each line names.
    fn trees(&self, log: &str) -> Result<Vec<Tree>, Error> {
        let read = |line: &Vec<u8>| {
            let told = Checkpoint::from_bytes(line);
            let told = told.map_err(|_| Error::damaged(log, "a line of its newest leaf is none"))?;
            Ok(Tree {
                log: told.origin().to_owned(),
                size: told.size(),
                root: *told.hash(),
            })
        };
        self.lines.iter().map(read).collect()
    }

    /// Which line is about this log; or else before which it would stand.
    pub(super) fn find(&self, log: &str) -> Result<usize, usize> {
        let name = |line: &Vec<u8>| {
            line.split(|byte| *byte == b'\n')
                .next()
                .unwrap_or_default()
                .to_vec()
        };
        self.lines
            .binary_search_by(|line| name(line).as_slice().cmp(log.as_bytes()))
    }

    /// One of the lines, with the proof that it is there.
    pub(super) fn prove(&self, heads: &str, at: usize) -> Result<Line, Error> {
        let index = u64::try_from(at).unwrap_or(u64::MAX);
        let proof = prove_record(self.count(), index, self);
        let proof = proof.map_err(|error| Error::damaged(heads, error.to_string()))?;
        Ok(Line {
            text: self.lines.get(at).cloned().unwrap_or_default(),
            index,
            proof: proof.into_iter().map(|hash| hash.0).collect(),
        })
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
    let trees = trees(database, log).await?;
    let lines = Lines::of(log, trees.clone())?;
    let leaf = lines.leaf(log)?;
    if lines.lines.is_empty() || newest.as_ref().is_some_and(|newest| newest.leaf == leaf) {
        return Ok(());
    }
    let before = store::tree(database, log).await?;
    let index = newest.as_ref().map_or(0, |newest| newest.index.saturating_add(1));
    if before.size != index {
        return Err(Error::damaged(log, "its leaves are not as many as its tree has"));
    }
    if let Some(newest) = &newest {
        must_grow(database, &before, newest, &trees).await?;
    }
    let moved = named::moved(database, index, trees).await?;
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
    named::keep(&mut transaction, index, &moved).await?;
    store::grow(&mut transaction, &tree, tiles, now).await?;
    sign::keep(&mut transaction, &tree, &note, now).await?;
    Ok(transaction.commit().await?)
}

/// What every other log has come to, as its newest checkpoint says.
async fn trees(database: &Database, heads: &str) -> Result<Vec<Tree>, Error> {
    let mut trees = store::standings(database).await?;
    trees.retain(|tree| tree.log != heads);
    Ok(trees)
}

/// What a checkpoint of this tree says, without signatures.
fn line(tree: &Tree) -> Result<Vec<u8>, Error> {
    let text = tlog_tiles::Checkpoint::new(&tree.log, tree.size, tree.root, "");
    let text = text.map_err(|_| Error::damaged(&tree.log, "its name can be no origin of a checkpoint"))?;
    Ok(text.to_bytes())
}

/// Whether every log that the newest leaf names only grew since, and that leaf is the one that was signed. Whoever rewrote a log and
/// signed it anew would have that named here as if nothing had been.
async fn must_grow(
    database: &Database,
    heads: &Tree,
    newest: &StoredHeads,
    trees: &[Tree],
) -> Result<(), Error> {
    let lines = Lines::read(&heads.log, &newest.lines)?;
    let at = stored_hash_index(0, newest.index);
    let signed = tiles::ask(database, heads, |reader| reader.read_hashes(&[at])).await?;
    if lines.leaf(&heads.log)? != newest.leaf || signed.first() != Some(&record_hash(&newest.leaf)) {
        return Err(Error::damaged(
            &heads.log,
            "what its newest leaf names was changed",
        ));
    }
    for (before, now) in pairs(&heads.log, lines.trees(&heads.log)?, trees)? {
        let root = match before.size == now.size {
            true => now.root,
            false => tiles::ask(database, now, |reader| tree_hash(before.size, reader)).await?,
        };
        if root != before.root {
            return Err(Error::damaged(
                &now.log,
                "it does not grow out of what the heads say it was",
            ));
        }
    }
    Ok(())
}

/// Each log as it was named, and as it is. None may be gone or shorter.
fn pairs<'a>(heads: &str, before: Vec<Tree>, now: &'a [Tree]) -> Result<Vec<(Tree, &'a Tree)>, Error> {
    let now: HashMap<&str, &Tree> = now.iter().map(|tree| (tree.log.as_str(), tree)).collect();
    let pair = |before: Tree| match now.get(before.log.as_str()) {
        Some(now) if now.size >= before.size => Ok((before, *now)),
        Some(_) => Err(Error::damaged(
            &before.log,
            "it is shorter than the heads say it was",
        )),
        None => {
            let problem = format!("the log {}, which they named before, is gone", before.log);
            Err(Error::damaged(heads, problem))
        }
    };
    before.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trees(logs: &[(&str, u64)]) -> Vec<Tree> {
        let tree = |(log, size): &(&str, u64)| Tree {
            log: (*log).to_owned(),
            size: *size,
            root: tlog_tiles::EMPTY_HASH,
        };
        logs.iter().map(tree).collect()
    }

    #[test]
    fn lines_are_read_as_they_were_stored() {
        let made = Lines::of("a/heads", trees(&[("a/system", 9), ("a/10", 8), ("a/1", 7)]));
        let made = made.expect("a tree");
        let read = Lines::read("a/heads", &made.lines.concat()).expect("lines");
        assert_eq!(read.lines, made.lines);
        assert_eq!(
            read.leaf("a/heads").expect("a leaf"),
            made.leaf("a/heads").expect("a leaf")
        );
        assert_eq!(
            (read.find("a/10"), read.find("a/100"), read.find("a")),
            (Ok(1), Err(2), Err(0))
        );
    }

    #[test]
    fn a_log_that_is_gone_or_shorter_is_missed() {
        let check = |now: &[(&str, u64)]| {
            let before = trees(&[("a/1", 7), ("a/2", 8)]);
            pairs("a/heads", before, &trees(now)).map(|pairs| pairs.len())
        };
        assert_eq!(check(&[("a/1", 7), ("a/2", 9), ("a/3", 1)]).expect("grown"), 2);
        check(&[("a/1", 6), ("a/2", 9)]).expect_err("shorter");
        check(&[("a/2", 9)]).expect_err("gone");
    }
}
