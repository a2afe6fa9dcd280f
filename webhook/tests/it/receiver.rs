//! A receiver on loopback: it verifies as `standardwebhooks` does, writes down what it was sent, and answers as told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, header};
use hubkeep_webhook::Address;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

/// How the receiver answers one delivery.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With this status.
    Status(u16),
    /// By sending it elsewhere.
    Redirect(String),
    /// With a success whose body never ends.
    Endless,
    /// Never.
    Silence,
}

/// A delivery as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) body: String,
    /// What an independent implementation says of its signature.
    pub(crate) verified: bool,
}

#[derive(Default)]
struct Desk {
    answers: VecDeque<Answer>,
    received: Vec<Received>,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    secret: String,
    desk: Arc<Mutex<Desk>>,
    pub(crate) address: Address,
}

impl Receiver {
    /// Answers with these in turn, and with 204 when they are over.
    pub(crate) async fn start(secret: &str, answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let desk = Desk {
            answers: answers.into_iter().collect(),
            received: Vec::new(),
        };
        let receiver = Self {
            secret: secret.to_owned(),
            desk: Arc::new(Mutex::new(desk)),
            address: format!("http://{address}/rotated?key=s3cret")
                .parse()
                .expect("valid"),
        };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.desk.lock().expect("no panic").received.clone()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let webhook = Webhook::new(&receiver.secret).expect("a secret");
    let received = Received {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        body: String::from_utf8_lossy(&body).into_owned(),
        verified: webhook.verify(&body, &headers).is_ok(),
    };
    let answer = {
        let mut desk = receiver.desk.lock().expect("no panic");
        desk.received.push(received);
        desk.answers.pop_front().unwrap_or(Answer::Status(204))
    };
    match answer {
        Answer::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Answer::Redirect(target) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, target)]).into_response()
        }
        Answer::Endless => {
            let chunks =
                std::iter::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 8_192])));
            axum::body::Body::from_stream(futures::stream::iter(chunks)).into_response()
        }
        Answer::Silence => std::future::pending().await,
    }
}
