//! The transactions of acts. Whoever acts is asked for in the act's own transaction, not at the door only: what was past the
//! door when its caller was contained, and waits for its turn, is not carried out after that.

use hubkeep_core::database::Transaction;

use super::{Error, Revocations, store};
use crate::record::Act;

/// Held together by those who act, and alone by who says who is contained: none of them sees half of the other.
const ACTS: &str = "acts";

impl Revocations {
    /// Begins the transaction of an act that changes what somebody may do. Who is contained while it lasts waits for its end.
    ///
    /// # Errors
    /// [`Error::CallerContained`] if whoever acts is contained; or if the database fails.
    pub async fn begin(&self, act: &Act) -> Result<Transaction, Error> {
        let mut transaction = self.database.begin().await?;
        transaction.lock_shared(ACTS).await?;
        may_act(transaction, act).await
    }

    /// The same for an act that may say who is contained: it waits for the end of all acts that have begun, and those that
    /// begin after it see what it said.
    ///
    /// # Errors
    /// As [`Revocations::begin`].
    pub async fn begin_alone(&self, act: &Act) -> Result<Transaction, Error> {
        let mut transaction = self.database.begin().await?;
        transaction.lock(ACTS).await?;
        may_act(transaction, act).await
    }
}

async fn may_act(mut transaction: Transaction, act: &Act) -> Result<Transaction, Error> {
    let caller = &act.context().caller.name;
    if store::is_held(&mut transaction, caller).await? {
        transaction.rollback().await?;
        return Err(Error::CallerContained(caller.clone()));
    }
    Ok(transaction)
}
