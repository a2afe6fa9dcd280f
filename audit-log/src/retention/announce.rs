//! The entry that says what will go, before anything does: in the log itself, which remembers it for whoever comes after.

use hubkeep_core::id::CallId;
use hubkeep_proto::audit::v1::Pruning;

use super::{
    BUNDLE, Deps, LOCK, Pruner,
    plan::{Plan, Planner},
    store,
    store::Standing,
};
use crate::{CallResult, Draft, Error, Filter, Operation, Outcome, Phase, index::Wanted, turn::Turn};

/// A pruning that was announced and is not done yet.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    /// The index of the entry that says so.
    pub(super) index: u64,
    /// Entries with an index below this go.
    pub(super) below: u64,
    /// The checkpoint that covers them: its size.
    pub(super) checkpoint_size: u64,
}

impl Pruner {
    /// What was announced last, if it is not done.
    pub(super) async fn announced(&self, standing: &Standing) -> Result<Option<Announced>, Error> {
        let filter = Filter {
            log: Some(standing.log.clone()),
            operations: vec![Operation::AuditPrune],
            phases: vec![Phase::Admin],
            results: vec![CallResult::Ok],
            ..Filter::all()
        };
        let wanted = Wanted {
            filter: &filter,
            newest_first: true,
            after: standing.pruned_until,
            until: self.deps.reader.end().await?,
            limit: 1,
        };
        let newest = self.planner.finder.find(wanted).await?.pop();
        let said = newest.and_then(|event| Some((event.index, event.entry?.pruning?)));
        Ok(said
            .filter(|(_, pruning)| pruning.below_index > standing.first_index)
            .map(|(index, pruning)| Announced {
                index,
                below: pruning.below_index,
                checkpoint_size: pruning.checkpoint_size,
            }))
    }

    /// Announces what a plan says, as far as a checkpoint covers it.
    pub(super) async fn announce(&self, standing: &Standing, plan: &Plan) -> Result<(), Error> {
        let deps = &self.deps;
        let Some(by) = self.covered_by().await? else {
            return Ok(());
        };
        let Some(cover) = store::cover(&self.planner.database, &standing.log, by).await? else {
            return Ok(());
        };
        let below = plan.below.min(cover / BUNDLE * BUNDLE);
        if below <= standing.first_index {
            return Ok(());
        }
        let cover = deps.proofs.checkpoint(&standing.log, Some(cover)).await?;
        let Some(_turn) = Turn::take(&self.planner.database, LOCK).await? else {
            return Ok(());
        };
        // Another replica may have been quicker.
        if self.announced(standing).await?.is_some() {
            return Ok(());
        }
        let call_id = CallId::make(&*deps.clock, &*deps.random)?;
        let draft = draft_for(&self.planner, deps, &standing.log, Operation::AuditPrune, call_id).await?;
        let last = below.saturating_sub(1);
        let draft = draft
            .subject(&format!(
                "entries {} to {last}: kept for {}",
                standing.first_index, deps.keep
            ))
            .pruning(Pruning {
                from_index: standing.first_index,
                below_index: below,
                newest_time: Some(plan.newest.into()),
                keep: deps.keep.life().and_then(|life| life.try_into().ok()),
                checkpoint_size: cover.size,
                checkpoint_root: cover.root.to_vec(),
            });
        deps.appender.record(&draft, Phase::Admin, Outcome::ok()).await?;
        tracing::info!(
            log = standing.log,
            below,
            "entries are old enough to go, and it is on the log"
        );
        Ok(())
    }
}

/// A draft in the name of the service, for the log of this name.
async fn draft_for(
    planner: &Planner,
    deps: &Deps,
    log: &str,
    operation: Operation,
    call_id: CallId,
) -> Result<Draft, Error> {
    let draft = match planner.portal_of(log).await? {
        Some(portal) => Draft::portal(&portal, operation, call_id),
        None => Draft::system(operation, call_id),
    };
    Ok(match deps.service.parse() {
        Ok(caller) => draft.caller(&caller),
        Err(_) => draft,
    })
}
