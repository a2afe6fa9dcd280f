//! What can be wrong with a service: it denies, hangs, talks nonsense, fails, or answers for another.

use std::{
    future,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::Value;

use crate::serve::Server;

/// What is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// It does not let anybody.
    Denies,
    /// It takes requests and never answers.
    Hangs,
    /// It answers with a page for people.
    Nonsense,
    /// It fails with status 500.
    Fails,
    /// It answers with what another key gave, or for another name.
    Confused,
}

/// What is wrong now, to be set by a test. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Switch(Arc<Mutex<Trouble>>);

impl Switch {
    /// From now on this is wrong.
    pub fn set(&self, trouble: Trouble) {
        *self.0.lock().expect("not poisoned") = trouble;
    }

    /// What is wrong.
    pub fn get(&self) -> Trouble {
        *self.0.lock().expect("not poisoned")
    }

    /// The answer that trouble gives, where it gives one whatever is asked. May never return.
    pub(crate) async fn answer(&self, denial: impl FnOnce() -> Response) -> Option<Response> {
        match self.get() {
            Trouble::None | Trouble::Confused => None,
            Trouble::Denies => Some(denial()),
            Trouble::Hangs => future::pending().await,
            Trouble::Nonsense => Some((StatusCode::OK, "<html>welcome</html>").into_response()),
            Trouble::Fails => Some((StatusCode::INTERNAL_SERVER_ERROR, "<html>sorry</html>").into_response()),
        }
    }
}

/// A server that says one thing, whatever it is asked.
#[derive(Debug)]
pub struct Parrot(Server);

impl Parrot {
    /// Says this.
    pub async fn saying(status: u16, body: Value) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        let say = async move || (status, Json(body)).into_response();
        Self(Server::start(Router::new().fallback(say)).await)
    }

    /// Says nothing, for ever.
    pub async fn silent() -> Self {
        let say = async || future::pending::<Response>().await;
        Self(Server::start(Router::new().fallback(say)).await)
    }

    /// Says what no program understands.
    pub async fn babbling() -> Self {
        let say = async || (StatusCode::OK, "<html>welcome</html>").into_response();
        Self(Server::start(Router::new().fallback(say)).await)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.0.url()
    }
}
