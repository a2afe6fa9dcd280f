//! A bucket of S3-compatible storage. It keeps what is put there under a name that is free, with the headers that it came with,
//! and overwrites nothing; of signatures it looks only that there is one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};

use crate::{serve::Server, trouble::Switch};

/// What was put somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its bytes.
    pub body: Vec<u8>,
    /// The headers that it came with.
    pub headers: BTreeMap<String, String>,
    /// The query that it came with, without what changes from one to the next.
    pub signed_headers: String,
}

/// A bucket.
#[derive(Debug)]
pub struct Bucket {
    server: Server,
    desk: Desk,
}

#[derive(Clone, Debug, Default)]
struct Desk {
    switch: Switch,
    objects: Arc<Mutex<BTreeMap<String, Object>>>,
}

impl Bucket {
    /// One in which nothing is.
    pub async fn start() -> Self {
        let desk = Desk::default();
        let router = Router::new().fallback(serve).with_state(desk.clone());
        Self {
            server: Server::start(router).await,
            desk,
        }
    }

    /// Where the storage is.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What is wrong with it.
    pub fn switch(&self) -> &Switch {
        &self.desk.switch
    }

    /// Everything in it, by name, which begins with that of the bucket.
    pub fn objects(&self) -> BTreeMap<String, Object> {
        self.desk.objects().clone()
    }

    /// Something is there that nobody here has put.
    pub fn plant(&self, name: &str, body: &[u8]) {
        let object = Object {
            body: body.to_vec(),
            headers: BTreeMap::new(),
            signed_headers: String::new(),
        };
        self.desk.objects().insert(name.to_owned(), object);
    }
}

impl Desk {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Object>> {
        self.objects.lock().expect("not poisoned")
    }
}

async fn serve(
    State(desk): State<Desk>,
    method: Method,
    address: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let denial = || refusal(StatusCode::FORBIDDEN, "AccessDenied");
    if let Some(answer) = desk.switch.answer(denial).await {
        return answer;
    }
    let name = address.path().trim_start_matches('/').to_owned();
    let query = address.query().unwrap_or_default();
    let signed = |key: &str| {
        query
            .split('&')
            .find_map(|part| part.strip_prefix(key))
            .unwrap_or_default()
    };
    if signed("X-Amz-Signature=").is_empty() {
        return denial();
    }
    let there = desk.objects().get(&name).cloned();
    match (method, there) {
        (Method::GET, Some(object)) => object.body.into_response(),
        (Method::GET, None) => refusal(StatusCode::NOT_FOUND, "NoSuchKey"),
        (Method::PUT, Some(_)) if headers.get("if-none-match").is_some_and(|value| value == "*") => {
            refusal(StatusCode::PRECONDITION_FAILED, "PreconditionFailed")
        }
        (Method::PUT, _) => {
            let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
            let object = Object {
                body: body.to_vec(),
                headers: headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), text(value)))
                    .collect(),
                signed_headers: signed("X-Amz-SignedHeaders=").to_owned(),
            };
            desk.objects().insert(name, object);
            StatusCode::OK.into_response()
        }
        _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn refusal(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
    (status, body).into_response()
}
