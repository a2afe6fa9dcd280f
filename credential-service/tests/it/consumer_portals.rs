//! Which portals concern a consumer: those that it names, and those that have one of its tags at the moment of the switch.

use hubkeep_proto::credential::v1::{
    ListConsumersRequest, PortalDetails, RegisterConsumerRequest, Rotation, UpdatePortalRequest,
};
use tonic_types::StatusExt as _;

use crate::{
    consumers::{consumer, register},
    harness::*,
    rotation::*,
};

async fn onboarded() -> Bench {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
}

async fn tag(bench: &Bench, tags: &[&str]) {
    let details = PortalDetails {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..PortalDetails::default()
    };
    let request = UpdatePortalRequest {
        client_slug: "acme".to_owned(),
        details: Some(details),
    };
    let updated = bench.portals(OPERATOR).update_portal(request).await;
    updated.expect("described");
}

fn by_tags(name: &str, tags: &[&str]) -> RegisterConsumerRequest {
    RegisterConsumerRequest {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..consumer(name, &[])
    }
}

async fn named_by(bench: &Bench, rotation: &Rotation) -> Vec<String> {
    let tasks = get(bench, rotation).await.tasks;
    tasks.into_iter().map(|task| task.consumer_name).collect()
}

#[tokio::test]
async fn a_consumer_has_a_task_where_the_portal_has_one_of_its_tags_at_the_switch() {
    let bench = onboarded().await;
    tag(&bench, &["nordics"]).await;
    for request in [
        by_tags("reports", &["emea", "nordics"]),
        by_tags("apac", &["apac"]),
        by_tags("case", &["Nordics"]),
        RegisterConsumerRequest {
            client_slugs: vec!["acme".to_owned()],
            ..by_tags("both", &["nordics"])
        },
    ] {
        register(&bench, request).await.expect("registers");
    }
    let rotation = rotated(&bench).await;
    assert_eq!(named_by(&bench, &rotation).await, ["both", "reports"]);

    tag(&bench, &["apac"]).await;
    let back = cancel(&bench, &rotation).await.expect("the old token lives");
    assert_eq!(
        named_by(&bench, &back).await,
        ["apac", "both", "reports"],
        "who had a task has it anew, and who is concerned now gets one"
    );
}

#[tokio::test]
async fn tags_are_shown_sorted_and_lie_in_the_clear_nowhere() {
    let bench = onboarded().await;
    let request = by_tags("reports", &["umlaut-ü", "gold-clients", "gold-clients"]);
    let told = register(&bench, request.clone()).await.expect("registers");
    assert_eq!(told.consumer.expect("told").tags, ["gold-clients", "umlaut-ü"]);
    let again = register(&bench, request).await.expect("the same");
    let shown = again.consumer.expect("told");
    assert!(shown.client_slugs.is_empty());
    let listed = rotations(&bench)
        .list_consumers(ListConsumersRequest::default())
        .await;
    assert_eq!(listed.expect("listed").into_inner().consumers, [shown]);
    let other = register(&bench, by_tags("reports", &["gold-clients"])).await;
    assert_eq!(reason(&other), "CONSUMER_DIFFERS");
    assert_eq!(
        found_in_files(bench.folder.path(), "gold-clients"),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn slugs_that_name_no_portal_are_refused_by_name_and_nothing_is_registered() {
    let bench = onboarded().await;
    let slip = register(&bench, consumer("billing", &["acme", "amce", "globexx"])).await;
    assert_eq!(reason(&slip), "CONSUMER_PORTALS_UNKNOWN");
    let status = slip.expect_err("refused");
    assert!(status.message().contains("amce,globexx"), "{}", status.message());
    let told = status.get_error_details();
    let metadata = &told.error_info().expect("has one").metadata;
    assert_eq!(metadata["client_slugs"], "amce,globexx");
    let listed = rotations(&bench)
        .list_consumers(ListConsumersRequest::default())
        .await;
    assert!(listed.expect("listed").into_inner().consumers.is_empty());
}
