//! The logs of both services, read as an auditor reads them.

use std::{collections::HashMap, path::Path};

use hubkeep_audit_log::{Entry, Event, Filter, Operation, Phase, Position};
use hubkeep_proto::audit::v1::{
    EventFilter, ListEventsRequest, StreamEventsRequest, StreamEventsResponse,
    audit_service_client::AuditServiceClient,
};
use prost::Message as _;
use rusqlite::{Connection, OpenFlags};
use tonic::{Status, Streaming};

use super::{
    crm::Crm,
    handles::Handle,
    hubkeep::{Hubkeep, Service},
};

const PAGE: usize = 5_000;

impl Hubkeep {
    /// Everything that a service has recorded.
    pub async fn audit_events(&self, service: Service) -> Vec<Event> {
        let (log, mut events) = (self.audit_log(service), Vec::<Event>::new());
        let mut page = log
            .list(&Filter::all(), Position::START, PAGE)
            .await
            .expect("read");
        while !page.is_empty() {
            events.append(&mut page);
            let after = Position(events.last().expect("not empty").position);
            page = log.list(&Filter::all(), after, PAGE).await.expect("read");
        }
        events
    }

    /// The entries of one phase.
    pub async fn entries(&self, service: Service, phase: Phase) -> Vec<Entry> {
        let events = self.audit_events(service).await;
        let entries = events.into_iter().filter_map(|event| event.entry);
        entries.filter(|entry| entry.phase() == phase).collect()
    }

    /// Opens a stream of a service's events over gRPC, as an operator or with a handle.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn stream_events(
        &self,
        service: Service,
        reader: Reader<'_>,
        request: StreamEventsRequest,
    ) -> Result<Streaming<StreamEventsResponse>, Status> {
        let mut client = AuditServiceClient::new(self.door(service).of(reader.name()));
        let opened = client.stream_events(reader.request(self, request)).await?;
        Ok(opened.into_inner())
    }

    /// Reads the first page of a service's events over gRPC.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn list_events(
        &self,
        service: Service,
        reader: Reader<'_>,
        filter: EventFilter,
    ) -> Result<Vec<Event>, Status> {
        let request = ListEventsRequest {
            filter: Some(filter),
            page_size: 1_000,
            ..ListEventsRequest::default()
        };
        let mut client = AuditServiceClient::new(self.door(service).of(reader.name()));
        let listed = client.list_events(reader.request(self, request)).await?;
        Ok(listed.into_inner().events)
    }
}

/// Who reads a log over gRPC.
#[derive(Clone, Copy, Debug)]
pub enum Reader<'a> {
    /// An operator, by name.
    Operator(&'a str),
    /// The holder of a handle.
    Holder(&'a Handle),
}

impl Reader<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Operator(name) => name,
            Self::Holder(handle) => &handle.caller,
        }
    }

    /// A request of its own.
    pub fn request<T>(self, hubkeep: &Hubkeep, message: T) -> tonic::Request<T> {
        let caller = |name: &str| Crm::through(hubkeep.door(Service::Credential), name);
        match self {
            Self::Operator(name) => caller(name).request(message),
            Self::Holder(handle) => caller(&handle.caller).with(handle).request(message),
        }
    }
}

/// The entry of an event, which every event has.
pub fn proto_entry(event: &Event) -> &Entry {
    event.entry.as_ref().expect("every event has an entry")
}

/// The events of what callers have asked for: without crm-service's own questions whose account a token is, which come
/// before the first write of each portal in a process.
pub fn without_proofs(events: &[Event]) -> Vec<Event> {
    let mut events = events.to_vec();
    events.retain(|event| proto_entry(event).operation() != Operation::AccountRead);
    events
}

/// The intents by their entry id: the id that goes to HubSpot in the header `x-request-id`.
pub fn intents_by_entry(events: &[Event]) -> HashMap<&str, &Entry> {
    let entries = events.iter().map(proto_entry);
    let intents = entries.filter(|entry| entry.phase() == Phase::Intent);
    intents.map(|entry| (entry.entry_id.as_str(), entry)).collect()
}

/// The outcomes by what they belong to: call and attempt.
pub fn outcomes_by_attempt(events: &[Event]) -> HashMap<(&str, u32), &Entry> {
    let entries = events.iter().map(proto_entry);
    let outcomes = entries.filter(|entry| entry.phase() == Phase::Outcome);
    outcomes
        .map(|entry| ((entry.call_id.as_str(), entry.attempt), entry))
        .collect()
}

/// Checks that the positions are dense, and the indices of each log as well. Panics where they are not.
pub fn assert_dense(events: &[Event]) {
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    for (expected, event) in (1..).zip(events) {
        assert_eq!(event.position, expected, "a gap in the positions");
        let size = sizes.entry(&event.log).or_default();
        assert_eq!(event.index, *size, "a gap in the log {}", event.log);
        *size += 1;
    }
}

/// Everything in the file of an audit log whose service is not running.
pub fn events_on_disk(file: &Path) -> Vec<Event> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).expect("opens");
    let mut statement = connection
        .prepare("SELECT position, log_index, log, leaf FROM audit_entry ORDER BY position")
        .expect("the table of the log");
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, Vec<u8>>(3)?))
    });
    let events = rows.expect("read").map(|row| {
        let (position, index, log, leaf): (i64, i64, String, Vec<u8>) = row.expect("read");
        Event {
            position: position.try_into().expect("positive"),
            index: index.try_into().expect("positive"),
            log,
            entry: Some(Entry::decode(leaf.as_slice()).expect("an entry")),
            leaf: Vec::new(),
        }
    });
    events.collect()
}
