//! Consumers are told of rotations by webhook: signed, again where they do not hear, and never with a token.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State};
use http::{HeaderMap, StatusCode};
use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::credential::v1::{RegisterConsumerRequest, RotationState, TaskState};
use hubkeep_tests::{Hubkeep, Limits, Service, World, eventually, support::rotations::consumer};
use hubspot_sim::fingerprint;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

const A: &str = "client-0001";
const NEW: &str = "pat-na1-00000000-load-0000-0000-rotated000001";

/// What was delivered, as a receiver keeps it; it refuses what it cannot verify.
#[derive(Clone, Default)]
struct Inbox {
    secret: Arc<Mutex<String>>,
    failing: Arc<Mutex<VecDeque<StatusCode>>>,
    taken: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Inbox {
    async fn open(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let router = Router::new().fallback(take).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/rotated?key=inbox")
    }

    fn taken(&self) -> Vec<(String, Value)> {
        self.taken.lock().expect("no panic").clone()
    }
}

async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Some(status) = inbox.failing.lock().expect("no panic").pop_front() {
        return status;
    }
    let secret = inbox.secret.lock().expect("no panic").clone();
    let verified = Webhook::new(&secret).is_ok_and(|webhook| webhook.verify(&body, &headers).is_ok());
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
    match (verified, id, serde_json::from_slice(&body)) {
        (true, Some(id), Ok(body)) => {
            inbox.taken.lock().expect("no panic").push((id.to_owned(), body));
            StatusCode::NO_CONTENT
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

async fn started(inbox: &Inbox) -> Hubkeep {
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited())).credential(|config| {
        config.rotation.look_every = Duration::from_millis(100);
        config.rotation.tell_again = Duration::from_millis(500);
        config.rotation.webhook.first_wait = Duration::from_millis(5);
    });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let registered = hubkeep
        .register_consumer(RegisterConsumerRequest {
            webhook_url: inbox.open().await,
            ..consumer("billing")
        })
        .await;
    *inbox.secret.lock().expect("no panic") = registered.made_webhook_secret;
    hubkeep
}

#[tokio::test]
async fn a_consumer_hears_of_a_rotation_and_of_its_rollback_in_signed_words_without_a_token() {
    let inbox = Inbox::default();
    let hubkeep = started(&inbox).await;
    let old = hubkeep.token(A);
    let rotation = hubkeep.rotate(A, &old, NEW).await;
    eventually!(inbox.taken().len() == 1);
    let (first_id, body) = inbox.taken().pop().expect("one");
    assert_eq!(body["type"], "rotation.switched");
    let data = &body["data"];
    assert_eq!(data["rotation_id"], rotation.rotation_id);
    assert_eq!(
        (&data["client_slug"], &data["token_fingerprint"]),
        (&A.into(), &fingerprint(NEW).into())
    );
    assert_eq!(data["store_version"], rotation.store_version);
    assert!(!body.to_string().contains("pat-na1"), "{body}");
    let told = async || {
        hubkeep
            .rotation(&rotation.rotation_id)
            .await
            .tasks
            .pop()
            .expect("one")
    };
    eventually!(told().await.told_time.is_some());
    hubkeep
        .acknowledge("billing", &rotation, NEW)
        .await
        .expect("true");
    assert_eq!(told().await.state(), TaskState::Done);

    hubkeep
        .cancel_rotation(&rotation.rotation_id)
        .await
        .expect("the old token lives");
    eventually!(inbox.taken().len() == 2);
    let (id, body) = inbox.taken().pop().expect("one");
    assert_ne!(id, first_id, "another message");
    assert_eq!(body["type"], "rotation.rolled_back");
    assert_eq!(body["data"]["token_fingerprint"], fingerprint(&old));
    let now = hubkeep
        .rotation(&rotation.rotation_id)
        .await
        .rotation
        .expect("there");
    assert_eq!(now.state(), RotationState::RollingBack);
}

#[tokio::test]
async fn a_receiver_that_fails_is_told_again_and_what_failed_is_shown_and_recorded() {
    let inbox = Inbox::default();
    // More than one delivery tries: it is given up once, shown as failed, and made again later.
    inbox
        .failing
        .lock()
        .expect("no panic")
        .extend([StatusCode::SERVICE_UNAVAILABLE; 4]);
    let hubkeep = started(&inbox).await;
    let rotation = hubkeep.rotate(A, &hubkeep.token(A), NEW).await;
    let task = async || {
        hubkeep
            .rotation(&rotation.rotation_id)
            .await
            .tasks
            .pop()
            .expect("one")
    };
    eventually!(task().await.failed_deliveries == 1);
    let failed = task().await;
    assert!(
        failed.last_failure.contains("503") && !failed.last_failure.contains("inbox"),
        "{failed:?}"
    );
    let entries = async || {
        let mut entries = hubkeep.entries(Service::Credential, Phase::Admin).await;
        entries.retain(|entry| entry.operation() == Operation::RotationTell);
        entries
    };
    eventually!(entries().await.len() == 1);
    let entry = entries().await.pop().expect("one");
    assert_eq!(
        (entry.subject.as_str(), entry.client_slug.as_str()),
        ("billing", A)
    );
    assert_eq!(entry.reason().wire_name(), "CONSUMER_NOT_TOLD");
    // After a while it is told again, and takes it.
    eventually!(inbox.taken().len() == 1);
}
