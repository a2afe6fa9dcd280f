//! What HubSpot received, held against the plan and the record, piece by piece: of a million calls only those are
//! remembered that one side knows and the other does not yet.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hubkeep_audit_log::{Cause, Entry, Event, Filter, Operation, Phase, Position};

use super::{CALLERS, Manner, Planned, Service, Stage, locked};
use crate::JournalEntry;

const PAGE: usize = 5_000;
/// How often it looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How many looks lie between two lines that say how far it has come.
const LOOKS: u64 = 30;

/// What was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Requests that HubSpot's CRM received, each for its own portal.
    pub received: u64,
    /// Intents in the log, each with its outcome.
    pub recorded: u64,
    /// Entries in the log.
    pub entries: u64,
}

/// What an intent says of the request that is about to be sent.
struct Intended {
    portal_id: u64,
    token_fingerprint: String,
    /// It asks whose account a token is, before a write.
    is_proof: bool,
}

pub(super) struct Witness {
    stage: Arc<Stage>,
    /// Intents whose request has not been seen, by their entry's id.
    intended: HashMap<String, Intended>,
    /// Intents without an outcome, by call and attempt.
    open: HashMap<(String, u32), String>,
    /// Intents whose request may never have been sent.
    cut_short: HashSet<String>,
    /// How many entries each log has.
    sizes: HashMap<String, u64>,
    after: Position,
    seen: Seen,
}

impl Witness {
    pub(super) fn of(stage: Arc<Stage>) -> Self {
        Self {
            stage,
            intended: HashMap::new(),
            open: HashMap::new(),
            cut_short: HashSet::new(),
            sizes: HashMap::new(),
            after: Position::START,
            seen: Seen::default(),
        }
    }

    /// Looks until everything has been sent, and once more.
    pub(super) async fn watch(mut self) -> Seen {
        let mut beats = tokio::time::interval(PAUSE);
        for look in 1_u64.. {
            beats.tick().await;
            let done = self.stage.done.load(Ordering::Acquire);
            self.look().await;
            if look.is_multiple_of(LOOKS) {
                let made = self.stage.calls_made.load(Ordering::Relaxed);
                println!("{made} calls made, {} requests seen", self.seen.received);
            }
            if done {
                break;
            }
        }
        let missing = self.intended.keys().filter(|id| !self.cut_short.contains(*id));
        assert_eq!(missing.count(), 0, "recorded, sent, and never received");
        let unsent = self.intended.values().filter(|intended| !intended.is_proof);
        self.seen.recorded -= unsent.count() as u64;
        assert!(self.open.is_empty(), "without an outcome: {:?}", self.open);
        self.seen
    }

    /// What HubSpot has received is taken first: its intents were durable before, and are read after.
    async fn look(&mut self) {
        let taken = self.stage.hubkeep.hubspot.take_journal();
        self.read().await;
        for received in &taken {
            self.hold_against_its_record(received);
        }
    }

    async fn read(&mut self) {
        let stage = Arc::clone(&self.stage);
        let log = stage.hubkeep.audit_log(Service::Crm);
        loop {
            let events = log.list(&Filter::all(), self.after, PAGE).await.expect("read");
            events.iter().for_each(|event| self.note(event));
            if events.len() < PAGE {
                return;
            }
        }
    }

    fn note(&mut self, event: &Event) {
        assert_eq!(event.position, self.after.get() + 1, "a gap in the positions");
        self.after = Position(event.position);
        let size = self.sizes.entry(event.log.clone()).or_default();
        assert_eq!(event.index, *size, "a gap in the log {}", event.log);
        *size += 1;
        self.seen.entries += 1;
        let entry = event.entry.as_ref().expect("every event has an entry");
        let attempt = (entry.call_id.clone(), entry.attempt);
        match entry.phase() {
            Phase::Intent => {
                self.is_planned(entry);
                let intended = Intended {
                    portal_id: entry.portal_id,
                    token_fingerprint: entry.token_fingerprint.clone(),
                    is_proof: entry.operation() == Operation::AccountRead,
                };
                self.seen.recorded += u64::from(!intended.is_proof);
                assert!(self.intended.insert(entry.entry_id.clone(), intended).is_none());
                let before = self.open.insert(attempt, entry.entry_id.clone());
                assert_eq!(before, None, "two intents of one attempt: {entry:?}");
            }
            Phase::Outcome => {
                let intent = self.open.remove(&attempt);
                let intent = intent.unwrap_or_else(|| panic!("an outcome of nothing: {entry:?}"));
                // Whether such a one was sent before it was cut off, the log does not say.
                if [Cause::NotSent, Cause::RevokedInFlight].contains(&entry.cause()) {
                    self.cut_short.insert(intent);
                }
            }
            _ => {}
        }
    }

    /// Only right calls are sent, each by a handle of its caller's for the portal that it names.
    fn is_planned(&self, entry: &Entry) {
        let stage = &self.stage;
        let planned = Planned::of_request(&entry.request_id, stage.slugs.len());
        let planned = planned.unwrap_or_else(|| panic!("a call that nobody planned: {entry:?}"));
        assert_eq!(
            planned.manner,
            Manner::Right,
            "a refused call was sent: {planned:?}"
        );
        let caller = CALLERS[planned.caller];
        assert_eq!(entry.portal_id, stage.portal_ids[planned.named], "{planned:?}");
        assert_eq!(entry.client_slug, stage.slugs[planned.named], "{planned:?}");
        assert_eq!(entry.caller, caller, "{planned:?}");
        let holder = locked(&stage.holders).get(&entry.handle_id).copied();
        assert_eq!(
            holder,
            Some((planned.named, caller)),
            "by a foreign handle: {planned:?}"
        );
    }

    /// What HubSpot received is for the portal that its record names.
    fn hold_against_its_record(&mut self, received: &JournalEntry) {
        let intended = received
            .header("x-request-id")
            .and_then(|id| self.intended.remove(id));
        let of_records = received.path.starts_with("/crm/");
        let Some(intended) = intended else {
            assert!(!of_records, "without a record, or twice: {received:?}");
            // credential-service's own, which its log has.
            return;
        };
        assert_eq!(
            received.portal_id,
            Some(intended.portal_id),
            "a foreign request: {received:?}"
        );
        assert_eq!(
            received.token_fingerprint.as_ref(),
            Some(&intended.token_fingerprint),
            "by another token than its record says: {received:?}"
        );
        self.seen.received += u64::from(of_records);
    }
}
