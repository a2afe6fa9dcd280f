//! All keys brought to the current version of the key-encryption key, row by row.
//!
//! Each row is one statement that compares what it replaces. So the process may die at any row, several replicas may
//! do this at once, and keys may be made and used meanwhile: a row has the old wrapping or the new, and both open.

use std::sync::{Mutex, PoisonError};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    error::Error,
    kek::KekError,
    keyring::Keyring,
    place::{Owner, Purpose},
    store::{self, Row, VersionCount},
};

/// Rows read at a time.
const PAGE: i64 = 200;
/// Rows on their way to the key service and back at once.
const AT_ONCE: usize = 8;
/// How often the table is gone through: keys that an older replica made meanwhile are found by the next time.
const ROUNDS: usize = 3;

/// How far a rotation of the key-encryption key has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The version to which keys are brought.
    pub to_version: u32,
    /// The keys that other versions wrapped, when it began.
    pub total: u64,
    /// The keys that it has wrapped anew.
    pub rewrapped: u64,
    /// The keys that somebody else wrapped anew, or destroyed, in the meantime.
    pub elsewhere: u64,
    /// The keys that cannot be unwrapped: their rows were altered, or their version is not there. They stay.
    pub failed: u64,
    /// The keys that other versions wrap, when it has ended.
    pub remaining: u64,
}

/// What became of one row.
enum Done {
    Rewrapped,
    Elsewhere,
    Failed,
}

impl Keyring {
    /// Wraps every key anew that another version than the current one wrapped, and tells `progress` of each.
    ///
    /// A row that cannot be unwrapped is logged, counted and left as it is; the others go on.
    ///
    /// # Errors
    /// If the table or the key-encryption key does not answer. What was done until then stays done; begun again, it
    /// goes on with the rest.
    pub async fn rewrap(&self, progress: impl Fn(Progress) + Send + Sync) -> Result<Progress, Error> {
        let to_version = self.0.keks.current().version;
        let state = Mutex::new(Progress {
            to_version,
            total: self.others().await?,
            ..Progress::default()
        });
        for _ in 0..ROUNDS {
            set(&state, |so_far| so_far.failed = 0);
            self.round(&state, &progress).await?;
            let remaining = self.others().await?;
            set(&state, |so_far| so_far.remaining = remaining);
            let so_far = *state.lock().unwrap_or_else(PoisonError::into_inner);
            if so_far.remaining <= so_far.failed {
                break;
            }
        }
        let ended = *state.lock().unwrap_or_else(PoisonError::into_inner);
        progress(ended);
        Ok(ended)
    }

    async fn round(
        &self,
        state: &Mutex<Progress>,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let version = self.0.keks.current().version;
            let rows = store::page_of_others(&self.0.database, version, &after, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.key.key_id);
            stream::iter(rows)
                .map(|row| async move { self.rewrap_row(&row).await })
                .buffer_unordered(AT_ONCE)
                .try_for_each(|done| async move {
                    progress(set(state, |so_far| match done {
                        Done::Rewrapped => so_far.rewrapped += 1,
                        Done::Elsewhere => so_far.elsewhere += 1,
                        Done::Failed => so_far.failed += 1,
                    }));
                    Ok(())
                })
                .await?;
        }
    }

    async fn rewrap_row(&self, row: &Row) -> Result<Done, Error> {
        match self.rewrapped(row).await {
            Ok(true) => Ok(Done::Rewrapped),
            Ok(false) => Ok(Done::Elsewhere),
            Err(error) if is_of_the_row(&error) => {
                tracing::error!(key_id = row.key.key_id, owner = row.owner, %error, "a key cannot be wrapped anew");
                Ok(Done::Failed)
            }
            Err(error) => Err(error),
        }
    }

    async fn rewrapped(&self, row: &Row) -> Result<bool, Error> {
        let old = &row.key;
        let altered = || Error::KeyAltered {
            key_id: old.key_id.clone(),
        };
        let owner = Owner::from_stored(&row.owner).ok_or_else(altered)?;
        let purpose = Purpose::from_stored(&row.purpose).ok_or_else(altered)?;
        let key = self.unwrap(owner, purpose, old).await?;
        let new = self.wrap(owner, purpose, old.key_id.clone(), &key).await?;
        Ok(store::swap(&self.0.database, old, &new).await?)
    }

    /// How many keys other versions than the current one wrap.
    async fn others(&self) -> Result<u64, Error> {
        let current = self.0.keks.current().version;
        let counts = store::count_by_version(&self.0.database).await?;
        let others = counts
            .iter()
            .filter(|VersionCount { version, .. }| *version != current);
        Ok(others.map(|count| count.keys).sum())
    }
}

/// Whether it is this row that is not as it must be, and others may be.
const fn is_of_the_row(error: &Error) -> bool {
    matches!(
        error,
        Error::OtherKek { .. }
            | Error::KekVersion { .. }
            | Error::KeyAltered { .. }
            | Error::Kek {
                source: KekError::Refused,
                ..
            }
    )
}

fn set(state: &Mutex<Progress>, change: impl FnOnce(&mut Progress)) -> Progress {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    change(&mut state);
    *state
}
