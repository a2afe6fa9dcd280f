//! The witnesses: what HubSpot received and carried out, the log, and the list of unknown writes.

use std::collections::BTreeSet;

use hubkeep_audit_log::Event;
use hubkeep_proto::crm::v1::{ListWritesRequest, Write, WriteState};
use hubkeep_tests::{
    Hubkeep, JournalEntry, intents_by_entry,
    support::{
        audit::assert_dense,
        crm_process::channel,
        writes::{all_writes, sent_writes, write_id},
    },
};

use super::{
    A,
    asking::Known,
    callers::Told,
    errands::{Errand, Kind},
};

/// Every write in these states.
pub async fn listed(address: &str, states: &[WriteState]) -> Vec<Write> {
    let mut message = ListWritesRequest {
        client_slug: A.to_owned(),
        states: states.iter().map(|state| (*state).into()).collect(),
        page_size: 500,
        ..ListWritesRequest::default()
    };
    let mut all = Vec::new();
    loop {
        let page = all_writes(channel(address), message.clone())
            .await
            .expect("listed");
        all.extend(page.writes);
        if page.next_page_token.is_empty() {
            return all;
        }
        message.page_token = page.next_page_token;
    }
}

/// What HubSpot received that may have changed something, each as a text, and whether it was carried out.
pub struct Received(Vec<(String, bool)>);

impl Received {
    pub fn of(journal: Vec<JournalEntry>) -> Self {
        let text = |entry: JournalEntry| {
            let body = entry.body.unwrap_or_default();
            let text = format!("{} {} {body}", entry.method, entry.path);
            (text, entry.carried_out)
        };
        Self(sent_writes(journal).into_iter().map(text).collect())
    }

    /// Of one write, in order.
    pub fn of_errand(&self, errand: &Errand) -> Vec<&(String, bool)> {
        self.0.iter().filter(|(text, _)| errand.is_in(text)).collect()
    }
}

/// Each write was carried out once at most, and once if its caller was told that it is done; and nothing was sent of it after that,
/// also where HubSpot would refuse it, or it would change nothing. Gives how many of these were lost before they were carried
/// out.
pub fn nothing_was_done_twice(hubkeep: &Hubkeep, told: &Told) -> usize {
    let received = Received::of(hubkeep.journal());
    let mut again = 0;
    for (errand, known) in told {
        let sent = received.of_errand(errand);
        let done = sent.iter().position(|(_, carried_out)| *carried_out);
        match done {
            Some(done) => assert_eq!(
                done + 1,
                sent.len(),
                "sent again after it was done: {errand:?} {sent:#?}"
            ),
            None => assert_ne!(*known, Known::Done, "it is said to be done: {errand:?} {sent:#?}"),
        }
        again += usize::from(*known == Known::Done && sent.len() > 1);
    }
    again
}

/// How many requests HubSpot received that have no intent.
pub fn unrecorded(hubkeep: &Hubkeep, events: &[Event]) -> usize {
    assert_dense(events);
    let intents = intents_by_entry(events);
    let journal = hubkeep.hubspot.journal();
    let of_crm_service = journal.iter().filter(|entry| entry.path.starts_with("/crm/"));
    let recorded = |id: Option<&str>| id.is_some_and(|id| intents.contains_key(id));
    of_crm_service
        .filter(|entry| !recorded(entry.header("x-request-id")))
        .count()
}

/// What its callers do not know is on the list, and nothing else; and nothing there is still under way. What was found out after its
/// caller had stopped asking is settled instead, as HubSpot has it.
pub fn every_unknown_write_is_listed(hubkeep: &Hubkeep, told: &Told, listed: &[Write], settled: &[Write]) {
    let received = Received::of(hubkeep.journal());
    let late = |errand: &Errand| {
        let id = write_id(errand.number);
        let Some(write) = settled.iter().find(|write| write.request_id == id) else {
            return false;
        };
        let sent = received.of_errand(errand);
        let done = sent.iter().any(|(_, carried_out)| *carried_out);
        assert_eq!(write.state() == WriteState::Done, done, "{errand:?} {write:?}");
        true
    };
    let unknown: BTreeSet<String> = told
        .iter()
        .filter(|(errand, known)| *known == Known::Unknown && !late(errand))
        .map(|(errand, _)| write_id(errand.number))
        .collect();
    for write in listed {
        assert_eq!(
            write.state(),
            WriteState::Unknown,
            "sorted at the start: {write:?}"
        );
    }
    let named = listed.iter().filter(|write| !write.request_id.is_empty());
    let on_list: BTreeSet<String> = named.map(|write| write.request_id.clone()).collect();
    assert_eq!(on_list, unknown);
}

/// Of each kind, how many are known so.
pub fn counted(told: &Told, is: Known) -> Vec<(Kind, usize)> {
    let mut kinds = std::collections::BTreeMap::new();
    for (errand, _) in told.iter().filter(|(_, known)| *known == is) {
        *kinds.entry(errand.kind).or_default() += 1;
    }
    kinds.into_iter().collect()
}
