//! The life of one attempt: recorded, sent, sorted, recorded again, answered.

mod shared;

use http::header;
use hubkeep_audit_log::{AuditLog, CallResult, Cause, Outcome};
use hubkeep_core::{
    address::is_protected,
    clock::{SharedClock, Tick},
    error::{ErrorReason, ServiceError as _},
    id::CallId,
    secret::PortalToken,
};
pub use shared::{Party, Share, Shared};
use thiserror::Error as ThisError;

use crate::{
    answer::{Answer, Decoded, Standing},
    config::{ApiVersion, Config},
    error::Error,
    limits::Limits,
    record::{self, Recorded},
    refusal::{Refusal, correlation_id_of},
    request::{Effect, Request, Right, Told},
    transport::{Lost, Received, Transport},
};

/// A client could not be built.
#[derive(Debug, ThisError)]
pub enum StartError {
    /// Tokens would travel unprotected.
    #[error("{0} is neither https nor loopback")]
    Unprotected(url::Url),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    Http(#[from] reqwest::Error),
}

/// The door to HubSpot. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    log: AuditLog,
    clock: SharedClock,
    version: ApiVersion,
}

/// What is known when an attempt has ended, before it is recorded.
struct Ended<T> {
    result: Result<(T, Limits), Error>,
    outcome: Outcome,
}

impl Client {
    /// Opens the door. There is none without a log.
    ///
    /// # Errors
    /// If tokens would travel unprotected.
    pub fn new(config: &Config, log: AuditLog, clock: SharedClock) -> Result<Self, StartError> {
        if !is_protected(&config.api_base) {
            return Err(StartError::Unprotected(config.api_base.clone()));
        }
        let transport = Transport::new(config, clock.clone())?;
        Ok(Self {
            transport,
            log,
            clock,
            version: config.api_version,
        })
    }

    /// The version of the API that is spoken.
    pub const fn version(&self) -> ApiVersion {
        self.version
    }

    /// Whether anything is sealed beside entries: where not, drafts need bring nothing.
    pub fn seals_payloads(&self) -> bool {
        self.log.seals_payloads()
    }

    /// Makes one attempt. When this returns, its outcome is durable, whatever it is; the caller of this function
    /// must let it run to its end.
    ///
    /// # Errors
    /// See [`Error`]: each says whether HubSpot received anything.
    pub async fn call<T>(&self, request: Request<'_, T>) -> Result<Answer<T>, Error> {
        self.call_noting(request, |_| ()).await
    }

    /// The same, and `sent` is told when the intent is durable and the request goes out. It is not told if nothing
    /// goes out.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_noting<T>(
        &self,
        request: Request<'_, T>,
        sent: impl FnOnce(Tick),
    ) -> Result<Answer<T>, Error> {
        let effect = request.ask.effect();
        let recorded = record::intent(&self.log, request).await?;
        let call_id = recorded.call_id();
        let began = self.clock.tick();
        sent(began);
        let ended = match self.transport.send(&recorded).await {
            Ok(received) => read(&recorded, received, call_id),
            Err(lost) => not_answered(effect, lost, call_id),
        };
        self.settle(recorded, ended, effect, began, call_id).await
    }

    async fn settle<T>(
        &self,
        recorded: Recorded<Request<'_, T>>,
        ended: Ended<T>,
        effect: Effect,
        began: Tick,
        call_id: CallId,
    ) -> Result<Answer<T>, Error> {
        let mut outcome = Outcome {
            duration: Some(self.clock.tick().since(began)),
            ..ended.outcome
        };
        if outcome.result != CallResult::Ok && outcome.record_refs.is_empty() {
            outcome.record_refs = recorded.content().refs.of(&[], Told::NotAll);
        }
        count(&outcome);
        let settled = match effect {
            Effect::Read => recorded.settle(outcome).await.map(|at| (at, None)),
            Effect::Write => recorded.settle_with_receipt(&self.log, outcome).await,
        };
        match (settled, ended.result) {
            (Ok((outcome, receipt)), Ok((value, limits))) => Ok(Answer {
                value,
                outcome,
                receipt,
                limits,
            }),
            (Ok((_, receipt)), Err(error)) => Err(error.with_receipt(receipt)),
            (Err(unrecorded), _) if effect == Effect::Write => Err(Error::OutcomeUnknown {
                call_id,
                hubspot_failed: false,
                detail: format!("its outcome could not be recorded: {unrecorded}"),
                receipt: None,
            }),
            (Err(unrecorded), _) => Err(Error::OutcomeNotRecorded(unrecorded)),
        }
    }
}

/// One request more, by how it ended.
fn count(outcome: &Outcome) {
    let result = match outcome.result {
        CallResult::Unspecified => "none",
        CallResult::Ok => "ok",
        CallResult::Refused => "refused",
        CallResult::Failed => "failed",
        CallResult::Unknown => "unknown",
    };
    let status = outcome.status_code.to_string();
    metrics::counter!("hubkeep_hubspot_requests_total", "result" => result, "status" => status).increment(1);
    if let Some(took) = outcome.duration {
        metrics::histogram!("hubkeep_hubspot_request_seconds").record(took.as_secs_f64());
    }
}

/// Reads what came back.
fn read<T>(recorded: &Recorded<Request<'_, T>>, received: Received, call_id: CallId) -> Ended<T> {
    let ask = &recorded.content().ask;
    let limits = Limits::of(&received.headers);
    let outcome = Outcome {
        status_code: u32::from(received.status.as_u16()),
        response_bytes: u64::try_from(received.body.len()).unwrap_or(u64::MAX),
        hubspot_correlation_id: correlation_id_of(&received.headers),
        quota_left: limits.quota_left(),
        ..Outcome::ok()
    };
    if !received.status.is_success() {
        let refusal = refusal(ask.right, recorded.content().token, &received);
        return refused(ask.effect(), refusal, limits, outcome, call_id);
    }
    let read = if is_json(&received) {
        (ask.decode)(&received.body).map_err(|_| "a success with a body that is not HubSpot's")
    } else {
        Err("a success with a body that says of itself that it is no JSON")
    };
    match read {
        Ok(Decoded {
            value,
            record_count,
            record_ids,
            standing,
        }) => {
            let (result, reason) = told(ask.effect(), standing);
            let all = match (result, reason) {
                (CallResult::Ok, None) => Told::All,
                _ => Told::NotAll,
            };
            Ended {
                result: Ok((value, limits)),
                outcome: Outcome {
                    result,
                    reason,
                    record_count,
                    record_refs: recorded.content().refs.of(&record_ids, all),
                    ..outcome
                },
            }
        }
        Err(detail) => {
            // The decoder's own words may quote the body, so they are not passed on.
            let lost = Lost {
                status: Some(received.status),
                ..Lost::new(Cause::ConnectionLost, detail)
            };
            let ended = not_answered(ask.effect(), lost, call_id);
            let merged = Outcome {
                result: ended.outcome.result,
                cause: ended.outcome.cause,
                reason: ended.outcome.reason,
                ..outcome
            };
            Ended {
                outcome: merged,
                ..ended
            }
        }
    }
}

/// How a success is recorded. The inputs of a write may each have had another end: whoever finds nothing but this record must not
/// take for done what was not, nor for known what is not.
const fn told(effect: Effect, standing: Standing) -> (CallResult, Option<ErrorReason>) {
    match (effect, standing) {
        (Effect::Read, _) | (Effect::Write, Standing::All) => (CallResult::Ok, None),
        (Effect::Write, Standing::Part(reason)) => (CallResult::Ok, Some(reason)),
        (Effect::Write, Standing::None(reason)) => (CallResult::Refused, Some(reason)),
        (Effect::Write, Standing::Open) => (CallResult::Unknown, Some(ErrorReason::OutcomeUnknown)),
    }
}

/// Whether a body may be HubSpot's: what is no JSON by its own word, such as the page of something in between that wants a
/// sign-in, is not read as if it were. A body that says nothing of itself may be.
fn is_json(received: &Received) -> bool {
    let Some(kind) = received.headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    received.body.is_empty() || kind.to_ascii_lowercase().ends_with("json")
}

/// What HubSpot's refusal amounts to. If it repeats the token, nothing of what it says is passed on.
fn refusal(right: Right, token: &PortalToken, received: &Received) -> Refusal {
    let read = |body: &[u8]| match right {
        Right::Token => Refusal::of(received.status, &received.headers, body),
        Right::App => Refusal::of_app(received.status, &received.headers, body),
    };
    let refusal = read(&received.body);
    if refusal.repeats(token.expose()) {
        read(&[])
    } else {
        refusal
    }
}

fn refused<T>(
    effect: Effect,
    refusal: Refusal,
    limits: Limits,
    outcome: Outcome,
    call_id: CallId,
) -> Ended<T> {
    let hubspot_correlation_id = refusal.correlation_id.clone();
    if effect == Effect::Write && leaves_writes_open(refusal.status) {
        let detail = format!("HubSpot answered {}", refusal.status);
        let error = Error::OutcomeUnknown {
            call_id,
            hubspot_failed: true,
            detail,
            receipt: None,
        };
        let reason = Some(error.reason());
        let outcome = Outcome {
            result: CallResult::Unknown,
            reason,
            hubspot_correlation_id,
            ..outcome
        };
        return Ended {
            result: Err(error),
            outcome,
        };
    }
    let error = Error::Refused(Box::new(refusal), limits);
    let reason = Some(error.reason());
    let outcome = Outcome {
        result: CallResult::Refused,
        reason,
        hubspot_correlation_id,
        ..outcome
    };
    Ended {
        result: Err(error),
        outcome,
    }
}

/// After a failure of HubSpot's servers nobody knows whether a write happened; 524 even says that it ran for 100 s. Nor where
/// something in between has waited for them in vain (408, 499), or is told to look elsewhere for what came of it (303).
const fn leaves_writes_open(status: u16) -> bool {
    matches!(status, 303 | 408 | 499 | 500..=599)
}

fn not_answered<T>(effect: Effect, lost: Lost, call_id: CallId) -> Ended<T> {
    let Lost {
        cause,
        status,
        bytes,
        detail,
        revoked,
    } = lost;
    let (error, result) = match (cause, effect) {
        (Cause::NotSent, _) if revoked => (Error::Revoked(detail), CallResult::Failed),
        (_, Effect::Read) if revoked => (Error::Revoked(detail), CallResult::Unknown),
        (Cause::NotSent, _) => (Error::NotSent(detail), CallResult::Failed),
        (_, Effect::Read) => (Error::NoAnswer { cause, detail }, CallResult::Unknown),
        (_, Effect::Write) => {
            let hubspot_failed = !revoked;
            let error = Error::OutcomeUnknown {
                call_id,
                hubspot_failed,
                detail,
                receipt: None,
            };
            (error, CallResult::Unknown)
        }
    };
    let status_code = status.map_or(0, |status| u32::from(status.as_u16()));
    let outcome = Outcome {
        result,
        cause,
        reason: Some(error.reason()),
        status_code,
        response_bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        ..Outcome::ok()
    };
    Ended {
        result: Err(error),
        outcome,
    }
}
