//! Labels that several give to one pair of records at once are all there afterwards.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::clock::SystemClock;
use hubkeep_proto::crm::v1::AssociationLabel;
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Fleet, Hubkeep, Limits, ObjectType, PortalSpec, Proxy, Refused, Service,
    TokenSpec, World, eventually,
    support::{pairs::pages, trouble::socket_of},
};
use hubspot_sim::{JournalEntry, Simulator};
use tonic::Code;

const A: &str = "acme";
const ID: u64 = 4_242;
const TYPES: (&str, &str) = ("contacts", "companies");
const ANN: &str = "101";
const ACME: &str = "10000101";
const WRITERS: usize = 6;
/// What a caller allows for a call, of which a turn that is not had takes nearly all.
const PATIENCE: Duration = Duration::from_secs(20);

fn world() -> World {
    let token = TokenSpec::private_app("pat-na1-0000aaaa-labelsof-0001");
    let portal = PortalSpec::new(A, ID)
        .token(token)
        .limits(Limits::unlimited())
        .record(ObjectType::Contacts, &[("email", "ann@acme.example")])
        .record(ObjectType::Companies, &[("name", "Acme")]);
    World {
        portals: vec![portal],
        apps: Vec::new(),
    }
}

/// Labels of the portal's own, and HubSpot taking its time, so that who does not wait for another overtakes it.
fn labels(hubspot: &Simulator) -> Vec<AssociationLabel> {
    let sides = (ObjectType::Contacts, ObjectType::Companies);
    let defined = (0..WRITERS).map(|number| {
        let name = format!("Label {number}");
        let type_id = hubspot.define_label(ID, sides, &name).expect("defined");
        AssociationLabel {
            type_id,
            category: "USER_DEFINED".to_owned(),
            label: String::new(),
        }
    });
    let defined = defined.collect();
    hubspot.inject(FaultRule::new(Fault::Slow { ms: 100 }));
    defined
}

async fn there(crm: &Crm) -> Vec<u32> {
    let read = crm.associated_many(TYPES, &[ANN]).await.expect("answered");
    let page = pages(&read.results)[0].expect("a page");
    let kinds = page.records[0].labels.iter();
    let mut kinds: Vec<u32> = kinds
        .filter(|label| label.category == "USER_DEFINED")
        .map(|label| label.type_id)
        .collect();
    kinds.sort_unstable();
    kinds
}

/// Whether each writer has read and written before the next one read.
fn one_after_the_other(calls: &[JournalEntry]) -> bool {
    let ours = calls.iter().filter(|call| call.path.contains("/associations/"));
    let is_read = |call: &JournalEntry| call.method == "GET" || call.path.ends_with("/batch/read");
    let ours: Vec<bool> = ours.map(is_read).collect();
    ours.len() == 2 * WRITERS
        && ours
            .iter()
            .enumerate()
            .all(|(place, read)| *read == (place % 2 == 0))
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_are_given_to_one_pair_at_once_are_all_there() {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", ANN).await.expect("the service is warm");
    let labels = labels(&hubkeep.hubspot);
    hubkeep.hubspot.clear_journal();
    // By both ways, which meet at the pair.
    let given = join_all(labels.iter().enumerate().map(async |(number, label)| {
        if number % 2 == 0 {
            let made = crm
                .associate(((TYPES.0, ANN), (TYPES.1, ACME)), vec![label.clone()])
                .await;
            made.map(drop)
        } else {
            let made = crm
                .associate_many(TYPES, &[(ANN, ACME, vec![label.clone()])])
                .await;
            made.map(drop)
        }
    }))
    .await;
    assert!(given.iter().all(Result::is_ok), "{given:?}");
    let calls = hubkeep.hubspot_calls();
    assert!(one_after_the_other(&calls), "{calls:?}");
    let mut wanted: Vec<u32> = labels.iter().map(|label| label.type_id).collect();
    wanted.sort_unstable();
    assert_eq!(there(&crm).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_are_given_through_several_replicas_at_once_are_all_there() {
    let fleet = Fleet::start(world(), 2).await;
    fleet.onboard_all().await;
    let handle = fleet.handle(A).issue().await;
    let labels = labels(&fleet.hubspot);
    // Each on a connection of its own, which the balancer gives to the replicas in turn.
    let writers: Vec<Crm> = labels
        .iter()
        .map(|_| fleet.crm_as("sync").with(&handle))
        .collect();
    let given = join_all(writers.iter().zip(&labels).map(async |(crm, label)| {
        crm.associate_many(TYPES, &[(ANN, ACME, vec![label.clone()])])
            .await
    }))
    .await;
    assert!(given.iter().all(Result::is_ok), "{given:?}");
    let calls = fleet.hubspot.journal();
    assert!(one_after_the_other(&calls), "{calls:?}");
    let mut wanted: Vec<u32> = labels.iter().map(|label| label.type_id).collect();
    wanted.sort_unstable();
    assert_eq!(there(&writers[0]).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_change_a_pair_is_refused_while_another_has_the_turn_at_it() {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard_all().await;
    let writer = hubkeep.handle(A).issue().await;
    let writer = hubkeep.crm_as("sync").with(&writer);
    let label = labels(&hubkeep.hubspot).remove(0);
    let hold = FaultRule::new(Fault::HoldUntilReleased).method("PUT");
    let held = hubkeep.hubspot.inject(hold);
    let pair = ((TYPES.0, ANN), (TYPES.1, ACME));
    let writing = tokio::spawn(async move { writer.associate(pair, vec![label]).await });
    eventually!(hubkeep.hubspot.held() > 0);

    let reader = hubkeep.handle(A).allow([Allow::Get]).issue().await;
    let reader = hubkeep.crm_as("sync").with(&reader).within(PATIENCE);
    let clock = SystemClock::shared();
    let began = clock.tick();
    let one = Refused::in_place_of(reader.dissociate(pair).await);
    let many = Refused::in_place_of(reader.dissociate_many(TYPES, &[(ANN, ACME)]).await);
    for refused in [one, many] {
        assert_eq!(refused.reason, "OPERATION_NOT_ALLOWED");
    }
    assert!(clock.tick().since(began) < PATIENCE, "it waited for a turn");
    assert!(!writing.is_finished(), "the other has it still");
    hubkeep.hubspot.release(held);
    writing.await.expect("no panic").expect("made");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_turn_is_refused_when_the_database_of_the_turns_is_silent() {
    let proxy = Arc::new(Proxy::open().await);
    let through = Arc::clone(&proxy);
    let setup = Hubkeep::over(world()).postgres().crm(move |config| {
        let server = socket_of(&config.database.url);
        through.lead_to(server);
        let own = through.address().to_string();
        config.database.url = config.database.url.replace(&server.to_string(), &own);
    });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).within(PATIENCE);
    let label = labels(&hubkeep.hubspot).remove(0);
    let pair = ((TYPES.0, ANN), (TYPES.1, ACME));
    crm.associate(pair, vec![label.clone()]).await.expect("given");
    hubkeep.hubspot.clear_journal();

    proxy.go_silent();
    let refused = Refused::in_place_of(crm.associate(pair, vec![label.clone()]).await);
    assert_eq!(refused.said(), (Code::Unavailable, "STORAGE_UNAVAILABLE"));
    assert!(hubkeep.hubspot_calls().is_empty());
    let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    let on_record = |entry: &&hubkeep_audit_log::Entry| entry.operation() == Operation::AssociationCreate;
    assert_eq!(denied.iter().filter(on_record).count(), 1, "{denied:?}");
    proxy.restore();
    eventually!(crm.associate(pair, vec![label.clone()]).await.is_ok());
}
