//! Receipts that a client has kept of its writes, held against a bundle: what each promises must stand there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tlog_tiles::{Checkpoint, Hash};

use super::{Wrong, keys::Keys};

/// The first line of each.
const KIND: &str = "hubkeep receipt/1";

/// A receipt whose signature is good.
pub(super) struct Receipt {
    /// Which it is, for people.
    who: String,
    promise: Promise,
}

/// What a receipt promises.
#[derive(Debug, PartialEq)]
struct Promise {
    log: String,
    index: u64,
    leaf: Hash,
}

/// A receipt as somebody has kept it: nobody has looked at its signature.
pub(super) struct Kept {
    who: String,
    note: String,
}

impl Kept {
    /// Which it is, for people.
    pub(super) fn who(&self) -> &str {
        &self.who
    }

    /// The log that it says it is of.
    pub(super) fn log(&self) -> Option<&str> {
        self.note.lines().nth(1)?.strip_prefix("log ")
    }

    /// What it promises, if one of the keys has signed it.
    pub(super) fn opened(&self, keys: &Keys) -> Result<Receipt, Wrong> {
        let text = keys.text(self.note.as_bytes(), &self.who)?;
        let promise = promise(&String::from_utf8_lossy(&text));
        let promise = promise.ok_or_else(|| Wrong::of(&self.who, "it is signed, and is no receipt"))?;
        Ok(Receipt {
            who: self.who.clone(),
            promise,
        })
    }
}

/// The receipts in these files: one after the other, with or without empty lines between them.
pub(super) fn kept(files: &[PathBuf]) -> Result<Vec<Kept>, Wrong> {
    let mut kept = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| Wrong::file(file, error))?;
        kept.extend(in_file(&text, file)?);
    }
    Ok(kept)
}

fn in_file(text: &str, file: &Path) -> Result<Vec<Kept>, Wrong> {
    let what = |number: usize| format!("receipt {number} in {}", file.display());
    let notes = notes(text).filter(|notes| !notes.is_empty());
    let notes = notes.ok_or_else(|| Wrong::of(what(1), format!("it does not begin with \"{KIND}\"")))?;
    let kept = (1..).zip(notes).map(|(number, note)| Kept {
        who: what(number),
        note,
    });
    Ok(kept.collect())
}

/// The notes in a file, each from its first line to the one before the next; `None` where something stands before them.
fn notes(text: &str) -> Option<Vec<String>> {
    let mut notes: Vec<String> = Vec::new();
    for line in text.split('\n') {
        if line == KIND {
            notes.push(String::new());
        }
        match notes.last_mut() {
            Some(note) => {
                note.push_str(line);
                note.push('\n');
            }
            None if line.is_empty() => {}
            None => return None,
        }
    }
    for note in &mut notes {
        note.truncate(note.trim_end_matches('\n').len());
        note.push('\n');
    }
    Some(notes)
}

/// What the text of a receipt says: five lines, each but the first with its name before it, and no other.
fn promise(text: &str) -> Option<Promise> {
    let lines: Vec<&str> = text.strip_suffix('\n')?.split('\n').collect();
    let [KIND, log, index, leaf, time] = lines.as_slice() else {
        return None;
    };
    time.strip_prefix("time ")?;
    let told = index.strip_prefix("index ")?;
    let index: u64 = told.parse().ok()?;
    let leaf = STANDARD.decode(leaf.strip_prefix("leaf ")?).ok()?;
    // One number has one way to be written.
    (index.to_string() == told).then_some(Promise {
        log: log.strip_prefix("log ")?.to_owned(),
        index,
        leaf: Hash(leaf.try_into().ok()?),
    })
}

/// The indexes of the entries that are promised. Each must be one that the bundle has.
pub(super) fn promised(
    receipts: &[Receipt],
    log: &Checkpoint,
    first_index: u64,
) -> Result<BTreeSet<u64>, Wrong> {
    let index = |receipt: &Receipt| {
        let Promise {
            log: named, index, ..
        } = &receipt.promise;
        let problem = match *index {
            _ if named != log.origin() => format!("it is of {named}, of which the bundle has nothing"),
            index if index < first_index => format!(
                "its entry, with index {index}, was pruned: the bundle begins at {first_index}; ask the service for a proof of that \
                 index instead"
            ),
            index if index >= log.size() => format!(
                "it promises an entry with index {index}, and the bundle has {}: export again, and if that has it neither, the log \
                 was cut",
                log.size()
            ),
            index => return Ok(index),
        };
        Err(Wrong::of(&receipt.who, problem))
    };
    receipts.iter().map(index).collect()
}

/// Compares what is promised with the leaves that were found at those indexes.
pub(super) fn compare(receipts: &[Receipt], found: &BTreeMap<u64, Hash>) -> Result<(), Wrong> {
    for Receipt { who, promise } in receipts {
        if found.get(&promise.index) != Some(&promise.leaf) {
            let problem = format!(
                "another entry than the one that it promises stands at index {}: it was changed, moved or taken away",
                promise.index
            );
            return Err(Wrong::of(who, problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "hubkeep receipt/1\nlog a/crm-service/1\nindex 7\nleaf CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n\
                        time 2026-11-30T00:53:20Z\n";

    #[test]
    fn a_receipt_says_one_thing_in_one_way() {
        let read = promise(TEXT).expect("one");
        assert_eq!((read.log.as_str(), read.index), ("a/crm-service/1", 7));
        assert_eq!(read.leaf, Hash([9; 32]));
        for (old, new) in [
            ("receipt/1", "receipt/2"),
            ("index 7", "index 07"),
            ("index 7", "index +7"),
            ("index 7", "index -7"),
            ("log ", ""),
            ("leaf CQ", "leaf C"),
            ("time ", "on "),
            ("Z\n", "Z\nmore 1\n"),
            ("Z\n", "Z"),
        ] {
            let other = TEXT.replacen(old, new, 1);
            assert_ne!(other, TEXT, "{old}");
            assert_eq!(promise(&other), None, "{other}");
        }
        assert_eq!(promise("a/crm-service/1\n7\nCQkJ\n"), None, "a checkpoint");
    }

    #[test]
    fn several_receipts_stand_in_one_file_and_nothing_else() {
        let note = format!("{TEXT}\n\u{2014} a/crm-service AAAA\n");
        let file = format!("\n{note}\n\n{note}{note}\n");
        assert_eq!(notes(&file), Some(vec![note.clone(); 3]));
        assert_eq!(notes(&format!("not one\n{note}")), None);
        assert_eq!(notes("\n\n"), Some(Vec::new()));
    }
}
