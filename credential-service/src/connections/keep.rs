//! Puts a connection in the place of the one before: its row, its refresh token and what that gave, all at once.

use hubkeep_audit_log::Operation;
use hubkeep_core::{database::Transaction, secret::PortalToken};

use super::{Connection, Connections, Error, complete::TO_REVOKE, end::Stop, store};
use crate::{access_tokens::Fresh, record::Act};

impl Connections {
    /// Keeps what HubSpot gave. Nobody has used it before.
    pub(super) async fn keep(&self, act: &Act, connection: &Connection, fresh: &Fresh) -> Result<(), Error> {
        let place = connection.in_vault();
        // Keys are made where there are none, so all of this comes before the transaction.
        let row = self.sealed_row(connection).await?;
        let token = self.vault.seal(&place, &fresh.refresh).await?;
        let pair = self.access_tokens.seal(&place, fresh).await?;
        let before = self.before(connection).await?;
        let mut transaction = self.revocations.begin(act).await?;
        let lock = format!("connection/{}/{}", connection.user, connection.portal_id);
        transaction.lock(&lock).await?;
        let stopped = match self.replaced(&mut transaction, connection, before.as_ref()).await {
            Ok(stopped) => stopped,
            Err(error) => {
                transaction.rollback().await?;
                return Err(error);
            }
        };
        store::insert(&mut transaction, &row).await?;
        self.vault.put(&mut transaction, &token).await?;
        self.access_tokens.put(&mut transaction, &pair).await?;
        transaction.commit().await?;
        if let Some((replaced, stop)) = stopped {
            self.announce(stop.seq);
            self.forget_replaced(act, &replaced, &fresh.refresh).await;
        }
        Ok(())
    }

    /// The connection of the same user and portal that serves until now.
    async fn before(&self, connection: &Connection) -> Result<Option<Connection>, Error> {
        let live = store::live_of(&self.database, &connection.user, Some(connection.portal_id)).await?;
        match live.into_iter().next() {
            Some(row) => Ok(Some(self.open(row).await?)),
            None => Ok(None),
        }
    }

    /// Ends the one before, if it is still the one.
    async fn replaced(
        &self,
        transaction: &mut Transaction,
        connection: &Connection,
        before: Option<&Connection>,
    ) -> Result<Option<(Connection, Stop)>, Error> {
        let live = store::live_id(transaction, &connection.user, connection.portal_id).await?;
        match (live, before) {
            (None, _) => Ok(None),
            (Some(id), Some(before)) if before.connection_id.to_string() == id => {
                let stop = self.stop(transaction, before, None).await?;
                Ok(Some((before.clone(), stop)))
            }
            (Some(_), _) => Err(Error::Contended),
        }
    }

    /// Tells HubSpot to refuse the refresh token that was replaced, unless HubSpot has repeated that very one.
    async fn forget_replaced(&self, act: &Act, replaced: &Connection, kept: &PortalToken) {
        let forgotten = async {
            let (refresh, _) = self.access_tokens.in_force(&replaced.in_vault()).await?;
            if refresh.fingerprint() != kept.fingerprint() {
                let draft = act.draft(Operation::ConsentRevoke);
                let deadline = self.clock.tick().plus(TO_REVOKE);
                self.access_tokens.revoke(draft, &refresh, deadline).await?;
            }
            self.forget(replaced).await
        };
        if let Err(error) = forgotten.await {
            let connection_id = replaced.connection_id;
            tracing::warn!(%error, %connection_id, "a replaced connection is not revoked at HubSpot: disconnect it");
        }
    }
}
