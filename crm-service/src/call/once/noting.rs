//! Notes what came of a write that was made. A database that fails in that very moment is asked again until it has it: who asks for
//! the write meanwhile, and the list of those that are unknown, go by the note.

use hubkeep_core::dying::watched;

use super::{LAST_LOOK, Once};
use crate::writes::{Error, Kept, Row};

/// What came of a write.
#[derive(Clone, Debug)]
pub(super) enum Note {
    /// Nothing was done: its id is free.
    Free,
    /// This was the answer.
    Kept(Box<Kept>),
    /// Nobody knows.
    Unknown {
        /// What entries have for its record; empty where that is not known.
        object_ref: String,
        /// Why.
        why: &'static str,
    },
}

impl Once {
    /// Notes it now; or else later, on a task of its own, as soon as the database has it.
    pub(super) async fn note(&self, row: &Row, note: Note) {
        let Err(error) = self.try_to_note(row, &note).await else {
            return;
        };
        // The log has it, and whoever asks again is answered by that when the call's deadline is over.
        tracing::error!(%error, call_id = %row.call_id, "what came of a write is not noted yet");
        let (once, stopping, row) = (self.clone(), self.stopping.clone(), row.clone());
        let noting = async move {
            loop {
                once.clock.sleep(LAST_LOOK).await;
                if once.try_to_note(&row, &note).await.is_ok() {
                    return;
                }
            }
        };
        self.under_way
            .spawn(watched(stopping.run_until_cancelled_owned(noting)));
    }

    /// Somebody may have taken this process for lost, and have sorted the row by the log: then it says the same.
    async fn try_to_note(&self, row: &Row, note: &Note) -> Result<bool, Error> {
        match note {
            Note::Free => self.writes.free(row).await,
            Note::Kept(kept) => self.writes.keep(row, kept, "answer").await,
            Note::Unknown { object_ref, why } => self.writes.mark_unknown(row, object_ref, why).await,
        }
    }
}
