//! Pipelines and their stages are made and changed by who has the right to change how records are made.

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, PortalSpec, Refused, Service, TokenSpec, World,
    support::{handles::EVERYTHING, pipelines::stage, writes::write_id},
};
use tonic::Code;

const A: &str = "acme";

async fn hubkeep() -> (Hubkeep, Crm) {
    let portal = PortalSpec::new(A, 4_242)
        .token(TokenSpec::private_app("pat-na1-0000aaaa-pipelin-0001"))
        .limits(Limits::unlimited());
    let hubkeep = Hubkeep::start(World {
        portals: vec![portal],
        apps: Vec::new(),
    })
    .await;
    hubkeep.onboard_all().await;
    let all = EVERYTHING.into_iter().chain([Allow::WriteSchema]);
    let handle = hubkeep.handle(A).allow(all).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

/// What HubSpot received that changes pipelines.
fn written(hubkeep: &Hubkeep) -> Vec<String> {
    let calls = hubkeep.hubspot_calls().into_iter();
    calls
        .filter(|call| call.path.starts_with("/crm/pipelines/") && call.method != "GET")
        .map(|call| call.method)
        .collect()
}

#[tokio::test]
async fn a_pipeline_and_its_stages_are_made_changed_and_archived() {
    let (hubkeep, crm) = hubkeep().await;
    let made = crm.create_pipeline("Renewals").await.expect("made");
    let made = made.pipeline.expect("told");
    let id = made.pipeline_id.as_str();
    let labels: Vec<&str> = made.stages.iter().map(|stage| stage.label.as_str()).collect();
    assert_eq!((labels, made.display_order), (vec!["First", "Won"], 3));
    assert_eq!(crm.pipeline(id).await.expect("there"), made);
    let conflict = Refused::in_place_of(crm.create_pipeline("Renewals").await);
    assert_eq!(conflict.reason, "OBJECT_CONFLICT");

    let changed = crm.relabel_pipeline(id, "Upgrades").await.expect("changed");
    let changed = changed.pipeline.expect("told");
    assert_eq!((changed.label.as_str(), changed.stages.len()), ("Upgrades", 2));
    let added = crm.create_stage(id, stage("Lost", "0.0")).await.expect("added");
    let added = added.stage.expect("told");
    assert_eq!(added.metadata["probability"], "0.0");
    let renamed = crm.relabel_stage((id, &added.stage_id), "Gone").await;
    let renamed = renamed.expect("changed").stage.expect("told");
    assert_eq!(
        (renamed.label.as_str(), &renamed.metadata),
        ("Gone", &added.metadata)
    );
    let there = crm.pipeline(id).await.expect("there");
    assert!(there.stages.contains(&renamed), "{there:?}");

    // While a record is in it, neither it nor its stage goes.
    let first = made.stages[0].stage_id.as_str();
    let values = [("dealname", "One"), ("pipeline", id), ("dealstage", first)];
    let deal = crm
        .create("deals", &values)
        .await
        .expect("made")
        .object
        .expect("told");
    for refusal in [
        crm.archive_stage((id, first)).await.map(drop),
        crm.archive_pipeline(id).await.map(drop),
    ] {
        assert_eq!(Refused::in_place_of(refusal).code, Code::InvalidArgument);
    }
    crm.archive("deals", &deal.object_id).await.expect("archived");
    crm.archive_stage((id, first)).await.expect("archived");
    crm.archive_pipeline(id).await.expect("archived");
    let gone = Refused::in_place_of(crm.pipeline(id).await);
    assert_eq!(gone.reason, "OBJECT_NOT_FOUND");

    let mut found = Vec::new();
    for entry in hubkeep.entries(Service::Crm, Phase::Intent).await {
        found.push(entry.operation());
    }
    for operation in [
        Operation::PipelineCreate,
        Operation::PipelineUpdate,
        Operation::PipelineArchive,
        Operation::PipelineStageCreate,
        Operation::PipelineStageUpdate,
        Operation::PipelineStageArchive,
    ] {
        assert!(found.contains(&operation), "{operation:?}");
    }
}

#[tokio::test]
async fn nobody_changes_pipelines_without_the_right_to() {
    let (hubkeep, _) = hubkeep().await;
    let everything_else = hubkeep.handle(A).allow(EVERYTHING).issue().await;
    let crm = hubkeep.crm_as("sync").with(&everything_else);
    for refusal in [
        crm.create_pipeline("Renewals").await.map(drop),
        crm.relabel_pipeline("default", "Mine").await.map(drop),
        crm.archive_pipeline("default").await.map(drop),
        crm.create_stage("default", stage("Lost", "0.0")).await.map(drop),
        crm.relabel_stage(("default", "closedwon"), "Mine")
            .await
            .map(drop),
        crm.archive_stage(("default", "closedwon")).await.map(drop),
    ] {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
        assert_eq!(refused.metadata["operation"], "WRITE_SCHEMA");
    }
    assert!(written(&hubkeep).is_empty());
}

#[tokio::test]
async fn what_hubspot_could_not_mean_is_refused_before_anything_is_sent() {
    let (hubkeep, crm) = hubkeep().await;
    let mut message = crm.pipeline_of_deals("");
    message.display_order = -1;
    message.stages[1].label = "First".to_owned();
    message.stages[1].metadata.clear();
    let refused = Refused::in_place_of(crm.create_pipeline_by(message).await);
    assert_eq!(
        refused.fields,
        ["label", "display_order", "stages[1].label", "stages[1].metadata"]
    );
    let mut message = crm.pipeline_of_deals("Renewals");
    message.stages.clear();
    let refused = Refused::in_place_of(crm.create_pipeline_by(message).await);
    assert_eq!(refused.fields, ["stages"]);
    let refused = Refused::in_place_of(crm.archive_stage(("../x", "y/z")).await);
    assert_eq!(refused.fields, ["pipeline_id", "stage_id"]);
    assert!(written(&hubkeep).is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_found_out_by_reading_and_never_sent_again() {
    let (hubkeep, crm) = hubkeep().await;
    let lose = |method: &str| {
        let lost = FaultRule::new(Fault::CutConnection).method(method).after_effect();
        hubkeep.hubspot.inject(lost.path("/crm/pipelines/"));
    };
    macro_rules! lost_and_found {
        ($number:expr, $method:expr, |$crm:ident| $ask:expr) => {{
            let $crm = crm.clone().under(&write_id($number));
            lose($method);
            let refused = Refused::in_place_of($ask.await);
            assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
            hubkeep.hubspot.clear_faults();
            $ask.await.expect("it was done")
        }};
    }
    let made = lost_and_found!(1, "POST", |crm| crm.create_pipeline("Renewals"));
    let made = made.pipeline.expect("told");
    let id = made.pipeline_id.as_str();
    lost_and_found!(2, "PATCH", |crm| crm.relabel_pipeline(id, "Upgrades"));
    let added = lost_and_found!(3, "POST", |crm| crm.create_stage(id, stage("Lost", "0.0")));
    let added = added.stage.expect("told").stage_id;
    lost_and_found!(4, "PATCH", |crm| crm.relabel_stage((id, &added), "Gone"));
    lost_and_found!(5, "DELETE", |crm| crm.archive_stage((id, &added)));
    lost_and_found!(6, "DELETE", |crm| crm.archive_pipeline(id));
    assert_eq!(
        written(&hubkeep),
        ["POST", "PATCH", "POST", "PATCH", "DELETE", "DELETE"],
        "each sent once"
    );
    crm.create_pipeline("Others").await.expect("made");
}
