//! Who was erased is gone, and is not created again through us, by whatever way.

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::{crm::v1::GetObjectRequest, error::v1::ErrorReason};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World,
    support::{
        many::{ids, rows},
        writes::write_id,
    },
};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";
const ANN: &str = "contact1@client-0001.example";

async fn hubkeep() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(2).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

fn erased<T: std::fmt::Debug>(answer: Result<T, tonic::Status>, input: &str) {
    let refused = Refused::in_place_of(answer);
    assert_eq!(refused.said(), (Code::FailedPrecondition, "CONTACT_ERASED"));
    assert_eq!(refused.metadata["input"], input);
    assert_eq!(refused.retry_after, None, "no waiting helps");
}

#[tokio::test]
async fn a_contact_that_was_erased_by_its_id_is_not_created_again_by_any_way() {
    let (hubkeep, crm) = hubkeep().await;
    crm.erase("101", "").await.expect("erased");
    let gone = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(gone.reason, "OBJECT_NOT_FOUND");
    let before = hubkeep.hubspot_calls().len();
    let shouted = ANN.to_uppercase();
    erased(crm.create("contacts", &[("email", ANN)]).await, "0");
    erased(crm.create("contacts", &[("email", &shouted)]).await, "0");
    erased(crm.create("0-1", &[("email", ANN)]).await, "0");
    let padded = Refused::in_place_of(crm.create("0-01", &[("email", ANN)]).await);
    assert_eq!(padded.fields, ["object_type"]);
    for name in ["Email", "HS_ADDITIONAL_EMAILS"] {
        erased(crm.create("contacts", &[(name, ANN)]).await, "0");
    }
    let named = [(ANN, vec![("firstname", "Ann")])];
    erased(crm.upsert("contacts", "EMAIL", &named).await, "0");
    erased(crm.update("contacts", "102", &[("email", ANN)]).await, "0");
    let others = format!("x@example.com;{ANN}");
    erased(
        crm.update("contacts", "102", &[("hs_additional_emails", &others)])
            .await,
        "0",
    );
    let twice = [vec![("email", ANN)], vec![("email", ANN)]];
    erased(crm.create_many("contacts", &twice).await, "0");
    erased(
        crm.upsert("contacts", "email", &[(ANN, vec![("firstname", "Ann")])])
            .await,
        "0",
    );
    assert_eq!(hubkeep.hubspot_calls().len(), before, "nothing was sent");
}

#[tokio::test]
async fn of_many_contacts_each_who_was_erased_is_told_in_its_place_and_all_others_are_written() {
    let (hubkeep, crm) = hubkeep().await;
    let address = |place: usize| format!("p{place}@example.com");
    let gone = [0, 130, 131, 249];
    for place in gone {
        crm.erase(&address(place), "email").await.expect("taken");
    }
    let addresses: Vec<String> = (0..250).map(address).collect();
    let inputs: Vec<_> = addresses
        .iter()
        .map(|address| (address.as_str(), vec![("firstname", "Ann")]))
        .collect();
    let crm = crm.under(&write_id(1));
    let written = crm.upsert("contacts", "email", &inputs).await.expect("taken");
    let sent = hubkeep.hubspot_calls().len();
    let again = crm.upsert("contacts", "email", &inputs).await.expect("kept");
    assert_eq!(hubkeep.hubspot_calls().len(), sent, "nothing is sent again");
    for results in [written.results, again.results] {
        let refused: Vec<_> = rows(&results)
            .into_iter()
            .enumerate()
            .filter_map(|(place, row)| Some((place, row.err()?)))
            .collect();
        assert_eq!(refused, gone.map(|place| (place, ErrorReason::ContactErased)));
    }
    let there = async |place: usize| {
        let message = GetObjectRequest {
            client_slug: A.to_owned(),
            object_type: "contacts".to_owned(),
            object_id: address(place),
            id_property: "email".to_owned(),
            ..GetObjectRequest::default()
        };
        crm.get_by(message).await.is_ok()
    };
    assert!(there(129).await && there(132).await && !there(130).await);
}

#[tokio::test]
async fn what_was_kept_of_writing_a_contact_is_told_to_nobody_when_it_was_erased_since() {
    let (hubkeep, crm) = hubkeep().await;
    let named = |number| crm.clone().under(&write_id(number));
    let zoe = [("email", "zoe@example.com"), ("firstname", "Zoe")];
    let made = named(1).create("contacts", &zoe).await.expect("made");
    let many = [vec![("firstname", "Bo")], vec![("firstname", "Cy")]];
    let others = named(2).create_many("contacts", &many).await.expect("made");
    let bo = ids(&others.results)[0].expect("made").to_owned();
    named(1).create("contacts", &zoe).await.expect("kept");
    for id in [&made.object.expect("a record").object_id, &bo] {
        crm.erase(id, "").await.expect("erased");
    }
    let sent = hubkeep.hubspot_calls().len();
    erased(named(1).create("contacts", &zoe).await, "0");
    let told = named(2).create_many("contacts", &many).await.expect("kept");
    let told = rows(&told.results);
    assert_eq!(
        told[0].err(),
        Some(ErrorReason::ContactErased),
        "it had no address"
    );
    assert_eq!(told[1].expect("she is there").properties["firstname"], "Cy");
    assert_eq!(hubkeep.hubspot_calls().len(), sent, "nothing was sent");
}

#[tokio::test]
async fn an_address_that_a_contact_had_before_it_was_erased_stays_away_too() {
    let (hubkeep, crm) = hubkeep().await;
    let changes = [
        [("email", "second@example.com")],
        [("hs_additional_emails", "work@example.com;home@example.com")],
        [("hs_additional_emails", "home@example.com")],
        [("email", "third@example.com")],
    ];
    for change in changes {
        crm.update("contacts", "101", &change).await.expect("changed");
    }
    crm.erase("101", "").await.expect("erased");
    let before = hubkeep.hubspot_calls().len();
    for address in [
        ANN,
        "second@example.com",
        "third@example.com",
        "work@example.com",
        "home@example.com",
    ] {
        erased(crm.create("contacts", &[("email", address)]).await, "0");
    }
    assert_eq!(hubkeep.hubspot_calls().len(), before, "nothing was sent");
    crm.create("contacts", &[("email", "fourth@example.com")])
        .await
        .expect("others are made");
}

#[tokio::test]
async fn an_address_that_hubspot_does_not_know_can_be_erased_and_stays_away() {
    let (_hubkeep, crm) = hubkeep().await;
    crm.erase("nobody@example.com", "email").await.expect("taken");
    crm.erase("nobody@example.com", "email").await.expect("and again");
    erased(
        crm.create("contacts", &[("email", "nobody@example.com")]).await,
        "0",
    );
}

#[tokio::test]
async fn a_contact_that_was_archived_before_it_was_erased_is_not_created_again_either() {
    let (_hubkeep, crm) = hubkeep().await;
    crm.archive("contacts", "101").await.expect("archived");
    crm.erase("101", "").await.expect("erased");
    erased(crm.create("contacts", &[("email", ANN)]).await, "0");
}

#[tokio::test]
async fn what_one_client_has_erased_another_may_have() {
    let (hubkeep, crm) = hubkeep().await;
    crm.erase("shared@example.com", "email").await.expect("taken");
    let other = hubkeep.handle(B).issue().await;
    let other = hubkeep.crm_as("sync").with(&other);
    other
        .create("contacts", &[("email", "shared@example.com")])
        .await
        .expect("made there");
}

#[tokio::test]
async fn an_erasure_that_hubspot_refused_suppresses_nobody() {
    let (hubkeep, crm) = hubkeep().await;
    let refusal = FaultRule::new(Fault::Status { status: 403 });
    hubkeep
        .hubspot
        .inject(refusal.path("/crm/objects/2026-09/contacts/gdpr-delete"));
    let refused = Refused::in_place_of(crm.erase("101", "").await);
    assert_eq!(refused.reason, "SCOPE_MISSING");
    hubkeep.hubspot.clear_faults();
    crm.update("contacts", "101", &[("email", ANN)])
        .await
        .expect("still there, and writable");
}

#[tokio::test]
async fn an_erasure_of_unknown_outcome_keeps_its_person_away() {
    let (hubkeep, crm) = hubkeep().await;
    let lost = FaultRule::new(Fault::CutConnection).path("/crm/objects/2026-09/contacts/gdpr-delete");
    hubkeep.hubspot.inject(lost.after_effect());
    let refused = Refused::in_place_of(crm.erase("101", "").await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    hubkeep.hubspot.clear_faults();
    erased(crm.create("contacts", &[("email", ANN)]).await, "0");
}

#[tokio::test]
async fn an_erasure_is_on_record_without_the_person_and_needs_a_right_of_its_own() {
    let (hubkeep, crm) = hubkeep().await;
    let archiver = hubkeep
        .handle(A)
        .allow([Allow::Get, Allow::Archive, Allow::Update])
        .issue()
        .await;
    let other = hubkeep.crm_as("sync").with(&archiver);
    let refused = Refused::in_place_of(other.erase("101", "").await);
    assert_eq!(refused.metadata["operation"], "ERASE");
    crm.erase(ANN, "email").await.expect("erased");
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    let ours: Vec<_> = intents
        .iter()
        .filter(|entry| entry.operation() == Operation::ContactErase)
        .collect();
    assert_eq!(ours.len(), 1);
    assert!(!format!("{ours:?}").contains("contact1@"), "no address");
    let wrong = Refused::in_place_of(crm.erase("101", "phone").await);
    assert_eq!(wrong.fields, ["id_property"]);
}
