//! Trees into checkpoints. A checkpoint is stored once for its log and size before anybody sees it: two processes cannot
//! sign two roots for one size.

use hubkeep_core::{
    clock::{Clock, Timestamp},
    database::{Database, Transaction},
};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Hash, tree_hash};

use super::{Error, LogKeys, Tree, store, store::StoredCheckpoint, tiles};
use crate::turn::Turn;

/// Signs these trees, each with the size of its newest checkpoint, in one transaction. What was signed before is looked at
/// first: a tree that does not grow out of it is not signed. Gives the logs that were refused, and why.
///
/// # Errors
/// [`Error::Forked`] if there is another root for one of the sizes; nothing may be signed after that.
pub(super) async fn trees(
    database: &Database,
    turn: &mut Turn,
    keys: &LogKeys,
    due: Vec<(Tree, u64)>,
    clock: &dyn Clock,
) -> Result<Vec<Error>, Error> {
    let known = store::verifier_keys(database).await?;
    let (mut refused, mut notes) = (Vec::new(), Vec::new());
    for (tree, signed) in due {
        match grown(database, &known, &tree, signed).await {
            Ok(()) => {
                let note = note(keys, &tree)?;
                notes.push((tree, note));
            }
            Err(error @ Error::Damaged { .. }) => refused.push(error),
            Err(error) => return Err(error),
        }
    }
    let (mut transaction, now) = (turn.transaction(database).await?, clock.now());
    for (tree, note) in &notes {
        keep(&mut transaction, tree, note, now).await?;
    }
    transaction.commit().await?;
    Ok(refused)
}

/// Stores a checkpoint. If there is one of its size with another root, whatever the transaction has done must not be.
pub(super) async fn keep(
    transaction: &mut Transaction,
    tree: &Tree,
    note: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let there = store::insert_checkpoint(transaction, tree, note, now).await?;
    if there.is_none_or(|there| there.root != tree.root.0) {
        return Err(Error::Forked {
            log: tree.log.clone(),
            size: tree.size,
        });
    }
    store::signed(transaction, tree, now).await
}

/// Whether the tree grows out of the checkpoint of `signed` entries.
pub(super) async fn grown(
    database: &Database,
    known: &[String],
    tree: &Tree,
    signed: u64,
) -> Result<(), Error> {
    let damaged = |problem: &str| Error::damaged(&tree.log, problem);
    let newest = store::checkpoint(database, &tree.log, None).await?;
    let newest_size = newest.as_ref().map_or(0, |newest| newest.size);
    // One of just this size is of another process, which has signed it and fallen: the insert compares the roots.
    if newest_size != signed && newest_size != tree.size {
        return Err(damaged(
            "its newest checkpoint is not the one that was signed last",
        ));
    }
    let before = match newest {
        Some(newest) if newest.size == signed => newest,
        Some(_) | None if signed == 0 => return Ok(()),
        _ => store::checkpoint(database, &tree.log, Some(signed))
            .await?
            .ok_or_else(|| damaged("its newest checkpoint is gone"))?,
    };
    let root = read_note(&tree.log, &before, known)?;
    let now = tiles::ask(database, tree, |reader| tree_hash(signed, reader)).await?;
    if now == root {
        Ok(())
    } else {
        Err(damaged("its tree does not grow out of its newest checkpoint"))
    }
}

/// A tree as a signed note.
pub(super) fn note(keys: &LogKeys, tree: &Tree) -> Result<String, Error> {
    let text = tlog_tiles::Checkpoint::new(&tree.log, tree.size, tree.root, "").ok();
    let note = text.and_then(|text| keys.sign(&text.to_bytes()));
    note.ok_or_else(|| Error::damaged(&tree.log, "its name can be no origin of a checkpoint"))
}

/// The root that a stored checkpoint states, if one of our keys has signed it and its row says the same.
pub(super) fn read_note(log: &str, stored: &StoredCheckpoint, known: &[String]) -> Result<Hash, Error> {
    let damaged = |problem: &str| {
        let size = stored.size;
        Error::damaged(log, format!("its checkpoint of {size} entries {problem}"))
    };
    let note = Note::from_bytes(stored.note.as_bytes()).map_err(|_| damaged("is no signed note"))?;
    if note.verify(&verifiers(known)?).is_err() {
        return Err(damaged("has no valid signature of a log key"));
    }
    let told = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| damaged("is none"))?;
    if told.origin() != log || told.size() != stored.size || stored.root != told.hash().0 {
        return Err(damaged("says another thing than its row"));
    }
    Ok(*told.hash())
}

/// What notes are verified with.
fn verifiers(keys: &[String]) -> Result<VerifierList, Error> {
    let read = |key: &String| {
        let verifier = StandardVerifier::new(key);
        let verifier = verifier.map_err(|_| Error::damaged(key, "is stored as a log key, and is none"))?;
        Ok(Box::new(verifier) as Box<dyn Verifier>)
    };
    let list = keys.iter().map(read).collect::<Result<_, Error>>()?;
    Ok(VerifierList::new(list))
}
