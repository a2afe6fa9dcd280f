//! A portal that HubSpot is said to move, and does not: an operator says so, and the next call finds out.

use std::process::{Command, Stdio};

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::error::ErrorReason;
use hubkeep_proto::crm::v1::{
    LiftMigrationRequest, LiftMigrationResponse, quota_service_client::QuotaServiceClient,
};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Fleet, Hubkeep, Refused, Service, World, eventually,
    support::{handles::named, portals::OPERATOR, processes::hubkeep_binary},
};
use tonic::{Code, Status, transport::Channel};

const A: &str = "client-0001";
const DAY: u64 = 24 * 3_600;
const REASON: &str = "HubSpot's support says that it is not moved, ticket 17";

fn asked(slug: &str) -> LiftMigrationRequest {
    LiftMigrationRequest {
        client_slug: slug.to_owned(),
        reason: REASON.to_owned(),
        ..LiftMigrationRequest::default()
    }
}

async fn lift(channel: Channel, message: LiftMigrationRequest) -> Result<LiftMigrationResponse, Status> {
    let mut client = QuotaServiceClient::new(channel);
    Ok(client
        .lift_migration(named(OPERATOR, message))
        .await?
        .into_inner())
}

/// HubSpot says once of a portal that it is moved for a day, which it is not.
async fn wrongly_moved() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).allow([Allow::Get, Allow::Quota]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let slip = FaultRule::new(Fault::Migrating { retry_after: DAY }).times(1);
    hubkeep.hubspot.inject(slip);
    is_moved(&crm).await;
    is_moved(&crm).await;
    (hubkeep, crm)
}

async fn is_moved(crm: &Crm) {
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::Unavailable, "PORTAL_MIGRATING"));
}

#[tokio::test]
async fn a_portal_of_which_an_operator_says_that_it_is_not_moved_is_called_again_and_that_is_on_record() {
    let (hubkeep, crm) = wrongly_moved().await;
    let lifted = lift(hubkeep.channel(Service::Crm), asked(A))
        .await
        .expect("lifted");
    assert_eq!(lifted.portal_id, hubkeep.portal_id(A));
    assert!(lifted.moved_until_time.is_some());
    crm.get("contacts", "101").await.expect("it is called again");
    let mut entries = hubkeep.entries(Service::Crm, Phase::Admin).await;
    entries.retain(|entry| entry.operation() == Operation::MigrationLift);
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].portal_id, entries[0].client_slug.as_str()),
        (hubkeep.portal_id(A), A)
    );
    assert_eq!(
        (entries[0].caller.as_str(), entries[0].subject.as_str()),
        (OPERATOR, REASON)
    );
    let again = lift(hubkeep.channel(Service::Crm), asked(A))
        .await
        .expect("taken");
    assert_eq!(again.moved_until_time, None, "there was nothing to lift");

    // What HubSpot answers then decides, and not the operator.
    let truly = FaultRule::new(Fault::Migrating { retry_after: DAY });
    hubkeep.hubspot.inject(truly);
    is_moved(&crm).await;
    lift(hubkeep.channel(Service::Crm), asked(A))
        .await
        .expect("lifted");
    let before = hubkeep.hubspot_calls().len();
    is_moved(&crm).await;
    is_moved(&crm).await;
    assert_eq!(hubkeep.hubspot_calls().len(), before + 1, "one call found out");
}

#[tokio::test]
async fn nobody_lifts_a_migration_but_an_operator_who_says_why() {
    let (hubkeep, crm) = wrongly_moved().await;
    let mut holder = QuotaServiceClient::new(hubkeep.channel(Service::Crm));
    let answer = holder.lift_migration(crm.request(asked(A))).await;
    let refused = Refused::in_place_of(answer);
    assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
    assert_eq!(refused.metadata["operation"], "LIFT_MIGRATION");
    let silent = LiftMigrationRequest {
        reason: String::new(),
        ..asked(A)
    };
    let refused = Refused::in_place_of(lift(hubkeep.channel(Service::Crm), silent).await);
    assert_eq!(refused.fields, ["reason"]);
    let of_another_id = LiftMigrationRequest {
        expected_portal_id: 1,
        ..asked(A)
    };
    for message in [asked("nobody"), of_another_id] {
        let refused = Refused::in_place_of(lift(hubkeep.channel(Service::Crm), message).await);
        assert_eq!(refused.said(), (Code::NotFound, "PORTAL_UNKNOWN"));
    }
    let mut denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    denied.retain(|entry| entry.operation() == Operation::MigrationLift);
    assert_eq!(
        (denied[0].reason(), denied[0].portal_id),
        (ErrorReason::OperationNotAllowed, hubkeep.portal_id(A))
    );
    is_moved(&crm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_it_for_an_operator() {
    let (hubkeep, crm) = wrongly_moved().await;
    let mut command = Command::new(hubkeep_binary());
    command
        .env_clear()
        .args(["quota", A, "--lift-migration", "--reason", REASON])
        .args(["--crm-service", &hubkeep.crm_address()])
        .stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output());
    let output = ran.await.expect("no panic").expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).expect("text");
    assert!(told.contains("was taken to be moved until"), "{told}");
    crm.get("contacts", "101").await.expect("it is called again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_says_to_one_replica_all_of_them_hear() {
    let fleet = Fleet::start(World::of_portals(1), 2).await;
    fleet.onboard_all().await;
    let handle = fleet.handle(A).issue().await;
    // Connections of their own, which the balancer gives to the replicas in turn.
    let callers = [(); 2].map(|()| fleet.crm_as("sync").with(&handle));
    let slip = FaultRule::new(Fault::Migrating { retry_after: DAY }).times(1);
    fleet.hubspot.inject(slip);
    is_moved(&callers[0]).await;
    let moved = async |crm: &Crm| match crm.get("contacts", "101").await {
        Ok(_) => false,
        Err(status) => Refused::of(&status).reason == "PORTAL_MIGRATING",
    };
    eventually!(moved(&callers[1]).await);
    lift(fleet.channel(Service::Crm), asked(A)).await.expect("lifted");
    for crm in &callers {
        eventually!(!moved(crm).await);
    }
}
