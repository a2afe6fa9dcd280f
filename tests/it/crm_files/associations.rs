//! Associations of pairs of records from a file.

use serde_json::Value;

use super::{A, Bench, text};

#[tokio::test(flavor = "multi_thread")]
async fn pairs_of_a_file_are_associated_read_and_taken_apart() {
    let bench = Bench::start().await;
    let mut companies = Vec::new();
    for name in ["name=One", "name=Two"] {
        let made = bench.document(&["create", A, "companies", "--set", name]).await;
        companies.push(made["object"]["object_id"].as_str().expect("an id").to_owned());
    }
    let (one, two) = (&companies[0], &companies[1]);
    let pairs = bench.file(
        "pairs.csv",
        &format!("from,to,labels\n102,{one},1\n102,{two},\n103,{one},\n"),
    );
    let associate = ["batch", "associate", A, "contacts", "companies", &pairs];
    let made = bench.lines(&associate, 0).await;
    assert_eq!(made.len(), 3);
    assert_eq!(
        (&made[1]["from"], &made[1]["to"]),
        (&"102".into(), &two.as_str().into())
    );
    let kinds = made[0]["result"]["kinds"]["labels"].as_array().expect("told");
    assert!(kinds.iter().any(|kind| kind["type_id"] == 1), "{kinds:?}");

    let ids = bench.file("ids.csv", "id\n102\n103\n101\n");
    let read = ["batch", "associations", A, "contacts", "companies", &ids];
    let found = bench.lines(&read, 0).await;
    let ends = |row: &Value| {
        let records = row["result"]["page"]["records"]
            .as_array()
            .expect("a page")
            .clone();
        let mut ids: Vec<String> = records
            .iter()
            .map(|record| record["object_id"].as_str().expect("an id").to_owned())
            .collect();
        ids.sort();
        ids
    };
    let mut both = companies.clone();
    both.sort();
    assert_eq!(ends(&found[0]), both);
    assert_eq!(ends(&found[1]), std::slice::from_ref(one));
    assert_eq!(found[2]["id"], "101");
    let shown = text(&bench.run(&read).await.stdout);
    assert!(
        shown.contains(one.as_str()) && shown.contains(two.as_str()),
        "{shown}"
    );

    let off = bench.file(
        "off.csv",
        &format!("from,to,labels\n102,{one},1\n999999,{one},1\n"),
    );
    let line = ["batch", "unlabel", A, "contacts", "companies", &off];
    let told = bench.lines(&line, 3).await;
    assert!(told[0]["result"]["kinds"].is_object(), "{told:?}");
    assert!(told[1]["result"]["error"]["reason"].is_string(), "{told:?}");
    let bare = bench.file("bare.csv", &format!("from,to,labels\n102,{one},\n"));
    let refused = bench
        .run(&["batch", "unlabel", A, "contacts", "companies", &bare])
        .await;
    assert_eq!(refused.status.code(), Some(2), "no label could mean all of them");
    assert_eq!(
        ends(&bench.lines(&read, 0).await[0]),
        both,
        "they belong together still"
    );

    let apart = bench.file("apart.jsonl", &format!("{{\"from\":102,\"to\":\"{one}\"}}\n"));
    let line = ["batch", "dissociate", A, "contacts", "companies", &apart];
    let gone = bench.run(&line).await;
    assert_eq!(gone.status.code(), Some(0), "{}", text(&gone.stderr));
    assert!(text(&gone.stdout).contains("taken apart"));
    assert_eq!(ends(&bench.lines(&read, 0).await[0]), std::slice::from_ref(two));
    let labelled = ["batch", "dissociate", A, "contacts", "companies", &pairs];
    let refused = bench.run(&labelled).await;
    assert_eq!(
        refused.status.code(),
        Some(2),
        "all labels end: a file that names some is refused"
    );
    let missing = bench.file("missing.csv", &format!("from,to\n103,{two}\n999999,{two}\n"));
    let line = ["batch", "associate", A, "contacts", "companies", &missing];
    let told = bench.lines(&line, 3).await;
    assert!(told[0]["result"]["kinds"].is_object(), "{told:?}");
    assert!(told[1]["result"]["error"]["reason"].is_string(), "{told:?}");
}
