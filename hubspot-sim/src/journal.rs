//! The journal: every request that reached the simulator, written down at arrival, before anything is decided.

use std::sync::Mutex;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::lock::lock;

/// One request as it was received.
#[derive(Debug, Clone, Serialize)]
pub struct JournalEntry {
    /// Dense and ascending from 1; clearing the journal does not start it anew.
    pub seq: u64,
    /// Arrival in microseconds since 1970.
    pub received_at: i64,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, without `?`; empty if there was none.
    pub query: String,
    /// The first 16 hex digits of the bearer token's SHA-256; `None` without a bearer token.
    pub token_fingerprint: Option<String>,
    /// The account that the token belongs to, revoked or not; `None` for a token nobody knows.
    pub portal_id: Option<u64>,
    /// Length of the body.
    pub body_bytes: usize,
    /// The body if it was JSON; a token in it is replaced by its fingerprint.
    pub body: Option<Value>,
    /// The headers in order of arrival, names in lower case, without `authorization`.
    pub headers: Vec<(String, String)>,
    /// The correlation id of the answer.
    pub correlation_id: String,
    /// The status that was answered; `None` while the answer is pending and if the connection was cut before it.
    pub status: Option<u16>,
    /// Whether it was let in and did what it asks for, whatever was answered. A batch is carried out if one of its rows is.
    pub carried_out: bool,
}

impl JournalEntry {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// All entries since the last clearing.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    entries: Vec<JournalEntry>,
    /// How many entries were written before the first one held.
    cleared: u64,
}

impl Pages {
    fn position(&self, seq: u64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.cleared + 1)?).ok()
    }
}

impl Journal {
    /// Writes a request down and gives it its number.
    pub(crate) fn record(&self, mut entry: JournalEntry) -> u64 {
        let mut pages = lock(&self.pages);
        let written = u64::try_from(pages.entries.len()).unwrap_or(u64::MAX);
        entry.seq = pages.cleared.saturating_add(written).saturating_add(1);
        let seq = entry.seq;
        pages.entries.push(entry);
        seq
    }

    /// Adds the body, which arrives after the head.
    pub(crate) fn add_body(&self, seq: u64, bytes: usize, body: Option<Value>) {
        self.amend(seq, |entry| {
            entry.body_bytes = bytes;
            entry.body = body;
        });
    }

    /// Adds what was answered.
    pub(crate) fn add_status(&self, seq: u64, status: u16) {
        self.amend(seq, |entry| entry.status = Some(status));
    }

    /// Adds that it did what it asks for.
    pub(crate) fn add_effect(&self, seq: u64) {
        self.amend(seq, |entry| entry.carried_out = true);
    }

    /// The entries with a number greater than `seq`.
    pub(crate) fn since(&self, seq: u64) -> Vec<JournalEntry> {
        let pages = lock(&self.pages);
        let from = pages.position(seq.saturating_add(1)).unwrap_or(0);
        pages
            .entries
            .get(from..)
            .map(<[JournalEntry]>::to_vec)
            .unwrap_or_default()
    }

    /// How many entries are held.
    pub(crate) fn len(&self) -> usize {
        lock(&self.pages).entries.len()
    }

    /// Forgets all entries.
    pub(crate) fn clear(&self) {
        drop(self.take());
    }

    /// Gives all entries and forgets them: none is given twice, and none is missed. What is not known of them yet, body
    /// and status, is not added any more.
    pub(crate) fn take(&self) -> Vec<JournalEntry> {
        let mut pages = lock(&self.pages);
        pages.cleared = pages
            .cleared
            .saturating_add(u64::try_from(pages.entries.len()).unwrap_or(0));
        std::mem::take(&mut pages.entries)
    }

    fn amend(&self, seq: u64, change: impl FnOnce(&mut JournalEntry)) {
        let mut pages = lock(&self.pages);
        let position = pages.position(seq);
        if let Some(entry) = position.and_then(|position| pages.entries.get_mut(position)) {
            change(entry);
        }
    }
}

/// The first 16 hex digits of a token's SHA-256: enough to tell tokens apart, useless to call with.
pub fn fingerprint(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    hex::encode(digest.iter().take(8).copied().collect::<Vec<u8>>())
}

/// A body without its tokens.
pub(crate) fn without_tokens(body: &Value) -> Value {
    let mut body = body.clone();
    for field in [
        "tokenKey",
        "token",
        "access_token",
        "refresh_token",
        "code",
        "code_verifier",
        "client_secret",
    ] {
        if let Some(value) = body.get_mut(field)
            && let Some(secret) = value.as_str()
        {
            *value = Value::String(format!("sha256:{}", fingerprint(secret)));
        }
    }
    body
}
