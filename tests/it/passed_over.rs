//! Inputs of a batch that HubSpot has passed over for a limit, while it carried out the others: they are sent again, and no other.

use std::time::Duration;

use hubkeep_audit_log::{CallResult, Operation, Phase};
use hubkeep_proto::error::v1::ErrorReason;
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, Limits, ObjectType, Service, World,
    support::{
        many::{ids, rows},
        pairs::kinds,
        writes::write_id,
    },
};
use serde_json::Value;

const A: &str = "client-0001";
const UPDATE: &str = "/crm/objects/2026-09/contacts/batch/update";
const CREATE: &str = "/crm/objects/2026-09/contacts/batch/create";
const READ: &str = "/crm/objects/2026-09/contacts/batch/read";
const ASSOCIATE: &str = "/crm/associations/2026-09/contacts/companies/batch/associate/default";

async fn hubkeep() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm.within(Duration::from_secs(30)))
}

/// Of each batch at this path HubSpot passes over each so-maniest input.
fn passes_over(every: u32, path: &str) -> FaultRule {
    FaultRule::new(Fault::MixedRows { every, limited: true }).path(path)
}

/// What HubSpot was sent at a path: the inputs of each call, by what tells them apart.
fn inputs(hubkeep: &Hubkeep, path: &str, name: fn(&Value) -> &Value) -> Vec<Vec<String>> {
    let calls = hubkeep.hubspot_calls();
    let calls = calls.iter().filter(|call| call.path == path);
    let inputs = calls.map(|call| {
        let body = call.body.as_ref().expect("it has one");
        let inputs = body["inputs"].as_array().expect("inputs").iter();
        inputs
            .map(|input| name(input).as_str().expect("text").to_owned())
            .collect()
    });
    inputs.collect()
}

fn id(input: &Value) -> &Value {
    &input["id"]
}

fn email(input: &Value) -> &Value {
    &input["properties"]["email"]
}

fn from(input: &Value) -> &Value {
    &input["from"]["id"]
}

const CHANGES: [(&str, &str); 4] = [("101", "A"), ("102", "B"), ("103", "C"), ("104", "D")];

fn changes() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    CHANGES.map(|(id, name)| (id, vec![("firstname", name)])).to_vec()
}

#[tokio::test]
async fn inputs_that_were_passed_over_are_sent_again_within_the_deadline_and_no_others() {
    let (hubkeep, crm) = hubkeep().await;
    hubkeep.hubspot.inject(passes_over(2, UPDATE).times(1));
    let changed = crm.update_many("contacts", &changes()).await.expect("answered");
    assert_eq!(
        ids(&changed.results),
        [Ok("101"), Ok("102"), Ok("103"), Ok("104")]
    );
    for (result, (_, name)) in rows(&changed.results).into_iter().zip(CHANGES) {
        assert_eq!(result.expect("changed").properties["firstname"], name);
    }
    assert_eq!(
        inputs(&hubkeep, UPDATE, id),
        [vec!["101", "102", "103", "104"], vec!["102", "104"]]
    );
    let outcomes = hubkeep.entries(Service::Crm, Phase::Outcome).await;
    let ours = outcomes
        .iter()
        .filter(|entry| entry.operation() == Operation::ObjectBatchUpdate);
    let ours: Vec<_> = ours
        .map(|entry| (entry.attempt, entry.result(), entry.record_count))
        .collect();
    assert_eq!(ours, [(1, CallResult::Ok, 2), (2, CallResult::Ok, 2)]);

    hubkeep.hubspot.inject(passes_over(2, READ).times(1));
    let read = crm.read_many("contacts", &["101", "999", "103"]).await;
    let read = read.expect("answered").results;
    assert_eq!(
        ids(&read),
        [Ok("101"), Err(ErrorReason::ObjectNotFound), Ok("103")]
    );
    assert_eq!(inputs(&hubkeep, READ, id)[1], ["999"]);
}

#[tokio::test]
async fn what_is_created_in_a_batch_is_created_once_however_much_of_it_is_passed_over() {
    let (hubkeep, crm) = hubkeep().await;
    let emails = ["a@example.com", "b@example.com", "c@example.com"];
    hubkeep.hubspot.inject(passes_over(2, CREATE).times(1));
    let new = emails.map(|email| vec![("email", email)]);
    let made = crm.create_many("contacts", &new).await.expect("answered");
    for (made, email) in rows(&made.results).into_iter().zip(emails) {
        assert_eq!(made.expect("made").properties["email"], email);
    }
    assert_eq!(
        inputs(&hubkeep, CREATE, email),
        [emails.to_vec(), vec![emails[1]]]
    );
}

#[tokio::test]
async fn what_stays_passed_over_is_told_as_such_and_made_when_it_is_asked_for_again() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    hubkeep.hubspot.inject(passes_over(2, UPDATE).times(1));
    hubkeep.hubspot.inject(passes_over(1, UPDATE));
    let first = crm.update_many("contacts", &changes()).await.expect("answered");
    let limited = Err(ErrorReason::HubspotRateLimited);
    assert_eq!(ids(&first.results), [Ok("101"), limited, Ok("103"), limited]);

    // Of those that are left HubSpot takes one more, and then the other.
    hubkeep.hubspot.clear_faults();
    hubkeep.hubspot.clear_journal();
    hubkeep.hubspot.inject(passes_over(2, UPDATE).times(1));
    hubkeep.hubspot.inject(passes_over(1, UPDATE));
    let second = crm.update_many("contacts", &changes()).await.expect("answered");
    assert_eq!(ids(&second.results), [Ok("101"), Ok("102"), Ok("103"), limited]);
    hubkeep.hubspot.clear_faults();
    let third = crm.update_many("contacts", &changes()).await.expect("answered");
    assert_eq!(ids(&third.results), [Ok("101"), Ok("102"), Ok("103"), Ok("104")]);
    let sent = inputs(&hubkeep, UPDATE, id);
    assert_eq!(sent[0], ["102", "104"], "what was done is not sent again");
    assert!(sent[1..].iter().all(|inputs| *inputs == ["104"]), "{sent:?}");

    let calls = hubkeep.hubspot_calls().len();
    let kept = crm.update_many("contacts", &changes()).await.expect("kept");
    assert_eq!(ids(&kept.results), ids(&third.results));
    assert!(kept.replies.iter().all(|reply| reply.kept));
    assert_eq!(hubkeep.hubspot_calls().len(), calls, "nothing is left to be sent");
}

#[tokio::test]
async fn a_batch_of_which_everything_was_passed_over_is_free_to_be_asked_for_again() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    let (ann, bob) = ("101", "102");
    let company = hubkeep
        .hubspot
        .seed(hubkeep.portal_id(A), ObjectType::Companies, &[("name", "Acme")]);
    let company = company.expect("seeded").to_string();
    let pairs = [(ann, company.as_str(), vec![]), (bob, company.as_str(), vec![])];
    hubkeep.hubspot.inject(passes_over(1, ASSOCIATE));
    let types = ("contacts", "companies");
    let refused = crm.associate_many(types, &pairs).await.expect("answered");
    let limited = Err(ErrorReason::HubspotRateLimited);
    assert_eq!(kinds(&refused.results), [limited.clone(), limited]);
    hubkeep.hubspot.clear_faults();
    let made = crm.associate_many(types, &pairs).await.expect("made");
    assert!(kinds(&made.results).iter().all(Result::is_ok), "{made:?}");
    let sent = inputs(&hubkeep, ASSOCIATE, from);
    assert!(sent.iter().all(|inputs| *inputs == [ann, bob]), "{sent:?}");
    crm.associate_many(types, &pairs).await.expect("kept");
    assert_eq!(inputs(&hubkeep, ASSOCIATE, from).len(), sent.len());
}
