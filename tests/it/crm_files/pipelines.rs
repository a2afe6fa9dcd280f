//! How records are made: pipelines and their stages.

use super::{A, Bench, text};

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_and_their_stages_are_listed_made_changed_and_archived() {
    let bench = Bench::start().await;
    let stages = [
        "--stage",
        "Open;probability=0.2",
        "--stage",
        "Won;probability=1.0",
    ];
    let create = ["pipeline", "create", A, "deals", "Renewals"];
    let line: Vec<&str> = create.into_iter().chain(stages).collect();
    let made = bench.document(&line).await;
    let id = made["pipeline"]["pipeline_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(made["pipeline"]["stages"][1]["metadata"]["probability"], "1.0");
    bench
        .document(&[
            "pipeline", "update", A, "deals", &id, "--label", "Renewed", "--place", "3",
        ])
        .await;
    let added = bench
        .document(&[
            "stage",
            "create",
            A,
            "deals",
            &id,
            "Lost;probability=0.0",
            "--place",
            "2",
        ])
        .await;
    let stage = added["stage"]["stage_id"].as_str().expect("an id").to_owned();
    bench
        .document(&["stage", "update", A, "deals", &id, &stage, "--label", "Gone"])
        .await;
    let shown = text(&bench.run(&["pipelines", A, "deals", "--id", &id]).await.stdout);
    for part in ["Renewed", "Won  probability=1.0", "Gone"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let unsure = bench.run(&["stage", "archive", A, "deals", &id, &stage]).await;
    assert_eq!(unsure.status.code(), Some(2));
    bench
        .document(&["stage", "archive", A, "deals", &id, &stage, "--yes"])
        .await;
    bench
        .document(&["pipeline", "archive", A, "deals", &id, "--yes"])
        .await;
    let gone = bench.run(&["pipelines", A, "deals", "--id", &id]).await;
    assert_eq!(gone.status.code(), Some(4));
    let all = text(&bench.run(&["pipelines", A, "deals"]).await.stdout);
    assert!(!all.is_empty() && !all.contains("Renewed"), "{all}");
    let wrong = bench
        .run(&[
            "pipeline",
            "create",
            A,
            "deals",
            "X",
            "--stage",
            "A;probability=1.0",
            "--place",
            "-1",
        ])
        .await;
    assert_ne!(wrong.status.code(), Some(0));
}
