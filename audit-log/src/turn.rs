//! The right to do one batch of work in the background, of which one replica at a time has it.

use hubkeep_core::database::{Database, Error, Transaction};

/// The right to do one batch.
pub(crate) struct Turn(Option<Transaction>);

impl Turn {
    /// Takes it; `None` if another replica holds the lock, and is at work.
    pub(crate) async fn take(database: &Database, lock: &str) -> Result<Option<Self>, Error> {
        if !database.is_shared() {
            // Nothing is locked while a batch is read, only while it is written.
            return Ok(Some(Self(None)));
        }
        let mut transaction = database.begin().await?;
        if transaction.try_lock(lock).await? {
            return Ok(Some(Self(Some(transaction))));
        }
        transaction.rollback().await?;
        Ok(None)
    }

    /// The transaction in which the batch is written.
    pub(crate) async fn transaction(&mut self, database: &Database) -> Result<Transaction, Error> {
        match self.0.take() {
            Some(transaction) => Ok(transaction),
            None => database.begin().await,
        }
    }
}
