//! Ends a connection: first here, where it serves nobody from then on, then at HubSpot.

use hubkeep_audit_log::Operation;
use hubkeep_core::{clock::Timestamp, database::Transaction};

use super::{Connection, Connections, Error, complete::TO_REVOKE, store};
use crate::{record::Act, revocations::Scope};

/// A connection that was ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// As it is now.
    pub connection: Connection,
    /// The newest place on the feed, if handles ended; else 0.
    pub revocation_seq: u64,
}

/// What ending it did, as part of a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    /// The newest place on the feed, if handles ended; else 0.
    pub(super) seq: u64,
}

impl Connections {
    /// Ends a connection, with its handles, and tells HubSpot to refuse its refresh token. Of one that was ended, HubSpot is told
    /// what it could not be told before.
    ///
    /// # Errors
    /// If the database fails. That HubSpot could not be told is no error: the connection says so.
    pub async fn end(&self, act: &Act, connection: &Connection) -> Result<Ended, Error> {
        let mut seq = 0;
        if connection.end_time.is_none() {
            let access_end = match self.access_tokens.in_force(&connection.in_vault()).await {
                Ok((_, ends)) => ends,
                // What cannot be read cannot be waited for: HubSpot gives half an hour at most.
                Err(error) => {
                    tracing::warn!(%error, "it is not known when the last access token of a connection ends");
                    None
                }
            };
            let mut transaction = self.revocations.begin(act).await?;
            let stop = self.stop(&mut transaction, connection, access_end).await?;
            transaction.commit().await?;
            self.announce(stop.seq);
            seq = stop.seq;
            metrics::counter!("hubkeep_connections_ended_total").increment(1);
        }
        if connection.revoke_time.is_none()
            && let Err(error) = self.tell_hubspot(act, connection).await
        {
            let connection_id = connection.connection_id;
            tracing::warn!(%error, %connection_id, "HubSpot could not be told that a connection was ended");
        }
        Ok(Ended {
            connection: self.by_id(connection.connection_id).await?,
            revocation_seq: seq,
        })
    }

    /// Ends it as part of a transaction: whoever binds a handle to it at the same time waits, and finds that it has ended.
    pub(super) async fn stop(
        &self,
        transaction: &mut Transaction,
        connection: &Connection,
        access_end: Option<Timestamp>,
    ) -> Result<Stop, Error> {
        let id = connection.connection_id;
        transaction.lock(&format!("connection/{id}")).await?;
        let now = self.clock.now();
        let mut stop = Stop { seq: 0 };
        if !store::end(transaction, id, now, access_end).await? {
            return Ok(stop);
        }
        for handle_id in store::handles::living_of(transaction, id, now).await? {
            let scope = Scope::Handle(handle_id);
            stop.seq = self.revocations.append(transaction, scope).await?;
        }
        Ok(stop)
    }

    async fn tell_hubspot(&self, act: &Act, connection: &Connection) -> Result<(), Error> {
        let place = connection.in_vault();
        if !self.access_tokens.is_lost(&place).await? {
            let (refresh, _) = self.access_tokens.in_force(&place).await?;
            let deadline = self.clock.tick().plus(TO_REVOKE);
            let draft = act.draft(Operation::ConsentRevoke);
            self.access_tokens.revoke(draft, &refresh, deadline).await?;
        }
        self.forget(connection).await
    }

    /// Takes the tokens of an ended connection out of the vault: HubSpot refuses them.
    pub(super) async fn forget(&self, connection: &Connection) -> Result<(), Error> {
        let place = connection.in_vault();
        let mut transaction = self.database.begin().await?;
        store::revoked(&mut transaction, connection.connection_id, self.clock.now()).await?;
        self.vault.remove_one(&mut transaction, &place).await?;
        self.access_tokens.remove_one(&mut transaction, &place).await?;
        Ok(transaction.commit().await?)
    }

    /// Says what has been committed.
    pub(super) fn announce(&self, seq: u64) {
        if seq > 0 {
            self.revocations.announce(seq);
        }
    }
}
