//! Holds this replica's part of each portal's limits, beside those of other replicas over the same PostgreSQL.
//!
//! Each replica counts its own calls in its own windows, as if its share were the whole limit. The shares of all never sum
//! to more than the limit less what is kept free; they change under a lock, about four times a second, and the way of a call
//! has nothing to do with that. A share grows only when the row that says so is committed, and it shrinks before: places that
//! still count in a window of the giver's are no one else's. A replica that cannot renew its lease stops sending; others may
//! have its places when its last call counts no more. Leases are told by the database's clock among replicas, and by the
//! holder's own clock, which never jumps, to itself.

use std::{
    collections::HashMap,
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
    bucket::Bucket,
    demand::Demand,
    error::ShareError,
    fair::Parts,
    here::Here,
    lease::{HOLDS_FOR, Lease},
    share::{Wish, divide},
    store::{self, Share},
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
    bucket: Bucket,
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
                Err(error) if !fails => {
                    fails = true;
                    tracing::warn!(%error, "the shares of portals' limits cannot be renewed: what is not renewed within 4 s is not used");
                }
                Err(_) => {}
            }
        }
        self.lease.end();
        let left = bounded(GIVEN_UP_AFTER.saturating_mul(2), self.leave()).await;
        if let Err(error) = left {
            tracing::warn!(%error, "the shares of portals' limits were not given back: others have them when the lease is over");
        }
    }

    /// Renews the lease, and changes shares as the demand is now.
    pub(super) async fn renew(&self) -> Result<(), ShareError> {
        let began = self.clock.tick();
        let settled = bounded(GIVEN_UP_AFTER, self.settle()).await?;
        self.lease.renewed(began);
        for Settled {
            quota,
            bucket,
            goal,
            prospect,
            lent,
            here,
            has_row,
        } in settled
        {
            quota.with(|budget| {
                let paced = budget.paced(bucket);
                // What was lent may be wanted back by now.
                let most = match paced.lent() < lent {
                    true => paced.window.most(),
                    false => paced.whole(),
                };
                let goal = goal.min(most);
                paced.window.resize(goal, prospect);
                paced.has_row = has_row;
            });
            quota.stand_by(bucket, here);
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
            let mut held: HashMap<(PortalId, Bucket), Vec<Share>> = HashMap::new();
            for share in store::read(&mut transaction, &ids).await? {
                held.entry((share.portal_id, share.bucket))
                    .or_default()
                    .push(share);
            }
            let mut shares = Vec::new();
            for (portal, quota) in used {
                for bucket in Bucket::SHARED {
                    let rows = held.remove(&(portal, bucket)).unwrap_or_default();
                    let (share, change) = self.share(quota.clone(), bucket, rows, now);
                    shares.extend(share);
                    settled.push(change);
                }
            }
            if !shares.is_empty() {
                store::write(&mut transaction, &self.replica, &shares).await?;
            }
        }
        transaction.commit().await?;
        Ok(settled)
    }

    /// What this replica is to have of a limit, and its row where that is to say something else. What it is to have less is
    /// had no more when this returns.
    fn share(
        &self,
        quota: PortalQuota,
        bucket: Bucket,
        rows: Vec<Share>,
        now: Timestamp,
    ) -> (Option<Share>, Settled) {
        let demand = quota.demand(bucket);
        let whole = whole(&demand, &rows);
        let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.replica == self.replica);
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
        let places = quota.shrink(bucket, goal).min(available);
        let share = Share {
            portal_id: quota.portal().portal_id(),
            bucket,
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
        };
        let settled = Settled {
            quota,
            bucket,
            goal,
            prospect,
            lent: demand.lent,
            here,
            has_row: share.places > 0 || share.wanted > 0,
        };
        let said = match own.first() {
            Some(own) => *own == share,
            None => share.places == 0 && share.wanted == 0,
        };
        ((!said).then_some(share), settled)
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
            for bucket in Bucket::SHARED {
                let demand = quota.demand(bucket);
                shares.push(Share {
                    portal_id: quota.portal().portal_id(),
                    bucket,
                    replica: self.replica.clone(),
                    places: quota.shrink(bucket, 0),
                    wanted: 0,
                    whole: 0,
                    interval: demand.interval,
                    callers: Vec::new(),
                });
            }
        }
        store::leave(&mut transaction, &self.replica, &shares, holds_for).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// The places of all replicas together, as far as anybody knows.
fn whole(demand: &Demand, rows: &[Share]) -> usize {
    if demand.whole_told {
        return demand.whole;
    }
    // Another may have heard of it; whether anything is lent each knows by itself.
    let told = rows.iter().map(|row| row.whole).max();
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
