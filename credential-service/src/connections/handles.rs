//! The handles that were given for a connection. Who binds one, and who ends the connection, wait for each other.

use hubkeep_core::{
    clock::Timestamp,
    database::Transaction,
    id::{ConnectionId, HandleId},
};

use super::{Connections, Error, store};

impl Connections {
    /// Binds a handle to a connection, as part of the transaction that makes the handle; `false` if it has ended.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn bind(
        &self,
        transaction: &mut Transaction,
        connection_id: ConnectionId,
        handle_id: HandleId,
        expire_time: Timestamp,
    ) -> Result<bool, Error> {
        transaction.lock(&format!("connection/{connection_id}")).await?;
        if !store::is_live(transaction, connection_id).await? {
            return Ok(false);
        }
        store::handles::sweep(transaction, self.clock.now()).await?;
        store::handles::insert(transaction, connection_id, handle_id, expire_time).await?;
        Ok(true)
    }

    /// The handles of a connection whose time is not over, as a transaction sees it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn handles_of(
        &self,
        transaction: &mut Transaction,
        connection_id: ConnectionId,
    ) -> Result<Vec<HandleId>, Error> {
        transaction.lock(&format!("connection/{connection_id}")).await?;
        store::handles::living_of(transaction, connection_id, self.clock.now()).await
    }
}
