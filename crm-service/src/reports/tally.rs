//! Entries, counted.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::AddAssign,
};

use hubkeep_audit_log::{CallResult, Entry, Operation, Phase};
use hubkeep_core::{clock::Timestamp, error::ErrorReason};
use schemars::JsonSchema;
use serde::Serialize;

use super::source::made;

/// What entries have in common that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The day in UTC, "2026-11-29".
    pub(super) day: String,
    pub(super) caller: String,
    pub(super) purpose: String,
    /// "OBJECT_GET".
    pub(super) operation: String,
    pub(super) object_type: String,
}

/// What is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Counts {
    /// Calls that callers made and that were sent to HubSpot.
    pub(super) calls: u64,
    /// Requests to HubSpot: a call may need several, and several calls may share one.
    pub(super) requests: u64,
    /// Calls that read.
    pub(super) reads: u64,
    /// Records that HubSpot returned for them.
    pub(super) records_read: u64,
    /// Calls that write.
    pub(super) writes: u64,
    /// Records that HubSpot changed for them.
    pub(super) records_written: u64,
    /// Requests that HubSpot refused.
    pub(super) refused: u64,
    /// Requests that failed, and are known not to have been carried out.
    pub(super) failed: u64,
    /// Requests of which it is not known whether HubSpot carried them out.
    pub(super) unknown: u64,
    /// Calls that Hubkeep refused: nothing was sent.
    pub(super) denied: u64,
    /// Bytes sent to HubSpot.
    pub(super) request_bytes: u64,
    /// Bytes that HubSpot answered.
    pub(super) response_bytes: u64,
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        self.calls += other.calls;
        self.requests += other.requests;
        self.reads += other.reads;
        self.records_read += other.records_read;
        self.writes += other.writes;
        self.records_written += other.records_written;
        self.refused += other.refused;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.denied += other.denied;
        self.request_bytes += other.request_bytes;
        self.response_bytes += other.response_bytes;
    }
}

/// When something was first and last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// A line of a tally.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) counts: Counts,
    pub(super) seen: Option<Seen>,
}

/// Everything that was counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    lines: BTreeMap<Key, Line>,
    /// Requests that answered several calls.
    shared: HashSet<String>,
    /// Refusals of Hubkeep itself, by reason.
    pub(super) denials: BTreeMap<String, u64>,
    /// Records that are named one by one.
    refs: HashSet<String>,
    /// Methods and paths at HubSpot, and how often this service asked them.
    pub(super) paths: BTreeMap<(String, String), Line>,
    /// The same of credential-service.
    pub(super) their_paths: BTreeMap<(String, String), Line>,
    pub(super) entries: u64,
}

impl Tally {
    /// Counts an entry.
    pub(super) fn add(&mut self, entry: &Entry) {
        self.entries += 1;
        match entry.phase() {
            Phase::Outcome => self.outcome(entry),
            Phase::Denied => self.denial(entry),
            Phase::Unspecified | Phase::Intent | Phase::Admin => {}
        }
    }

    /// Counts what credential-service asked HubSpot for, which is no call of a caller's.
    pub(super) fn exchange_of_credential_service(&mut self, entry: &Entry) {
        if entry.phase() != Phase::Outcome || entry.path_template.is_empty() {
            return;
        }
        let counts = Counts {
            requests: 1,
            ..Counts::default()
        };
        let path = (entry.http_method.clone(), entry.path_template.clone());
        note(self.their_paths.entry(path).or_default(), entry, &counts);
    }

    fn outcome(&mut self, entry: &Entry) {
        let own = entry.physical_id.is_empty() || self.shared.insert(entry.physical_id.clone());
        let first = u64::from(entry.attempt <= 1);
        let done = entry.result() == CallResult::Ok;
        let records = if done { u64::from(entry.record_count) } else { 0 };
        let writes = entry.operation().is_write();
        let is = |result| u64::from(entry.result() == result);
        let counts = Counts {
            calls: first,
            requests: u64::from(own),
            reads: if writes { 0 } else { first },
            records_read: if writes { 0 } else { records },
            writes: if writes { first } else { 0 },
            records_written: if writes { records } else { 0 },
            refused: is(CallResult::Refused),
            failed: is(CallResult::Failed),
            unknown: is(CallResult::Unknown),
            denied: 0,
            request_bytes: if own { entry.request_bytes } else { 0 },
            response_bytes: if own { entry.response_bytes } else { 0 },
        };
        if !entry.object_ref.is_empty() {
            self.refs.insert(entry.object_ref.clone());
        }
        if own {
            let path = (entry.http_method.clone(), entry.path_template.clone());
            note(self.paths.entry(path).or_default(), entry, &counts);
        }
        note(self.lines.entry(key(entry)).or_default(), entry, &counts);
    }

    fn denial(&mut self, entry: &Entry) {
        let times = u64::from(entry.occurrence_count.max(1));
        let reason = entry.reason();
        if reason != ErrorReason::Unspecified {
            *self.denials.entry(reason.wire_name().to_owned()).or_default() += times;
        }
        let counts = Counts {
            denied: times,
            ..Counts::default()
        };
        note(self.lines.entry(key(entry)).or_default(), entry, &counts);
    }

    /// All of it.
    pub(super) fn total(&self) -> Counts {
        let mut total = Counts::default();
        for line in self.lines.values() {
            total += &line.counts;
        }
        total
    }

    /// Its lines brought together: those of which `group` is the same.
    pub(super) fn by<K: Ord>(&self, group: impl Fn(&Key) -> K) -> BTreeMap<K, Line> {
        let mut grouped: BTreeMap<K, Line> = BTreeMap::new();
        for (key, line) in &self.lines {
            let into = grouped.entry(group(key)).or_default();
            into.counts += &line.counts;
            into.seen = seen_by_both(into.seen, line.seen);
        }
        grouped
    }

    /// Who called.
    pub(super) fn callers(&self) -> BTreeSet<&str> {
        self.lines.keys().map(|key| key.caller.as_str()).collect()
    }

    /// How many different records were named one by one.
    pub(super) fn distinct_records(&self) -> usize {
        self.refs.len()
    }
}

fn note(line: &mut Line, entry: &Entry, counts: &Counts) {
    line.counts += counts;
    let seen = made(entry).map(|made| Seen {
        first: made,
        last: made,
    });
    line.seen = seen_by_both(line.seen, seen);
}

fn seen_by_both(one: Option<Seen>, other: Option<Seen>) -> Option<Seen> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Seen {
            first: one.first.min(other.first),
            last: one.last.max(other.last),
        }),
        (one, other) => one.or(other),
    }
}

fn key(entry: &Entry) -> Key {
    Key {
        day: made(entry).map(day).unwrap_or_default(),
        caller: entry.caller.clone(),
        purpose: entry.purpose_code.clone(),
        operation: operation_name(entry.operation()),
        object_type: entry.object_type.clone(),
    }
}

/// The day of a time in UTC.
pub(super) fn day(time: Timestamp) -> String {
    instant(time).strftime("%Y-%m-%d").to_string()
}

/// A time as RFC 3339 in UTC, to the second.
pub(super) fn written(time: Timestamp) -> String {
    instant(time).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn instant(time: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(time.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// "OBJECT_GET".
pub(super) fn operation_name(operation: Operation) -> String {
    let name = operation.as_str_name();
    name.strip_prefix("OPERATION_").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(operation: Operation, attempt: u32, result: CallResult, records: u32) -> Entry {
        Entry {
            phase: Phase::Outcome.into(),
            operation: operation.into(),
            attempt,
            result: result.into(),
            record_count: records,
            caller: "sync".to_owned(),
            entry_time: Some(Timestamp::from_micros(0).into()),
            ..Entry::default()
        }
    }

    #[test]
    fn a_call_of_two_attempts_is_one_call_and_two_requests() {
        let mut tally = Tally::default();
        tally.add(&outcome(Operation::ObjectGet, 1, CallResult::Failed, 0));
        tally.add(&outcome(Operation::ObjectGet, 2, CallResult::Ok, 1));
        let total = tally.total();
        assert_eq!((total.calls, total.requests, total.reads), (1, 2, 1));
        assert_eq!((total.failed, total.records_read), (1, 1));
    }

    #[test]
    fn calls_that_share_a_request_are_calls_of_one_request() {
        let mut tally = Tally::default();
        for _ in 0..3 {
            let shared = Entry {
                physical_id: "one".to_owned(),
                response_bytes: 10,
                ..outcome(Operation::ObjectGet, 1, CallResult::Ok, 1)
            };
            tally.add(&shared);
        }
        let total = tally.total();
        assert_eq!((total.calls, total.requests, total.records_read), (3, 1, 3));
        assert_eq!(total.response_bytes, 10);
    }

    #[test]
    fn what_is_refused_here_is_no_call_and_counts_as_often_as_it_was_asked() {
        let mut tally = Tally::default();
        tally.add(&Entry {
            phase: Phase::Denied.into(),
            reason: ErrorReason::PortalMismatch.into(),
            occurrence_count: 3,
            ..outcome(Operation::ObjectUpdate, 0, CallResult::Refused, 0)
        });
        let total = tally.total();
        assert_eq!((total.calls, total.denied, total.writes), (0, 3, 0));
        assert_eq!(tally.denials["PORTAL_MISMATCH"], 3);
    }
}
