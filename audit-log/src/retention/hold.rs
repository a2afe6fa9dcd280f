//! How far back logs reach, and which must not be pruned.

use hubkeep_core::{clock::Timestamp, database::Database};

use super::{Beginning, LOCK, beginning, plan::Planner, store, store::Standing};
use crate::{AuditLog, Entry, Error, Filter, ProvenPortal, Search, payloads, proofs};

const HOLD: &str = "INSERT INTO audit_hold (log, operator, reason, hold_time) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (log) DO NOTHING";
const RELEASE: &str = "DELETE FROM audit_hold WHERE log = $1";
const FIND: &str = "SELECT operator, reason, hold_time FROM audit_hold WHERE log = $1";

/// Nothing of a log is pruned while it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The operator who said so.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub hold_time: Timestamp,
}

/// How far back a log reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    /// The log's full name.
    pub log: String,
    /// How many entries were ever written to it.
    pub size: u64,
    /// The index of the first that is there.
    pub first_index: u64,
    /// When that was made.
    pub first_time: Option<Timestamp>,
    /// Where it begins; `None` while all of its entries are there.
    pub beginning: Option<Beginning>,
    /// The earliest time at which the next bundle may go; `None` where none will as things stand.
    pub next_time: Option<Timestamp>,
    /// Why nothing of it is pruned, where that is so.
    pub hold: Option<Hold>,
}

impl AuditLog {
    /// For how long entries are kept.
    pub fn keep(&self) -> &super::Keep {
        self.keeping()
    }

    /// How far back the next logs by name reach, at most `limit` of those after `after`; or the one of the name `only`, if that
    /// is not empty.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn retained(&self, after: &str, limit: usize, only: &str) -> Result<Vec<Retained>, Error> {
        let mut retained = Vec::new();
        for standing in store::standings(self.database(), after, limit, only).await? {
            retained.push(self.retained_of(standing).await?);
        }
        Ok(retained)
    }

    async fn retained_of(&self, standing: Standing) -> Result<Retained, Error> {
        let Standing {
            ref log,
            size,
            first_index,
            pruned_until,
            ..
        } = standing;
        let filter = Filter {
            log: Some(log.clone()),
            ..Filter::all()
        };
        let search = Search {
            after: pruned_until,
            ..Search::oldest(filter, 1)
        };
        let first = self.find(&search).await?.pop().and_then(|event| event.entry);
        let hold = find(self.database(), log).await?;
        let next_time = match &hold {
            Some(_) => None,
            None => self.next_time(&standing).await?,
        };
        Ok(Retained {
            log: log.clone(),
            size,
            first_index,
            first_time: first
                .and_then(|entry: Entry| entry.entry_time)
                .map(Timestamp::from),
            beginning: beginning::of_log(self.database(), log).await?,
            next_time,
            hold,
        })
    }

    async fn next_time(&self, standing: &Standing) -> Result<Option<Timestamp>, Error> {
        let Some(life) = self.keep().life() else {
            return Ok(None);
        };
        if !standing.has_bundle() || !self.proofs().are_signed() {
            return Ok(None);
        }
        let planner = Planner::new(self.reader().clone());
        // As of the beginning of time nothing is old: it says how young the first bundle is.
        let ages = Timestamp::from_micros(i64::MIN);
        match planner.plan(standing, ages, (1, u64::MAX), false).await {
            Ok(plan) => Ok(plan.young.map(|newest| newest.plus(life))),
            // Nothing of it goes.
            Err(Error::Proofs(proofs::Error::Damaged { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The portal of a log, as its newest entry names it; `None` of the service's own log, and of one without entries.
    pub(crate) async fn portal_of_log(&self, log: &str) -> Result<Option<ProvenPortal>, Error> {
        Planner::new(self.reader().clone()).portal_of(log).await
    }

    /// Lets nothing of a log be pruned until it is released, and nothing go that lies sealed beside its entries; one that is held
    /// already is held on. When this returns, nothing goes any more. Nothing is put on record by this.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn hold(&self, log: &str, hold: &Hold) -> Result<(), Error> {
        let mut transaction = self.database().begin().await?;
        // What is going at this moment is gone before.
        transaction.lock(LOCK).await?;
        transaction.lock(payloads::LOCK).await?;
        sqlx::query(HOLD)
            .bind(log)
            .bind(&hold.operator)
            .bind(&hold.reason)
            .bind(hold.hold_time.as_micros())
            .execute(&mut transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Ends a hold.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn release(&self, log: &str) -> Result<(), Error> {
        let released = sqlx::query(RELEASE).bind(log);
        released.execute(self.database().pool()).await?;
        Ok(())
    }

    /// Where a log begins, if entries of it are gone; `None` while all are there.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn beginning(&self, log: &str) -> Result<Option<Beginning>, Error> {
        Ok(beginning::of_log(self.database(), log).await?)
    }
}

async fn find(database: &Database, log: &str) -> Result<Option<Hold>, Error> {
    let row: Option<(String, String, i64)> = sqlx::query_as(FIND)
        .bind(log)
        .fetch_optional(database.pool())
        .await?;
    Ok(row.map(|(operator, reason, since)| Hold {
        operator,
        reason,
        hold_time: Timestamp::from_micros(since),
    }))
}
