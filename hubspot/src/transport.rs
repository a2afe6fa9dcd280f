//! The only place where bytes are sent to HubSpot. It takes nothing but a recorded request.

use std::{mem, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hubkeep_audit_log::Cause;
use hubkeep_core::{
    clock::{SharedClock, Tick},
    secret::PortalToken,
    telemetry::traces,
    tls::plainly,
};
use tracing::{Instrument as _, Span, field::Empty};
use url::Url;

use crate::{
    config::Config,
    record::Recorded,
    request::{Request, Right},
};

/// The header that carries the id of the intent. HubSpot ignores it.
const ENTRY_HEADER: &str = "x-request-id";

/// Kept back from a call's deadline to record how its attempt ended.
pub(crate) const TO_RECORD: Duration = Duration::from_millis(50);

/// The most of a refusal's body that is read, in bytes. HubSpot's have some hundreds.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// How long the body of a refusal is waited for: that it is a refusal is known by then, and only why is not.
const FOR_A_REFUSAL: Duration = Duration::from_secs(5);

/// What came back: any status, and its whole body; of a refusal what came of it, which may be nothing.
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Nothing that can be trusted came back.
#[derive(Debug)]
pub(crate) struct Lost {
    /// Whether HubSpot may have received the request, and what is known of the failure.
    pub(crate) cause: Cause,
    /// The status, where one came before the connection was lost.
    pub(crate) status: Option<StatusCode>,
    /// How much of the body had come by then, in bytes.
    pub(crate) bytes: usize,
    /// For the log.
    pub(crate) detail: String,
    /// Whether it was lost because its right was taken back.
    pub(crate) revoked: bool,
}

impl Lost {
    pub(crate) fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            status: None,
            bytes: 0,
            detail: detail.into(),
            revoked: false,
        }
    }

    fn revoked(cause: Cause, detail: &str) -> Self {
        Self {
            revoked: true,
            ..Self::new(cause, detail)
        }
    }
}

/// The span of one attempt. It names no record.
fn span<T>(recorded: &Recorded<Request<'_, T>>) -> Span {
    let ask = &recorded.content().ask;
    traces::span_of(|| {
        tracing::info_span!(
            "hubspot",
            otel.name = format!("{} {}", ask.method, ask.path.template()),
            otel.kind = "client",
            http.request.method = %ask.method,
            url.template = ask.path.template(),
            http.response.status_code = Empty,
            hubkeep.audit.entry_id = recorded.entry_id(),
        )
    })
}

/// A pool of connections to HubSpot.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    clock: SharedClock,
    attempt_timeout: Duration,
    max_answer_bytes: usize,
}

impl Transport {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one HTTP client of the product"
    )]
    pub(crate) fn new(config: &Config, clock: SharedClock) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("hubkeep/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            // A redirect would carry a token to an address that nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            // A proxy that the environment names would be handed tokens that nobody meant for it.
            .no_proxy()
            // What is compressed can be a thousand times larger than what was counted. It is not asked for, and not unpacked.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            // One intent is one attempt: nothing below may send a second time.
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            http,
            base: config.api_base.clone(),
            clock,
            attempt_timeout: config.attempt_timeout,
            max_answer_bytes: config.max_answer_bytes,
        })
    }

    /// Sends a recorded request and reads the answer, within its deadline, and while its lease lasts. What is cut off
    /// closes its connection: nothing of a late answer is ever taken for another's.
    pub(crate) async fn send<T>(&self, recorded: &Recorded<Request<'_, T>>) -> Result<Received, Lost> {
        let lease = &recorded.content().lease;
        if lease.revoked.is_cancelled() {
            return Err(Lost::revoked(Cause::NotSent, "the handle was revoked"));
        }
        if lease.send_by.is_some_and(|by| self.clock.tick() >= by) {
            let detail = "it was not known any more whether the handle holds";
            return Err(Lost::new(Cause::NotSent, detail));
        }
        let exchange = self.exchange(recorded).instrument(span(recorded));
        let received = lease.revoked.run_until_cancelled(exchange).await;
        received.unwrap_or_else(|| {
            Err(Lost::revoked(
                Cause::RevokedInFlight,
                "the handle was revoked meanwhile",
            ))
        })
    }

    async fn exchange<T>(&self, recorded: &Recorded<Request<'_, T>>) -> Result<Received, Lost> {
        let until = self.until(recorded.content().deadline);
        let mut response = self.head(recorded, until).await?;
        let status = response.status();
        Span::current().record("http.response.status_code", status.as_u16());
        let headers = mem::take(response.headers_mut());
        let body = if status.is_success() {
            let body = self.body(response, &headers, until).await;
            body.map_err(|lost| Lost {
                status: Some(status),
                ..lost
            })?
        } else {
            self.explanation(response, until).await
        };
        Ok(Received {
            status,
            headers,
            body,
        })
    }

    /// When an attempt is given up: with time left to record how it ended before the caller's deadline.
    fn until(&self, deadline: Tick) -> Tick {
        let given_up = self.clock.tick().plus(self.attempt_timeout);
        given_up.min(deadline.minus(TO_RECORD))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
    async fn head<T>(
        &self,
        recorded: &Recorded<Request<'_, T>>,
        until: Tick,
    ) -> Result<reqwest::Response, Lost> {
        if self.clock.tick() >= until {
            return Err(Lost::new(Cause::NotSent, "no time was left"));
        }
        let ask = &recorded.content().ask;
        let address = ask
            .path
            .on(&self.base)
            .map_err(|error| Lost::new(Cause::NotSent, error.to_string()))?;
        let mut request = self
            .http
            .request(ask.method.clone(), address)
            .query(&ask.query)
            .header(ENTRY_HEADER, recorded.entry_id())
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity");
        if ask.right == Right::Token {
            request = request.header(header::AUTHORIZATION, bearer(recorded.content().token)?);
        }
        if let Some(body) = &ask.body {
            let kind = match ask.right {
                Right::Token => "application/json",
                Right::App => "application/x-www-form-urlencoded",
            };
            request = request.header(header::CONTENT_TYPE, kind).body(body.clone());
        }
        match self.clock.timeout_at(until, request.send()).await {
            Some(Ok(response)) => Ok(response),
            Some(Err(error)) if error.is_connect() => Err(Lost::new(Cause::NotSent, chain(&error))),
            Some(Err(error)) if error.is_timeout() => Err(Lost::new(Cause::Timeout, chain(&error))),
            Some(Err(error)) => Err(Lost::new(Cause::ConnectionLost, chain(&error))),
            None => Err(Lost::new(Cause::Timeout, "no answer before the deadline")),
        }
    }

    /// The body of a success, whole or not at all.
    async fn body(
        &self,
        response: reqwest::Response,
        headers: &HeaderMap,
        until: Tick,
    ) -> Result<Bytes, Lost> {
        if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
            && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            let detail = "the answer is compressed, which was not asked for";
            return Err(Lost::new(Cause::ConnectionLost, detail));
        }
        let mut body = BytesMut::new();
        let read = self.read_into(&mut body, response, self.max_answer_bytes, until);
        match read.await {
            Ok(()) => Ok(body.freeze()),
            Err(lost) => Err(Lost {
                bytes: body.len(),
                ..lost
            }),
        }
    }

    /// What came of the body of a refusal. That it was refused is certain, whatever becomes of its body.
    async fn explanation(&self, response: reqwest::Response, until: Tick) -> Bytes {
        let until = until.min(self.clock.tick().plus(FOR_A_REFUSAL));
        let most = MAX_REFUSAL_BYTES.min(self.max_answer_bytes);
        let mut body = BytesMut::new();
        // What is cut off is no JSON any more, and sorted by its status alone.
        let _ = self.read_into(&mut body, response, most, until).await;
        body.freeze()
    }

    async fn read_into(
        &self,
        body: &mut BytesMut,
        mut response: reqwest::Response,
        most: usize,
        until: Tick,
    ) -> Result<(), Lost> {
        let too_large = || {
            Lost::new(
                Cause::ConnectionLost,
                "the answer is larger than max_answer_bytes",
            )
        };
        // Where its length is known, it is refused before it is read.
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).unwrap_or(usize::MAX) > most {
            return Err(too_large());
        }
        loop {
            let chunk = match self.clock.timeout_at(until, response.chunk()).await {
                Some(Ok(Some(chunk))) => chunk,
                Some(Ok(None)) => return Ok(()),
                Some(Err(error)) => return Err(Lost::new(Cause::ConnectionLost, chain(&error))),
                None => {
                    return Err(Lost::new(
                        Cause::Timeout,
                        "the answer did not end before the deadline",
                    ));
                }
            };
            if body.len().saturating_add(chunk.len()) > most {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
    }
}

fn bearer(token: &PortalToken) -> Result<HeaderValue, Lost> {
    let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|_| Lost::new(Cause::NotSent, "the token cannot stand in a header"))?;
    authorization.set_sensitive(true);
    Ok(authorization)
}

/// The error and its causes in one line, without the address: it may hold an id that is personal data.
fn chain(error: &reqwest::Error) -> String {
    let mut line = match (error.is_connect(), error.is_timeout()) {
        (true, _) => "no connection".to_owned(),
        (_, true) => "timed out".to_owned(),
        _ => "the exchange failed".to_owned(),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&plainly(error));
        cause = error.source();
    }
    line
}
