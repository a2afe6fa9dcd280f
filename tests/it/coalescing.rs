//! Reads that are alike cost one call, and are still each caller's own: its records, its properties, its entries, its end.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use hubkeep_audit_log::{CallResult, Entry, Operation, Phase};
use hubkeep_proto::crm::v1::{GetObjectRequest, GetObjectResponse};
use hubkeep_tests::{Crm, Hubkeep, Limits, Refused, Service, World, eventually};
use hubspot_sim::{Fault, FaultRule};
use tonic::{Code, Status};

const A: &str = "client-0001";
const B: &str = "client-0002";
/// Long enough that all who are asked to come at once have come.
const WINDOW: Duration = Duration::from_millis(50);
/// How long HubSpot takes, so that others come meanwhile.
const ANSWER_MS: u64 = 150;

async fn start() -> Hubkeep {
    let world = World::of_portals(2).limits(&Limits::unlimited());
    let setup = Hubkeep::over(world).crm(|config| config.coalesce.window = WINDOW);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Slow { ms: ANSWER_MS }));
    hubkeep
}

/// One read of these properties is under way, so that whoever comes now with one like it gathers.
async fn busy(
    hubkeep: &Hubkeep,
    crm: &Crm,
    properties: &[&str],
) -> tokio::task::JoinHandle<Result<GetObjectResponse, Status>> {
    let before = gets(hubkeep.entries(Service::Crm, Phase::Intent).await).len();
    let (crm, wanted) = (crm.clone(), wanting(A, "101", properties));
    let first = tokio::spawn(async move { crm.get_by(wanted).await });
    eventually!(gets(hubkeep.entries(Service::Crm, Phase::Intent).await).len() > before);
    first
}

async fn make(hubkeep: &Hubkeep, slug: &str, count: usize) -> Vec<String> {
    let handle = hubkeep.handle(slug).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let made = join_all((0..count).map(async |number| {
        let email = format!("reader-{number}@example.com");
        let new = crm.create("contacts", &[("email", &email), ("phone", "1")]).await;
        new.expect("made").object.expect("told").object_id
    }));
    made.await
}

fn wanting(slug: &str, id: &str, properties: &[&str]) -> GetObjectRequest {
    GetObjectRequest {
        client_slug: slug.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: id.to_owned(),
        properties: properties.iter().map(|name| (*name).to_owned()).collect(),
        ..GetObjectRequest::default()
    }
}

fn gets(entries: Vec<Entry>) -> Vec<Entry> {
    let mut entries = entries;
    entries.retain(|entry| entry.operation() == Operation::ObjectGet);
    entries
}

fn said(result: Result<GetObjectResponse, Status>) -> (Code, String) {
    let refused = Refused::of(&result.expect_err("refused"));
    let (code, reason) = refused.said();
    (code, reason.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_readers_cost_three_calls_and_each_has_its_record_and_its_entries() {
    let hubkeep = start().await;
    let ids = make(&hubkeep, A, 50).await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let before = hubkeep.hubspot_calls().len();
    let answers = join_all(ids.iter().map(async |id| crm.get("contacts", id).await));
    for (id, answer) in ids.iter().zip(answers.await) {
        assert_eq!(answer.expect("read").object.expect("told").object_id, *id);
    }
    let calls = hubkeep.hubspot_calls().len() - before;
    assert!(
        (2..=3).contains(&calls),
        "{calls}: one at once, and the others together"
    );
    let outcomes = gets(hubkeep.entries(Service::Crm, Phase::Outcome).await);
    let calls: BTreeSet<_> = outcomes.iter().map(|entry| entry.call_id.clone()).collect();
    assert_eq!((outcomes.len(), calls.len()), (50, 50), "each has its own");
    assert!(
        outcomes
            .iter()
            .all(|entry| entry.result() == CallResult::Ok && entry.record_count == 1)
    );
    let refs: BTreeSet<_> = outcomes.iter().map(|entry| entry.object_ref.clone()).collect();
    assert_eq!(refs.len(), 50, "about its own record");
    let shared: BTreeSet<_> = outcomes
        .iter()
        .map(|entry| entry.physical_id.clone())
        .filter(|id| !id.is_empty())
        .collect();
    assert!(shared.len() <= 2 && shared.is_subset(&calls), "{shared:?}");
    let intents = gets(hubkeep.entries(Service::Crm, Phase::Intent).await);
    assert_eq!(intents.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_the_properties_that_it_asked_for_and_may_see_and_no_others() {
    let hubkeep = start().await;
    let ids = make(&hubkeep, A, 1).await;
    let id = &ids[0];
    let all = hubkeep.handle(A).issue().await;
    let narrow = hubkeep.handle(A).properties(["phone"]).issue().await;
    let [of_all, of_narrow] = [all, narrow].map(|handle| hubkeep.crm_as("sync").with(&handle));
    let first = busy(&hubkeep, &of_all, &["email"]).await;
    let (email, phone, both) = futures::future::join3(
        of_all.get_by(wanting(A, id, &["email"])),
        of_narrow.get_by(wanting(A, id, &["email", "phone"])),
        of_all.get_by(wanting(A, id, &["email", "phone"])),
    )
    .await;
    let shown = |answer: Result<GetObjectResponse, Status>| {
        let properties = answer.expect("read").object.expect("told").properties;
        ["email", "phone"].map(|name| properties.contains_key(name))
    };
    assert_eq!(shown(email), [true, false]);
    assert_eq!(shown(phone), [false, true]);
    assert_eq!(shown(both), [true, true]);
    first.await.expect("ended").expect("read");
    let outcomes = gets(hubkeep.entries(Service::Crm, Phase::Outcome).await);
    let shared = outcomes.iter().filter(|entry| !entry.physical_id.is_empty());
    let of: BTreeSet<_> = shared.clone().map(|entry| entry.physical_id.clone()).collect();
    assert_eq!((shared.count(), of.len()), (3, 1), "one call for all three");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found_for_its_reader_alone() {
    let hubkeep = start().await;
    let ids = make(&hubkeep, A, 2).await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let first = busy(&hubkeep, &crm, &[]).await;
    let (one, none, other) = futures::future::join3(
        crm.get("contacts", &ids[0]),
        crm.get("contacts", "999999999"),
        crm.get("contacts", &ids[1]),
    )
    .await;
    one.expect("read");
    other.expect("read");
    assert_eq!(said(none), (Code::NotFound, "OBJECT_NOT_FOUND".to_owned()));
    first.await.expect("ended").expect("read");
}

/// Calls for which readers who come at once gather, also where not all come in time.
const A_FEW: usize = 4;

/// The paths that HubSpot was asked for since, without the beginning that all have.
fn paths(hubkeep: &Hubkeep, before: usize) -> Vec<String> {
    let calls = hubkeep.hubspot_calls().split_off(before);
    let all = calls.iter().map(|call| {
        call.path
            .trim_start_matches("/crm/objects/2026-09/contacts/")
            .to_owned()
    });
    all.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_there_costs_its_readers_one_call_together() {
    const NOBODY: &str = "999999999";
    let hubkeep = start().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let first = busy(&hubkeep, &crm, &[]).await;
    let before = hubkeep.hubspot_calls().len();
    let reads = join_all((0..20).map(async |_| crm.get("contacts", NOBODY).await)).await;
    for read in reads {
        assert_eq!(said(read), (Code::NotFound, "OBJECT_NOT_FOUND".to_owned()));
    }
    let asked = paths(&hubkeep, before);
    assert!(asked.len() <= A_FEW, "{asked:?}");
    first.await.expect("ended").expect("read");
    let outcomes = gets(hubkeep.entries(Service::Crm, Phase::Outcome).await);
    let refused = outcomes
        .iter()
        .filter(|entry| entry.result() == CallResult::Refused);
    let of: BTreeSet<_> = refused.clone().map(|entry| entry.call_id.clone()).collect();
    assert_eq!((refused.count(), of.len()), (20, 20), "each has its own entry");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_batch_leaves_out_is_asked_for_once_for_all_who_want_it() {
    const NOBODY: &str = "999999999";
    let hubkeep = start().await;
    let ids = make(&hubkeep, A, 3).await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    // By the older id HubSpot finds it alone, and not in a batch.
    let merged = crm.merge("contacts", &ids[0], &ids[1]).await.expect("merged");
    let survivor = merged.object.expect("told").object_id;
    let first = busy(&hubkeep, &crm, &[]).await;
    let before = hubkeep.hubspot_calls().len();
    let wanted: Vec<&str> = (0..60)
        .map(|number| [NOBODY, &ids[1], &ids[2]][number % 3])
        .collect();
    let reads = join_all(wanted.iter().map(async |id| (*id, crm.get("contacts", id).await)));
    for (id, read) in reads.await {
        if id == NOBODY {
            assert_eq!(said(read), (Code::NotFound, "OBJECT_NOT_FOUND".to_owned()));
            continue;
        }
        let found = read.expect("read").object.expect("told").object_id;
        let own = if id == ids[1] { &survivor } else { &ids[2] };
        assert_eq!(&found, own);
    }
    let asked = paths(&hubkeep, before);
    assert!(asked.contains(&"batch/read".to_owned()), "{asked:?}");
    assert!(asked.len() <= 3 * A_FEW, "{asked:?}");
    first.await.expect("ended").expect("read");
    let intents = gets(hubkeep.entries(Service::Crm, Phase::Intent).await);
    let outcomes = gets(hubkeep.entries(Service::Crm, Phase::Outcome).await);
    let of = |entries: &[Entry]| {
        let attempts = entries.iter().map(|entry| (entry.call_id.clone(), entry.attempt));
        attempts.collect::<BTreeSet<_>>()
    };
    assert_eq!((of(&intents), intents.len()), (of(&outcomes), outcomes.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_is_revoked_meanwhile_takes_nothing_from_those_it_gathered_with() {
    let hubkeep = start().await;
    let ids = make(&hubkeep, A, 2).await;
    let [kept, revoked] = [hubkeep.handle(A).issue().await, hubkeep.handle(A).issue().await];
    let [of_kept, of_revoked] = [&kept, &revoked].map(|handle| hubkeep.crm_as("sync").with(handle));
    // Both are in memory: what is revoked then is heard of by the feed.
    of_kept.get("contacts", "101").await.expect("read");
    of_revoked.get("contacts", "101").await.expect("read");
    let first = busy(&hubkeep, &of_kept, &[]).await;
    let before = gets(hubkeep.entries(Service::Crm, Phase::Intent).await).len();
    let reads = {
        let (of_kept, of_revoked, ids) = (of_kept.clone(), of_revoked.clone(), ids.clone());
        tokio::spawn(async move {
            futures::future::join(
                of_kept.get("contacts", &ids[0]),
                of_revoked.get("contacts", &ids[1]),
            )
            .await
        })
    };
    eventually!(gets(hubkeep.entries(Service::Crm, Phase::Intent).await).len() >= before + 2);
    hubkeep.revoke_and_wait(&revoked).await;
    let (lives, dead) = reads.await.expect("ended");
    assert_eq!(lives.expect("read").object.expect("told").object_id, ids[0]);
    assert_eq!(said(dead), (Code::Unauthenticated, "HANDLE_INVALID".to_owned()));
    first.await.expect("ended").expect("read");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_of_two_portals_are_never_one() {
    let hubkeep = start().await;
    let mut readers = Vec::new();
    for slug in [A, B] {
        let handle = hubkeep.handle(slug).issue().await;
        readers.push((hubkeep.crm_as("sync").with(&handle), hubkeep.portal_id(slug)));
    }
    let before = hubkeep.hubspot_calls().len();
    let reads = readers
        .iter()
        .flat_map(|reader| std::iter::repeat_n(reader, 20))
        .map(async |(crm, portal_id)| (crm.get("contacts", "101").await, *portal_id));
    for (answer, portal_id) in join_all(reads).await {
        let portal = answer.expect("read").reply.expect("told").portal_id;
        assert_eq!(portal, portal_id);
    }
    let calls = hubkeep.hubspot_calls().split_off(before);
    let of: BTreeSet<_> = calls.iter().map(|call| call.portal_id).collect();
    assert_eq!(of.len(), 2);
    assert!(calls.len() <= 6, "{}", calls.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_alone_waits_for_nobody_and_the_same_question_is_asked_once() {
    let hubkeep = start().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");
    let entries = gets(hubkeep.entries(Service::Crm, Phase::Outcome).await);
    assert!(entries.iter().all(|entry| entry.physical_id.is_empty()));
    let before = hubkeep.hubspot_calls().len();
    let lists = join_all((0..20).map(async |_| crm.list("contacts").await)).await;
    let pages: BTreeSet<usize> = lists
        .into_iter()
        .map(|list| list.expect("listed").objects.len())
        .collect();
    assert_eq!(pages.len(), 1, "all see the same");
    let calls = hubkeep.hubspot_calls().len() - before;
    assert!(calls <= 2, "{calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_hubspot_fails_for_several_together_each_is_asked_for_by_itself() {
    let hubkeep = start().await;
    let ids = make(&hubkeep, A, 20).await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep
        .crm_as("sync")
        .with(&handle)
        .within(Duration::from_secs(20));
    let batch =
        FaultRule::new(Fault::Status { status: 500 }).path("/crm/objects/2026-09/contacts/batch/read");
    hubkeep.hubspot.inject(batch);
    let first = busy(&hubkeep, &crm, &["email"]).await;
    let reads = join_all(ids.iter().map(|id| crm.get_by(wanting(A, id, &["email"])))).await;
    first.await.expect("no panic").expect("read");
    for (id, read) in ids.iter().zip(reads) {
        let read = read.expect("it is not the reason");
        assert_eq!(&read.object.expect("told").object_id, id);
    }
    let together = hubkeep.hubspot_calls();
    let together = together.iter().filter(|call| call.path.ends_with("/batch/read"));
    assert!(together.count() > 0, "they were asked for together first");
    let intents = gets(hubkeep.entries(Service::Crm, Phase::Intent).await);
    let outcomes = gets(hubkeep.entries(Service::Crm, Phase::Outcome).await);
    let of = |entries: &[Entry]| {
        let attempts = entries.iter().map(|entry| (entry.call_id.clone(), entry.attempt));
        attempts.collect::<BTreeSet<_>>()
    };
    assert_eq!((of(&intents), intents.len()), (of(&outcomes), outcomes.len()));
    assert_eq!(
        of(&intents).len(),
        intents.len(),
        "no attempt has the number of another"
    );
}
