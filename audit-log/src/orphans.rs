//! Closes the intents that a lost process left open: what became of them is not known.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    Cause, Error, Failure, Heir, Outcome, Phase,
    appender::Appender,
    heir,
    pending::{Keys, Pending, Waiter},
    store::{Lease, LostIntent, Reader, Store},
    writer::BATCH,
};

/// How often a replica renews its lease.
const BEAT: Duration = Duration::from_secs(1);
/// How often a replica looks for intents whose writer left without a lease that could run out, in beats.
const LOOK: u64 = 10;

/// Gives every intent whose writer is gone an outcome that says so, each in its own log. Called before anything else
/// is written. Its heir hears of them before: who is lost in between is found open by the next.
pub(crate) async fn close(
    reader: &Reader,
    store: &mut Store,
    appender: &Appender,
    heir: &dyn Heir,
) -> Result<(), Error> {
    let mut closed = 0_usize;
    loop {
        let lost = reader.lost_intents(BATCH).await?;
        if lost.is_empty() {
            break;
        }
        heir::tell(heir, &lost).await?;
        let batch = lost.into_iter().map(|intent| outcome(appender, intent));
        let batch = batch.collect::<Result<Vec<_>, Error>>()?;
        closed = closed.saturating_add(batch.len());
        let appended = store
            .append(batch)
            .await
            .ok_or(Error::Unavailable(Failure::Stopped))?;
        appended
            .result
            .map_err(|error| Error::Unavailable(Failure::Database(error)))?;
    }
    tell(closed);
    Ok(())
}

/// Keeps this replica's lease until it is told to end, and closes what replicas left open whose lease ran out. The
/// lease is kept also while closing has to wait for the writer.
pub(crate) async fn watch(
    mut lease: Lease,
    reader: Reader,
    appender: Arc<Appender>,
    heir: Arc<dyn Heir>,
    end: CancellationToken,
) {
    let look = Notify::new();
    let beats = async {
        for beat in 1_u64.. {
            appender.clock().sleep(BEAT).await;
            let expired = lease.renew().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the lease of this replica was not renewed");
                0
            });
            if expired > 0 || beat % LOOK == 0 {
                look.notify_one();
            }
        }
    };
    let looks = async {
        loop {
            look.notified().await;
            if let Err(error) = close_by_queue(&reader, &appender, &*heir).await {
                tracing::warn!(%error, "intents of lost replicas stay open for now");
            }
        }
    };
    let both = async {
        tokio::select! {
            () = beats => {}
            () = looks => {}
        }
    };
    end.run_until_cancelled(both).await;
}

/// Closes them beside everything else that is written. Where another replica was quicker, nothing is written.
async fn close_by_queue(reader: &Reader, appender: &Appender, heir: &dyn Heir) -> Result<(), Error> {
    loop {
        let lost = reader.lost_intents(BATCH).await?;
        if lost.is_empty() {
            return Ok(());
        }
        heir::tell(heir, &lost).await?;
        let mut queued = Vec::with_capacity(lost.len());
        for mut intent in lost {
            let keys = Keys::of(intent.log, &intent.entry);
            let unknown = Outcome::unknown(Cause::ProcessLost);
            queued.push(appender.queue_outcome(&keys, &mut intent.entry, intent.position, unknown)?);
        }
        let mut closed = 0_usize;
        for answer in queued {
            closed = closed.saturating_add(usize::from(matches!(answer.await, Ok(Ok(_)))));
        }
        tell(closed);
    }
}

fn tell(closed: usize) {
    if closed > 0 {
        tracing::warn!(
            closed,
            "intents of a lost process had no outcome: recorded as unknown"
        );
    }
}

fn outcome(appender: &Appender, mut intent: LostIntent) -> Result<Pending, Error> {
    let keys = Keys::of(intent.log, &intent.entry);
    let unknown = Outcome::unknown(Cause::ProcessLost);
    let (row, _) = appender.row(&keys, &mut intent.entry, Phase::Outcome, unknown)?;
    Ok(Pending::outcome(row, intent.position, Waiter::Nobody))
}
