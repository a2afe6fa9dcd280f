//! Who is erased while a write of it waits in line is not created again by that write; nor who is erased by one of several
//! erasures, of which others are refused.

use std::time::Duration;

use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, Refused, World, eventually,
    support::{audit::Reader, crm_process::CrmProcess},
};
use tonic::Code;

const A: &str = "client-0001";
const ANN: &str = "contact1@client-0001.example";
const ERASURE: &str = "/crm/objects/2026-09/contacts/gdpr-delete";
const LONG: Duration = Duration::from_secs(60);
const WRITES: usize = 40;

async fn waits(hubkeep: &Hubkeep) -> usize {
    let handle = hubkeep.handle(A).allow([Allow::Quota]).types([]).issue().await;
    let quota = hubkeep.quota(Reader::Holder(&handle), A).await.expect("told");
    usize::try_from(quota.burst.expect("told").waiting_count).expect("fits")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_erased_while_its_creation_waits_for_the_burst_is_not_created() {
    // Time stands still: who waits for a place waits until HubSpot says that there are more.
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let limits = Limits {
        burst: 30,
        ..Limits::default()
    };
    let world = World::of_portals(1).limits(&limits);
    let hubkeep = Hubkeep::over(world).clock(clock).start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).within(LONG);
    let of_person = hubkeep.handle(A).for_person("ann").issue().await;
    let person = hubkeep.crm_as("sync").with(&of_person).within(LONG);
    person
        .get("contacts", "102")
        .await
        .expect("there are people here");
    let proven = person.update("contacts", "102", &[("firstname", "Bo")]).await;
    proven.expect("the token is proven");

    // All places are used, but for those that are kept for people.
    let writes: Vec<_> = (0..WRITES)
        .map(|_| {
            let crm = crm.clone();
            tokio::spawn(async move { crm.update("contacts", "103", &[("firstname", "x")]).await })
        })
        .collect();
    let served = || writes.iter().filter(|write| write.is_finished()).count();
    eventually!({
        let waiting = waits(&hubkeep).await;
        waiting > 0 && waiting + served() == WRITES
    });
    let before = waits(&hubkeep).await;
    let creation = tokio::spawn({
        let crm = crm.clone();
        async move { crm.create("contacts", &[("email", ANN)]).await }
    });
    eventually!(waits(&hubkeep).await == before + 1);
    person.erase("101", "").await.expect("erased");
    assert!(!creation.is_finished(), "it waits still");

    // HubSpot allows more, and says so in the next answer.
    let more = Limits {
        burst: 1_000,
        ..Limits::default()
    };
    hubkeep.hubspot.set_limits_of_all(&more);
    person.get("contacts", "102").await.expect("answered");
    let refused = Refused::in_place_of(creation.await.expect("no panic"));
    assert_eq!(refused.said(), (Code::FailedPrecondition, "CONTACT_ERASED"));
    assert_eq!(refused.metadata["input"], "0");
    for write in writes {
        write.await.expect("no panic").expect("written in the end");
    }
    let calls = hubkeep.hubspot_calls();
    let created = calls
        .iter()
        .filter(|call| call.method == "POST" && call.path == "/crm/objects/2026-09/contacts");
    assert_eq!(created.count(), 0, "it was not sent");
}

fn refused_by_hubspot() -> FaultRule {
    FaultRule::new(Fault::Status { status: 403 }).path(ERASURE)
}

async fn is_refused(erasure: &Crm) {
    let refused = Refused::in_place_of(erasure.erase(ANN, "email").await);
    assert_eq!(refused.reason, "SCOPE_MISSING");
}

async fn stays_away(crm: &Crm) {
    let refused = Refused::in_place_of(crm.create("contacts", &[("email", ANN)]).await);
    assert_eq!(refused.reason, "CONTACT_ERASED");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_erased_by_a_process_that_was_killed_stays_away_though_the_next_erasure_is_refused() {
    let mut process = CrmProcess::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    let handle = process.hubkeep.handle(A).issue().await;
    let hold = FaultRule::new(Fault::HoldUntilReleased).path(ERASURE);
    process.hubkeep.hubspot.inject(hold.after_effect());
    let crm = process.crm(&handle);
    let first = tokio::spawn(async move { crm.erase("101", "").await });
    process.hubkeep.hubspot.until_held(1).await;
    process.process.end();
    process.hubkeep.hubspot.clear_faults();
    first.await.expect("no panic").expect_err("nobody was answered");

    process.again();
    let crm = process.crm(&handle);
    let gone = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(gone.reason, "OBJECT_NOT_FOUND", "HubSpot has carried it out");
    process.hubkeep.hubspot.inject(refused_by_hubspot());
    is_refused(&crm).await;
    stays_away(&crm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_refused_takes_no_address_from_one_that_is_under_way() {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).within(LONG);
    let hold = FaultRule::new(Fault::HoldUntilReleased).path(ERASURE);
    hubkeep.hubspot.inject(hold.times(1));
    let first = tokio::spawn({
        let crm = crm.clone();
        async move { crm.erase("101", "").await }
    });
    hubkeep.hubspot.until_held(1).await;
    hubkeep.hubspot.inject(refused_by_hubspot());
    is_refused(&crm).await;
    stays_away(&crm).await;
    hubkeep.hubspot.clear_faults();
    first.await.expect("no panic").expect("erased");
    stays_away(&crm).await;
}
