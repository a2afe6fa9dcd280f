//! Writes without a request id: whatever reached HubSpot and has no outcome is on the list.

use std::collections::BTreeSet;

use hubkeep_audit_log::{CallResult, Event};
use hubkeep_proto::crm::v1::WriteState;
use hubkeep_tests::{
    JournalEntry, intents_by_entry,
    support::{audit::outcomes_by_attempt, writes::sent_writes},
};

use super::witnesses::listed;

/// Of each the log knows the outcome, or it is listed. Gives how many are.
pub async fn are_listed_or_known(address: &str, journal: Vec<JournalEntry>, events: &[Event]) -> usize {
    let states = [WriteState::Unknown, WriteState::Done, WriteState::NotDone];
    let listed = listed(address, &states).await;
    let unnamed = listed.iter().filter(|write| write.request_id.is_empty());
    let calls: BTreeSet<&str> = unnamed.map(|write| write.call_id.as_str()).collect();
    let intents = intents_by_entry(events);
    let outcomes = outcomes_by_attempt(events);
    for received in sent_writes(journal) {
        let id = received.header("x-request-id").expect("it names its intent");
        let intent = intents[id];
        let outcome = outcomes[&(intent.call_id.as_str(), intent.attempt)];
        let is_known = outcome.result() != CallResult::Unknown;
        assert!(
            is_known || !intent.subject.is_empty() || calls.contains(intent.call_id.as_str()),
            "reached HubSpot, and is forgotten: {received:?}"
        );
    }
    calls.len()
}
