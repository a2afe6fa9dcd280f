//! What a replica could use of a limit.

use std::{sync::Arc, time::Duration};

use super::{
    PortalQuota,
    callers::{Wanted, told},
    class::Class,
    here::Here,
    kind::Kind,
    limit::Limit,
    line::Waiter,
    state::Known,
};

/// What a replica could use of a limit, and what it knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    /// Places in use, and calls that wait for one; of late rather than now, so that places do not go to and fro.
    pub(super) wanted: usize,
    /// The same by callers, without what nobody is known to have called.
    pub(super) callers: Vec<Wanted>,
    /// The places of all replicas together.
    pub(super) whole: usize,
    /// How many of these are lent by credential-service.
    pub(super) lent: usize,
    /// Whether HubSpot has told that.
    pub(super) whole_told: bool,
    /// How long a call counts.
    pub(super) interval: Duration,
}

impl PortalQuota {
    /// Whether this replica holds places of the portal, or wants some.
    pub(super) fn has_shares(&self) -> bool {
        let now = self.now().tick;
        self.limits().iter().any(|limit| {
            self.waiting(limit) > 0
                || self.with(|budget| {
                    let paced = budget.paced(limit);
                    let window = &mut paced.window;
                    paced.has_row || window.most() > 0 || window.used(now) > 0 || window.peak() > 0
                })
        })
    }

    /// Whether a call was paid for that is not sent yet.
    pub(super) fn has_unsent(&self) -> bool {
        let mut limits = self.limits().into_iter();
        limits.any(|limit| self.with(|budget| budget.paced(&limit).window.has_unsent()))
    }

    /// A call of this caller has taken a place.
    pub(super) fn has_served(&self, limit: &Limit, class: Class, caller: Arc<str>) {
        if self.0.sharing.is_some() {
            let now = self.now().tick;
            self.line(limit).callers().serve(class, caller, now);
        }
    }

    /// Who waits for a place of a limit. Who waits in a line before makes a call too.
    fn all_waiting(&self, limit: &Limit) -> Vec<(Class, Arc<str>, usize)> {
        let mut waiting = self.line(limit).queue().waiting(|_| true);
        if let Limit::Burst(app) = limit {
            for before in [Limit::Search, Limit::Associations] {
                let [private, oauth] = [Kind::Private, Kind::OAuth]
                    .map(|kind| self.with(|budget| !budget.is_last(&before, kind)));
                let comes_here = |waiter: &Waiter| match waiter.kind {
                    Kind::Private => private,
                    Kind::OAuth => oauth,
                };
                let line = self.line(&before);
                let coming = line
                    .queue()
                    .waiting(|waiter| waiter.app == *app && comes_here(waiter));
                waiting.extend(coming);
            }
        }
        waiting
    }

    /// What it could use of a limit.
    pub(super) fn demand(&self, limit: &Limit) -> Demand {
        let now = self.now().tick;
        let waiting = self.all_waiting(limit);
        let all = waiting
            .iter()
            .fold(0_usize, |sum, (.., calls)| sum.saturating_add(*calls));
        let mut demand = self.with(|budget| {
            let paced = budget.paced(limit);
            let whole_told = paced.known() != Known::Assumed;
            let whole = paced.whole();
            let wanted = paced
                .window
                .used(now)
                .saturating_add(all)
                .min(whole.saturating_mul(4));
            Demand {
                wanted: paced.window.wants(wanted),
                callers: Vec::new(),
                whole,
                lent: paced.lent(),
                whole_told,
                interval: paced.window.length(),
            }
        });
        let line = self.line(limit);
        let mut callers = line.callers();
        if demand.wanted == 0 {
            callers.forget();
            return demand;
        }
        let wanted = callers.wanted(waiting, demand.interval, now);
        let weight_of = |caller: &str| self.0.config.weight_of(caller);
        demand.callers = told(wanted, demand.whole.saturating_mul(4), weight_of);
        demand
    }

    /// Takes no more than this from now on; more than before is had only when that is written. Gives how many places must
    /// still be held: those that count are given up when they count no more.
    pub(super) fn shrink(&self, limit: &Limit, goal: usize) -> usize {
        let now = self.now().tick;
        self.with(|budget| {
            let window = &mut budget.paced(limit).window;
            let (most, prospect) = (window.most().min(goal), window.prospect());
            window.resize(most, prospect);
            goal.max(window.used(now))
        })
    }

    /// From now on callers stand in a line as this says.
    pub(super) fn stand_by(&self, limit: &Limit, here: Here) {
        self.line(limit).queue().follow(here);
    }
}
