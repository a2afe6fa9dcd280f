//! A caller of the simulator, and the world that the tests share.

use hubspot_sim::{ObjectType, PortalSpec, Simulator, TokenSpec, World};
use reqwest::Method;
use serde_json::Value;

/// The account that most tests call.
pub(crate) const ALPHA: u64 = 1_001;
/// The account that they must not reach.
pub(crate) const BETA: u64 = 1_002;
pub(crate) const ALPHA_TOKEN: &str = "pat-na1-00000000-test-0000-0000-alpha0000001";
pub(crate) const BETA_TOKEN: &str = "pat-na1-00000000-test-0000-0000-beta00000001";
pub(crate) const CONTACTS: &str = "/crm/objects/2026-09/contacts";

/// Two accounts with three contacts each.
pub(crate) fn world() -> World {
    World::empty()
        .with(portal("alpha", ALPHA, ALPHA_TOKEN))
        .with(portal("beta", BETA, BETA_TOKEN))
}

fn portal(slug: &str, id: u64, token: &str) -> PortalSpec {
    let portal = PortalSpec::new(slug, id).token(TokenSpec::private_app(token).app(id * 10));
    ["ann", "bob", "cyd"].into_iter().fold(portal, |portal, name| {
        let email = format!("{name}@{slug}.example");
        portal.record(
            ObjectType::Contacts,
            &[("email", &email), ("firstname", name), ("lastname", slug)],
        )
    })
}

/// The shared world, running, and a caller of alpha.
pub(crate) fn start() -> (Simulator, Caller) {
    let simulator = Simulator::start(world()).expect("the simulator starts");
    let caller = Caller::of(&simulator, ALPHA_TOKEN);
    (simulator, caller)
}

/// Calls with one token, or with none.
pub(crate) struct Caller {
    base: String,
    token: String,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    /// Null if the body is not JSON.
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// An answer as it was on the wire.
pub(crate) struct Raw {
    pub(crate) status: u16,
    headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Caller {
    pub(crate) fn of(simulator: &Simulator, token: &str) -> Self {
        Self {
            base: simulator.base_url(),
            token: token.to_owned(),
            http: client(),
        }
    }

    /// Calls; an error is a connection that broke.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests of the simulator call the simulator"
    )]
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.header("x-request-id", "test-1").send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer {
            status,
            headers,
            text,
            json,
        })
    }

    /// Gets what is on the wire: nothing is unpacked, nothing is followed.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests of the simulator call the simulator"
    )]
    pub(crate) async fn bytes(&self, path: &str) -> Raw {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        let request = http.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let response = request.send().await.expect("answered");
        Raw {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.expect("read").to_vec(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.must(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.must(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.must(Method::PUT, path, Some(body)).await
    }

    /// Puts nothing.
    pub(crate) async fn touch(&self, path: &str) -> Answer {
        self.must(Method::PUT, path, None).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.must(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.must(Method::DELETE, path, None).await
    }

    /// Posts a form.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests of the simulator call the simulator"
    )]
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let response = request.send().await.expect("answered");
        let status = response.status().as_u16();
        let text = response.text().await.expect("read");
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Posts a form as a browser does, which is sent on and does not follow here.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests of the simulator call the simulator"
    )]
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a browser");
        let request = browser
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let response = request.send().await.expect("answered");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.expect("read"),
            json: Value::Null,
        }
    }

    async fn must(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call(method, path, body)
            .await
            .unwrap_or_else(|error| panic!("{path} was not answered: {error}"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests of the simulator call the simulator"
)]
fn client() -> reqwest::Client {
    reqwest::Client::new()
}
