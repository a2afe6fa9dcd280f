//! Whoever writes has a receipt at once, by which the service is bound to what stands in the log of it.

mod command;

use std::{collections::BTreeSet, time::Duration};

use hubkeep_audit_log::{CallResult, Entry, Event, Operation, Phase};
use hubkeep_proto::{
    DESCRIPTOR_SET,
    crm::v1::{AssociationLabel, ObjectResult, Reply, association_result, object_result},
};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Handle, Hubkeep, Limits, Refused, Service, World, proto_entry,
    support::{
        handles::EVERYTHING,
        pipelines::stage,
        receipts::{Promise, assert_kept},
        writes::write_id,
    },
};
use prost_reflect::DescriptorPool;
use tonic::Code;

const A: &str = "client-0001";
const TYPES: (&str, &str) = ("contacts", "companies");
const UPDATE: &str = "/crm/objects/2026-09/contacts/batch/update";
const LABEL: &str = "/crm/associations/2026-09/contacts/companies/batch/create";
/// HubSpot is given up so soon here.
const QUIET: Duration = Duration::from_millis(1_500);

/// A portal, a caller who may do everything with it, and one who may read its log.
async fn hubkeep() -> (Hubkeep, Crm, Handle) {
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited())).crm(|config| {
        config.audit.proofs.every = Duration::ZERO;
        config.audit.proofs.pause = Duration::from_millis(10);
        config.writes.not_done_after = QUIET;
    });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let everything = EVERYTHING.into_iter().chain([Allow::WriteSchema]);
    let handle = hubkeep.handle(A).allow(everything).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let auditor = hubkeep.handle(A).for_caller("auditor").allow([Allow::ReadAudit]);
    let auditor = auditor.issue().await;
    (hubkeep, crm.within(Duration::from_secs(30)), auditor)
}

/// What was promised, and the event that stands there.
async fn promised(hubkeep: &Hubkeep, receipt: &str) -> (Promise, Event) {
    let promise = Promise::of(receipt);
    let events = hubkeep.audit_events(Service::Crm).await;
    let stands = |event: &&Event| event.log == promise.log && event.index == promise.index;
    let event = events
        .iter()
        .find(stands)
        .expect("something stands there")
        .clone();
    (promise, event)
}

/// The entries that receipts promise, in their order.
async fn entries(hubkeep: &Hubkeep, receipts: &[String]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for receipt in receipts {
        entries.push(proto_entry(&promised(hubkeep, receipt).await.1).clone());
    }
    entries
}

/// HubSpot's own label for the first company of a contact.
fn primary() -> AssociationLabel {
    AssociationLabel {
        type_id: 1,
        ..AssociationLabel::default()
    }
}

/// The receipts of an answer with one reply.
fn of(reply: Option<Reply>) -> Vec<String> {
    reply.expect("about the call").receipts
}

/// The receipts of an answer with many.
fn of_all(replies: Vec<Reply>) -> Vec<String> {
    replies.into_iter().flat_map(|reply| reply.receipts).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_grpc_alone_holds_the_log_to_its_receipt() {
    let (hubkeep, crm, auditor) = hubkeep().await;
    let written = crm.update("contacts", "101", &[("firstname", "Ann")]).await;
    let reply = written.expect("written").reply.expect("about it");
    let [receipt] = reply.receipts.as_slice() else {
        panic!("one outcome, one receipt: {reply:?}");
    };
    let promise = assert_kept(&hubkeep, &auditor, receipt).await;
    let (_, event) = promised(&hubkeep, receipt).await;
    let entry = proto_entry(&event);
    assert_eq!(
        (event.position, &entry.call_id),
        (reply.audit_position, &reply.call_id)
    );
    assert_eq!((entry.phase(), entry.result()), (Phase::Outcome, CallResult::Ok));
    assert_eq!(promise.time, entry.entry_time.expect("it has one").to_string());
    let read = crm.get("contacts", "101").await.expect("read");
    assert_eq!(of(read.reply), Vec::<String>::new(), "reads have none");
}

/// Every write that a request id may be put to, once; and the receipts for them.
async fn each_write(crm: &Crm) -> Vec<String> {
    let made = crm.create("companies", &[("name", "Acme")]).await.expect("made");
    let company = made.object.expect("told").object_id;
    let mut all = of(made.reply);
    let made = crm
        .create("companies", &[("name", "Globex")])
        .await
        .expect("made");
    let other = made.object.expect("told").object_id;
    all.extend(of(made.reply));
    let ann = [("firstname", "Ann")];
    all.extend(of(crm.update("contacts", "101", &ann).await.expect("done").reply));
    all.extend(of_all(
        crm.update_many("contacts", &[("101", ann.to_vec())])
            .await
            .expect("done")
            .replies,
    ));
    let new = [vec![("email", "new@example.com")]];
    all.extend(of_all(
        crm.create_many("contacts", &new).await.expect("done").replies,
    ));
    let changed = [("new@example.com", ann.to_vec())];
    all.extend(of_all(
        crm.upsert("contacts", "email", &changed)
            .await
            .expect("done")
            .replies,
    ));
    let pair = (("contacts", "101"), ("companies", company.as_str()));
    all.extend(of(crm.associate(pair, Vec::new()).await.expect("done").reply));
    all.extend(of(crm.dissociate(pair).await.expect("done").reply));
    let labelled = [("102", other.as_str(), vec![primary()])];
    all.extend(of_all(
        crm.associate_many(TYPES, &labelled).await.expect("done").replies,
    ));
    all.extend(of_all(
        crm.unlabel_many(TYPES, &labelled).await.expect("done").replies,
    ));
    let pairs = [("102", other.as_str())];
    all.extend(of_all(
        crm.dissociate_many(TYPES, &pairs).await.expect("done").replies,
    ));
    all.extend(of(crm
        .merge("companies", &company, &other)
        .await
        .expect("done")
        .reply));
    all.extend(of(crm.archive("contacts", "103").await.expect("done").reply));
    all.extend(of_all(
        crm.archive_many("contacts", &["104"])
            .await
            .expect("done")
            .replies,
    ));
    all.extend(of(crm.erase("105", "").await.expect("done").reply));
    all.extend(of(crm
        .create_property("contacts", "level")
        .await
        .expect("done")
        .reply));
    all.extend(of(crm
        .relabel_property("contacts", "level", "Level")
        .await
        .expect("done")
        .reply));
    all.extend(of(crm
        .archive_property("contacts", "level")
        .await
        .expect("done")
        .reply));
    let made = crm.create_pipeline("Renewals").await.expect("made");
    let id = made.pipeline.expect("told").pipeline_id;
    all.extend(of(made.reply));
    all.extend(of(crm
        .relabel_pipeline(&id, "Upgrades")
        .await
        .expect("done")
        .reply));
    let made = crm.create_stage(&id, stage("Lost", "0.0")).await.expect("made");
    let lost = made.stage.expect("told").stage_id;
    all.extend(of(made.reply));
    all.extend(of(crm
        .relabel_stage((&id, &lost), "Gone")
        .await
        .expect("done")
        .reply));
    all.extend(of(crm.archive_stage((&id, &lost)).await.expect("done").reply));
    all.extend(of(crm.archive_pipeline(&id).await.expect("done").reply));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_that_writes_gives_a_receipt_for_its_outcome() {
    let (hubkeep, crm, _) = hubkeep().await;
    let receipts = each_write(&crm).await;
    let entries = entries(&hubkeep, &receipts).await;
    let done = |entry: &Entry| entry.phase() == Phase::Outcome && entry.result() == CallResult::Ok;
    assert!(entries.iter().all(done), "{entries:?}");
    let with_receipt: BTreeSet<String> = entries.into_iter().map(|entry| entry.grpc_method).collect();
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).expect("descriptors");
    let services = pool
        .services()
        .filter(|service| service.package_name() == "hubkeep.crm.v1");
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let writes = methods.filter(|method| method.input().get_field_by_name("request_id").is_some());
    let writes: BTreeSet<String> = writes
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect();
    assert!(writes.len() > 20, "{writes:?}");
    assert_eq!(with_receipt, writes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_again_has_the_receipts_of_the_first() {
    let (hubkeep, crm, _) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    let update = async || {
        let written = crm.update("contacts", "101", &[("firstname", "Ann")]).await;
        written.expect("written").reply.expect("about it")
    };
    let (first, again) = (update().await, update().await);
    assert!(again.kept && !first.receipts.is_empty());
    assert_eq!(again.receipts, first.receipts);

    // Of three inputs one is passed over, and sent once more: two calls, and two outcomes.
    hubkeep.hubspot.inject(
        FaultRule::new(Fault::MixedRows {
            every: 3,
            limited: true,
        })
        .path(UPDATE)
        .times(1),
    );
    let crm = crm.under(&write_id(2));
    let inputs = ["101", "102", "103"].map(|id| (id, vec![("firstname", "Bob")]));
    let first = of_all(crm.update_many("contacts", &inputs).await.expect("done").replies);
    let counts: Vec<(u32, u32)> = entries(&hubkeep, &first)
        .await
        .iter()
        .map(|entry| (entry.attempt, entry.record_count))
        .collect();
    assert_eq!(counts, [(1, 2), (2, 1)]);
    let again = of_all(crm.update_many("contacts", &inputs).await.expect("done").replies);
    assert_eq!(again, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_hubspot_refuses_has_a_receipt_for_the_refusal() {
    let (hubkeep, crm, auditor) = hubkeep().await;
    let refused = Refused::in_place_of(crm.update("contacts", "999", &[("firstname", "Ann")]).await);
    assert_eq!(refused.said(), (Code::NotFound, "OBJECT_NOT_FOUND"));
    let receipt = &refused.metadata["receipt"];
    assert_kept(&hubkeep, &auditor, receipt).await;
    let (_, event) = promised(&hubkeep, receipt).await;
    let entry = proto_entry(&event);
    assert_eq!(
        (entry.phase(), entry.result()),
        (Phase::Outcome, CallResult::Refused)
    );
    let read = Refused::in_place_of(crm.get("contacts", "999").await);
    assert!(
        !read.metadata.contains_key("receipt"),
        "reads have none: {read:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_of_unknown_outcome_has_a_receipt_for_that_and_for_what_is_found_out_later() {
    let (hubkeep, crm, auditor) = hubkeep().await;
    let proven = crm.update("contacts", "102", &[("firstname", "Ann")]).await;
    proven.expect("the token is proven");
    let cut = FaultRule::new(Fault::CutConnection).method("PATCH").times(1);
    hubkeep.hubspot.inject(cut.after_effect());
    let crm = crm.under(&write_id(1));
    let ann = [("firstname", "Bob")];
    let unknown = Refused::in_place_of(crm.update("contacts", "101", &ann).await);
    assert_eq!(unknown.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let receipt = &unknown.metadata["receipt"];
    assert_kept(&hubkeep, &auditor, receipt).await;
    let (_, event) = promised(&hubkeep, receipt).await;
    let entry = proto_entry(&event);
    assert_eq!(
        (&entry.call_id, entry.result()),
        (&unknown.metadata["call_id"], CallResult::Unknown)
    );

    let found = crm.update("contacts", "101", &ann).await.expect("read back");
    let receipts = of(found.reply);
    let [entry] = &entries(&hubkeep, &receipts).await[..] else {
        panic!("one entry says what was found: {receipts:?}");
    };
    assert_eq!(entry.operation(), Operation::WriteSettle);
    assert_kept(&hubkeep, &auditor, &receipts[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_of_a_batch_has_its_receipt_also_the_one_that_failed() {
    let (hubkeep, crm, _) = hubkeep().await;
    let emails: Vec<String> = (0..150).map(|number| format!("n{number}@example.com")).collect();
    let inputs: Vec<_> = emails
        .iter()
        .map(|email| vec![("email", email.as_str())])
        .collect();
    let made = crm.create_many("contacts", &inputs).await.expect("made");
    let receipts: Vec<usize> = made.replies.iter().map(|reply| reply.receipts.len()).collect();
    assert_eq!(receipts, [1, 1]);
    let counts: Vec<u32> = entries(&hubkeep, &of_all(made.replies))
        .await
        .iter()
        .map(|entry| entry.record_count)
        .collect();
    assert_eq!(counts, [100, 50]);

    // The second of two calls fails as a whole, and the answer has no place for its receipt but with its inputs.
    let whole = Fault::MixedRows {
        every: 1_000,
        limited: false,
    };
    for fault in [whole, Fault::CutConnection] {
        hubkeep
            .hubspot
            .inject(FaultRule::new(fault).path(UPDATE).times(1));
    }
    let id = |result: &ObjectResult| match &result.result {
        Some(object_result::Result::Object(object)) => object.object_id.clone(),
        other => panic!("{other:?}"),
    };
    let ids: Vec<String> = made.results.iter().map(id).collect();
    let ann = || vec![("firstname", "Ann")];
    let changes: Vec<_> = ids.iter().map(|id| (id.as_str(), ann())).collect();
    let changed = crm.update_many("contacts", &changes).await;
    let changed = changed.expect("the first went well");
    let receipts = changed.results.iter().map(|result| match &result.result {
        Some(object_result::Result::Error(error)) => Some(error.receipt.clone()),
        _ => None,
    });
    assert_unknown(&hubkeep, receipts.collect(), (100, 50)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_associations_that_failed_has_its_receipt_with_the_first_of_its_inputs() {
    let (hubkeep, crm, _) = hubkeep().await;
    let made = crm.create("companies", &[("name", "Acme")]).await.expect("made");
    let company = made.object.expect("told").object_id;
    // Pairs without a label are made by a call of their own, before those with one.
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::CutConnection).path(LABEL).times(1));
    let pairs = ["101", "102", "103"].map(|contact| {
        let labels = if contact == "101" {
            Vec::new()
        } else {
            vec![primary()]
        };
        (contact, company.as_str(), labels)
    });
    let associated = crm.associate_many(TYPES, &pairs).await;
    let receipts = associated.expect("the first went well").results.into_iter();
    let receipts = receipts.map(|result| match result.result {
        Some(association_result::Result::Error(error)) => Some(error.receipt),
        _ => None,
    });
    assert_unknown(&hubkeep, receipts.collect(), (1, 2)).await;
}

/// Of so many inputs that went well and so many of a call of unknown outcome, the first of these has the receipt for that.
async fn assert_unknown(hubkeep: &Hubkeep, receipts: Vec<Option<String>>, (well, unknown): (usize, usize)) {
    let errors: Vec<&str> = receipts[well..]
        .iter()
        .map(|receipt| receipt.as_deref().expect("an error"))
        .collect();
    assert!(receipts[..well].iter().all(Option::is_none), "{receipts:?}");
    assert_eq!(errors.len(), unknown);
    assert!(errors[1..].iter().all(|receipt| receipt.is_empty()), "{errors:?}");
    let (_, event) = promised(hubkeep, errors[0]).await;
    assert_eq!(proto_entry(&event).result(), CallResult::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_signed_writes_go_on_without_receipts() {
    let setup = Hubkeep::over(World::of_portals(1)).crm(|config| config.audit.proofs.enabled = false);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let written = crm.update("contacts", "101", &[("firstname", "Ann")]).await;
    assert_eq!(of(written.expect("written").reply), Vec::<String>::new());
}
