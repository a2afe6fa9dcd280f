//! What a process before this one could not write is written before anything else: in order, and each outcome once.

use hubkeep_core::clock::SharedClock;
use prost::Message as _;

use super::{
    file::{Content, SpillFile},
    record::Record,
    slots::blocking,
};
use crate::{
    CallResult, Error, Failure, Filter, Phase, Position,
    pending::Pending,
    store::{Reader, Store},
    writer::BATCH,
};

/// What became of the outcomes in a file.
#[derive(Debug, Default)]
struct Drained {
    /// They are in the log now.
    written: usize,
    /// They were in the log before.
    known: usize,
    /// Their intents were closed as unknown before, and stay so.
    late: usize,
    /// This log has no intents for them.
    strange: usize,
}

/// Writes what is in a file, and empties it. Where something in it is damaged or strange, what is whole is written, and the file
/// is set aside as it was: then there is none any more.
pub(super) async fn drain(
    file: SpillFile,
    reader: &Reader,
    store: &mut Store,
    clock: &SharedClock,
) -> Result<Option<SpillFile>, Error> {
    let (mut file, Content { records, damaged }) = blocking(move || {
        let content = file.read()?;
        Ok((file, content))
    })
    .await?;
    let mut drained = Drained::default();
    for some in records.chunks(BATCH) {
        drained.write(some, reader, store).await?;
    }
    drained.tell();
    if damaged == 0 && drained.strange == 0 {
        let emptied = blocking(move || {
            if !file.is_empty() {
                file.clear()?;
            }
            Ok(file)
        });
        return emptied.await.map(Some);
    }
    let now = clock.now();
    let aside = blocking(move || file.set_aside(now)).await?;
    metrics::counter!("hubkeep_audit_spill_set_aside_total").increment(1);
    tracing::error!(
        damaged_bytes = damaged,
        of_no_intent = drained.strange,
        aside = %aside.display(),
        "a file of outcomes is damaged, or has outcomes of another log: what could be read and belongs here is written, calls \
         whose outcomes could not be read end as unknown, and the file is kept aside"
    );
    Ok(None)
}

impl Drained {
    async fn write(&mut self, records: &[Record], reader: &Reader, store: &mut Store) -> Result<(), Error> {
        let mut batch = Vec::with_capacity(records.len());
        for record in records {
            match of_this_log(record, reader).await? {
                Some(pending) => batch.push(pending),
                None => self.strange = self.strange.saturating_add(1),
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        let appended = store
            .append(batch)
            .await
            .ok_or(Error::Unavailable(Failure::Stopped))?;
        appended
            .result
            .map_err(|error| Error::Unavailable(Failure::Database(error)))?;
        for (pending, position) in appended.batch.iter().zip(appended.positions) {
            let place = match position {
                Some(_) => &mut self.written,
                None if is_known(pending, reader).await? => &mut self.known,
                None => {
                    tell_late(pending);
                    &mut self.late
                }
            };
            *place = place.saturating_add(1);
        }
        Ok(())
    }

    fn tell(&self) {
        let Self {
            written, known, late, ..
        } = self;
        if written.max(known).max(late) > &0 {
            tracing::warn!(
                written,
                known_before = known,
                too_late = late,
                "outcomes that the log could not take before are in it now"
            );
        }
    }
}

/// What is to be written, if this log has the intent: a log that was put back from a backup has another entry there, or none.
async fn of_this_log(record: &Record, reader: &Reader) -> Result<Option<Pending>, Error> {
    let Ok(outcome) = record.entry() else {
        return Ok(None);
    };
    let Some(intent) = reader.entry_at(record.intent(), &record.log).await? else {
        return Ok(None);
    };
    let is_its = intent.phase() == Phase::Intent
        && outcome.phase() == Phase::Outcome
        && (&intent.call_id, intent.attempt) == (&outcome.call_id, outcome.attempt);
    Ok(is_its.then(|| record.clone().pending(&outcome)))
}

/// Whether the very same outcome is in the log.
async fn is_known(pending: &Pending, reader: &Reader) -> Result<bool, Error> {
    let Ok(call_id) = pending.row.keys.call_id.parse() else {
        return Ok(false);
    };
    let of_the_call = Filter {
        phases: vec![Phase::Outcome],
        call_id: Some(call_id),
        ..Filter::all()
    };
    let end = reader.end().await?;
    let outcomes = reader.all(&of_the_call, Position::START, end).await?;
    Ok(outcomes.iter().any(|event| event.leaf == pending.row.leaf))
}

/// Nobody can put it on record any more; whoever looks for the end of the call finds it here.
fn tell_late(pending: &Pending) {
    let outcome = crate::Entry::decode(pending.row.leaf.as_slice()).unwrap_or_default();
    let result: CallResult = outcome.result();
    tracing::error!(
        call_id = %outcome.call_id,
        attempt = outcome.attempt,
        result = result.as_str_name(),
        status_code = outcome.status_code,
        "the outcome of this call came back too late: its intent was closed as unknown before"
    );
}
