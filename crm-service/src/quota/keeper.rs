//! Holds this replica's part of each portal's limits, beside those of other replicas over the same PostgreSQL.
//!
//! Each replica counts its own calls in its own windows, as if its share were the whole limit. The shares of all never sum
//! to more than the limit less what is kept free; they change under a lock, about four times a second, and the way of a call
//! has nothing to do with that. A share grows only when the row that says so is committed, and it shrinks before: places that
//! still count in a window of the giver's are no one else's. A replica that cannot renew its lease stops sending; others may
//! have its places when its last call counts no more. Leases are told by the database's clock among replicas, and by the
//! holder's own clock, which never jumps, to itself.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::{Database, bounded},
    id::PortalId,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    PortalQuota, Quota,
    demand::Demand,
    error::ShareError,
    fair::Parts,
    here::Here,
    lease::{HOLDS_FOR, Lease},
    limit::Limit,
    peers::Told,
    share::{Wish, divide},
    store::{self, Held, Of, Share},
};

/// How often shares are renewed.
const RENEWED_EVERY: Duration = Duration::from_millis(250);
/// A renewal that takes longer is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(2);
/// Replicas that are lost are looked for at every so manieth renewal.
const LOOKS_FOR_THE_LOST: u64 = 4;
/// What was sent at the last moment of a lease has arrived within two seconds, if a connection had to be opened; and clocks do
/// not run alike.
const ARRIVES_WITHIN: Duration = Duration::from_millis(2_500);
/// Of what cannot be divided evenly another replica has more after this.
const TURN: Duration = Duration::from_secs(10);

/// Who renews the shares of this replica.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) quota: Quota,
    pub(super) database: Database,
    pub(super) clock: SharedClock,
    pub(super) replica: String,
    pub(super) lease: Arc<Lease>,
    pub(super) wanted: Arc<Notify>,
    pub(super) renewals: AtomicU64,
}

/// What is to be had of one limit.
struct Settled {
    quota: PortalQuota,
    limit: Limit,
    goal: usize,
    /// With everybody's demand as it is, but all that could be used here.
    prospect: usize,
    /// How many places were lent by credential-service then, to all replicas together.
    lent: usize,
    /// How callers stand here.
    here: Here,
    /// Whether there is a row that says so.
    has_row: bool,
}

impl Settled {
    /// So much may be used from now on.
    fn is_had(&self) {
        self.quota.with(|budget| {
            let paced = budget.paced(&self.limit);
            // What was lent may be wanted back by now.
            let most = match paced.lent() < self.lent {
                true => paced.window.most(),
                false => paced.whole(),
            };
            paced.window.resize(self.goal.min(most), self.prospect);
            paced.has_row = self.has_row;
        });
    }
}

impl Keeper {
    /// Renews until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut fails = false;
        loop {
            let again = self.clock.sleep(RENEWED_EVERY);
            tokio::select! {
                () = stop.cancelled() => break,
                () = again => {}
                () = self.wanted.notified() => {}
            }
            match self.renew().await {
                Ok(()) => fails = false,
                Err(error) => {
                    if !fails {
                        tracing::warn!(%error, "the shares of portals' limits cannot be renewed: what is not renewed within 4 s is not used");
                    }
                    fails = true;
                    self.has_failed();
                }
            }
        }
        self.lease.end();
        let left = bounded(GIVEN_UP_AFTER.saturating_mul(2), self.leave()).await;
        if let Err(error) = left {
            tracing::warn!(%error, "the shares of portals' limits were not given back: others have them when the lease is over");
        }
    }

    /// Who waits for a renewal waits no longer than the share holds.
    fn has_failed(&self) {
        self.lease.failed();
        for quota in self.quota.all() {
            quota.look_again();
        }
    }

    /// Renews the lease, and changes shares as the demand is now.
    pub(super) async fn renew(&self) -> Result<(), ShareError> {
        let began = self.clock.tick();
        let settled = bounded(GIVEN_UP_AFTER, self.settle()).await?;
        for settled in &settled {
            settled.is_had();
        }
        // After that: where it was over, who waits for it must not send by what others have by now.
        self.lease.renewed(began);
        for Settled {
            quota, limit, here, ..
        } in settled
        {
            quota.stand_by(&limit, here);
            quota.look_again();
        }
        Ok(())
    }

    async fn settle(&self) -> Result<Vec<Settled>, ShareError> {
        let mut transaction = store::begin(&self.database).await?;
        let now = store::renew(&mut transaction, &self.replica, HOLDS_FOR).await?;
        let renewals = self.renewals.fetch_add(1, Ordering::Relaxed);
        if renewals.is_multiple_of(LOOKS_FOR_THE_LOST) {
            store::forget_the_lost(&mut transaction, ARRIVES_WITHIN).await?;
        }
        let used: HashMap<PortalId, PortalQuota> = self
            .quota
            .all()
            .into_iter()
            .filter(PortalQuota::has_shares)
            .map(|quota| (quota.portal().portal_id(), quota))
            .collect();
        let mut settled = Vec::new();
        if !used.is_empty() {
            let ids: Vec<PortalId> = used.keys().copied().collect();
            let mut held: HashMap<PortalId, Vec<Held>> = HashMap::new();
            for row in store::read(&mut transaction, &ids).await? {
                held.entry(row.share.portal_id).or_default().push(row);
            }
            let mut shares = Vec::new();
            for (portal, quota) in used {
                let rows = held.remove(&portal).unwrap_or_default();
                shares.extend(self.shares(&quota, &rows, now, &mut settled));
            }
            if !shares.is_empty() {
                store::write(&mut transaction, &self.replica, &shares).await?;
            }
        }
        transaction.commit().await?;
        Ok(settled)
    }

    /// What this replica is to have of each limit of a portal, of which all hold these; and its rows where they are to say something
    /// else.
    fn shares(
        &self,
        quota: &PortalQuota,
        rows: &[Held],
        now: Timestamp,
        settled: &mut Vec<Settled>,
    ) -> Vec<Share> {
        let (mut changed, mut own) = (Vec::new(), Vec::new());
        for limit in quota.limits() {
            let of = Of::One(limit.clone());
            // Who knows of no apps may use what it has with the token of any.
            let every = matches!(limit, Limit::Burst(_)).then_some(Of::Bursts);
            let of_limit = rows
                .iter()
                .filter(|row| row.share.of == of || Some(&row.share.of) == every.as_ref());
            let (share, change) = self.share(quota.clone(), limit, of_limit.cloned().collect(), now);
            let is_new = rows.iter().all(|row| row.share != share);
            if is_new && (has_own_row(rows, &share) || !is_empty(&share)) {
                changed.push(share.clone());
            }
            own.push(share);
            settled.push(change);
        }
        let all = rows.iter().map(|row| &row.share);
        let others = all.filter(|share| share.replica != self.replica);
        quota.with(|budget| budget.apps_in_all(apps(others.chain(&own))));
        if changed.iter().any(is_of_burst) {
            changed.extend(sum(&own));
        }
        changed
    }

    /// What this replica is to have of a limit, and its row. What it is to have less is had no more when this returns.
    fn share(&self, quota: PortalQuota, limit: Limit, rows: Vec<Held>, now: Timestamp) -> (Share, Settled) {
        let (ours, others): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| row.share.replica == self.replica);
        let told = quota.compare(&limit, &others, now);
        let demand = quota.demand(&limit);
        let [ours, others] = [ours, others].map(shares);
        let whole = whole(&demand, others.iter().chain(&ours));
        let others_hold = others
            .iter()
            .fold(0_usize, |sum, row| sum.saturating_add(row.places));
        let available = whole.saturating_sub(others_hold);
        let turn = u64::try_from(now.as_micros()).unwrap_or(0) / micros(TURN);
        let mut wishes: Vec<Wish> = others
            .iter()
            .map(|row| Wish::of(&row.replica, &row.callers, row.wanted))
            .collect();
        let ours = Wish::of(&self.replica, &demand.callers, demand.wanted);
        wishes.push(ours.clone().at_most(whole.max(1)));
        let (prospect, _) = last(whole, &wishes, turn);
        wishes.pop();
        wishes.push(ours);
        let (target, here) = last(whole, &wishes, turn);
        let goal = target.min(available);
        let places = quota.shrink(&limit, goal).min(available);
        let share = Share {
            portal_id: quota.portal().portal_id(),
            of: Of::One(limit.clone()),
            replica: self.replica.clone(),
            places,
            wanted: demand.wanted,
            // Without what is lent.
            whole: match demand.whole_told {
                true => demand.whole.saturating_sub(demand.lent),
                false => 0,
            },
            interval: demand.interval,
            callers: demand.callers,
            told,
        };
        let settled = Settled {
            quota,
            limit,
            goal,
            prospect,
            lent: demand.lent,
            here,
            has_row: !is_empty(&share),
        };
        (share, settled)
    }

    /// Gives back all but what still counts, which others have when it counts no more.
    async fn leave(&self) -> Result<(), ShareError> {
        let mut transaction = store::begin(&self.database).await?;
        let (mut shares, mut holds_for) = (Vec::new(), Duration::ZERO);
        for quota in self.quota.all() {
            // What was paid for may still be sent while the lease that it was paid under lasts.
            if quota.has_unsent() {
                holds_for = HOLDS_FOR;
            }
            shares.extend(self.left(&quota));
        }
        store::leave(&mut transaction, &self.replica, &shares, holds_for).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What still counts of a portal's limits when nothing is called any more.
    fn left(&self, quota: &PortalQuota) -> Vec<Share> {
        let left = quota.limits().into_iter().map(|limit| Share {
            portal_id: quota.portal().portal_id(),
            places: quota.shrink(&limit, 0),
            replica: self.replica.clone(),
            wanted: 0,
            whole: 0,
            interval: quota.demand(&limit).interval,
            callers: Vec::new(),
            told: quota.told_at_last(&limit),
            of: Of::One(limit),
        });
        let mut left: Vec<Share> = left.collect();
        left.extend(sum(&left));
        left
    }
}

/// Whether it says that nothing is held or wanted.
const fn is_idle(share: &Share) -> bool {
    share.places == 0 && share.wanted == 0
}

/// Whether it says no more than no row does.
fn is_empty(share: &Share) -> bool {
    is_idle(share) && share.told.counted.is_none_or(|calls| calls == 0)
}

fn shares(rows: Vec<Held>) -> Vec<Share> {
    rows.into_iter().map(|row| row.share).collect()
}

fn has_own_row(rows: &[Held], share: &Share) -> bool {
    let mut rows = rows.iter().map(|row| &row.share);
    rows.any(|row| row.replica == share.replica && row.of == share.of)
}

const fn is_of_burst(share: &Share) -> bool {
    matches!(share.of, Of::One(Limit::Burst(_)))
}

/// With how many apps there are calls, by what is held and wanted of their bursts.
fn apps<'a>(shares: impl Iterator<Item = &'a Share>) -> usize {
    let shares = shares.filter(|share| is_of_burst(share) && !is_idle(share));
    let words = shares.filter_map(|share| match &share.of {
        Of::One(limit) => Some(limit.word()),
        Of::Bursts => None,
    });
    words.collect::<BTreeSet<_>>().len()
}

/// What a replica holds and wants of the bursts of a portal's apps together, as it is told to versions that know of none; `None` if
/// it was called with no app.
fn sum(shares: &[Share]) -> Option<Share> {
    let bursts = shares.iter().filter(|share| is_of_burst(share)).cloned();
    let sum = bursts.reduce(|sum, share| Share {
        places: sum.places.saturating_add(share.places),
        wanted: sum.wanted.saturating_add(share.wanted),
        // The least that is known: whoever believes it may use it with the token of any.
        whole: match (sum.whole, share.whole) {
            (0, whole) | (whole, 0) => whole,
            (one, other) => one.min(other),
        },
        interval: sum.interval.max(share.interval),
        ..sum
    })?;
    Some(Share {
        of: Of::Bursts,
        callers: Vec::new(),
        told: Told::default(),
        ..sum
    })
}

/// The places of all replicas together, as far as anybody knows.
fn whole<'a>(demand: &Demand, rows: impl Iterator<Item = &'a Share>) -> usize {
    if demand.whole_told {
        return demand.whole;
    }
    // Another may have heard of it, though not of which app if it knows of none; whether anything is lent each knows by itself.
    let of_the_app = rows.filter(|row| row.of != Of::Bursts);
    let told = of_the_app.map(|row| row.whole).max();
    let told = told.filter(|whole| *whole > 0);
    told.map_or(demand.whole, |whole| whole.saturating_add(demand.lent))
}

/// What the last of these replicas is to have, and how its callers stand there.
fn last(whole: usize, wishes: &[Wish], turn: u64) -> (usize, Here) {
    let parts = Parts::of(whole, wishes);
    let share = divide(whole, wishes, &parts, turn).last().copied();
    (share.unwrap_or(0), parts.here(wishes.len().saturating_sub(1)))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests;
