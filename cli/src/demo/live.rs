//! Follows both audit logs while the demo runs, and prints what comes.

use std::{collections::HashSet, time::Duration};

use futures::future;
use hubkeep_core::clock::SharedClock;
use hubkeep_proto::audit::v1::{Event, EventFilter, Operation};
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use super::stage::Stage;
use crate::{
    commands::audit::{
        follow::{self, Beginning},
        line,
    },
    errors::Error,
    output::{FAINT, Output},
    wire_json,
};

/// How long an event may take from the log to the live stream.
const CATCH_UP: Duration = Duration::from_secs(5);
/// After this long without an event the streams are at rest.
const REST: Duration = Duration::from_millis(60);
/// Events that wait to be printed, at most.
const WAITING: usize = 256;

/// The live view on both logs. Dropping it closes the streams without waiting.
pub(super) struct Live {
    seen: watch::Receiver<Seen>,
    clock: SharedClock,
    tasks: [AbortOnDropHandle<Result<(), Error>>; 2],
}

/// What has come so far.
#[derive(Debug, Default)]
struct Seen {
    entry_ids: HashSet<String>,
    /// Entries that say that a stream was opened. Ours are the first.
    streams: usize,
}

impl Live {
    /// Opens a stream from each service. When this returns, both give events.
    ///
    /// # Errors
    /// If that takes too long.
    pub(super) async fn start(stage: &Stage, output: &Output) -> Result<Self, Error> {
        let (events, arriving) = mpsc::channel(WAITING);
        let services = [stage.credential(), stage.crm()];
        let followers = services.map(|service| {
            follow::events(
                service.clone(),
                EventFilter::default(),
                Beginning::After(0),
                stage.clock.clone(),
                events.clone(),
                output.clone(),
            )
        });
        let (note, seen) = watch::channel(Seen::default());
        let following = async move { future::try_join_all(followers).await.map(|_| ()) };
        let printing = print(arriving, note, output.clone());
        let live = Self {
            seen,
            clock: stage.clock.clone(),
            tasks: [tokio::spawn(following), tokio::spawn(printing)].map(AbortOnDropHandle::new),
        };
        let late = || Error::Failed("the audit streams did not open in time".to_owned());
        let open = live.until(|seen| seen.streams >= services.len()).await;
        if open { Ok(live) } else { Err(late()) }
    }

    /// Lets the streams come to rest, so that the next step's heading stands below this one's events.
    pub(super) async fn catch_up(&self) {
        let mut seen = self.seen.clone();
        loop {
            seen.mark_unchanged();
            if self
                .clock
                .timeout(REST, seen.changed())
                .await
                .is_none_or(|change| change.is_err())
            {
                return;
            }
        }
    }

    /// How many of these entries have not come, after a fair time to do so.
    pub(super) async fn missing(&self, entry_ids: &HashSet<String>) -> usize {
        if self.until(|seen| entry_ids.is_subset(&seen.entry_ids)).await {
            return 0;
        }
        entry_ids.difference(&self.seen.borrow().entry_ids).count()
    }

    async fn until(&self, enough: impl FnMut(&Seen) -> bool) -> bool {
        let mut seen = self.seen.clone();
        let came = self.clock.timeout(CATCH_UP, seen.wait_for(enough)).await;
        came.is_some_and(|came| came.is_ok())
    }

    /// Closes the streams.
    pub(super) async fn stop(self) {
        for task in self.tasks {
            task.abort();
            // Aborted or ended: it prints no more.
            task.await.ok();
        }
    }
}

async fn print(
    mut arriving: mpsc::Receiver<Event>,
    note: watch::Sender<Seen>,
    output: Output,
) -> Result<(), Error> {
    while let Some(event) = arriving.recv().await {
        if output.is_json() {
            output.json_line(&wire_json::of("hubkeep.audit.v1.Event", &event)?)?;
        } else {
            output.line(&format!("    {FAINT}│{FAINT:#} {}", line::of(&event)))?;
        }
        let entry = event.entry.unwrap_or_default();
        note.send_modify(|seen| {
            seen.streams += usize::from(entry.operation() == Operation::AuditStream);
            seen.entry_ids.insert(entry.entry_id);
        });
    }
    Ok(())
}
