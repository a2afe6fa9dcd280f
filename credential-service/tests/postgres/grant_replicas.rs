//! A grant is taken away at one replica, and no other gives a handle by it.

use hubkeep_proto::credential::v1::{DeleteGrantRequest, access_service_client::AccessServiceClient};

use crate::{
    grants::{on_acme, put, start},
    harness::*,
    replicas::Replica,
};

#[tokio::test]
async fn a_change_that_another_replica_makes_is_in_force_with_the_next_question() {
    let bench = start().await;
    put(&bench, on_acme("sync", SYNC)).await.expect("put");
    bench.issue(SYNC, "acme").await.expect("issued");
    let second = Replica::beside(&bench).await;
    let mut there = AccessServiceClient::new(second.channel_of(OPERATOR));
    let request = DeleteGrantRequest {
        grant_id: "sync".to_owned(),
    };
    there.delete_grant(request).await.expect("deleted");
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "GRANT_MISSING");
}
