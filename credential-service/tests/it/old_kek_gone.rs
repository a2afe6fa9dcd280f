//! After a rotation of the key-encryption key its old file can be deleted: whatever was sealed before still serves, for
//! every purpose there is.

use std::{collections::BTreeSet, time::Duration};

use hubkeep_core::clock::SystemClock;
use hubkeep_proto::credential::v1::{
    GetPortalRequest, GetSessionRequest, ListConsumersRequest, Portal, PortalDetails,
    RegisterConsumerRequest, UpdatePortalRequest, session_service_client::SessionServiceClient,
};
use hubkeep_seal::Purpose;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

use crate::{
    consumers::{consumer, register},
    fleet::erase_in_both,
    harness::*,
    office::{ANN, Office},
    rotation::*,
};

/// How long a delivery may take.
const BOUND: Duration = Duration::from_secs(10);

/// A receiver of webhooks on loopback: gives its address, and each request's head and what came with it of the body.
async fn receiver() -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = vec![0; 16 * 1024];
            let length = connection.read(&mut request).await.expect("reads");
            let _ = tell.send(String::from_utf8_lossy(&request[..length]).into_owned());
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            connection.write_all(answer).await.expect("answers");
        }
    });
    (format!("http://{address}/rotated"), told)
}

fn details() -> PortalDetails {
    PortalDetails {
        controller_name: "ACME GmbH".to_owned(),
        tags: vec!["emea".to_owned()],
        ..PortalDetails::default()
    }
}

async fn portal(bench: &Bench) -> Portal {
    let request = GetPortalRequest {
        client_slug: "acme".to_owned(),
    };
    let answer = bench.portals(OPERATOR).get_portal(request).await.expect("there");
    answer.into_inner().portal.expect("told")
}

/// What each key in the table is for, and which version wrapped it.
async fn purposes(bench: &Bench) -> BTreeSet<(String, i64)> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT purpose, kek_version FROM seal_key")
        .fetch_all(bench.database().await.pool())
        .await
        .expect("reads");
    rows.into_iter().collect()
}

#[tokio::test]
async fn whatever_was_sealed_before_serves_after_the_old_file_is_gone() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let Office {
        mut bench,
        provider: _provider,
    } = office;
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let described = UpdatePortalRequest {
        client_slug: "acme".to_owned(),
        details: Some(details()),
    };
    bench
        .portals(OPERATOR)
        .update_portal(described)
        .await
        .expect("described");
    let (webhook_url, mut received) = receiver().await;
    let registration = RegisterConsumerRequest {
        webhook_url,
        tags: vec!["emea".to_owned()],
        ..consumer("billing", &[])
    };
    register(&bench, registration).await.expect("registers");
    // An erasure makes the key with which certificates are signed.
    let before = erase_in_both(&bench, "globex", GLOBEX).await;

    bench.name_second_version();
    bench.restart(|_| {}).await;
    bench.rotate(2).await.expect("rotates");
    let sealed = purposes(&bench).await;
    let used: BTreeSet<&str> = sealed.iter().map(|(purpose, _)| purpose.as_str()).collect();
    let all = Purpose::ALL
        .iter()
        // Only the other service hashes ids of records, and addresses of erased contacts, and keeps what it has written.
        .filter(|purpose| ![Purpose::ObjectRef, Purpose::Suppression, Purpose::Writes, Purpose::AuditPayload].contains(purpose));
    assert_eq!(used, all.map(|purpose| purpose.name()).collect());
    assert!(sealed.iter().all(|(_, version)| *version == 2), "{sealed:?}");

    bench.config.keys.oldest_accepted_version = 2;
    std::fs::remove_file(&bench.config.keys.kek_file).expect("removed");
    bench.restart(|_| {}).await;

    let redeemed = bench.redeem(&handle, SYNC).await.expect("redeems");
    assert_eq!(redeemed.portal_token, ACME_TOKEN);
    let request = GetSessionRequest {
        session_token: ann.token(),
    };
    let mut sessions = SessionServiceClient::new(bench.channel_of(CRM));
    sessions.get_session(request).await.expect("she is signed in");
    assert_eq!(portal(&bench).await.details, Some(details()));
    let listed = rotations(&bench)
        .list_consumers(ListConsumersRequest::default())
        .await;
    let [billing] = &listed.expect("listed").into_inner().consumers[..] else {
        panic!("one consumer")
    };
    assert_eq!(billing.tags, ["emea"]);
    // HubSpot is asked when those who have listened are sure to be lent nothing any more.
    let rotating = rotate(&bench, to(ACME_SECOND_TOKEN));
    let rotation = bench.as_time_goes(rotating).await.expect("rotates");
    assert_eq!(rotation.rotation.expect("told").consumers_behind, 1);
    let delivered = SystemClock::shared().timeout(BOUND, received.recv()).await;
    let delivered = delivered.expect("in time").expect("delivered");
    assert!(
        delivered.starts_with("POST /rotated ") && delivered.contains("webhook-signature: v1,"),
        "{delivered}"
    );
    let erased = erase_in_both(&bench, "acme", ACME).await;
    assert_eq!(
        erased.verifier_key, before.verifier_key,
        "one key signs all certificates"
    );
    assert!(erased.certificate.contains("acme"), "{}", erased.certificate);
}
