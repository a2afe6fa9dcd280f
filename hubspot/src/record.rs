//! The record of a call: its intent before it is sent, its outcome before anybody reads the answer.

use futures::future::join_all;
use hubkeep_audit_log::{AuditLog, Cause, Draft, Failure, Intent, Outcome, Position, Receipt};
use hubkeep_core::{error::ErrorReason, id::CallId};

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
    let draft = sending(request.draft.clone(), &request);
    let intent = log.intent(draft).await.map_err(Error::IntentNotRecorded)?;
    Ok(Recorded {
        content: request,
        intent,
    })
}

/// Makes the intents of a request and of other calls that it answers durable: all of them, or nothing is sent.
pub(crate) async fn intents<'a, T>(
    log: &AuditLog,
    request: Request<'a, T>,
    others: Vec<Draft>,
) -> Result<(Recorded<Request<'a, T>>, Vec<Intent>), Error> {
    let drafts = [request.draft.clone()].into_iter().chain(others);
    let drafts: Vec<Draft> = drafts.map(|draft| sending(draft, &request)).collect();
    let mut durable = Vec::with_capacity(drafts.len());
    let mut lacking = None;
    for intent in join_all(drafts.into_iter().map(|draft| log.intent(draft))).await {
        match intent {
            Ok(intent) => durable.push(intent),
            Err(error) => lacking = Some(error),
        }
    }
    let mut durable = durable.into_iter();
    match (durable.next(), lacking) {
        (Some(intent), None) => {
            let own = Recorded {
                content: request,
                intent,
            };
            Ok((own, durable.collect()))
        }
        (first, lacking) => {
            let not_sent = || Outcome {
                cause: Cause::NotSent,
                ..Outcome::failed(ErrorReason::AuditUnavailable)
            };
            let all = first.into_iter().chain(durable);
            // One that is not durable in time is written later; the refusal does not depend on it.
            join_all(all.map(|intent| intent.settle(not_sent()))).await;
            let lacking = lacking.unwrap_or(hubkeep_audit_log::Error::Unavailable(Failure::Stopped));
            Err(Error::IntentNotRecorded(lacking))
        }
    }
}

/// With what is about to be sent.
fn sending<T>(draft: Draft, request: &Request<'_, T>) -> Draft {
    let ask = &request.ask;
    let bytes = ask
        .body
        .as_ref()
        .map_or(0, |body| u64::try_from(body.len()).unwrap_or(u64::MAX));
    let draft = draft.http(ask.method.as_str(), ask.path.template(), bytes);
    match draft.has_payload() {
        true => draft.exact_path(&ask.path.exact()),
        false => draft,
    }
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

    /// The same of a write, with the receipt for it.
    pub(crate) async fn settle_with_receipt(
        self,
        log: &AuditLog,
        outcome: Outcome,
    ) -> Result<(Position, Option<Receipt>), hubkeep_audit_log::Error> {
        let settled = self.intent.settle_for_receipt(outcome).await?;
        let receipt = log.receipt(&settled).await;
        Ok((settled.position(), receipt))
    }
}
