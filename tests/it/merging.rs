//! Two records made one.

use hubkeep_proto::error::v1::ErrorReason;
use hubkeep_tests::{Allow, Hubkeep, Limits, Refused, World, support::many::ids};
use tonic::Code;

const A: &str = "client-0001";

#[tokio::test]
async fn a_merged_record_leads_to_the_one_that_stays() {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let same = Refused::in_place_of(crm.merge("contacts", "101", "101").await);
    assert_eq!(same.fields, ["merged_object_id"]);
    let merged = crm.merge("contacts", "101", "102").await.expect("merged");
    let left = merged.object.expect("told").object_id;
    let led = crm.get("contacts", "102").await.expect("leads on");
    assert_eq!(led.object.expect("told").object_id, left);
    let many = crm.read_many("contacts", &["102"]).await.expect("answered");
    assert_eq!(ids(&many.results), [Err(ErrorReason::ObjectNotFound)]);

    let writer = hubkeep
        .handle(A)
        .allow([Allow::Get, Allow::Update, Allow::Archive])
        .issue()
        .await;
    let writer = hubkeep.crm_as("sync").with(&writer);
    let refused = Refused::in_place_of(writer.merge("contacts", "103", "104").await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
    assert_eq!(refused.metadata["operation"], "MERGE");
}
