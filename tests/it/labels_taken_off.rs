//! Single labels are taken off pairs of records: each pair has its result, and whatever else two records are to each other stays.

use std::time::Duration;

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::{crm::v1::AssociationLabel, error::v1::ErrorReason};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, ObjectType, PortalSpec, Refused, Service, TokenSpec,
    World, eventually,
    support::{
        limited::{Limited, Wish},
        pairs::{Labelled, kinds, pages},
        writes::write_id,
    },
};
use tonic::Code;

const A: &str = "acme";
const ID: u64 = 4_242;
const TYPES: (&str, &str) = ("contacts", "companies");
const ANN: &str = "101";
const BOB: &str = "102";
const NOBODY: &str = "999";
const ACME: &str = "10000101";
const GLOBEX: &str = "10000102";
/// HubSpot's own: a contact's primary company, and the one without a label.
const PRIMARY: u32 = 1;
const PLAIN: u32 = 279;
const ARCHIVE: &str = "/crm/associations/2026-09/contacts/companies/batch/labels/archive";
/// HubSpot is given up so soon where a test says so.
const QUIET: Duration = Duration::from_millis(1_500);

fn world() -> World {
    let token = TokenSpec::private_app("pat-na1-0000aaaa-labelsoff-0001");
    let portal = PortalSpec::new(A, ID)
        .token(token)
        .limits(Limits::unlimited())
        .record(ObjectType::Contacts, &[("email", "ann@acme.example")])
        .record(ObjectType::Contacts, &[("email", "bob@acme.example")])
        .record(ObjectType::Companies, &[("name", "Acme")])
        .record(ObjectType::Companies, &[("name", "Globex")]);
    World {
        portals: vec![portal],
        apps: Vec::new(),
    }
}

async fn hubkeep(not_done_after: Duration) -> (Hubkeep, Crm) {
    let setup = Hubkeep::over(world()).crm(move |config| config.writes.not_done_after = not_done_after);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

const AN_HOUR: Duration = Duration::from_secs(3_600);

fn primary() -> AssociationLabel {
    AssociationLabel {
        type_id: PRIMARY,
        ..AssociationLabel::default()
    }
}

fn plain() -> AssociationLabel {
    AssociationLabel {
        type_id: PLAIN,
        ..AssociationLabel::default()
    }
}

/// A label of the portal's own.
fn own(hubkeep: &Hubkeep) -> AssociationLabel {
    let sides = (ObjectType::Contacts, ObjectType::Companies);
    let type_id = hubkeep
        .hubspot
        .define_label(ID, sides, "Advisor")
        .expect("defined");
    AssociationLabel {
        type_id,
        category: "USER_DEFINED".to_owned(),
        label: String::new(),
    }
}

/// In which ways two records belong together; none if they do not.
async fn between(crm: &Crm, contact: &str, company: &str) -> Vec<u32> {
    let read = crm.associated_many(TYPES, &[contact]).await.expect("answered");
    let page = pages(&read.results)[0].expect("a page");
    let found = page.records.iter().find(|record| record.object_id == company);
    let labels = found.into_iter().flat_map(|record| &record.labels);
    let mut kinds: Vec<u32> = labels.map(|label| label.type_id).collect();
    kinds.sort_unstable();
    kinds
}

/// How often HubSpot was asked to take labels off.
fn sent(hubkeep: &Hubkeep) -> usize {
    let calls = hubkeep.hubspot_calls();
    calls.iter().filter(|call| call.path == ARCHIVE).count()
}

#[tokio::test]
async fn a_label_is_taken_off_and_the_others_stay() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let advisor = own(&hubkeep);
    let both = vec![primary(), advisor.clone()];
    let given: [Labelled<'_>; 2] = [(ANN, ACME, both.clone()), (BOB, GLOBEX, both)];
    crm.associate_many(TYPES, &given).await.expect("given");

    let off: [Labelled<'_>; 2] = [(ANN, ACME, vec![primary()]), (BOB, GLOBEX, vec![plain()])];
    let taken = crm.unlabel_many(TYPES, &off).await.expect("taken off");
    assert_eq!(kinds(&taken.results), [Ok(vec![]), Ok(vec![])]);
    assert_eq!((taken.replies.len(), sent(&hubkeep)), (1, 1));
    let mut left = vec![PLAIN, advisor.type_id];
    left.sort_unstable();
    assert_eq!(between(&crm, ANN, ACME).await, left);
    assert!(
        between(&crm, BOB, GLOBEX).await.is_empty(),
        "without the plain one nothing is left"
    );
    // What is not there may be taken off all the same.
    let again: [Labelled<'_>; 1] = [(ANN, ACME, vec![primary()])];
    crm.unlabel_many(TYPES, &again).await.expect("nothing changes");
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    let on_record = intents
        .iter()
        .filter(|entry| entry.operation() == Operation::AssociationLabelBatchRemove);
    assert_eq!(on_record.count(), 2);
}

#[tokio::test]
async fn each_pair_has_its_result_whatever_becomes_of_the_others() {
    let (_hubkeep, crm) = hubkeep(AN_HOUR).await;
    let given: [Labelled<'_>; 2] = [(ANN, ACME, vec![primary()]), (BOB, ACME, vec![primary()])];
    crm.associate_many(TYPES, &given).await.expect("given");
    let off: [Labelled<'_>; 3] = [
        (ANN, ACME, vec![primary()]),
        (NOBODY, ACME, vec![primary()]),
        (BOB, ACME, vec![primary()]),
    ];
    let taken = crm.unlabel_many(TYPES, &off).await.expect("answered");
    let refused = Err(ErrorReason::HubspotValidation);
    assert_eq!(kinds(&taken.results), [Ok(vec![]), refused, Ok(vec![])]);
    for contact in [ANN, BOB] {
        assert_eq!(between(&crm, contact, ACME).await, [PLAIN]);
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_with_the_place_of_each_fault() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let wrong: [Labelled<'_>; 3] = [
        (ANN, ACME, vec![]),
        (BOB, ACME, vec![primary()]),
        (BOB, ACME, vec![AssociationLabel::default()]),
    ];
    let refused = Refused::in_place_of(crm.unlabel_many(TYPES, &wrong).await);
    assert_eq!(
        refused.fields,
        [
            "inputs[0].labels",
            "inputs[2].labels[0].type_id",
            "inputs[2].to_object_id"
        ],
        "all labels end only where that is said"
    );
    let nothing = Refused::in_place_of(crm.unlabel_many(TYPES, &[]).await);
    assert_eq!(nothing.fields, ["inputs"]);
    assert_eq!(sent(&hubkeep), 0);
}

#[tokio::test]
async fn it_needs_the_right_to_associate_records_of_both_types() {
    let (hubkeep, _) = hubkeep(AN_HOUR).await;
    let off: [Labelled<'_>; 1] = [(ANN, ACME, vec![primary()])];
    let reader = hubkeep.handle(A).allow([Allow::Get]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&reader);
    let refused = Refused::in_place_of(crm.unlabel_many(TYPES, &off).await);
    assert_eq!(refused.metadata["operation"], "ASSOCIATE");
    let contacts_only = hubkeep.handle(A).types(["contacts"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&contacts_only);
    let refused = Refused::in_place_of(crm.unlabel_many(TYPES, &off).await);
    assert_eq!(refused.metadata["object_type"], "companies");
    assert_eq!(sent(&hubkeep), 0);
    let writer = hubkeep.handle(A).allow([Allow::Associate]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&writer);
    crm.unlabel_many(TYPES, &off)
        .await
        .expect("nothing is read for it");
}

#[tokio::test]
async fn a_handle_for_some_owners_records_takes_no_labels_off() {
    let limited = Limited::start(world()).await;
    let wish = Wish {
        properties: &[],
        pipelines: &[],
        owner_ids: &["7"],
        max_calls: 0,
        max_records: 0,
        slice: 1_000,
        keep_for: Duration::from_secs(60),
        writes_need_approval: false,
    };
    let crm = limited.holder(A, &wish);
    let off: [Labelled<'_>; 1] = [(ANN, ACME, vec![primary()])];
    let refused = Refused::in_place_of(crm.unlabel_many(TYPES, &off).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    assert!(limited.sent().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_found_out_by_the_labels_that_are_left_and_nothing_is_sent_twice() {
    let (hubkeep, crm) = hubkeep(QUIET).await;
    let given: [Labelled<'_>; 2] = [(ANN, ACME, vec![primary()]), (BOB, ACME, vec![primary()])];
    crm.associate_many(TYPES, &given).await.expect("given");
    let crm = crm.under(&write_id(1));
    let lost = || FaultRule::new(Fault::CutConnection).path(ARCHIVE).times(1);
    hubkeep.hubspot.inject(lost().after_effect());
    let refused = Refused::in_place_of(crm.unlabel_many(TYPES, &given).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let found = crm.unlabel_many(TYPES, &given).await.expect("it was done");
    assert_eq!(kinds(&found.results), [Ok(vec![]), Ok(vec![])]);
    assert!(found.replies.iter().all(|reply| reply.kept));
    assert_eq!(sent(&hubkeep), 1);

    // One that HubSpot never carried out is sent once more, when HubSpot cannot be at it any more.
    let crm = crm.under(&write_id(2));
    crm.associate_many(TYPES, &given).await.expect("given again");
    let crm = crm.under(&write_id(3));
    hubkeep.hubspot.inject(lost());
    let refused = Refused::in_place_of(crm.unlabel_many(TYPES, &given).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let made = crm.unlabel_many(TYPES, &given).await.expect("taken off now");
    assert!(made.replies.iter().all(|reply| !reply.kept));
    assert_eq!(sent(&hubkeep), 3);
    assert_eq!(between(&crm, ANN, ACME).await, [PLAIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_is_not_taken_off_while_another_has_the_turn_at_the_pair() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let advisor = own(&hubkeep);
    let pair = ((TYPES.0, ANN), (TYPES.1, ACME));
    crm.associate(pair, vec![primary()]).await.expect("given");
    let held = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).method("PUT"));
    let (giver, given) = (crm.clone(), advisor.clone());
    let giving = tokio::spawn(async move { giver.associate(pair, vec![given]).await });
    eventually!(hubkeep.hubspot.held() > 0);

    // It has read the label, and is about to write it again.
    let off: [Labelled<'_>; 1] = [(ANN, ACME, vec![primary()])];
    let hasty = crm.clone().within(Duration::from_secs(1));
    let refused = Refused::in_place_of(hasty.unlabel_many(TYPES, &off).await);
    assert_eq!(refused.said(), (Code::Unavailable, "PAIR_TAKEN"));
    assert_eq!(sent(&hubkeep), 0);
    hubkeep.hubspot.release(held);
    giving.await.expect("no panic").expect("given");
    crm.unlabel_many(TYPES, &off).await.expect("taken off");
    let mut left = vec![PLAIN, advisor.type_id];
    left.sort_unstable();
    assert_eq!(between(&crm, ANN, ACME).await, left);
}
