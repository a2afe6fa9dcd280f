//! Secrets never travel: not into the files of the database, nor into an answer that is not a redemption.

use hubkeep_proto::credential::v1::{ListPortalsRequest, VerifyPortalRequest};

use crate::harness::*;

#[tokio::test]
async fn neither_token_nor_handle_is_in_any_file() {
    let mut bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    bench.redeem(&handle, SYNC).await.expect("redeems");
    let request = VerifyPortalRequest {
        client_slug: "acme".to_owned(),
    };
    bench
        .portals(OPERATOR)
        .verify_portal(request)
        .await
        .expect("verifies");
    bench
        .onboard("umbra", REVOKED_TOKEN, 0)
        .await
        .expect_err("refused");
    let secret = handle.split('_').nth(1).expect("a secret");

    // While it runs the newest pages are in the write-ahead logs; after it stopped they are in the databases.
    for round in ["running", "stopped"] {
        assert!(
            !found_in_files(bench.folder.path(), "acme").is_empty(),
            "{round}: the search finds nothing"
        );
        for text in [ACME_TOKEN, REVOKED_TOKEN, &handle, secret] {
            assert_eq!(
                found_in_files(bench.folder.path(), text),
                Vec::<String>::new(),
                "{round}"
            );
        }
        if round == "running" {
            bench.stop().await;
        }
    }
}

#[tokio::test]
async fn no_answer_but_a_redemption_holds_a_token() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    let portals = bench
        .portals(OPERATOR)
        .list_portals(ListPortalsRequest::default())
        .await
        .expect("lists");
    let redeemed = bench.redeem(&issued.handle, SYNC).await.expect("redeems");
    let shown = format!("{portals:?} {:?} {redeemed:?}", issued.description);
    assert!(!shown.contains(ACME_TOKEN) && !shown.contains(&issued.handle));
    let entries = format!("{:?}", bench.entries().await);
    assert!(!entries.contains(ACME_TOKEN) && !entries.contains(&issued.handle));
}

#[tokio::test]
async fn a_service_with_another_key_does_not_start() {
    let mut bench = Bench::start().await;
    bench.stop().await;
    let refused = bench.start_with_another_key().await.expect_err("refused");
    let said = format!("{refused:?}");
    assert!(said.contains("OtherKek"), "{said}");
}
