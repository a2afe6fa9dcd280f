//! Closes the intents that an earlier process left open: what became of them is not known.

use crate::{
    Cause, Error, Failure, Outcome, Phase,
    appender::Appender,
    pending::{Pending, Waiter},
    store::{OpenIntent, Reader, Store},
    writer::BATCH,
};

/// Gives every intent without an outcome one that says so, each in its own log. Called before anything else is
/// written.
pub(crate) async fn close(reader: &Reader, store: &mut Store, appender: &Appender) -> Result<(), Error> {
    let mut closed = 0_usize;
    loop {
        let open = reader.open_intents(BATCH).await?;
        if open.is_empty() {
            break;
        }
        let batch = open.into_iter().map(|intent| lost(appender, intent));
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
    if closed > 0 {
        tracing::warn!(
            closed,
            "intents of an earlier process had no outcome: recorded as unknown"
        );
    }
    Ok(())
}

fn lost(appender: &Appender, intent: OpenIntent) -> Result<Pending, Error> {
    let outcome = Outcome::unknown(Cause::ProcessLost);
    let (row, _) = appender.row_in(intent.log, intent.entry, Phase::Outcome, outcome)?;
    Ok(Pending::outcome(row, intent.position, Waiter::Nobody))
}
