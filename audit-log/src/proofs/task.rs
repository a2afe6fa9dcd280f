//! The background work of one process: what was appended into trees, trees into checkpoints, checkpoints into heads. On
//! PostgreSQL the replica that holds the lock does it, batch by batch; in a file there is one process.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use hubkeep_core::{clock::SharedClock, database::Database};
use tokio_util::sync::CancellationToken;

use super::{
    Config, Error, LogKeys, Wanted, build,
    build::{BATCH, Built},
    heads, sign, store,
};
use crate::{store::Scan, turn::Turn};

/// Whoever holds it does the work.
const LOCK: &str = "hubkeep audit proofs";
/// Checkpoints that are stored with one commit.
const SIGNED_AT_ONCE: usize = 64;
/// Rest between batches while much is to be caught up: the file's lock is others' for so long.
const BREATH: Duration = Duration::from_millis(5);

/// Makes proofs, in a pool of connections of its own.
pub(crate) struct Prover {
    database: Database,
    scan: Scan,
    keys: Arc<LogKeys>,
    /// The log of heads.
    heads: String,
    config: Config,
    wanted: Wanted,
    clock: SharedClock,
    /// Logs that are not signed any more, for they are not what they were.
    refused: BTreeSet<String>,
    /// Two histories were found: nothing is signed any more.
    forked: bool,
    /// What went wrong last, which is not said again and again.
    trouble: String,
}

impl Prover {
    /// One that works in this database.
    ///
    /// # Errors
    /// If it cannot be noted that these keys sign from now on.
    pub(crate) async fn new(
        (database, scan): (Database, Scan),
        keys: Arc<LogKeys>,
        heads: String,
        (config, wanted): (Config, Wanted),
        clock: SharedClock,
    ) -> Result<Self, Error> {
        for key in keys.verifier_keys() {
            store::insert_key(&database, key, clock.now()).await?;
        }
        Ok(Self {
            database,
            scan,
            keys,
            heads,
            config,
            wanted,
            clock,
            refused: BTreeSet::new(),
            forked: false,
            trouble: String::new(),
        })
    }

    /// Works until it is told to end.
    pub(crate) async fn run(mut self, end: CancellationToken) {
        let clock = self.clock.clone();
        let database = self.database.clone();
        let wanted = self.wanted.clone();
        let work = async {
            loop {
                match self.catch_up().await {
                    Ok(()) => self.trouble.clear(),
                    Err(error) => self.complain(&error),
                }
                wanted.done();
                tokio::select! {
                    () = clock.sleep(self.config.pause) => {}
                    () = wanted.came() => {}
                }
            }
        };
        end.run_until_cancelled(work).await;
        database.close().await;
    }

    async fn catch_up(&mut self) -> Result<(), Error> {
        while let Some(mut turn) = Turn::take(&self.database, LOCK).await? {
            let mut damaged = Vec::new();
            let built = build::batch(
                (&self.database, &self.scan),
                &mut turn,
                &*self.clock,
                &mut damaged,
            )
            .await?;
            for error in damaged {
                self.refuse(error);
            }
            match built {
                Built::Entries(BATCH) => self.clock.sleep(BREATH).await,
                Built::Entries(_) | Built::OthersWere => break,
            }
        }
        if self.forked {
            return Ok(());
        }
        self.sign().await?;
        self.make_heads().await
    }

    async fn sign(&mut self) -> Result<(), Error> {
        let moved_by = self.clock.now().minus(self.config.every);
        let mut due = store::due(&self.database, self.config.entries, moved_by).await?;
        for log in self.wanted.take() {
            if !due.iter().any(|(tree, _)| tree.log == log) {
                due.extend(store::unsigned(&self.database, &log).await?);
            }
        }
        due.retain(|(tree, _)| tree.log != self.heads && !self.refused.contains(&tree.log));
        while !due.is_empty() {
            let later = due.split_off(due.len().min(SIGNED_AT_ONCE));
            let now = std::mem::replace(&mut due, later);
            let Some(mut turn) = Turn::take(&self.database, LOCK).await? else {
                return Ok(());
            };
            let signed = sign::trees(&self.database, &mut turn, &self.keys, now, &*self.clock).await;
            for error in signed? {
                self.refuse(error);
            }
        }
        Ok(())
    }

    async fn make_heads(&self) -> Result<(), Error> {
        let Some(mut turn) = Turn::take(&self.database, LOCK).await? else {
            return Ok(());
        };
        let made_by = self.clock.now().minus(self.config.heads_every);
        heads::make(
            &self.database,
            &mut turn,
            &self.keys,
            &self.heads,
            made_by,
            &*self.clock,
        )
        .await
    }

    /// A log that is not what it was is not signed any more. The others are.
    fn refuse(&mut self, error: Error) {
        let Error::Damaged { log, problem } = error else {
            return;
        };
        if self.refused.insert(log.clone()) {
            tracing::error!(
                log,
                problem,
                "the audit log was changed: this log is not signed any more"
            );
        }
    }

    fn complain(&mut self, error: &Error) {
        if matches!(error, Error::Forked { .. }) {
            self.forked = true;
        }
        let trouble = error.to_string();
        if trouble != self.trouble {
            tracing::error!(%error, "proofs over the audit log are not made now");
            self.trouble = trouble;
        }
    }
}
