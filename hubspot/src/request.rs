//! One call to HubSpot, before it is recorded.

use bytes::Bytes;
use http::Method;
use hubkeep_audit_log::Draft;
use hubkeep_core::{clock::Tick, secret::PortalToken};
use tokio_util::sync::CancellationToken;

use crate::{answer::Decoded, path::Path};

/// Whether a call changes anything at HubSpot. It decides what an answer that never came means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: asking again is harmless.
    Read,
    /// Something: without an answer it may or may not have happened.
    Write,
}

/// By what right something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// By the token of the request, as a bearer's.
    Token,
    /// By the id and the secret of our app, which stand in the form that is sent; the token of the request is what it is
    /// about.
    App,
}

/// What can be asked of HubSpot: method, path, query, body, and how its answer reads.
///
/// Made by [`objects`](crate::objects), [`owners`](crate::owners), [`account`](crate::account) and
/// [`oauth`](crate::oauth).
pub struct Ask<T> {
    pub(crate) effect: Effect,
    pub(crate) right: Right,
    pub(crate) method: Method,
    pub(crate) path: Path,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) decode: fn(&[u8]) -> Result<Decoded<T>, serde_json::Error>,
}

impl<T> Ask<T> {
    pub(crate) fn get(path: Path, decode: fn(&[u8]) -> Result<Decoded<T>, serde_json::Error>) -> Self {
        Self {
            effect: Effect::Read,
            right: Right::Token,
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
            decode,
        }
    }

    /// A form of our app's. It changes nothing that asking again would not leave as it is.
    pub(crate) fn form(
        path: Path,
        form: String,
        decode: fn(&[u8]) -> Result<Decoded<T>, serde_json::Error>,
    ) -> Self {
        Self {
            right: Right::App,
            method: Method::POST,
            body: Some(Bytes::from(form)),
            ..Self::get(path, decode)
        }
    }

    pub(crate) fn with_query(mut self, query: Vec<(&'static str, String)>) -> Self {
        self.query = query;
        self
    }

    pub(crate) fn with_body(mut self, effect: Effect, method: Method, body: &serde_json::Value) -> Self {
        self.effect = effect;
        self.method = method;
        self.body = Some(Bytes::from(body.to_string()));
        self
    }

    /// Whether it changes anything.
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// The path, for records and logs.
    pub const fn path(&self) -> &Path {
        &self.path
    }
}

/// How long the right to make a call lasts. By default as long as anybody wants.
#[derive(Clone, Debug, Default)]
pub struct Lease {
    /// Fires when the right is taken back: then nothing is sent, and what is under way is cut off.
    pub revoked: CancellationToken,
    /// After this nothing is sent: nobody can say whether the right is still there. What was sent goes on.
    pub send_by: Option<Tick>,
}

/// An [`Ask`], made with a portal's token, for somebody, until a deadline.
pub struct Request<'a, T> {
    /// What is asked.
    pub ask: Ask<T>,
    /// The token of the portal that is asked, or the one that is asked about.
    pub token: &'a PortalToken,
    /// The entry to be: whose log, who asks, by what right. The client adds what it sends.
    pub draft: Draft,
    /// When the answer must be there. The attempt is given up then.
    pub deadline: Tick,
    /// How long it may be made.
    pub lease: Lease,
}
