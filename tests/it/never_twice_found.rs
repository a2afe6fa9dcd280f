//! A creation of unknown outcome is found by what HubSpot keeps unique, and by the record that it names when it refuses another.

use std::time::Duration;

use hubkeep_proto::crm::v1::WriteState;
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, JournalEntry, Limits, ObjectType, Refused, World,
    support::{
        many::rows,
        writes::{sent_writes, write_id},
    },
};
use hubspot_sim::{PropertyDef, PropertyKind};
use tonic::Code;

const A: &str = "client-0001";
/// HubSpot is given up so soon here.
const QUIET: Duration = Duration::from_millis(1_500);
const NUMBER: &str = "customer_number";

/// HubSpot is never given up within a test.
const AN_HOUR: Duration = Duration::from_secs(3_600);

async fn hubkeep() -> (Hubkeep, Crm) {
    hubkeep_of(QUIET).await
}

/// A portal whose companies have a number, no two the same.
async fn hubkeep_of(not_done_after: Duration) -> (Hubkeep, Crm) {
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()));
    let setup = setup.crm(move |config| config.writes.not_done_after = not_done_after);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let number = PropertyDef::new(NUMBER, PropertyKind::Text).unique();
    let id = hubkeep.portal_id(A);
    let defined = hubkeep.hubspot.define_property(id, ObjectType::Companies, number);
    defined.expect("defined");
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let proven = crm.update("contacts", "105", &[("firstname", "Ann")]).await;
    proven.expect("the token is proven");
    hubkeep.hubspot.clear_journal();
    (hubkeep, crm)
}

fn writes(hubkeep: &Hubkeep) -> Vec<JournalEntry> {
    sent_writes(hubkeep.journal())
}

/// The next creation takes effect, or not, and its answer is lost.
fn lose(hubkeep: &Hubkeep, after_effect: bool) {
    let rule = FaultRule::new(Fault::CutConnection).method("POST").times(1);
    hubkeep
        .hubspot
        .inject(if after_effect { rule.after_effect() } else { rule });
}

fn is_unknown(refused: &Refused) {
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
}

#[tokio::test]
async fn what_has_a_value_that_only_it_can_have_is_found_by_that() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    let values = [("name", "Acme"), (NUMBER, "A-7")];
    lose(&hubkeep, true);
    is_unknown(&Refused::in_place_of(crm.create("companies", &values).await));
    let found = crm.create("companies", &values).await.expect("found");
    assert!(found.reply.expect("about the call").kept);
    let found = found.object.expect("a record");
    assert_eq!(found.properties["name"], "Acme");
    assert_eq!(writes(&hubkeep).len(), 1, "it was sent once");
    let asked = hubkeep.journal();
    let searched = asked.iter().any(|entry| entry.path.ends_with("/search"));
    assert!(!searched, "never by the search, which lags behind");
    let schemas = asked
        .iter()
        .filter(|entry| entry.path.ends_with("/properties/2026-09/companies"));
    assert!(schemas.count() <= 2, "by each of two that looked, once");
}

#[tokio::test]
async fn it_is_found_by_a_value_that_no_path_could_hold_too() {
    let (hubkeep, crm) = hubkeep().await;
    for (number, happens) in [(1, true), (2, false)] {
        hubkeep.hubspot.clear_journal();
        let crm = crm.clone().under(&write_id(number));
        let key = format!("ACME / DE {number}");
        let values = [("name", "Acme"), (NUMBER, key.as_str())];
        lose(&hubkeep, happens);
        is_unknown(&Refused::in_place_of(crm.create("companies", &values).await));
        let found = crm.create("companies", &values).await.expect("known");
        assert_eq!(found.reply.expect("about the call").kept, happens);
        assert_eq!(found.object.expect("a record").properties["name"], "Acme");
        assert_eq!(writes(&hubkeep).len(), if happens { 1 } else { 2 });
        let in_a_path = hubkeep.journal().iter().any(|asked| asked.path.contains("ACME"));
        assert!(!in_a_path, "it is asked for in a body");
    }
}

#[tokio::test]
async fn what_is_not_found_by_it_is_made_and_a_second_one_would_be_refused() {
    let (hubkeep, crm) = hubkeep().await;
    lose(&hubkeep, false);
    let first = crm.clone().under(&write_id(1));
    let values = [("name", "Acme"), (NUMBER, "A-7")];
    is_unknown(&Refused::in_place_of(first.create("companies", &values).await));
    let made = first.create("companies", &values).await.expect("made now");
    assert!(!made.reply.expect("about the call").kept);
    assert_eq!(writes(&hubkeep).len(), 2, "once more, for it had not happened");

    // Somebody else's has the value, from before: it is in the way.
    let second = crm.clone().under(&write_id(2));
    let id = hubkeep.portal_id(A);
    let others = [("name", "Other"), (NUMBER, "B-1")];
    let old = crm.create("companies", &others).await.expect("made");
    let old = old.object.expect("a record").object_id.parse().expect("a number");
    let renamed = [("name", "By hand"), (NUMBER, "B-2")];
    let edited = hubkeep
        .hubspot
        .edit_by_hand(id, ObjectType::Companies, old, 7, &renamed);
    edited.expect("edited");
    lose(&hubkeep, false);
    let taken = [("name", "Mine"), (NUMBER, "B-2")];
    is_unknown(&Refused::in_place_of(second.create("companies", &taken).await));
    is_unknown(&Refused::in_place_of(second.create("companies", &taken).await));
}

#[tokio::test]
async fn a_batch_is_found_by_it_too_and_without_it_stays_listed() {
    let (hubkeep, crm) = hubkeep().await;
    let batch = crm.clone().under(&write_id(1));
    let inputs = [
        vec![("name", "One"), (NUMBER, "1")],
        vec![("name", "Two"), (NUMBER, "2")],
    ];
    let lost = || FaultRule::new(Fault::CutConnection).after_effect().times(1);
    let path = "/crm/objects/2026-09/companies/batch/create";
    hubkeep.hubspot.inject(lost().path(path));
    let refused = Refused::in_place_of(batch.create_many("companies", &inputs).await);
    is_unknown(&refused);
    let found = batch.create_many("companies", &inputs).await.expect("found");
    assert!(rows(&found.results).iter().all(Result::is_ok), "{found:?}");
    assert_eq!(writes(&hubkeep).len(), 1);

    let without = crm.clone().under(&write_id(2));
    let mixed = [vec![("name", "Three"), (NUMBER, "3")], vec![("name", "Four")]];
    hubkeep.hubspot.inject(lost().path(path));
    is_unknown(&Refused::in_place_of(
        without.create_many("companies", &mixed).await,
    ));
    is_unknown(&Refused::in_place_of(
        without.create_many("companies", &mixed).await,
    ));
    assert_eq!(writes(&hubkeep).len(), 2, "not all of it can be found");
    let reader = hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
    let listed = hubkeep
        .crm_as("sync")
        .with(&reader)
        .writes(&[])
        .await
        .expect("listed");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].request_id, write_id(2));
}

#[tokio::test]
async fn the_record_that_hubspot_names_when_it_refuses_another_is_the_one_that_was_made() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    // HubSpot has made it, and does not show it yet.
    let hidden = FaultRule::new(Fault::Status { status: 404 }).method("GET");
    let hidden = hidden.path("/crm/objects/2026-09/contacts/zoe");
    hubkeep.hubspot.inject(hidden);
    lose(&hubkeep, true);
    let values = [("email", "zoe@example.com"), ("firstname", "Zoe")];
    is_unknown(&Refused::in_place_of(crm.create("contacts", &values).await));
    let found = crm.create("contacts", &values).await.expect("it is there");
    let reply = found.reply.expect("about the call");
    assert!(reply.kept, "{reply:?}");
    let found = found.object.expect("a record");
    assert_eq!(found.properties["firstname"], "Zoe");
    assert_eq!(
        writes(&hubkeep).len(),
        2,
        "the second was refused, for there was one"
    );

    let before = hubkeep.journal().len();
    let again = crm.create("contacts", &values).await.expect("kept");
    assert_eq!(again.object.expect("a record").object_id, found.object_id);
    assert_eq!(hubkeep.journal().len(), before, "nothing is sent any more");
    let reader = hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
    let reader = hubkeep.crm_as("sync").with(&reader);
    assert_eq!(reader.writes(&[WriteState::Done]).await.expect("listed").len(), 1);
}

#[tokio::test]
async fn a_record_that_was_there_before_is_not_taken_for_ours() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    lose(&hubkeep, false);
    // The world's own contact, which is older than the write.
    let values = [("email", "contact1@client-0001.example"), ("firstname", "Zoe")];
    is_unknown(&Refused::in_place_of(crm.create("contacts", &values).await));
    let refused = Refused::in_place_of(crm.create("contacts", &values).await);
    assert_eq!(refused.reason, "OBJECT_CONFLICT");
    assert_eq!(refused.metadata["existing_object_id"], "101");
    let there = crm.get("contacts", "101").await.expect("there");
    let there = there.object.expect("a record").properties;
    assert_eq!(there["firstname"], "Contact 1", "nothing was written");
}

#[tokio::test]
async fn a_record_that_somebody_else_has_made_since_with_the_same_address_is_not_taken_for_ours() {
    let (hubkeep, crm) = hubkeep_of(AN_HOUR).await;
    let one = crm.clone().under(&write_id(1));
    lose(&hubkeep, false);
    let values = [("email", "zoe@example.com"), ("lifecyclestage", "customer")];
    is_unknown(&Refused::in_place_of(one.create("contacts", &values).await));
    let theirs = [("email", "zoe@example.com"), ("firstname", "Bo")];
    let theirs = crm.create("contacts", &theirs).await.expect("they make it");
    is_unknown(&Refused::in_place_of(one.create("contacts", &values).await));

    let many = crm.clone().under(&write_id(2));
    let lost = FaultRule::new(Fault::CutConnection).path("/crm/objects/2026-09/contacts/batch/create");
    hubkeep.hubspot.inject(lost.times(1));
    let inputs = [
        vec![("email", "x@example.com"), ("lastname", "X")],
        vec![("email", "y@example.com"), ("jobtitle", "Cook")],
    ];
    is_unknown(&Refused::in_place_of(many.create_many("contacts", &inputs).await));
    for email in ["x@example.com", "y@example.com"] {
        let theirs = [("email", email), ("firstname", "Bo"), ("lastname", "X")];
        crm.create("contacts", &theirs).await.expect("they make it");
    }
    is_unknown(&Refused::in_place_of(many.create_many("contacts", &inputs).await));

    let reader = hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
    let reader = hubkeep.crm_as("sync").with(&reader);
    let listed = reader.writes(&[]).await.expect("listed");
    assert_eq!(listed.len(), 2, "an operator hears of both: {listed:?}");
    let id = theirs.object.expect("a record").object_id;
    let there = crm.get("contacts", &id).await.expect("there");
    let there = there.object.expect("a record").properties;
    assert_eq!(there.get("firstname").map(String::as_str), Some("Bo"));
}
