//! Verifier keys, and what they have signed.

use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::Checkpoint;

use super::Wrong;

/// The keys whose signatures count.
pub(crate) struct Keys(VerifierList);

impl Keys {
    /// One key a line.
    pub(crate) fn read(text: &str) -> Result<Self, Wrong> {
        let mut keys: Vec<Box<dyn Verifier>> = Vec::new();
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        lines.sort_unstable();
        lines.dedup();
        for line in lines {
            let key = StandardVerifier::new(line);
            let key = key.map_err(|_| Wrong::of("keys", format!("{line} is no Ed25519 verifier key")))?;
            keys.push(Box::new(key));
        }
        if keys.is_empty() {
            return Err(Wrong::of("keys", "there is none"));
        }
        Ok(Self(VerifierList::new(keys)))
    }

    /// The checkpoint in a note that at least one of the keys has signed, and none falsely.
    pub(super) fn checkpoint(&self, note: &[u8], what: &str) -> Result<Checkpoint, Wrong> {
        body(&self.text(note, what)?, what)
    }

    /// The text of a note that at least one of the keys has signed, and none falsely.
    pub(crate) fn text(&self, note: &[u8], what: &str) -> Result<Vec<u8>, Wrong> {
        let note = Note::from_bytes(note).map_err(|_| Wrong::of(what, "it is no signed note"))?;
        note.verify(&self.0)
            .map_err(|error| Wrong::of(what, error.to_string()))?;
        Ok(note.text().to_vec())
    }
}

/// A checkpoint's text.
pub(super) fn body(text: &[u8], what: &str) -> Result<Checkpoint, Wrong> {
    Checkpoint::from_bytes(text).map_err(|_| Wrong::of(what, "it is no checkpoint"))
}
