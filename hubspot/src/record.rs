//! The record of a call: its intent before it is sent, its outcome before anybody reads the answer.

use hubkeep_audit_log::{AuditLog, Intent, Outcome, Position};
use hubkeep_core::id::CallId;

use crate::{error::Error, request::Request};

/// Something whose intent is durable. It cannot be made anywhere but here.
pub(crate) struct Recorded<T> {
    content: T,
    intent: Intent,
}

/// Makes the intent of a request durable.
pub(crate) async fn intent<'a, T>(
    log: &AuditLog,
    request: Request<'a, T>,
) -> Result<Recorded<Request<'a, T>>, Error> {
    let ask = &request.ask;
    let bytes = ask
        .body
        .as_ref()
        .map_or(0, |body| u64::try_from(body.len()).unwrap_or(u64::MAX));
    let draft = request
        .draft
        .clone()
        .http(ask.method.as_str(), ask.path.template(), bytes);
    let intent = log.intent(draft).await.map_err(Error::IntentNotRecorded)?;
    Ok(Recorded {
        content: request,
        intent,
    })
}

impl<T> Recorded<T> {
    /// What is to be sent.
    pub(crate) const fn content(&self) -> &T {
        &self.content
    }

    /// The id of the intent, which travels to HubSpot with the request: what arrives there can be held against
    /// the log, entry by entry.
    pub(crate) fn entry_id(&self) -> String {
        self.intent.entry_id().to_string()
    }

    /// The call it is an attempt of.
    pub(crate) const fn call_id(&self) -> CallId {
        self.intent.call_id()
    }

    /// Makes the outcome durable.
    pub(crate) async fn settle(self, outcome: Outcome) -> Result<Position, hubkeep_audit_log::Error> {
        self.intent.settle(outcome).await
    }
}
