//! A rolling restart under load loses no call.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use hubkeep_proto::crm::v1::CreateObjectResponse;
use hubkeep_tests::{
    Crm, Fleet, Limits, Service, World, eventually, intents_by_entry,
    support::audit::{assert_dense, outcomes_by_attempt, without_proofs},
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const CALLERS: usize = 6;
const SLUG: &str = "client-0001";

/// What the callers have seen.
#[derive(Debug, Default)]
struct Seen {
    over: AtomicBool,
    answered: AtomicU32,
    sent_elsewhere: AtomicU32,
}

/// Refused with STOPPING; or never taken by a closing connection, of which tonic says CANCELLED or, where the server's
/// farewell named an earlier request as its last, INTERNAL with that farewell (other libraries send it again without a
/// word). That it was not taken is held below: each write arrives once.
fn is_for_another(status: &Status) -> bool {
    let details = status.get_error_details();
    match (details.error_info(), status.code()) {
        (Some(info), _) => info.reason == "STOPPING",
        (None, Code::Cancelled) => true,
        (None, Code::Internal) => format!("{status:?}").contains("GoAway(b\"\", NO_ERROR, Remote)"),
        _ => false,
    }
}

/// Calls as a client does that knows one rule: what was refused with STOPPING, or not sent, is sent again.
async fn create(crm: &Crm, email: &str, seen: &Seen) -> Result<CreateObjectResponse, Status> {
    loop {
        match crm.create("contacts", &[("email", email)]).await {
            Err(status) if is_for_another(&status) => seen.sent_elsewhere.fetch_add(1, Ordering::Relaxed),
            answer => return answer,
        };
    }
}

/// Writes and reads until it is over; every record is another.
async fn work(crm: Crm, caller: usize, seen: Arc<Seen>) -> Vec<String> {
    let mut emails = Vec::new();
    while !seen.over.load(Ordering::Relaxed) {
        let email = format!("caller-{caller}-{}@example.com", emails.len());
        let created = create(&crm, &email, &seen).await;
        let created = created.unwrap_or_else(|status| panic!("{email} was not created: {status:?}"));
        let id = created.object.expect("the record").object_id;
        let read = loop {
            match crm.get("contacts", &id).await {
                Err(status) if is_for_another(&status) => seen.sent_elsewhere.fetch_add(1, Ordering::Relaxed),
                answer => break answer,
            };
        };
        let read = read.unwrap_or_else(|status| panic!("{email} was not read: {status:?}"));
        assert_eq!(
            read.object.expect("the record").object_id,
            id,
            "an answer to another question"
        );
        emails.push(email);
        seen.answered.fetch_add(2, Ordering::Relaxed);
    }
    emails
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_of_both_services_loses_no_call() {
    let mut fleet = Fleet::start(World::of_portals(1).limits(&Limits::unlimited()), 2).await;
    fleet.onboard_all().await;
    let seen = Arc::new(Seen::default());
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let name = format!("caller-{caller}");
        let handle = fleet.handle(SLUG).for_caller(&name).issue().await;
        let crm = fleet.crm_as(&name).with(&handle);
        callers.push(tokio::spawn(work(crm, caller, seen.clone())));
    }
    for service in [Service::Crm, Service::Credential] {
        for _ in 0..2 {
            let answered = seen.answered.load(Ordering::Relaxed);
            fleet.add(service).await;
            fleet.retire(service).await;
            // The next one goes when the load has gone on.
            eventually!(seen.answered.load(Ordering::Relaxed) > answered + 20);
        }
    }
    seen.over.store(true, Ordering::Relaxed);
    let mut emails = Vec::new();
    for caller in callers {
        emails.extend(caller.await.expect("no call failed"));
    }

    let events = fleet.audit_events(Service::Crm).await;
    assert_dense(&events);
    let asked = without_proofs(&events);
    let (intents, outcomes) = (intents_by_entry(&asked), outcomes_by_attempt(&asked));
    assert_eq!(intents.len(), outcomes.len(), "every intent has an outcome");
    let mut journal = fleet.hubspot.journal();
    journal.retain(|entry| entry.path.starts_with("/crm/"));
    assert_eq!(journal.len(), intents.len(), "every request is on record");

    let mut written: HashMap<String, u32> = HashMap::new();
    for received in journal.iter().filter(|received| received.method == "POST") {
        let email = received
            .body
            .as_ref()
            .and_then(|body| body.pointer("/properties/email"));
        let email = email
            .and_then(|email| email.as_str())
            .expect("a contact with an address");
        *written.entry(email.to_owned()).or_default() += 1;
    }
    assert_eq!(
        written.len(),
        emails.len(),
        "nothing was written that nobody was told of"
    );
    for email in &emails {
        assert_eq!(written.get(email), Some(&1), "{email} was sent once");
    }
}
