//! What entries tell one by one, where a number would not do: what was deleted, what consumers asked for, what was contained.

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_audit_log::{CallResult, Cause, Entry, Event, Operation, Phase};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    source::made,
    tally::{operation_name, written},
};

/// Where an entry stands that proves something: `hubkeep audit` shows it, and a bundle of its log proves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Proof {
    pub(super) log: String,
    pub(super) index: u64,
    pub(super) entry_id: String,
}

/// Something that is gone, and the entry that says so.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Deletion {
    /// When, in UTC.
    pub(super) time: String,
    /// "CONTACT_ERASE": a contact at HubSpot; "PAYLOAD_ERASE": what lay sealed beside entries; "PORTAL_TOMBSTONE": all keys of the
    /// portal.
    pub(super) operation: String,
    /// The keyed hash of the record's id, where it was about one.
    pub(super) object_ref: String,
    pub(super) proof: Proof,
}

/// What Hubkeep was asked for on behalf of a consumer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct ConsumerRequest {
    /// "delete", or "know".
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    /// When Hubkeep was asked, in UTC. When the consumer asked, the business knows.
    pub(super) received: String,
    /// When it was done; empty if it was not.
    pub(super) completed: String,
    /// The keyed hash of the consumer's record.
    pub(super) object_ref: String,
    pub(super) proof: Proof,
}

/// Something that was wrong, and what was done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Incident {
    /// When, in UTC.
    pub(super) time: String,
    /// "CONTAIN", "CONTAINMENT_LIFT", or "FOREIGN_ANSWER": HubSpot answered for another portal, and that was withheld.
    pub(super) what: String,
    pub(super) caller: String,
    /// What it was about, and why.
    pub(super) subject: String,
    pub(super) proof: Proof,
}

/// What is told one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Acts {
    pub(super) deletions: Vec<Deletion>,
    pub(super) incidents: Vec<Incident>,
    /// By the call that they were made with.
    requests: BTreeMap<String, ConsumerRequest>,
    /// What callers did by handle that reached no HubSpot, each by its caller and its operation.
    pub(super) by_handle: BTreeSet<(String, String)>,
}

impl Acts {
    /// Takes an entry of either log.
    pub(super) fn add(&mut self, event: &Event) {
        let Some(entry) = &event.entry else { return };
        if entry.phase() == Phase::Admin && is_by_handle(entry) {
            let operation = operation_name(entry.operation());
            self.by_handle.insert((entry.caller.clone(), operation));
        }
        match (entry.operation(), entry.phase()) {
            (Operation::ContactErase, Phase::Intent) => self.asked("delete", event, entry),
            (Operation::ContactErase, Phase::Outcome) => {
                self.asked("delete", event, entry);
                if entry.result() == CallResult::Ok {
                    self.deleted(event, entry);
                    self.completed(event, entry);
                }
            }
            (Operation::PayloadErase, Phase::Admin) if entry.result() == CallResult::Ok => {
                self.deleted(event, entry);
                if !entry.object_ref.is_empty() {
                    self.asked("delete", event, entry);
                    self.completed(event, entry);
                }
            }
            (Operation::PortalTombstone, Phase::Admin) => self.deleted(event, entry),
            (Operation::ReportGet, Phase::Admin) if !entry.object_ref.is_empty() => {
                self.asked("know", event, entry);
                self.completed(event, entry);
            }
            (Operation::Contain | Operation::ContainmentLift, Phase::Admin) => {
                self.incident(operation_name(entry.operation()), event, entry);
            }
            _ => {}
        }
        if entry.cause() == Cause::ForeignAnswer {
            self.incident("FOREIGN_ANSWER".to_owned(), event, entry);
        }
    }

    /// What consumers' requests were, in the order in which they came.
    pub(super) fn requests(&self) -> Vec<ConsumerRequest> {
        // Ids of calls grow with time.
        self.requests.values().cloned().collect()
    }

    /// A call is asked for once, however many attempts it takes.
    fn asked(&mut self, kind: &'static str, event: &Event, entry: &Entry) {
        let request = self.requests.entry(entry.call_id.clone());
        let _ = request.or_insert_with(|| ConsumerRequest {
            kind,
            received: when(entry),
            completed: String::new(),
            object_ref: entry.object_ref.clone(),
            proof: proof(event, entry),
        });
    }

    fn completed(&mut self, event: &Event, entry: &Entry) {
        if let Some(request) = self.requests.get_mut(&entry.call_id) {
            request.completed = when(entry);
            request.proof = proof(event, entry);
        }
    }

    fn deleted(&mut self, event: &Event, entry: &Entry) {
        self.deletions.push(Deletion {
            time: when(entry),
            operation: operation_name(entry.operation()),
            object_ref: entry.object_ref.clone(),
            proof: proof(event, entry),
        });
    }

    fn incident(&mut self, what: String, event: &Event, entry: &Entry) {
        self.incidents.push(Incident {
            time: when(entry),
            what,
            caller: entry.caller.clone(),
            subject: entry.subject.clone(),
            proof: proof(event, entry),
        });
    }
}

impl Proof {
    /// On one line.
    pub(super) fn told(&self) -> String {
        format!("{} (index {} of {})", self.entry_id, self.index, self.log)
    }
}

/// Whether a handle allowed it. Reading of a log stands in the portal's own log only if one did, and does not name it.
fn is_by_handle(entry: &Entry) -> bool {
    let reads_log = matches!(
        entry.operation(),
        Operation::AuditStream
            | Operation::AuditList
            | Operation::AuditExport
            | Operation::AuditCheckpoint
            | Operation::AuditProof
    );
    reads_log || !entry.handle_id.is_empty()
}

fn proof(event: &Event, entry: &Entry) -> Proof {
    Proof {
        log: event.log.clone(),
        index: event.index,
        entry_id: entry.entry_id.clone(),
    }
}

fn when(entry: &Entry) -> String {
    made(entry).map(written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(operation: Operation, phase: Phase, result: CallResult, call_id: &str) -> Event {
        let entry = Entry {
            operation: operation.into(),
            phase: phase.into(),
            result: result.into(),
            call_id: call_id.to_owned(),
            object_ref: "ab".to_owned(),
            entry_time: Some(hubkeep_core::clock::Timestamp::from_micros(0).into()),
            ..Entry::default()
        };
        Event {
            entry: Some(entry),
            ..Event::default()
        }
    }

    #[test]
    fn an_erasure_of_two_attempts_is_one_request_and_one_that_failed_is_not_completed() {
        let mut acts = Acts::default();
        for result in [CallResult::Failed, CallResult::Ok] {
            acts.add(&event(
                Operation::ContactErase,
                Phase::Intent,
                CallResult::Unspecified,
                "1",
            ));
            acts.add(&event(Operation::ContactErase, Phase::Outcome, result, "1"));
        }
        acts.add(&event(
            Operation::ContactErase,
            Phase::Outcome,
            CallResult::Refused,
            "2",
        ));
        let requests = acts.requests();
        assert_eq!((requests.len(), acts.deletions.len()), (2, 1));
        assert_eq!(
            (requests[0].completed.is_empty(), requests[1].completed.is_empty()),
            (false, true)
        );
    }
}
