//! An answer before it goes onto the wire.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::errors::Problem;
use crate::limits::Headroom;

/// The header that carries the correlation id.
pub(crate) const CORRELATION: &str = "x-hubspot-correlation-id";

/// An answer before it goes onto the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// An answer without body.
    pub(crate) fn empty(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let body = Bytes::from(serde_json::to_vec(body).unwrap_or_default());
        let mut reply = Self {
            body,
            ..Self::empty(status)
        };
        reply.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json;charset=utf-8"),
        );
        reply
    }

    /// A page of HTML.
    pub(crate) fn html(status: u16, page: String) -> Self {
        let mut reply = Self {
            body: Bytes::from(page),
            ..Self::empty(status)
        };
        reply
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/html;charset=utf-8"));
        reply
    }

    /// A refusal, which quotes the correlation id in its body.
    pub(crate) fn refusal(problem: Problem, correlation_id: &str) -> Self {
        let status = problem.status;
        Self::json(
            status,
            &Value::Object(problem.with("correlationId", json!(correlation_id)).body),
        )
    }

    /// Adds or replaces a header. One that cannot be sent is left out.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Adds the headers that tell how many calls are left.
    #[must_use]
    pub(crate) fn rate_headers(self, left: Headroom) -> Self {
        // The per-second pair is a relic: still sent, no longer enforced.
        let secondly = left.burst / 10;
        let reply = match left.daily {
            Some((limit, remaining)) => self
                .header("x-hubspot-ratelimit-daily", &limit.to_string())
                .header("x-hubspot-ratelimit-daily-remaining", &remaining.to_string()),
            None => self,
        };
        reply
            .header(
                "x-hubspot-ratelimit-interval-milliseconds",
                &left.window_ms.to_string(),
            )
            .header("x-hubspot-ratelimit-max", &left.burst.to_string())
            .header("x-hubspot-ratelimit-remaining", &left.burst_remaining.to_string())
            .header("x-hubspot-ratelimit-secondly", &secondly.to_string())
            .header(
                "x-hubspot-ratelimit-secondly-remaining",
                &secondly.saturating_sub(1).to_string(),
            )
    }

    /// The same answer with another body.
    #[must_use]
    pub(crate) fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..self
        }
    }

    /// States the length of the body, also when less of it will be sent.
    #[must_use]
    pub(crate) fn declare_length(mut self) -> Self {
        self.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        self
    }
}
