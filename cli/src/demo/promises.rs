//! What the demo promises, and how it is found out: what HubSpot received, held against what the logs say was sent.

use std::collections::{HashMap, HashSet};

use hubkeep_proto::audit::v1::{
    Entry, Event, ListEventsRequest, Phase, audit_service_client::AuditServiceClient,
};
use hubspot_sim::JournalEntry;
use serde_json::{Value, json};

use super::{live::Live, stage::Stage};
use crate::{channel::Service, errors::Error};

/// The header in which the id of the intent travels to HubSpot.
const ENTRY_HEADER: &str = "x-request-id";
/// Events asked for at once.
const PAGE: i32 = 1_000;
/// Good rows in the demo's file, and bad ones.
const GOOD_ROWS: usize = 3;
const BAD_ROWS: usize = 2;

/// What was counted on the way, and found out in the end.
#[derive(Debug, Default)]
pub(super) struct Promises {
    /// Portals verified and stored.
    pub(super) portals_onboarded: usize,
    /// Rows of the file refused for the reason they should be.
    pub(super) rows_refused: usize,
    /// CRM calls that were answered.
    pub(super) calls: usize,
    /// Calls refused for the reason they should be.
    pub(super) refusals: usize,
    /// Calls that should have been refused.
    pub(super) refusals_expected: usize,
    /// Requests that HubSpot received for calls that were refused.
    pub(super) requests_of_refused_calls: usize,
    /// Requests that HubSpot received with a token of another portal than the log names.
    foreign_requests: usize,
    /// Requests that HubSpot received without a durable intent.
    unrecorded_calls: usize,
    hubspot_requests: usize,
    audit_events: usize,
    intents_without_outcome: usize,
    missing_on_live_stream: usize,
}

impl Promises {
    /// Reads both logs over gRPC and the simulator's journal, and compares.
    pub(super) async fn hold_against_the_logs(&mut self, stage: &Stage, live: &Live) -> Result<(), Error> {
        let mut events = all_events(stage.credential()).await?;
        events.extend(all_events(stage.crm()).await?);
        let entries: Vec<Entry> = events.into_iter().filter_map(|event| event.entry).collect();
        let intents: HashMap<&str, &Entry> = entries
            .iter()
            .filter(|entry| entry.phase() == Phase::Intent)
            .map(|entry| (entry.entry_id.as_str(), entry))
            .collect();
        let outcomes = entries
            .iter()
            .filter(|entry| entry.phase() == Phase::Outcome)
            .count();
        let journal = stage.hubspot().journal();
        self.audit_events = entries.len();
        self.hubspot_requests = journal.len();
        self.intents_without_outcome = intents.len().abs_diff(outcomes);
        for request in &journal {
            match intent_of(request, &intents) {
                None => self.unrecorded_calls += 1,
                Some(intent) if is_foreign(request, intent) => self.foreign_requests += 1,
                Some(_) => {}
            }
        }
        let written = entries
            .iter()
            .map(|entry| entry.entry_id.clone())
            .collect::<HashSet<_>>();
        self.missing_on_live_stream = live.missing(&written).await;
        Ok(())
    }

    /// Requests that reached a portal they should not have.
    const fn cross_portal_requests(&self) -> usize {
        self.foreign_requests
            .saturating_add(self.requests_of_refused_calls)
    }

    /// Every promise in words, and whether it was kept.
    pub(super) fn all(&self) -> Vec<(String, bool)> {
        let (requests, calls) = (self.hubspot_requests, self.calls);
        vec![
            (
                format!(
                    "{} portals onboarded, {} bad rows refused",
                    self.portals_onboarded, self.rows_refused
                ),
                self.portals_onboarded == GOOD_ROWS && self.rows_refused == BAD_ROWS,
            ),
            (
                format!(
                    "{calls} calls answered, {} of {} forbidden ones refused",
                    self.refusals, self.refusals_expected
                ),
                calls > 0 && self.refusals == self.refusals_expected && self.refusals > 0,
            ),
            (
                format!(
                    "{} requests reached another portal than meant",
                    self.cross_portal_requests()
                ),
                self.cross_portal_requests() == 0,
            ),
            (
                format!(
                    "{} of HubSpot's {requests} requests lack a durable intent",
                    self.unrecorded_calls
                ),
                self.unrecorded_calls == 0 && requests > 0,
            ),
            (
                format!("{} intents lack an outcome", self.intents_without_outcome),
                self.intents_without_outcome == 0,
            ),
            (
                format!(
                    "{} of {} events did not come on the live stream",
                    self.missing_on_live_stream, self.audit_events
                ),
                self.missing_on_live_stream == 0 && self.audit_events > 0,
            ),
        ]
    }

    /// Whether all of them were kept.
    pub(super) fn are_kept(&self) -> bool {
        self.all().iter().all(|(_, kept)| *kept)
    }

    /// The figures.
    pub(super) fn summary(&self) -> Value {
        json!({
            "portals_onboarded": self.portals_onboarded,
            "rows_refused": self.rows_refused,
            "calls": self.calls,
            "refused_calls": self.refusals,
            "audit_events": self.audit_events,
            "hubspot_requests": self.hubspot_requests,
            "cross_portal_requests_sent": self.cross_portal_requests(),
            "unrecorded_calls": self.unrecorded_calls,
            "intents_without_outcome": self.intents_without_outcome,
            "missing_on_live_stream": self.missing_on_live_stream,
            "promises_kept": self.are_kept(),
        })
    }
}

/// The intent that a request names, if there is one in the logs.
fn intent_of<'a>(request: &JournalEntry, intents: &HashMap<&str, &'a Entry>) -> Option<&'a Entry> {
    let id = request.header(ENTRY_HEADER)?;
    intents.get(id).copied()
}

/// Whether a request used a token of another portal than its intent names. Before a portal is proven, its intent names
/// none; then the token itself must be the one that is on record.
fn is_foreign(request: &JournalEntry, intent: &Entry) -> bool {
    let other_portal = intent.portal_id != 0 && request.portal_id != Some(intent.portal_id);
    let other_token = !intent.token_fingerprint.is_empty()
        && request.token_fingerprint.as_deref() != Some(intent.token_fingerprint.as_str());
    other_portal || other_token
}

/// Everything that a service has recorded, page after page.
async fn all_events(service: &Service) -> Result<Vec<Event>, Error> {
    let mut client = AuditServiceClient::new(service.connection());
    let mut request = ListEventsRequest {
        page_size: PAGE,
        ..ListEventsRequest::default()
    };
    let mut events = Vec::new();
    loop {
        let page = client.list_events(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        events.extend(page.events);
        if page.next_page_token.is_empty() {
            return Ok(events);
        }
        request.page_token = page.next_page_token;
    }
}

#[cfg(test)]
mod tests;
