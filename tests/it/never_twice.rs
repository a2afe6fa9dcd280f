//! A write is made once, however often it is asked for under its request id.

use std::time::Duration;

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::{
    credential::v1::ErasePortalRequest,
    crm::v1::{CreateObjectResponse, Reply, WriteState},
};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Fleet, Hubkeep, JournalEntry, Limits, Refused, Service, World, eventually,
    support::{
        crm_process::CrmProcess,
        many::rows,
        writes::{sent_writes, write_id},
    },
};
use tonic::Code;

const A: &str = "client-0001";

async fn hubkeep() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

fn writes(hubkeep: &Hubkeep) -> Vec<JournalEntry> {
    sent_writes(hubkeep.journal())
}

fn made(response: CreateObjectResponse) -> (String, Reply) {
    (
        response.object.expect("a record").object_id,
        response.reply.expect("about the call"),
    )
}

#[tokio::test]
async fn the_same_bytes_again_give_the_first_result_and_nothing_is_sent_or_paid() {
    let (hubkeep, _) = hubkeep().await;
    let handle = hubkeep.handle(A).budget(2, 2).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).under(&write_id(1));
    let (first, reply) = made(crm.create("companies", &[("name", "Acme")]).await.expect("made"));
    assert!(!reply.kept);
    let before = hubkeep.journal().len();
    for _ in 0..3 {
        let (again, repeated) = made(crm.create("companies", &[("name", "Acme")]).await.expect("kept"));
        assert_eq!((&again, &repeated.call_id), (&first, &reply.call_id));
        assert_eq!(repeated.audit_position, reply.audit_position);
        assert!(repeated.kept, "{repeated:?}");
    }
    assert_eq!(hubkeep.journal().len(), before, "nothing reached HubSpot");
    let admin = hubkeep.entries(Service::Crm, Phase::Admin).await;
    let repeats = admin
        .iter()
        .filter(|entry| entry.operation() == Operation::WriteRepeat);
    assert_eq!(repeats.count(), 3, "each time it was given is on record");
    let next = crm
        .clone()
        .under(&write_id(2))
        .create("companies", &[("name", "B")])
        .await;
    next.expect("only the first was paid for");
    let spent = crm
        .under(&write_id(3))
        .create("companies", &[("name", "C")])
        .await;
    assert_eq!(Refused::in_place_of(spent).reason, "HANDLE_BUDGET_EXHAUSTED");
}

#[tokio::test]
async fn a_restart_does_not_forget_what_was_made() {
    let mut process = CrmProcess::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    let handle = process.hubkeep.handle(A).issue().await;
    let crm = process.crm(&handle).under(&write_id(1));
    let (first, reply) = made(crm.create("companies", &[("name", "Acme")]).await.expect("made"));
    process.process.end();
    process.again();
    let crm = process.crm(&handle).under(&write_id(1));
    let (again, repeated) = made(crm.create("companies", &[("name", "Acme")]).await.expect("kept"));
    assert_eq!((again, repeated.call_id), (first, reply.call_id));
    assert!(repeated.kept);
    assert_eq!(writes(&process.hubkeep).len(), 1);
}

#[tokio::test]
async fn other_bytes_under_the_same_id_are_refused_and_an_id_is_a_callers_own() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    crm.update("contacts", "101", &[("firstname", "Ann")])
        .await
        .expect("written");
    let other_value = crm.update("contacts", "101", &[("firstname", "Bob")]).await;
    let other_kind = crm.archive("contacts", "101").await;
    for refused in [
        Refused::in_place_of(other_value),
        Refused::in_place_of(other_kind),
    ] {
        assert_eq!(refused.said(), (Code::FailedPrecondition, "REQUEST_ID_REUSED"));
        assert!(!refused.metadata["call_id"].is_empty());
        assert_eq!(refused.retry_after, None, "no waiting helps");
    }
    assert_eq!(writes(&hubkeep).len(), 1);
    let other = hubkeep.handle(A).for_caller("other").issue().await;
    let other = hubkeep.crm_as("other").with(&other).under(&write_id(1));
    other
        .update("contacts", "102", &[("firstname", "Cy")])
        .await
        .expect("another caller's own");
    assert_eq!(writes(&hubkeep).len(), 2);
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_told_with_every_other_fault() {
    let (hubkeep, crm) = hubkeep().await;
    let refused = Refused::in_place_of(crm.under("order-17").update("contacts", "x", &[]).await);
    assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"));
    for field in ["request_id", "object_id", "properties"] {
        assert!(
            refused.fields.iter().any(|told| told == field),
            "{field}: {refused:?}"
        );
    }
    assert!(writes(&hubkeep).is_empty());
}

#[tokio::test]
async fn who_asks_while_it_is_under_way_waits_for_it_or_is_told_to_ask_again() {
    let (hubkeep, crm) = hubkeep().await;
    crm.update("contacts", "102", &[("firstname", "Ann")])
        .await
        .expect("the token is proven");
    let crm = crm.under(&write_id(1));
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).times(1));
    let create = |crm: Crm| tokio::spawn(async move { crm.create("companies", &[("name", "Acme")]).await });
    let first = create(crm.clone());
    hubkeep.hubspot.until_held(1).await;
    let impatient = crm.clone().within(Duration::from_millis(300));
    let refused = Refused::in_place_of(impatient.create("companies", &[("name", "Acme")]).await);
    assert_eq!(refused.said(), (Code::Unavailable, "WRITE_UNDER_WAY"));
    assert!(refused.retry_after.is_some());
    let second = create(crm);
    hubkeep.hubspot.release(held);
    let (first, second) = (
        made(first.await.expect("no panic").expect("made")),
        made(second.await.expect("no panic").expect("made")),
    );
    assert_eq!(first.0, second.0);
    assert!(!first.1.kept && second.1.kept);
    assert_eq!(writes(&hubkeep).len(), 2, "the first of all, and one for both");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_two_replicas_at_the_same_instant_it_is_made_once() {
    let fleet = Fleet::start(World::of_portals(1).limits(&Limits::unlimited()), 2).await;
    fleet.onboard_all().await;
    let handle = fleet.handle(A).issue().await;
    for number in 0..10 {
        let name = format!("Company {number}");
        let callers = (0..6).map(|_| {
            let crm = fleet.crm_as("sync").with(&handle).under(&write_id(number));
            let name = name.clone();
            tokio::spawn(async move { crm.create("companies", &[("name", &name)]).await })
        });
        let mut ids = Vec::new();
        for caller in callers.collect::<Vec<_>>() {
            ids.push(made(caller.await.expect("no panic").expect("made")).0);
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    assert_eq!(sent_writes(fleet.hubspot.journal()).len(), 10);
}

#[tokio::test]
async fn what_was_refused_has_made_no_use_of_its_id() {
    let (hubkeep, _) = hubkeep().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).under(&write_id(1));
    let invalid = Refused::in_place_of(crm.create("contacts", &[("no_such_property", "x")]).await);
    assert_eq!(invalid.reason, "HUBSPOT_VALIDATION");
    let locked = FaultRule::new(Fault::Status { status: 423 })
        .method("POST")
        .times(1);
    hubkeep.hubspot.inject(locked);
    // A lock outlasts this deadline, so that it is told.
    let hasty = crm.clone().within(Duration::from_millis(1_500));
    let locked = Refused::in_place_of(hasty.create("contacts", &[("email", "new@example.com")]).await);
    assert_eq!(locked.reason, "OBJECT_LOCKED");
    crm.erase("101", "")
        .await
        .expect("the id is free for whatever is asked");
    let crm = crm.under(&write_id(2));
    let erased = crm
        .create("contacts", &[("email", "contact1@client-0001.example")])
        .await;
    assert_eq!(Refused::in_place_of(erased).reason, "CONTACT_ERASED");
    crm.create("contacts", &[("email", "new@example.com")])
        .await
        .expect("free here too");
}

#[tokio::test]
async fn what_is_kept_is_cut_by_the_permit_of_who_asks_again() {
    let (hubkeep, crm) = hubkeep().await;
    let values = [("firstname", "Ann"), ("lastname", "Lee")];
    let crm = crm.under(&write_id(1));
    let whole = crm
        .update("contacts", "101", &values)
        .await
        .expect("written")
        .object;
    assert_eq!(whole.expect("a record").properties["lastname"], "Lee");
    let narrow = hubkeep
        .handle(A)
        .properties(["firstname", "lastname", "phone"])
        .issue()
        .await;
    let narrow = hubkeep.crm_as("sync").with(&narrow).under(&write_id(1));
    let cut = narrow
        .update("contacts", "101", &values)
        .await
        .expect("kept")
        .object;
    let cut = cut.expect("a record").properties;
    assert!(
        cut.contains_key("lastname") && !cut.contains_key("email"),
        "{cut:?}"
    );
    let none = hubkeep.handle(A).allow([Allow::Get]).issue().await;
    let none = hubkeep.crm_as("sync").with(&none).under(&write_id(1));
    let refused = Refused::in_place_of(none.update("contacts", "101", &values).await);
    assert_eq!(
        refused.reason, "OPERATION_NOT_ALLOWED",
        "who may not write learns nothing"
    );
    assert_eq!(writes(&hubkeep).len(), 1);
}

#[tokio::test]
async fn an_ended_handle_gets_nothing_and_a_new_one_the_result() {
    let (hubkeep, _) = hubkeep().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).under(&write_id(1));
    let (first, _) = made(crm.create("companies", &[("name", "Acme")]).await.expect("made"));
    hubkeep.revoke(&handle).await;
    eventually!(crm.create("companies", &[("name", "Acme")]).await.is_err());
    let refused = Refused::in_place_of(crm.create("companies", &[("name", "Acme")]).await);
    assert_eq!(refused.reason, "HANDLE_INVALID");
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).under(&write_id(1));
    let (again, _) = made(crm.create("companies", &[("name", "Acme")]).await.expect("kept"));
    assert_eq!(again, first);
}

#[tokio::test]
async fn of_a_batch_asked_for_again_only_what_was_not_sent_is_sent() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    let names: Vec<String> = (0..250).map(|number| format!("Company {number}")).collect();
    let inputs: Vec<Vec<(&str, &str)>> = names.iter().map(|name| vec![("name", name.as_str())]).collect();
    let first = crm.create_many("companies", &inputs).await.expect("made");
    assert!(rows(&first.results).iter().all(Result::is_ok));
    assert_eq!(writes(&hubkeep).len(), 3);
    // Whatever reached HubSpot now would be refused.
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Status { status: 403 }));
    let again = crm.create_many("companies", &inputs).await.expect("kept");
    assert_eq!(again.results, first.results);
    assert!(again.replies.iter().all(|reply| reply.kept));
    assert_eq!(writes(&hubkeep).len(), 3);
    let reader = hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
    let reader = hubkeep.crm_as("sync").with(&reader);
    let done = reader.writes(&[WriteState::Done]).await.expect("listed");
    let parts: Vec<u32> = done.iter().map(|write| write.part).collect();
    assert_eq!(parts, [0, 1, 2]);
}

#[tokio::test]
async fn of_a_batch_that_ended_early_the_rest_is_sent_when_it_is_asked_for_again() {
    let (hubkeep, crm) = hubkeep().await;
    let names: Vec<String> = (0..250).map(|number| format!("Company {number}")).collect();
    let inputs: Vec<Vec<(&str, &str)>> = names.iter().map(|name| vec![("name", name.as_str())]).collect();
    crm.update("contacts", "102", &[("firstname", "Ann")])
        .await
        .expect("the token is proven");
    hubkeep.hubspot.clear_journal();
    let crm = crm.under(&write_id(1));
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).times(1));
    let request = tokio::spawn({
        let (crm, names) = (crm.clone(), names.clone());
        async move {
            let inputs: Vec<Vec<(&str, &str)>> =
                names.iter().map(|name| vec![("name", name.as_str())]).collect();
            crm.create_many("companies", &inputs).await
        }
    });
    hubkeep.hubspot.until_held(1).await;
    // The first call is at HubSpot; the next one is refused.
    hubkeep.hubspot.inject(
        FaultRule::new(Fault::Status { status: 403 })
            .method("POST")
            .times(1),
    );
    hubkeep.hubspot.release(held);
    let first = request.await.expect("no panic").expect("a part was made");
    let made = rows(&first.results).iter().filter(|row| row.is_ok()).count();
    assert_eq!(made, 100, "{:?}", first.results.last());
    let again = crm.create_many("companies", &inputs).await.expect("made");
    assert!(rows(&again.results).iter().all(Result::is_ok));
    assert_eq!(again.results[..100], first.results[..100]);
    let kept: Vec<bool> = again.replies.iter().map(|reply| reply.kept).collect();
    assert_eq!(kept, [true, false, false]);
    assert_eq!(writes(&hubkeep).len(), 4, "one of the four was refused");
}

#[tokio::test]
async fn labels_are_not_read_again_for_what_was_made() {
    let (hubkeep, crm) = hubkeep().await;
    let (company, _) = made(crm.create("companies", &[("name", "Acme")]).await.expect("made"));
    let crm = crm.under(&write_id(1));
    let primary = hubkeep_proto::crm::v1::AssociationLabel {
        type_id: 1,
        ..Default::default()
    };
    let pair = (("contacts", "101"), ("companies", company.as_str()));
    crm.associate(pair, vec![primary.clone()])
        .await
        .expect("associated");
    let before = hubkeep.journal().len();
    let again = crm.associate(pair, vec![primary]).await.expect("kept");
    assert!(again.reply.expect("about the call").kept);
    assert_eq!(hubkeep.journal().len(), before, "not even a read");
    crm.under(&write_id(2)).dissociate(pair).await.expect("ended");
}

#[tokio::test]
async fn an_erased_portal_has_no_writes_left() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    crm.create("companies", &[("name", "Acme")]).await.expect("made");
    let rows = || -> i64 {
        let database = rusqlite::Connection::open(hubkeep.folder().join("crm-service.db")).expect("opens");
        let count = database.query_row("SELECT COUNT(*) FROM write_call", [], |row| row.get(0));
        count.expect("counted")
    };
    assert_eq!(rows(), 1);
    let erase = hubkeep.by_operator(ErasePortalRequest {
        client_slug: A.to_owned(),
        expected_portal_id: hubkeep.portal_id(A),
    });
    hubkeep.portals().erase_portal(erase).await.expect("erased");
    eventually!(rows() == 0);
    let refused = Refused::in_place_of(crm.create("companies", &[("name", "Acme")]).await);
    assert_eq!(refused.reason, "HANDLE_INVALID");
}
