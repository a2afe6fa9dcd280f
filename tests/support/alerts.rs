//! Alerts and rules, as operators ask for them, and receivers that are told.

use std::{
    collections::VecDeque,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{Router, body::Bytes, extract::State};
use http::{HeaderMap, StatusCode};
use hubkeep_proto::crm::v1::{
    Alert, AlertKind, AlertRule, ListAlertsRequest, ListRulesRequest, PutRuleRequest, WatchAlertsRequest,
    WatchAlertsResponse, alert_service_client::AlertServiceClient,
};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tonic::{Status, Streaming, transport::Channel};

use super::{
    handles::named,
    hubkeep::{Hubkeep, Service},
};

/// All alerts, the newest first, as this operator lists them at a crm-service.
///
/// # Errors
/// With the refusal.
pub async fn alerts_at(channel: Channel, operator: &str) -> Result<Vec<Alert>, Status> {
    let mut client = AlertServiceClient::new(channel);
    let listed = client
        .list_alerts(named(operator, ListAlertsRequest::default()))
        .await?;
    Ok(listed.into_inner().alerts)
}

impl Hubkeep {
    fn alert_service(&self) -> AlertServiceClient<Channel> {
        AlertServiceClient::new(self.channel(Service::Crm))
    }

    /// All alerts of a kind, the newest first.
    pub async fn alerts(&self, kind: AlertKind) -> Vec<Alert> {
        let all = alerts_at(self.channel(Service::Crm), super::portals::OPERATOR).await;
        let mut all = all.expect("listed");
        all.retain(|alert| alert.kind() == kind);
        all
    }

    /// Puts a rule.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn put_rule(&self, operator: &str, request: PutRuleRequest) -> Result<AlertRule, Status> {
        let put = self.alert_service().put_rule(named(operator, request)).await?;
        Ok(put.into_inner().rule.expect("it holds a rule"))
    }

    /// The rules of a portal, or all.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn alert_rules(&self, operator: &str, client_slug: &str) -> Result<Vec<AlertRule>, Status> {
        let request = ListRulesRequest {
            client_slug: client_slug.to_owned(),
            ..ListRulesRequest::default()
        };
        let listed = self.alert_service().list_rules(named(operator, request)).await?;
        Ok(listed.into_inner().rules)
    }

    /// Watches alerts behind a change.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn watch_alerts(
        &self,
        operator: &str,
        after_change: u64,
    ) -> Result<Streaming<WatchAlertsResponse>, Status> {
        let request = WatchAlertsRequest {
            after_change,
            ..WatchAlertsRequest::default()
        };
        let opened = self
            .alert_service()
            .watch_alerts(named(operator, request))
            .await?;
        Ok(opened.into_inner())
    }
}

/// A receiver on loopback: of signed webhooks, or of Slack's.
#[derive(Clone, Debug)]
pub struct Inbox(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    /// What deliveries are signed with; Slack's are not.
    secret: Option<String>,
    failing: VecDeque<StatusCode>,
    /// How often somebody came.
    tries: usize,
    taken: Vec<(String, Value)>,
}

impl Inbox {
    /// One that takes what is signed with this, or what is not signed; after it has failed with these.
    pub fn new(secret: Option<&str>, failing: impl IntoIterator<Item = StatusCode>) -> Self {
        Self(Arc::new(Mutex::new(Kept {
            secret: secret.map(str::to_owned),
            failing: failing.into_iter().collect(),
            tries: 0,
            taken: Vec::new(),
        })))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no panic")
    }

    /// Opens it, and gives its address.
    pub async fn open(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let router = Router::new().fallback(take).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/services/T0/B0/s3cret")
    }

    /// What was taken: the delivery's id, empty for Slack's, and its body.
    pub fn taken(&self) -> Vec<(String, Value)> {
        self.kept().taken.clone()
    }

    /// How often somebody came.
    pub fn tries(&self) -> usize {
        self.kept().tries
    }
}

async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut kept = inbox.kept();
    kept.tries += 1;
    if let Some(status) = kept.failing.pop_front() {
        return status;
    }
    let known = match &kept.secret {
        Some(secret) => Webhook::new(secret).is_ok_and(|webhook| webhook.verify(&body, &headers).is_ok()),
        None => !headers.contains_key("webhook-signature"),
    };
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
    match (known, serde_json::from_slice(&body)) {
        (true, Ok(body)) => {
            let id = id.unwrap_or_default().to_owned();
            kept.taken.push((id, body));
            StatusCode::OK
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

/// A file with a secret, as services want it.
pub fn secret_file(folder: &Path, name: &str, secret: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, secret).expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("set");
    file
}
