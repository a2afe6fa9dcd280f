//! Where HubSpot answers a batch and leaves a part of it unsaid, that part is on the list, like a write without an answer.

use hubkeep_proto::{
    crm::v1::{ListWritesRequest, Write, WriteState, object_result},
    error::v1::ErrorReason,
};
use hubkeep_tests::{
    Fault, FaultRule, Hubkeep, Service, World, eventually,
    support::writes::{all_writes, write_id},
};
use serde_json::json;

const A: &str = "client-0001";

async fn unknown(hubkeep: &Hubkeep) -> Vec<Write> {
    let message = ListWritesRequest {
        client_slug: A.to_owned(),
        states: vec![WriteState::Unknown.into()],
        ..ListWritesRequest::default()
    };
    let listed = all_writes(hubkeep.channel(Service::Crm), message).await;
    listed.expect("an operator").writes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_which_hubspot_says_nothing_is_listed_with_a_request_id_and_without() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as(&handle.caller).with(&handle);
    let silent = Fault::Answer {
        status: 200,
        body: json!({ "status": "COMPLETE", "results": [] }),
    };
    hubkeep
        .hubspot
        .inject(FaultRule::new(silent).path("/crm/objects/2026-09/contacts/batch/create"));
    for (number, crm) in [crm.clone(), crm.under(&write_id(7))].into_iter().enumerate() {
        let address = format!("ann-{number}@example.com");
        let inputs = [vec![("email", address.as_str())]];
        let answer = crm.create_many("contacts", &inputs).await.expect("answered");
        let Some(object_result::Result::Error(error)) = &answer.results[0].result else {
            panic!("it has a result: {answer:?}");
        };
        assert_eq!(error.reason(), ErrorReason::OutcomeUnknown);
        eventually!(unknown(&hubkeep).await.len() == number + 1);
    }
    let named: Vec<String> = unknown(&hubkeep)
        .await
        .into_iter()
        .map(|write| write.request_id)
        .collect();
    assert!(
        named.contains(&String::new()) && named.contains(&write_id(7)),
        "{named:?}"
    );
}
