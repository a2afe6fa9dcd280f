//! Writes without a request id whose process is killed: what reached HubSpot, or may have, is on the list from the next start on.

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_audit_log::{CallResult, Phase};
use hubkeep_proto::{
    crm::v1::{AssociationLabel, ListWritesRequest, ObjectResult, Write, WriteState, object_result},
    error::v1::ErrorReason,
};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Limits, Refused, World, eventually, proto_entry,
    support::{
        audit::events_on_disk,
        crm_process::CrmProcess,
        handles::EVERYTHING,
        pipelines::stage,
        writes::{all_writes, sent_writes, write_id},
    },
};
use serde_json::json;
use tokio::task::JoinSet;
use tonic::Code;

const A: &str = "client-0001";

/// Every kind of write, as entries call it.
const WRITES: [&str; 23] = [
    "ASSOCIATION_BATCH_CREATE",
    "ASSOCIATION_BATCH_REMOVE",
    "ASSOCIATION_CREATE",
    "ASSOCIATION_LABEL_BATCH_REMOVE",
    "ASSOCIATION_REMOVE",
    "CONTACT_ERASE",
    "OBJECT_ARCHIVE",
    "OBJECT_BATCH_ARCHIVE",
    "OBJECT_BATCH_CREATE",
    "OBJECT_BATCH_UPDATE",
    "OBJECT_CREATE",
    "OBJECT_MERGE",
    "OBJECT_UPDATE",
    "OBJECT_UPSERT",
    "PIPELINE_ARCHIVE",
    "PIPELINE_CREATE",
    "PIPELINE_STAGE_ARCHIVE",
    "PIPELINE_STAGE_CREATE",
    "PIPELINE_STAGE_UPDATE",
    "PIPELINE_UPDATE",
    "PROPERTY_ARCHIVE",
    "PROPERTY_CREATE",
    "PROPERTY_UPDATE",
];

/// HubSpot's own: a contact's primary company.
fn primary() -> AssociationLabel {
    AssociationLabel {
        type_id: 1,
        ..AssociationLabel::default()
    }
}

/// One of each kind, each on a task of its own; gives whether it went well.
fn one_of_each(crm: &Crm, company: &str) -> JoinSet<bool> {
    let mut tasks = JoinSet::new();
    macro_rules! asked {
        (|$crm:ident, $company:ident| $ask:expr) => {{
            let ($crm, $company) = (crm.clone(), company.to_owned());
            tasks.spawn(async move {
                let _ = &$company;
                $ask.await.is_ok()
            });
        }};
    }
    asked!(|crm, company| crm.associate((("contacts", "101"), ("companies", &company)), vec![]));
    asked!(|crm, company| crm.dissociate((("contacts", "102"), ("companies", &company))));
    asked!(|crm, company| crm.associate_many(("contacts", "companies"), &[("111", &company, vec![])]));
    asked!(|crm, company| crm.dissociate_many(("contacts", "companies"), &[("112", &company)]));
    asked!(|crm, company| crm.unlabel_many(("contacts", "companies"), &[("113", &company, vec![primary()])]));
    asked!(|crm, company| crm.create_property("contacts", "tier"));
    asked!(|crm, company| crm.relabel_property("contacts", "seats", "Places"));
    asked!(|crm, company| crm.archive_property("contacts", "plan"));
    asked!(|crm, company| crm.create_pipeline("Renewals"));
    asked!(|crm, company| crm.relabel_pipeline("default", "Sales"));
    asked!(|crm, company| crm.archive_pipeline("other"));
    asked!(|crm, company| crm.create_stage("default", stage("Late", "0.3")));
    asked!(|crm, company| crm.relabel_stage(("default", "closedwon"), "Won"));
    asked!(|crm, company| crm.archive_stage(("default", "closedlost")));
    asked!(|crm, company| crm.erase("103", ""));
    asked!(|crm, company| crm.archive("contacts", "104"));
    asked!(|crm, company| crm.archive_many("contacts", &["105"]));
    asked!(|crm, company| crm.create_many("contacts", &[vec![("email", "a@example.com")]]));
    asked!(|crm, company| crm.update_many("contacts", &[("106", vec![("firstname", "Cy")])]));
    asked!(|crm, company| crm.create("contacts", &[("email", "b@example.com")]));
    asked!(|crm, company| crm.merge("contacts", "107", "108"));
    asked!(|crm, company| crm.update("contacts", "109", &[("firstname", "Dee")]));
    asked!(|crm, company| crm.upsert(
        "contacts",
        "email",
        &[("c@example.com", vec![("firstname", "C")])]
    ));
    tasks
}

/// What an operator sees.
async fn listed(process: &CrmProcess, states: &[WriteState]) -> Vec<Write> {
    let message = ListWritesRequest {
        client_slug: A.to_owned(),
        states: states.iter().map(|state| (*state).into()).collect(),
        ..ListWritesRequest::default()
    };
    all_writes(process.channel(), message)
        .await
        .expect("an operator may")
        .writes
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_being_written_when_the_process_was_killed_is_listed_once() {
    let mut process = CrmProcess::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    let all = EVERYTHING.into_iter().chain([Allow::WriteSchema]);
    let handle = process.hubkeep.handle(A).allow(all).issue().await;
    let crm = process.crm(&handle);
    let company = crm.create("companies", &[("name", "Acme")]).await.expect("made");
    let company = company.object.expect("a record").object_id;
    process.hubkeep.hubspot.clear_journal();
    // An erasure reads first whose addresses it is to keep from coming back.
    let hold = || FaultRule::new(Fault::HoldUntilReleased).after_effect();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        process.hubkeep.hubspot.inject(hold().method(method));
    }
    let read = hold().path("/crm/objects/2026-09/contacts/110");
    process.hubkeep.hubspot.inject(read);
    let mut tasks = one_of_each(&crm, &company);
    let named = crm.clone().under(&write_id(1));
    tasks.spawn(async move { named.create("companies", &[("name", "Named")]).await.is_ok() });
    tasks.spawn(async move { crm.get("contacts", "110").await.is_ok() });
    process.hubkeep.hubspot.until_held(WRITES.len() + 2).await;
    process.process.end();
    process.hubkeep.hubspot.clear_faults();
    while let Some(went_well) = tasks.join_next().await {
        assert!(!went_well.expect("no panic"), "nobody was answered");
    }
    let sent = sent_writes(process.hubkeep.hubspot.journal()).len();

    process.again();
    let found = listed(&process, &[WriteState::Unknown]).await;
    let (named, unnamed): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|write| !write.request_id.is_empty());
    assert_eq!(named.len(), 1, "it has a row of its own: {named:?}");
    assert_eq!(named[0].request_id, write_id(1));
    let kinds: Vec<&str> = unnamed.iter().map(|write| write.operation.as_str()).collect();
    assert_eq!(kinds.len(), WRITES.len(), "{kinds:?}");
    assert_eq!(BTreeSet::from_iter(kinds), BTreeSet::from(WRITES));
    as_the_log_has_them(&process, &unnamed);

    // Another start takes over nothing twice, and nothing is ever sent again.
    process.process.end();
    process.again();
    let again = listed(&process, &[WriteState::Unknown]).await;
    assert_eq!(again.len(), WRITES.len() + 1, "{again:#?}");
    assert!(listed(&process, &[WriteState::UnderWay]).await.is_empty());
    assert_eq!(sent_writes(process.hubkeep.hubspot.journal()).len(), sent);
    let reader = process.hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
    let seen = process.crm(&reader).writes(&[]).await.expect("its own portal's");
    assert_eq!(seen.len(), again.len());
}

/// Each names the call whose intent is on the log, and says of it what that says.
fn as_the_log_has_them(process: &CrmProcess, writes: &[Write]) {
    let events = events_on_disk(&process.log());
    let intents: BTreeMap<&str, _> = events
        .iter()
        .map(proto_entry)
        .filter(|entry| entry.phase() == Phase::Intent)
        .map(|entry| (entry.call_id.as_str(), entry))
        .collect();
    let id = process.hubkeep.portal_id(A);
    for write in writes {
        let intent = intents
            .get(write.call_id.as_str())
            .unwrap_or_else(|| panic!("an intent of {write:?}"));
        let kind = intent.operation().as_str_name().trim_start_matches("OPERATION_");
        assert_eq!((write.operation.as_str(), write.portal_id), (kind, id));
        assert_eq!(
            (
                &write.client_slug,
                &write.caller,
                &write.object_type,
                &write.object_ref
            ),
            (
                &intent.client_slug,
                &intent.caller,
                &intent.object_type,
                &intent.object_ref
            )
        );
        assert_eq!(write.begin_time, intent.entry_time, "{write:?}");
        assert_eq!(write.settled_by, "its process was lost");
    }
    let of_one = |write: &&Write| ["OBJECT_UPDATE", "OBJECT_ARCHIVE"].contains(&write.operation.as_str());
    let refs: BTreeSet<&str> = writes
        .iter()
        .filter(of_one)
        .map(|write| write.object_ref.as_str())
        .collect();
    assert_eq!(refs.len(), 2, "each its record");
    assert!(!refs.contains(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_write_that_nobody_came_to_list_is_listed_by_the_next_process() {
    listed_by_the_next(Fault::CutConnection, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_which_hubspot_said_nothing_and_that_nobody_came_to_list_is_listed_by_the_next_process() {
    let body = json!({ "status": "COMPLETE", "results": [] });
    listed_by_the_next(Fault::Answer { status: 207, body }, false).await;
}

/// A batch of one is unknown by this fault: by its whole answer, or by what that does not say.
async fn listed_by_the_next(fault: Fault, is_refused: bool) {
    let variables = [("HUBKEEP__WRITES__NOT_DONE_AFTER", "0s")];
    let mut process = CrmProcess::with(World::of_portals(1).limits(&Limits::unlimited()), &variables).await;
    let handle = process.hubkeep.handle(A).issue().await;
    let fault = FaultRule::new(fault)
        .path("/crm/objects/2026-09/companies/batch/create")
        .after_effect();
    process.hubkeep.hubspot.inject(fault);
    let crm = process.crm(&handle);
    let unknown = crm.create_many("companies", &[vec![("name", "Acme")]]).await;
    assert_eq!(unknown.is_err(), is_refused, "nobody knows");
    eventually!(listed(&process, &[WriteState::Unknown]).await.len() == 1);
    let before = listed(&process, &[WriteState::Unknown]).await;
    process.process.end();
    // As if it had been killed between the log and the list.
    let rows = rusqlite::Connection::open(process.hubkeep.folder().join("crm-service.db")).expect("opens");
    assert_eq!(rows.execute("DELETE FROM write_call", []).expect("deleted"), 1);
    drop(rows);
    process.again_with(&variables);
    eventually!(listed(&process, &[WriteState::Unknown]).await.len() == 1);
    let after = listed(&process, &[WriteState::Unknown]).await;
    assert_eq!(
        (&after[0].call_id, &after[0].object_type, &after[0].caller),
        (&before[0].call_id, &before[0].object_type, &before[0].caller)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_refused_in_part_is_not_taken_for_done_by_the_next_process() {
    let mut process = CrmProcess::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    let handle = process.hubkeep.handle(A).issue().await;
    let changes = |name| {
        [
            ("101", vec![("firstname", name)]),
            ("999999", vec![("firstname", name)]),
        ]
    };
    let under = |process: &CrmProcess, number| process.crm(&handle).under(&write_id(number));
    let answer = under(&process, 1).update_many("contacts", &changes("Ann")).await;
    let answer = answer.expect("answered");
    let is_error = |result: &ObjectResult| matches!(result.result, Some(object_result::Result::Error(_)));
    let errors: Vec<bool> = answer.results.iter().map(is_error).collect();
    assert_eq!(errors, [false, true]);
    let events = events_on_disk(&process.log());
    let outcome = events
        .iter()
        .map(proto_entry)
        .rfind(|entry| entry.phase() == Phase::Outcome)
        .expect("on record");
    assert_eq!(
        (outcome.result(), outcome.reason(), outcome.record_count),
        (CallResult::Ok, ErrorReason::ObjectNotFound, 1)
    );
    let sent = sent_writes(process.hubkeep.hubspot.journal()).len();
    process.process.end();
    // As if it had been killed between the log and its answer.
    let rows = rusqlite::Connection::open(process.hubkeep.folder().join("crm-service.db")).expect("opens");
    let under_way = "UPDATE write_call SET state = 1, end_time = 0, settled_by = '', sealed_answer = x''";
    assert_eq!(rows.execute(under_way, []).expect("changed"), 1);
    drop(rows);
    process.again();
    let found = listed(&process, &[WriteState::Unknown]).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let again = under(&process, 1).update_many("contacts", &changes("Ann")).await;
    let refused = Refused::in_place_of(again);
    assert_eq!(
        refused.said(),
        (Code::Unknown, "OUTCOME_UNKNOWN"),
        "a part was not made"
    );
    assert_eq!(
        sent_writes(process.hubkeep.hubspot.journal()).len(),
        sent,
        "nothing was sent"
    );
}
