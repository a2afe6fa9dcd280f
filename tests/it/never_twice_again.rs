//! A write of unknown outcome is never sent again before it is known not to have happened; it is looked for, and listed.

use std::time::Duration;

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::crm::v1::{ListWritesRequest, UpdateObjectResponse, Write, WriteState};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, JournalEntry, Limits, ObjectType, Refused, Service, World,
    eventually,
    support::{
        disk::WriteLock,
        many::rows,
        writes::{all_writes, sent_writes, write_id},
    },
};
use tonic::{Code, Status};

const A: &str = "client-0001";

/// HubSpot is given up so soon here.
const QUIET: Duration = Duration::from_millis(1_500);

async fn hubkeep(not_done_after: Duration) -> (Hubkeep, Crm) {
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()));
    let setup = setup.crm(move |config| config.writes.not_done_after = not_done_after);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.update("contacts", "105", &[("firstname", "Ann")])
        .await
        .expect("the token is proven");
    hubkeep.hubspot.clear_journal();
    (hubkeep, crm)
}

/// Who may read the audit, which the writer's own handle does not allow.
async fn reader(hubkeep: &Hubkeep) -> Crm {
    let handle = hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
    hubkeep.crm_as("sync").with(&handle)
}

async fn listed(hubkeep: &Hubkeep, states: &[WriteState]) -> Vec<Write> {
    reader(hubkeep).await.writes(states).await.expect("listed")
}

const AN_HOUR: Duration = Duration::from_secs(3_600);

fn writes(hubkeep: &Hubkeep) -> Vec<JournalEntry> {
    sent_writes(hubkeep.journal())
}

fn unknown<T: std::fmt::Debug>(answer: Result<T, Status>) -> Refused {
    let refused = Refused::in_place_of(answer);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    assert_eq!(refused.retry_after, None, "never to be retried blindly");
    assert!(!refused.metadata["call_id"].is_empty());
    refused
}

/// The next write takes effect, or not, and its answer is lost.
fn lose(hubkeep: &Hubkeep, method: &str, after_effect: bool) {
    let rule = FaultRule::new(Fault::CutConnection).method(method).times(1);
    hubkeep
        .hubspot
        .inject(if after_effect { rule.after_effect() } else { rule });
}

fn is_kept(updated: &UpdateObjectResponse) -> bool {
    updated.reply.as_ref().is_some_and(|reply| reply.kept)
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_is_found_and_not_sent_again() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let faults = [
        Fault::CutConnection,
        Fault::Status { status: 502 },
        Fault::Status { status: 524 },
        Fault::TruncatedJson,
    ];
    for (number, fault) in (1..).zip(faults) {
        hubkeep.hubspot.clear_journal();
        let name = format!("{fault:?}");
        let crm = crm.clone().under(&write_id(number));
        hubkeep
            .hubspot
            .inject(FaultRule::new(fault).method("PATCH").times(1).after_effect());
        unknown(crm.update("contacts", "101", &[("firstname", &name)]).await);
        let found = crm
            .update("contacts", "101", &[("firstname", &name)])
            .await
            .expect("found");
        assert!(is_kept(&found), "{name}");
        assert_eq!(found.object.expect("a record").properties["firstname"], name);
        crm.update("contacts", "101", &[("firstname", &name)])
            .await
            .expect("and kept");
        assert_eq!(writes(&hubkeep).len(), 1, "{name}");
    }
    let admin = hubkeep.entries(Service::Crm, Phase::Admin).await;
    let settled = admin
        .iter()
        .filter(|entry| entry.operation() == Operation::WriteSettle);
    assert_eq!(settled.count(), 4);
}

#[tokio::test]
async fn an_update_that_did_not_happen_is_sent_once_more_and_only_when_hubspot_cannot_be_at_it() {
    let (hubkeep, crm) = hubkeep(QUIET).await;
    let crm = crm.under(&write_id(1));
    lose(&hubkeep, "PATCH", false);
    unknown(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    let hasty = crm.clone().within(Duration::from_millis(800));
    unknown(hasty.update("contacts", "101", &[("firstname", "Zoe")]).await);
    assert_eq!(writes(&hubkeep).len(), 1, "too early to say");
    let patient = crm
        .update("contacts", "101", &[("firstname", "Zoe")])
        .await
        .expect("written");
    assert_eq!(patient.object.expect("a record").properties["firstname"], "Zoe");
    assert_eq!(writes(&hubkeep).len(), 2, "the first did nothing");
    crm.update("contacts", "101", &[("firstname", "Zoe")])
        .await
        .expect("kept");
    assert_eq!(writes(&hubkeep).len(), 2);
}

#[tokio::test]
async fn an_update_of_no_more_than_the_case_that_did_not_happen_is_sent_once_more() {
    let (hubkeep, crm) = hubkeep(QUIET).await;
    let crm = crm.under(&write_id(1));
    lose(&hubkeep, "PATCH", false);
    let louder = [("firstname", "CONTACT 1")];
    unknown(crm.update("contacts", "101", &louder).await);
    let written = crm.update("contacts", "101", &louder).await.expect("written");
    let written = written.object.expect("a record").properties;
    assert_eq!(written["firstname"], "CONTACT 1");
}

#[tokio::test]
async fn a_value_that_somebody_else_wrote_is_not_taken_for_ours() {
    let (hubkeep, crm) = hubkeep(QUIET).await;
    let crm = crm.under(&write_id(1));
    lose(&hubkeep, "PATCH", false);
    unknown(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    let id = hubkeep.portal_id(A);
    let edited = hubkeep
        .hubspot
        .edit_by_hand(id, ObjectType::Contacts, 101, 7, &[("firstname", "Zoe")]);
    edited.expect("edited");
    unknown(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    assert_eq!(writes(&hubkeep).len(), 1, "what cannot be told is not sent again");
    let found = listed(&hubkeep, &[]).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].state(), found[0].request_id.as_str()),
        (WriteState::Unknown, write_id(1).as_str())
    );
}

#[tokio::test]
async fn a_new_contact_is_found_by_its_address_and_a_new_company_stays_listed() {
    let (hubkeep, crm) = hubkeep(QUIET).await;
    let contact = crm.clone().under(&write_id(1));
    lose(&hubkeep, "POST", true);
    let values = [("email", "Zoe@example.com"), ("firstname", "Zoe")];
    unknown(contact.create("contacts", &values).await);
    let found = contact.create("contacts", &values).await.expect("found");
    assert_eq!(found.object.expect("a record").properties["firstname"], "Zoe");
    assert!(found.reply.expect("about the call").kept);

    let company = crm.clone().under(&write_id(2));
    lose(&hubkeep, "POST", true);
    let first = unknown(company.create("companies", &[("name", "Acme")]).await);
    let again = unknown(company.create("companies", &[("name", "Acme")]).await);
    assert_eq!(first.metadata["call_id"], again.metadata["call_id"]);
    assert_eq!(writes(&hubkeep).len(), 2);
    let found = listed(&hubkeep, &[]).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (
            found[0].operation.as_str(),
            found[0].object_type.as_str(),
            &found[0].call_id
        ),
        ("OBJECT_CREATE", "companies", &first.metadata["call_id"])
    );
}

#[tokio::test]
async fn archives_merges_associations_and_batches_are_found_too() {
    let (hubkeep, crm) = hubkeep(QUIET).await;
    let company = crm.create("companies", &[("name", "Acme")]).await.expect("made");
    let company = company.object.expect("a record").object_id;
    hubkeep.hubspot.clear_journal();
    let under = |number| crm.clone().under(&write_id(number));

    lose(&hubkeep, "DELETE", true);
    unknown(under(1).archive("contacts", "104").await);
    let archived = under(1).archive("contacts", "104").await.expect("found");
    assert!(archived.reply.expect("about the call").kept);

    lose(&hubkeep, "POST", true);
    unknown(under(2).merge("contacts", "101", "102").await);
    under(2).merge("contacts", "101", "102").await.expect("found");

    let pair = (("contacts", "103"), ("companies", company.as_str()));
    lose(&hubkeep, "PUT", true);
    unknown(under(3).associate(pair, vec![]).await);
    under(3).associate(pair, vec![]).await.expect("found");
    lose(&hubkeep, "DELETE", true);
    unknown(under(4).dissociate(pair).await);
    under(4).dissociate(pair).await.expect("found");

    let changes = [
        ("103", vec![("firstname", "Cy")]),
        ("105", vec![("firstname", "Dee")]),
    ];
    let batch = "/crm/objects/2026-09/contacts/batch";
    let lost = || FaultRule::new(Fault::CutConnection).after_effect().times(1);
    hubkeep.hubspot.inject(lost().path(format!("{batch}/update")));
    unknown(under(5).update_many("contacts", &changes).await);
    let found = under(5).update_many("contacts", &changes).await.expect("found");
    assert!(rows(&found.results).iter().all(Result::is_ok), "{found:?}");

    let new = [vec![("email", "x@example.com")], vec![("email", "y@example.com")]];
    hubkeep.hubspot.inject(lost().path(format!("{batch}/create")));
    unknown(under(6).create_many("contacts", &new).await);
    under(6).create_many("contacts", &new).await.expect("found");

    let upserted = [
        ("x@example.com", vec![("firstname", "X")]),
        ("z@example.com", vec![("firstname", "Z")]),
    ];
    hubkeep.hubspot.inject(lost().path(format!("{batch}/upsert")));
    unknown(under(7).upsert("contacts", "email", &upserted).await);
    under(7)
        .upsert("contacts", "email", &upserted)
        .await
        .expect("found");

    hubkeep.hubspot.inject(lost().path(format!("{batch}/archive")));
    unknown(under(8).archive_many("contacts", &["103", "105"]).await);
    under(8)
        .archive_many("contacts", &["103", "105"])
        .await
        .expect("found");

    assert_eq!(writes(&hubkeep).len(), 8, "each was sent once");
    assert!(listed(&hubkeep, &[]).await.is_empty());
}

#[tokio::test]
async fn an_erasure_of_unknown_outcome_stays_listed() {
    let (hubkeep, crm) = hubkeep(QUIET).await;
    let crm = crm.under(&write_id(1));
    lose(&hubkeep, "POST", true);
    unknown(crm.erase("101", "").await);
    unknown(crm.erase("101", "").await);
    assert_eq!(writes(&hubkeep).len(), 1);
    assert_eq!(listed(&hubkeep, &[]).await[0].operation, "CONTACT_ERASE");
}

#[tokio::test]
async fn without_a_request_id_an_unknown_write_is_listed_and_settled_by_itself() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    assert!(
        listed(&hubkeep, &[WriteState::Done]).await.is_empty(),
        "of others nothing is kept"
    );
    lose(&hubkeep, "PATCH", true);
    let refused = unknown(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    let found = listed(&hubkeep, &[]).await;
    assert_eq!(found[0].call_id, refused.metadata["call_id"]);
    assert_eq!(
        (found[0].request_id.as_str(), found[0].caller.as_str()),
        ("", "sync")
    );
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    let intent = intents.iter().find(|entry| entry.call_id == found[0].call_id);
    assert_eq!(found[0].object_ref, intent.expect("on record").object_ref);
    assert!(!found[0].object_ref.is_empty());
    let reader = reader(&hubkeep).await;
    eventually!(reader.writes(&[]).await.expect("listed").is_empty());
    let done = listed(&hubkeep, &[WriteState::Done]).await;
    assert_eq!((done.len(), done[0].settled_by.as_str()), (1, "read"));
    assert_eq!(writes(&hubkeep).len(), 1);
}

#[tokio::test]
async fn writes_are_listed_for_who_may_read_the_audit_and_for_operators() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    for number in 0..5 {
        lose(&hubkeep, "POST", true);
        unknown(
            crm.clone()
                .under(&write_id(number))
                .create("companies", &[("name", "Acme")])
                .await,
        );
    }
    let channel = || hubkeep.channel(Service::Crm);
    let mut token = String::new();
    let mut found = Vec::new();
    loop {
        let message = ListWritesRequest {
            client_slug: A.to_owned(),
            page_size: 2,
            page_token: token,
            ..ListWritesRequest::default()
        };
        let page = all_writes(channel(), message).await.expect("an operator may");
        found.extend(page.writes.into_iter().map(|write| write.request_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(
        found,
        (0..5).map(write_id).collect::<Vec<_>>(),
        "oldest first, none twice"
    );
    let nobody = ListWritesRequest {
        client_slug: "client-0002".to_owned(),
        ..ListWritesRequest::default()
    };
    assert!(
        all_writes(channel(), nobody)
            .await
            .expect("listed")
            .writes
            .is_empty()
    );

    let writer = hubkeep.handle(A).allow([Allow::Get, Allow::Update]).issue().await;
    let writer = hubkeep.crm_as("sync").with(&writer);
    assert_eq!(
        Refused::in_place_of(writer.writes(&[]).await).reason,
        "OPERATION_NOT_ALLOWED"
    );
    let elsewhere = Refused::in_place_of(reader(&hubkeep).await.naming("client-0002").writes(&[]).await);
    assert_eq!(elsewhere.reason, "PORTAL_MISMATCH");
    let entries = hubkeep.entries(Service::Crm, Phase::Denied).await;
    let denied = entries
        .iter()
        .filter(|entry| entry.operation() == Operation::WriteList);
    assert_eq!(denied.count(), 2, "refusals are on record");
}

#[tokio::test]
async fn where_nobody_can_say_whether_it_was_made_before_nothing_is_sent() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    crm.clone()
        .under(&write_id(2))
        .update("contacts", "102", &[("firstname", "Bo")])
        .await
        .expect("there is a key");
    hubkeep.hubspot.clear_journal();
    let locked = WriteLock::take(&hubkeep.folder().join("crm-service.db"));
    let crm = crm.under(&write_id(1)).within(Duration::from_secs(25));
    let refused = Refused::in_place_of(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    assert_eq!(refused.said(), (Code::Unavailable, "STORAGE_UNAVAILABLE"));
    assert!(writes(&hubkeep).is_empty());
    drop(locked);
    crm.update("contacts", "101", &[("firstname", "Zoe")])
        .await
        .expect("written");
}

#[tokio::test]
async fn when_the_handle_has_ended_a_write_is_found_by_what_was_reserved_with_it() {
    let (hubkeep, _) = hubkeep(Duration::from_secs(6)).await;
    let short = hubkeep.handle(A).lifetime(Duration::from_secs(4)).issue().await;
    let crm = hubkeep.crm_as("sync").with(&short);
    // What is not there may still come, until HubSpot has given up: by then the handle has ended.
    lose(&hubkeep, "PATCH", false);
    unknown(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    let reader = reader(&hubkeep).await;
    eventually!(reader.writes(&[]).await.expect("listed").is_empty());
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.reason, "HANDLE_INVALID", "it has ended");
    let settled = reader.writes(&[WriteState::NotDone]).await.expect("listed");
    assert_eq!(settled.len(), 1);
    let issued = hubkeep.entries(Service::Credential, Phase::Admin).await;
    let of = |operation| {
        issued
            .iter()
            .filter(|entry| entry.operation() == operation)
            .count()
    };
    assert_eq!(
        (of(Operation::CallReserve), of(Operation::ReservationRedeem)),
        (1, 1)
    );
    assert_eq!(writes(&hubkeep).len(), 1, "nobody sent it again");
}
