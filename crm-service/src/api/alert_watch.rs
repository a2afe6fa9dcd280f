//! A stream of alerts as it goes over the wire.

use std::{collections::VecDeque, pin::Pin, time::Duration};

use futures::{Stream, stream};
use hubkeep_core::{clock::SharedClock, grpc::Context};
use hubkeep_proto::crm::v1::{WatchAlertsRequest, WatchAlertsResponse};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{alert_words::alert, error::Error};
use crate::alerts::{Alert, Alerts, Which};

/// What goes over the wire.
pub(super) type Responses = Pin<Box<dyn Stream<Item = Result<WatchAlertsResponse, Status>> + Send>>;

/// How often it is looked for what other replicas have found.
const LOOKS_EVERY: Duration = Duration::from_millis(500);
/// Alerts that are read at once: what a slow reader holds in memory.
const PAGE: u32 = 256;

/// A stream that is open.
pub(super) struct Watch {
    alerts: Alerts,
    clock: SharedClock,
    stopping: CancellationToken,
    context: Context,
    client_slug: String,
    changed: watch::Receiver<u64>,
    /// Everything up to this change was read.
    after: u64,
    /// Up to this change only what fires is given: what was resolved before the stream began is past.
    past: u64,
    page: VecDeque<Alert>,
}

impl Watch {
    /// Begins where the message says; `last` is the last change there is.
    pub(super) fn new(
        alerts: Alerts,
        (clock, stopping): (SharedClock, CancellationToken),
        context: Context,
        message: &WatchAlertsRequest,
        last: u64,
    ) -> Self {
        let after = message.after_change;
        Self {
            changed: alerts.changed(),
            alerts,
            clock,
            stopping,
            context,
            client_slug: message.client_slug.clone(),
            after,
            past: if after == 0 { last } else { 0 },
            page: VecDeque::new(),
        }
    }

    /// The alerts, and at the end one error that says why it ended.
    pub(super) fn into_stream(self) -> Responses {
        Box::pin(stream::unfold(Some(self), |watch| async move {
            let mut watch = watch?;
            match watch.next().await {
                Ok(found) => {
                    let response = WatchAlertsResponse {
                        change: found.change,
                        alert: Some(alert(&found)),
                    };
                    Some((Ok(response), Some(watch)))
                }
                Err(error) => Some((Err(watch.context.refuse(&error)), None)),
            }
        }))
    }

    async fn next(&mut self) -> Result<Alert, Error> {
        loop {
            if self.stopping.is_cancelled() {
                return Err(Error::Stopping);
            }
            if let Some(alert) = self.page.pop_front() {
                return Ok(alert);
            }
            if self.read().await? {
                continue;
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Err(Error::Stopping),
                Ok(()) = self.changed.changed() => {}
                () = self.clock.sleep(LOOKS_EVERY) => {}
            }
        }
    }

    /// Reads on; gives whether there may be more.
    async fn read(&mut self) -> Result<bool, Error> {
        // Seen before it is read: what changes meanwhile is looked for again.
        self.changed.mark_unchanged();
        let past = self.after < self.past;
        let which = Which {
            client_slug: self.client_slug.clone(),
            firing: past.then_some(true),
        };
        let until = if past { self.past } else { u64::MAX };
        let page = self.alerts.changes(&which, (self.after, until), PAGE).await?;
        let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        let last = page.last().map(|alert| alert.change);
        self.after = match last {
            // The page has left something out before `until`.
            Some(last) if full => last,
            _ if past => self.past,
            Some(last) => last,
            None => self.after,
        };
        self.page = page.into();
        Ok(past || last.is_some())
    }
}
