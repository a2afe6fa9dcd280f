//! A bundle, verified: top to bottom, offline, in memory that does not grow with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use tlog_tiles::{Checkpoint, Hash, record_hash};

use super::{
    CHECKPOINT, HEAD, Head, KEYS, LEAVES, LeafReader, PRUNED, Pruned, Wrong,
    keys::Keys,
    pruned::announced,
    receipt::{self, Kept},
    roots::Roots,
};

/// What a bundle was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The log.
    pub log: String,
    /// How many entries it has.
    pub size: u64,
    /// The index of the first that is there: those before it were pruned.
    pub first_index: u64,
    /// How many leaves the log of heads has, where the bundle says how its log stands there.
    pub heads_size: Option<u64>,
    /// How many receipts it was held against.
    pub receipts: usize,
}

/// The roots that the first so many leaves must have, and who says so.
type Claims = BTreeMap<u64, Vec<(Hash, String)>>;

/// Verifies the bundle in this folder: by the keys in a file, or else by those in it, which prove no more than that it
/// fits itself. `held` are checkpoints of the log, or of the heads, that it must have grown out of; what `receipts` promise must
/// stand in it.
///
/// # Errors
/// With the first thing that is wrong.
pub fn verify(
    folder: &Path,
    keys: Option<&Path>,
    held: &[PathBuf],
    receipts: &[PathBuf],
) -> Result<Verified, Wrong> {
    let kept = receipt::kept(receipts)?;
    let held: Vec<&Path> = held.iter().map(PathBuf::as_path).collect();
    verify_against(folder, keys, &held, &kept.iter().collect::<Vec<_>>())
}

/// The same, once the receipts were read.
pub(super) fn verify_against(
    folder: &Path,
    keys: Option<&Path>,
    held: &[&Path],
    receipts: &[&Kept],
) -> Result<Verified, Wrong> {
    let keys = Keys::read(&text(keys.unwrap_or(&folder.join(KEYS)))?)?;
    let log = keys.checkpoint(text(&folder.join(CHECKPOINT))?.as_bytes(), "checkpoint")?;
    let mut claims = Claims::new();
    claim(&mut claims, &log, "the checkpoint");
    let head: Option<Head> = part(folder, HEAD, "heads")?;
    let pruned: Option<Pruned> = part(folder, PRUNED, "pruned")?;
    let heads = match &head {
        Some(head) => {
            let checked = head.check(&keys, &log)?;
            claim(&mut claims, &checked.line, "the heads");
            Some(checked.heads)
        }
        None => None,
    };
    let heads = head.as_ref().zip(heads.as_ref());
    for file in held {
        hold(file, &keys, (&log, heads), &mut claims)?;
    }
    let first_index = pruned.as_ref().map_or(0, |pruned| pruned.first_index);
    let receipts = receipts.iter().map(|kept| kept.opened(&keys));
    let receipts = receipts.collect::<Result<Vec<_>, _>>()?;
    let promised = receipt::promised(&receipts, &log, first_index)?;
    let path = folder.join(LEAVES);
    let roots = match &pruned {
        Some(pruned) => {
            announcements(&path, pruned.first_index, &mut claims)?;
            grown(pruned, &log, &claims)?;
            pruned.roots()?
        }
        None => Roots::default(),
    };
    let found = leaves(&path, roots, &log, (&claims, &promised))?;
    receipt::compare(&receipts, &found)?;
    Ok(Verified {
        log: log.origin().to_owned(),
        size: log.size(),
        first_index,
        heads_size: heads.map(|(_, heads)| heads.size()),
        receipts: receipts.len(),
    })
}

/// Claims what a checkpoint says that is held: of the log, or of heads that name it.
fn hold(
    file: &Path,
    keys: &Keys,
    (log, heads): (&Checkpoint, Option<(&Head, &Checkpoint)>),
    claims: &mut Claims,
) -> Result<(), Wrong> {
    let what = format!("the checkpoint that you hold in {}", file.display());
    let told = keys.checkpoint(text(file)?.as_bytes(), &what)?;
    match heads {
        _ if told.origin() == log.origin() => {
            if told.size() > log.size() {
                let problem = format!(
                    "you hold {} entries, and the bundle has {}: it was cut",
                    told.size(),
                    log.size()
                );
                return Err(Wrong::of(what, problem));
            }
            claim(claims, &told, &what);
        }
        Some((head, heads)) if told.origin() == heads.origin() => {
            if let Some(line) = head.named(heads, &told, (log, &what))? {
                claim(claims, &line, &format!("the heads in {what}"));
            }
        }
        _ => {
            let problem = format!("it is of {}, of which the bundle has nothing", told.origin());
            return Err(Wrong::of(what, problem));
        }
    }
    Ok(())
}

pub(super) fn text(path: &Path) -> Result<String, Wrong> {
    fs::read_to_string(path).map_err(|error| Wrong::file(path, error))
}

fn claim(claims: &mut Claims, told: &Checkpoint, who: &str) {
    let roots = claims.entry(told.size()).or_default();
    roots.push((*told.hash(), who.to_owned()));
}

/// A part that not every bundle has.
fn part<T: DeserializeOwned>(folder: &Path, file: &str, what: &str) -> Result<Option<T>, Wrong> {
    let path = folder.join(file);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Wrong::file(path, error)),
    };
    let part = serde_json::from_slice(&text);
    part.map(Some)
        .map_err(|error| Wrong::of(what, format!("{file} cannot be read: {error}")))
}

/// Looks for entries that announce what is gone. At least one of them must announce all of it; what any of them says of the
/// log before it must be so.
fn announcements(path: &Path, first_index: u64, claims: &mut Claims) -> Result<(), Wrong> {
    let mut reader = LeafReader::open(path).map_err(|error| Wrong::file(path, error))?;
    let mut is_announced = false;
    for index in first_index.. {
        let Ok(Some(leaf)) = reader.read_next() else { break };
        let Some(pruning) = announced(leaf) else { continue };
        let root = pruning.checkpoint_root.try_into().map(Hash);
        let root = root.map_err(|_| Wrong::of("pruned", "what announces it has no root"))?;
        if (first_index..=index).contains(&pruning.checkpoint_size) {
            let who = "the entry that announces the pruning".to_owned();
            claims
                .entry(pruning.checkpoint_size)
                .or_default()
                .push((root, who));
            is_announced |= (first_index..=pruning.checkpoint_size).contains(&pruning.below_index);
        }
    }
    match is_announced {
        true => Ok(()),
        false => Err(Wrong::of(
            "pruned",
            format!("no entry announces that those before {first_index} go: they were lost, or taken away"),
        )),
    }
}

/// Claims about leaves that are gone are proven by what is left of them.
fn grown(pruned: &Pruned, log: &Checkpoint, claims: &Claims) -> Result<(), Wrong> {
    for (size, claimed) in claims.range(1..pruned.first_index) {
        for (root, who) in claimed {
            pruned.grown(log, *size, *root, who)?;
        }
    }
    Ok(())
}

/// Reads the leaves once, and compares the root over the first ones with every claim. Gives the hashes of those at the wanted
/// indexes.
fn leaves(
    path: &Path,
    mut roots: Roots,
    log: &Checkpoint,
    (claims, wanted): (&Claims, &BTreeSet<u64>),
) -> Result<BTreeMap<u64, Hash>, Wrong> {
    let mut found = BTreeMap::new();
    let wrong = |problem: String| Wrong::of(LEAVES, problem);
    let mut reader = LeafReader::open(path).map_err(|error| Wrong::file(path, error))?;
    loop {
        compare(&roots, claims)?;
        let leaf = reader.read_next().map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => wrong(format!("the leaf with index {} is cut", roots.size())),
            _ => Wrong::file(path, error),
        })?;
        let Some(leaf) = leaf else { break };
        if roots.size() == log.size() {
            return Err(wrong(format!(
                "there are more than the {} of the checkpoint",
                log.size()
            )));
        }
        if wanted.contains(&roots.size()) {
            found.insert(roots.size(), record_hash(leaf));
        }
        roots.append(leaf).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.size() < log.size() {
        let problem = format!(
            "they end before index {}, and the checkpoint says {}",
            roots.size(),
            log.size()
        );
        return Err(wrong(problem));
    }
    Ok(found)
}

fn compare(roots: &Roots, claims: &Claims) -> Result<(), Wrong> {
    let Some(claimed) = claims.get(&roots.size()) else {
        return Ok(());
    };
    let root = roots
        .root()
        .map_err(|error| Wrong::of(LEAVES, error.to_string()))?;
    match claimed.iter().find(|(claimed, _)| *claimed != root) {
        None => Ok(()),
        Some((_, who)) => Err(Wrong::of(
            LEAVES,
            format!(
                "the first {} are not those of {who}: a leaf was changed, moved, put in or left out",
                roots.size()
            ),
        )),
    }
}
