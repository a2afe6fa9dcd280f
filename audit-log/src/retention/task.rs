//! The background work of one process. On PostgreSQL the replica works that holds the lock, batch by batch.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    random::SharedRandom,
};
use tokio_util::sync::CancellationToken;

use super::{Keep, plan::Planner, store, store::Standing};
use crate::{
    Error, Heir, Position,
    appender::Appender,
    index,
    proofs::{self, Proofs},
    recent::Recent,
    store::Reader,
};

/// How often it is looked what may go.
const PAUSE: Duration = Duration::from_secs(60);
/// The shortest rest between batches: the file's lock is others' for so long.
const BREATH: Duration = Duration::from_millis(5);
/// So many times as long as a batch took is rested: nine parts in ten of the time, and of the lock, are the calls'.
const RESTS: u32 = 9;
/// Logs that are looked at together.
const PAGE: usize = 500;
/// Bundles that are announced with one entry.
const ANNOUNCED_AT_ONCE: usize = 64;
/// No two clocks are taken to be further apart than this.
const CLOCKS_APART: Duration = Duration::from_secs(5 * 60);

/// What the work is done with.
pub(crate) struct Deps {
    pub(crate) keep: Keep,
    /// In a pool of its own.
    pub(crate) reader: Reader,
    pub(crate) proofs: Proofs,
    /// The places that heads are anchored in.
    pub(crate) places: Vec<String>,
    /// In whose name it is said what goes.
    pub(crate) service: &'static str,
    pub(crate) appender: Arc<Appender>,
    pub(crate) heir: Arc<dyn Heir>,
    pub(crate) recent: Recent,
    pub(crate) clock: SharedClock,
    pub(crate) random: SharedRandom,
}

/// Prunes.
pub(crate) struct Pruner {
    pub(super) deps: Deps,
    pub(super) planner: Planner,
    /// When the next bundle of a log may go, where that is known.
    due: HashMap<String, Timestamp>,
    /// Logs of which nothing goes, for they are not what they were.
    refused: BTreeSet<String>,
    /// Up to where the index was rid of what nobody can find any more.
    forgotten: Position,
}

impl Pruner {
    pub(crate) fn new(deps: Deps) -> Self {
        Self {
            planner: Planner::new(deps.reader.clone()),
            deps,
            due: HashMap::new(),
            refused: BTreeSet::new(),
            forgotten: Position::START,
        }
    }

    /// Works until it is told to end, and closes its connections.
    pub(crate) async fn run(mut self, end: CancellationToken) {
        let (reader, clock) = (self.deps.reader.clone(), self.deps.clock.clone());
        let work = async {
            let mut trouble = String::new();
            loop {
                clock.sleep(PAUSE).await;
                let passed = self.pass().await.map_err(|error| error.to_string());
                let said = passed.err().unwrap_or_default();
                if !said.is_empty() && said != trouble {
                    tracing::error!(error = said, "the audit log is not pruned now");
                }
                trouble = said;
            }
        };
        end.run_until_cancelled(work).await;
        reader.close().await;
    }

    /// Looks at every log once.
    async fn pass(&mut self) -> Result<(), Error> {
        let database = self.planner.database.clone();
        let furthest = store::furthest(&database).await?;
        self.deps.recent.forget(furthest);
        let mut after = String::new();
        loop {
            let page = store::standings(&database, &after, PAGE, "").await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.log);
            for standing in page {
                self.look(standing).await?;
            }
        }
        self.tidy_index().await
    }

    async fn look(&mut self, standing: Standing) -> Result<(), Error> {
        let now = self.deps.clock.now();
        let is_due = self.due.get(&standing.log).is_none_or(|due| *due <= now);
        if !standing.has_bundle() || standing.is_held || !is_due || self.refused.contains(&standing.log) {
            return Ok(());
        }
        let (log, first_index) = (standing.log.clone(), standing.first_index);
        match self.serve(standing).await {
            Err(Error::Proofs(error @ proofs::Error::Damaged { .. })) => {
                // What is missing may have been pruned by another replica meanwhile: then the next look says how it is.
                let now = store::standing(&self.planner.database, &log).await?;
                if now.is_some_and(|now| now.first_index != first_index) {
                    return Ok(());
                }
                tracing::error!(%error, "the audit log was changed: nothing of this log is pruned");
                self.refused.insert(log);
                Ok(())
            }
            served => served,
        }
    }

    async fn serve(&mut self, standing: Standing) -> Result<(), Error> {
        let (Some(horizon), Some(life)) = (self.horizon().await?, self.deps.keep.life()) else {
            return Ok(());
        };
        let all = u64::MAX;
        let first = self.planner.plan(&standing, horizon, (1, all), false).await?;
        if first.below == standing.first_index {
            if let Some(young) = first.young {
                self.due.insert(standing.log, young.plus(life));
            }
            return Ok(());
        }
        let Some(announced) = self.announced(&standing).await? else {
            let limits = (ANNOUNCED_AT_ONCE, all);
            let plan = self.planner.plan(&standing, horizon, limits, false).await?;
            return self.announce(&standing, &plan).await;
        };
        let cover = match self.covered_by().await? {
            Some(by) => store::cover(&self.planner.database, &standing.log, by).await?,
            None => None,
        };
        if cover.is_none_or(|cover| cover <= announced.index) {
            return Ok(());
        }
        loop {
            let began = self.deps.clock.tick();
            if !self.batch(&standing.log, &announced).await? {
                return Ok(());
            }
            let took = self.deps.clock.tick().since(began);
            self.deps
                .clock
                .sleep(took.saturating_mul(RESTS).max(BREATH))
                .await;
        }
    }

    /// What was made before this may go; `None` if nothing may.
    pub(super) async fn horizon(&self) -> Result<Option<Timestamp>, Error> {
        let Some(life) = self.deps.keep.life() else {
            return Ok(None);
        };
        let old = self.deps.clock.now().minus(life);
        let needed = self.deps.heir.needs_since().await.map_err(Error::NotInherited)?;
        Ok(Some(
            needed.map_or(old, |needed| old.min(needed.minus(CLOCKS_APART))),
        ))
    }

    /// A checkpoint counts if it was made by this time: any, or where heads are anchored, one that is named by heads that every
    /// place has. `None` where none counts.
    pub(super) async fn covered_by(&self) -> Result<Option<Timestamp>, Error> {
        let mut by = Timestamp::from_micros(i64::MAX);
        for place in &self.deps.places {
            let Some(made) = store::anchored(&self.planner.database, place).await? else {
                return Ok(None);
            };
            by = by.min(made.minus(CLOCKS_APART));
        }
        Ok(Some(by))
    }

    /// Rids the index of spans in which nothing is left.
    async fn tidy_index(&mut self) -> Result<(), Error> {
        let oldest = store::oldest(&self.planner.database).await?;
        if index::large_span(oldest) > index::large_span(self.forgotten) {
            index::forget_before(&self.planner.database, oldest).await?;
            self.forgotten = oldest;
        }
        Ok(())
    }
}
