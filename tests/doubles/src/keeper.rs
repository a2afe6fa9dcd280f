//! A receiver of signed webhooks that keeps what it takes. Signatures are verified by an implementation that is not ours.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::{serve::Server, trouble::Switch};

/// What it was sent, and has taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The delivery's id.
    pub id: String,
    /// Its body.
    pub body: Value,
}

/// A receiver.
#[derive(Debug)]
pub struct Keeper {
    server: Server,
    desk: Desk,
}

#[derive(Clone, Debug)]
struct Desk {
    secret: String,
    switch: Switch,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    tries: usize,
    taken: Vec<Taken>,
}

impl Keeper {
    /// One that takes what is signed with this secret.
    pub async fn start(secret: &str) -> Self {
        let desk = Desk {
            secret: secret.to_owned(),
            switch: Switch::default(),
            kept: Arc::default(),
        };
        let router = Router::new().fallback(take).with_state(desk.clone());
        Self {
            server: Server::start(router).await,
            desk,
        }
    }

    /// Where it is. The query is a secret.
    pub fn url(&self) -> String {
        format!("{}/anchors?key=s3cret", self.server.url())
    }

    /// What is wrong with it.
    pub fn switch(&self) -> &Switch {
        &self.desk.switch
    }

    /// How often somebody came.
    pub fn tries(&self) -> usize {
        self.desk.kept().tries
    }

    /// What it has taken.
    pub fn taken(&self) -> Vec<Taken> {
        self.desk.kept().taken.clone()
    }
}

impl Desk {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("not poisoned")
    }
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    desk.kept().tries += 1;
    let denial = || StatusCode::FORBIDDEN.into_response();
    if let Some(answer) = desk.switch.answer(denial).await {
        return answer;
    }
    let id = header(&headers, "webhook-id").to_owned();
    match (
        is_signed(&desk.secret, &headers, &body),
        serde_json::from_slice(&body),
    ) {
        (true, Ok(body)) => {
            desk.kept().taken.push(Taken { id, body });
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Whether the signature is that of its own time. How long ago that was is not asked: the sender may go by a clock that a test
/// holds.
fn is_signed(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let Ok(second) = header(headers, "webhook-timestamp").parse() else {
        return false;
    };
    let webhook = Webhook::new(secret).expect("a secret");
    let signature = webhook.sign(header(headers, "webhook-id"), second, body);
    signature.is_ok_and(|signature| signature == header(headers, "webhook-signature"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
