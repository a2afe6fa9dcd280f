//! Who was erased is erased from what lies sealed beside the entries, too.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_proto::audit::v1::{
    HoldLogRequest, OpenPayloadRequest, PayloadState, ReleaseLogRequest,
    audit_service_client::AuditServiceClient,
};
use hubkeep_tests::{
    Crm, Hubkeep, Limits, Service, World, eventually,
    support::{audit::Reader, portals::OPERATOR},
};

const A: &str = "client-0001";
const ANN: &str = "contact1@client-0001.example";
const OPENED: PayloadState = PayloadState::Opened;
const ERASED: PayloadState = PayloadState::Erased;

struct Kept {
    hubkeep: Hubkeep,
    clock: Arc<MockClock>,
    crm: Crm,
}

impl Kept {
    async fn start() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
        let world = World::of_portals(1).limits(&Limits::unlimited());
        let hubkeep = Hubkeep::over(world).clock(clock.clone()).start().await;
        hubkeep.onboard_all().await;
        let handle = hubkeep.handle(A).issue().await;
        let crm = hubkeep.crm_as("sync").with(&handle);
        Self { hubkeep, clock, crm }
    }

    /// The payload beside each intent of these operations, in order.
    async fn states(&self, of: &[Operation]) -> Vec<PayloadState> {
        let reader = Reader::Operator(OPERATOR);
        let mut client = AuditServiceClient::new(self.hubkeep.door(Service::Crm).of(reader.name()));
        let mut states = Vec::new();
        for event in self.hubkeep.audit_events(Service::Crm).await {
            let entry = event.entry.as_ref().expect("an entry");
            if entry.phase() != Phase::Intent || !of.contains(&entry.operation()) {
                continue;
            }
            let request = OpenPayloadRequest {
                position: event.position,
                reason: "test".to_owned(),
            };
            let opened = client.open_payload(reader.request(&self.hubkeep, request)).await;
            states.push(opened.expect("read").into_inner().state());
        }
        states
    }

    /// Until they are these.
    async fn become_states(&self, of: &[Operation], states: &[PayloadState]) {
        eventually!({
            self.clock.advance(Duration::from_secs(61));
            self.states(of).await == states
        });
    }
}

const READS_AND_WRITES: [Operation; 2] = [Operation::ObjectGet, Operation::ObjectUpdate];

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_sealed_about_a_contact_goes_when_it_was_erased_and_its_entries_stay() {
    let kept = Kept::start().await;
    for id in ["101", "102"] {
        kept.crm.get("contacts", id).await.expect("given");
        let change = [("firstname", "Ann")];
        kept.crm.update("contacts", id, &change).await.expect("written");
    }
    assert_eq!(kept.states(&READS_AND_WRITES).await, [OPENED; 4]);
    kept.crm.erase(ANN, "email").await.expect("erased");
    let of_erasure = [Operation::ContactErase];
    kept.become_states(&of_erasure, &[ERASED]).await;
    // What was read to find it is gone as well: it is the last.
    let states = kept.states(&READS_AND_WRITES).await;
    assert_eq!(states[..4], [ERASED, ERASED, OPENED, OPENED]);
    assert!(states[4..].iter().all(|state| *state == ERASED), "{states:?}");

    let entries = kept.hubkeep.entries(Service::Crm, Phase::Admin).await;
    let said: Vec<_> = entries
        .iter()
        .filter(|entry| entry.operation() == Operation::PayloadErase)
        .collect();
    assert!(said.iter().all(|entry| entry.caller == "crm-service"), "{said:?}");
    let erasures = kept.hubkeep.entries(Service::Crm, Phase::Intent).await;
    let erasure = erasures
        .iter()
        .find(|entry| entry.operation() == Operation::ContactErase);
    let call_id = &erasure.expect("recorded").call_id;
    assert!(said.iter().all(|entry| entry.call_id == *call_id), "{said:?}");
    assert_eq!(said.len(), 3, "by its id, by its address, and of the call");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_sealed_about_an_erased_contact_stays_while_its_log_is_held_and_goes_when_it_is_released() {
    let kept = Kept::start().await;
    kept.crm.get("contacts", "101").await.expect("given");
    let reader = Reader::Operator(OPERATOR);
    let mut client = AuditServiceClient::new(kept.hubkeep.door(Service::Crm).of(reader.name()));
    let hold = HoldLogRequest {
        client_slug: A.to_owned(),
        reason: "case 7".to_owned(),
        ..HoldLogRequest::default()
    };
    client
        .hold_log(reader.request(&kept.hubkeep, hold))
        .await
        .expect("held");
    kept.crm.erase("101", "").await.expect("erased");
    for _ in 0..5 {
        kept.clock.advance(Duration::from_secs(61));
        let states = kept.states(&[Operation::ContactErase]).await;
        assert_eq!(states, [OPENED]);
    }
    let said = kept.hubkeep.entries(Service::Crm, Phase::Admin).await;
    let said = said
        .iter()
        .filter(|entry| entry.operation() == Operation::PayloadErase);
    assert_eq!(said.count(), 0, "nothing is said that is not done");
    let release = ReleaseLogRequest {
        client_slug: A.to_owned(),
        reason: "case 7 is closed".to_owned(),
        ..ReleaseLogRequest::default()
    };
    client
        .release_log(reader.request(&kept.hubkeep, release))
        .await
        .expect("released");
    kept.become_states(&[Operation::ContactErase], &[ERASED]).await;
    let states = kept.states(&[Operation::ObjectGet]).await;
    assert_eq!(states[0], ERASED);
}
