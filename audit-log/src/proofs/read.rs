//! Checkpoints and proofs for whoever asks. Nothing is given that does not fit what was signed.

use hubkeep_core::clock::Timestamp;
use tlog_tiles::{
    Hash, HashReader as _, check_record, check_tree, prove_record, prove_tree, record_hash, stored_hash_index,
};

use super::{
    Error, Proofs, Tree,
    heads::Lines,
    sign, store,
    store::{StoredCheckpoint, StoredHeads},
    tiles,
};
use crate::{Position, retention};

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's full name: the origin of the note.
    pub log: String,
    /// How many entries it covers.
    pub size: u64,
    /// The root of the tree over them.
    pub root: [u8; 32],
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub made_time: Timestamp,
}

/// Which entry a proof is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// By its index in its log.
    Index(u64),
    /// By its position among all entries of the service.
    Position(Position),
}

/// A proof that an entry is in a log.
#[derive(Clone, Debug)]
pub struct Inclusion {
    /// The checkpoint that it is proven in.
    pub checkpoint: Checkpoint,
    /// The entry's index.
    pub index: u64,
    /// The hash of its leaf.
    pub leaf_hash: [u8; 32],
    /// The hashes of the proof.
    pub hashes: Vec<[u8; 32]>,
}

/// A proof that a checkpoint only adds to an earlier one.
#[derive(Clone, Debug)]
pub struct Consistency {
    /// The later one.
    pub checkpoint: Checkpoint,
    /// The earlier one.
    pub old: Checkpoint,
    /// The hashes of the proof.
    pub hashes: Vec<[u8; 32]>,
}

/// How a log stands in the newest heads.
#[derive(Clone, Debug)]
pub struct Head {
    /// The checkpoint of the log of heads.
    pub checkpoint: Checkpoint,
    /// The leaf there.
    pub leaf: Vec<u8>,
    /// Its index, and the proof that it is there.
    pub leaf_index: u64,
    /// The hashes of that proof.
    pub leaf_proof: Vec<[u8; 32]>,
    /// The line about the log.
    pub line: Vec<u8>,
    /// Which of the lines it is.
    pub line_index: u64,
    /// How many lines there are.
    pub line_count: u64,
    /// The proof that the line is under the root in the leaf.
    pub line_proof: Vec<[u8; 32]>,
}

impl Proofs {
    /// The checkpoint of this size, or the newest.
    pub(crate) async fn checkpoint(&self, log: &str, size: Option<u64>) -> Result<Checkpoint, Error> {
        self.must_be_on()?;
        match store::checkpoint(&self.database, log, size).await? {
            Some(stored) => self.read(log, stored).await,
            None => {
                let problem = match size {
                    Some(size) => {
                        format!("there is no checkpoint of {size} entries: leave the size out for the newest")
                    }
                    None => {
                        "there is no checkpoint of this log yet: if its name is right, ask in some seconds"
                            .to_owned()
                    }
                };
                Err(self.unknown(log, problem).await?)
            }
        }
    }

    /// The smallest checkpoint that covers so many entries, if there is one.
    pub(crate) async fn covering(&self, log: &str, size: u64) -> Result<Option<Checkpoint>, Error> {
        match store::covering(&self.database, log, size).await? {
            Some(stored) => Ok(Some(self.read(log, stored).await?)),
            None => Ok(None),
        }
    }

    /// The newest checkpoint that was signed at this time or before, if there is one.
    pub(crate) async fn signed_by(&self, log: &str, time: Timestamp) -> Result<Option<Checkpoint>, Error> {
        match store::signed_by(&self.database, log, time).await? {
            Some(stored) => Ok(Some(self.read(log, stored).await?)),
            None => Ok(None),
        }
    }

    /// The public halves of all keys that have signed, oldest first.
    pub(crate) async fn verifier_keys(&self) -> Result<Vec<String>, Error> {
        store::verifier_keys(&self.database).await
    }

    /// The proof that an entry is in the log as the checkpoint of this size states it.
    pub(crate) async fn inclusion(
        &self,
        log: &str,
        which: Which,
        size: Option<u64>,
    ) -> Result<Inclusion, Error> {
        let checkpoint = self.checkpoint(log, size).await?;
        let (index, stored_leaf) = match which {
            Which::Index(index) => (index, None),
            Which::Position(position) => self.at(log, position).await?,
        };
        if index >= checkpoint.size {
            let problem = format!(
                "the entry with index {index} is not among the {} of the checkpoint: leave the size out, or ask in some \
                 seconds",
                checkpoint.size
            );
            return Err(self.unknown(log, problem).await?);
        }
        let tree = tree_of(&checkpoint);
        let at = stored_hash_index(0, index);
        let (leaf, proof) = tiles::ask(&self.database, &tree, |reader| {
            let leaf = reader.read_hashes(&[at])?;
            Ok((leaf, prove_record(tree.size, index, reader)?))
        })
        .await?;
        let damaged = |problem: &str| Error::damaged(log, problem);
        let leaf = leaf.first().copied().ok_or_else(|| damaged("a tile is empty"))?;
        if stored_leaf.is_some_and(|stored| record_hash(&stored) != leaf) {
            return Err(damaged(&format!("the entry with index {index} was changed")));
        }
        check_record(&proof, tree.size, tree.root, index, leaf)
            .map_err(|_| damaged("its tiles do not give its root"))?;
        Ok(Inclusion {
            checkpoint,
            index,
            leaf_hash: leaf.0,
            hashes: bytes(proof),
        })
    }

    /// The proof that the checkpoint of `size` only adds to that of `old`.
    pub(crate) async fn consistency(
        &self,
        log: &str,
        old: u64,
        size: Option<u64>,
    ) -> Result<Consistency, Error> {
        let checkpoint = self.checkpoint(log, size).await?;
        let old = self.checkpoint(log, Some(old)).await?;
        if old.size > checkpoint.size || old.size == 0 {
            let problem = format!(
                "a checkpoint of {} entries does not come after one of {}",
                checkpoint.size, old.size
            );
            return Err(self.unknown(log, problem).await?);
        }
        let tree = tree_of(&checkpoint);
        let proof = tiles::ask(&self.database, &tree, |reader| {
            prove_tree(tree.size, old.size, reader)
        })
        .await?;
        check_tree(&proof, tree.size, tree.root, old.size, Hash(old.root))
            .map_err(|_| Error::damaged(log, "one of its checkpoints does not grow out of the other"))?;
        Ok(Consistency {
            checkpoint,
            old,
            hashes: bytes(proof),
        })
    }

    /// How a log stands in the newest heads; `None` where they do not name it.
    pub(crate) async fn head(&self, log: &str) -> Result<Option<Head>, Error> {
        let heads = self.identity.heads();
        let Some(newest) = store::newest_heads(&self.database).await? else {
            return Ok(None);
        };
        let StoredHeads {
            index, leaf, lines, ..
        } = newest;
        let lines = Lines::read(&heads, &lines)?;
        let Ok(at) = lines.find(log) else {
            return Ok(None);
        };
        let Inclusion {
            checkpoint,
            leaf_hash,
            hashes,
            ..
        } = self.inclusion(&heads, Which::Index(index), None).await?;
        if record_hash(&leaf).0 != leaf_hash {
            return Err(Error::damaged(&heads, "its newest leaf was changed"));
        }
        let line = lines.prove(&heads, at)?;
        Ok(Some(Head {
            checkpoint,
            leaf,
            leaf_index: index,
            leaf_proof: hashes,
            line: line.text,
            line_index: line.index,
            line_count: lines.count(),
            line_proof: line.proof,
        }))
    }

    /// The index and the stored bytes of the entry at a position of this log.
    async fn at(&self, log: &str, position: Position) -> Result<(u64, Option<Vec<u8>>), Error> {
        match store::entry_at(&self.database, position.get()).await? {
            Some(entry) if entry.log == log => Ok((entry.index, Some(entry.leaf))),
            // Not told apart: whose entry it is else is not for everybody to know.
            Some(_) => Err(self.none_at(log, position).await?),
            None => match retention::pruned_before(&self.database, log, position.get()).await? {
                Some(beginning) => Err(Error::Pruned {
                    log: log.to_owned(),
                    first_index: beginning.first_index,
                }),
                None => Err(self.none_at(log, position).await?),
            },
        }
    }

    async fn none_at(&self, log: &str, position: Position) -> Result<Error, Error> {
        let problem = format!("at position {position} there is no entry of this log");
        self.unknown(log, problem).await
    }

    async fn read(&self, log: &str, stored: StoredCheckpoint) -> Result<Checkpoint, Error> {
        let root = sign::read_note(log, &stored, &self.verifier_keys().await?)?;
        Ok(Checkpoint {
            log: log.to_owned(),
            size: stored.size,
            root: root.0,
            note: stored.note,
            made_time: stored.made_time,
        })
    }

    pub(super) async fn unknown(&self, log: &str, problem: String) -> Result<Error, Error> {
        let newest = store::checkpoint(&self.database, log, None).await?;
        Ok(Error::Unknown {
            log: log.to_owned(),
            newest_size: newest.map_or(0, |newest| newest.size),
            problem,
        })
    }

    const fn must_be_on(&self) -> Result<(), Error> {
        if self.keys.is_some() {
            Ok(())
        } else {
            Err(Error::Off)
        }
    }
}

pub(super) fn tree_of(checkpoint: &Checkpoint) -> Tree {
    Tree {
        log: checkpoint.log.clone(),
        size: checkpoint.size,
        root: Hash(checkpoint.root),
    }
}

fn bytes(hashes: Vec<Hash>) -> Vec<[u8; 32]> {
    hashes.into_iter().map(|hash| hash.0).collect()
}
