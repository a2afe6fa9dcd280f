//! Puts on record what somebody else calls with a portal's token, and keeps how many calls of a day are ours.

use std::time::Duration;

use hubkeep_audit_log::{AuditLog, Draft, Operation, Outcome, ProvenPortal};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::Database,
    id::{CallId, CallerName},
    random::SharedRandom,
};
use tokio_util::sync::CancellationToken;

use super::{
    PortalQuota, Quota,
    daily::Due,
    error::ShareError,
    keeping::Kept,
    outside::Unaccounted,
    store::{self, unaccounted::Note},
};

/// How often what was seen is put with what others have seen.
const KEPT_EVERY: Duration = Duration::from_secs(1);
/// How often the calls of a day are kept.
const TALLIED_EVERY: Duration = Duration::from_secs(10);
/// Days that ended longer ago are forgotten, and processes that have kept nothing since.
const DAYS_KEPT_FOR: Duration = Duration::from_secs(2 * 24 * 3_600);
/// A portal's log gets no more than one entry in this time.
const NOTED_EVERY: Duration = Duration::from_secs(3_600);

/// Who notes it.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) quota: Quota,
    pub(super) database: Database,
    pub(super) log: AuditLog,
    /// In whose name entries stand.
    pub(super) caller: CallerName,
    pub(super) clock: SharedClock,
    pub(super) random: SharedRandom,
    /// This process, which has a row of its own.
    pub(super) process: String,
    /// What is known of the others.
    pub(super) kept: Kept,
}

impl Notes {
    /// Until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut tallied = self.clock.tick();
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                () = self.clock.sleep(KEPT_EVERY) => false,
            };
            let now = self.clock.tick();
            if stopped || now.since(tallied) >= TALLIED_EVERY {
                tallied = now;
                let kept = match self.tally().await {
                    Ok(()) if stopped => store::processes::end(&self.database, &self.process).await,
                    kept => kept,
                };
                if let Err(error) = kept {
                    tracing::warn!(%error, "the calls of the day are not kept yet");
                }
            }
            if stopped {
                return;
            }
            self.keep_seen().await;
        }
    }

    /// Puts what was seen here with what all replicas have seen.
    pub(super) async fn keep_seen(&self) {
        for quota in self.quota.all() {
            let Some(seen) = quota.with(|budget| budget.outside.take()) else {
                continue;
            };
            if let Err(error) = self.keep(&quota, seen).await {
                tracing::warn!(%error, "what others call with a portal's token is not kept yet");
                quota.with(|budget| budget.outside.add(seen));
            }
        }
    }

    /// Keeps what was made since the last time, and compares it with what HubSpot has counted.
    pub(super) async fn tally(&mut self) -> Result<(), ShareError> {
        let now = self.clock.now();
        let mut taken = Vec::new();
        for quota in self.quota.all() {
            if let Some(due) = quota.with(|budget| budget.daily().tallied(now)) {
                taken.push((quota, due));
            }
        }
        // Two replicas that keep the same days take their rows in one order.
        taken.sort_by_key(|(quota, _)| quota.portal().portal_id());
        match self.keep_calls(&taken, now).await {
            Ok(compared) => {
                for (quota, ours) in &compared {
                    quota.with(|budget| budget.daily().tally.kept(*ours));
                }
                for (quota, _) in &taken {
                    self.note_day(quota).await?;
                }
                let before = now.minus(DAYS_KEPT_FOR);
                store::processes::forget(&self.database, before).await?;
                store::days::forget(&self.database, before).await
            }
            Err(error) => {
                for (quota, Due { fresh, .. }) in taken {
                    quota.with(|budget| budget.daily().tally.put_back(fresh));
                }
                Err(error)
            }
        }
    }

    /// Keeps the calls of each. Gives how many of today all replicas have kept, where that is to be compared now.
    async fn keep_calls<'a>(
        &mut self,
        taken: &'a [(PortalQuota, Due)],
        now: Timestamp,
    ) -> Result<Vec<(&'a PortalQuota, u64)>, ShareError> {
        let mut transaction = self.database.begin().await?;
        for (quota, due) in taken {
            for (ends, calls) in &due.fresh {
                let portal = quota.portal().portal_id();
                store::days::add(&mut transaction, portal, *ends, *calls).await?;
            }
        }
        store::processes::keep(&mut transaction, &self.process, now).await?;
        let others = store::processes::others(&mut transaction, &self.process).await?;
        self.kept.looked(now, others);
        let mut compared = Vec::new();
        for (quota, Due { day, .. }) in taken {
            if quota.with(|budget| budget.daily().tally.compares(day.began, &self.kept, now)) {
                let portal = quota.portal().portal_id();
                compared.push((quota, store::days::of(&mut transaction, portal, *day).await?));
            }
        }
        transaction.commit().await?;
        Ok(compared)
    }

    async fn keep(&self, quota: &PortalQuota, seen: Unaccounted) -> Result<(), ShareError> {
        let portal = quota.portal();
        let id = portal.portal_id();
        let total = store::unaccounted::add(&self.database, id, seen).await?;
        quota.with(|budget| budget.outside.set_total(total));
        let subject = format!("{} calls that are not of this deployment", total.calls);
        if self.note(portal, &subject).await == Noted::NotYet {
            // It is kept, and to be noted with what is seen next, or by itself.
            let due = Unaccounted { calls: 0, ..seen };
            quota.with(|budget| budget.outside.add(due));
        }
        Ok(())
    }

    /// Notes what HubSpot has counted of a day beyond the calls of this deployment, where no other app of the account calls.
    async fn note_day(&self, quota: &PortalQuota) -> Result<(), ShareError> {
        let portal = quota.portal();
        let gap = quota.with(|budget| budget.daily().tally.gap());
        let Some(gap) = gap.filter(|_| self.quota.config.is_alone_in(portal.client_slug())) else {
            return Ok(());
        };
        let now = self.clock.now();
        let seen = Unaccounted {
            calls: 0,
            since: now,
            last_seen: now,
        };
        quota.with(|budget| budget.daily().tally.is_to_be_noted());
        store::unaccounted::add(&self.database, portal.portal_id(), seen).await?;
        let subject = format!("{gap} calls of today that are not of this deployment");
        let noted = self.note(portal, &subject).await;
        quota.with(|budget| match noted {
            Noted::Now => budget.daily().tally.noted(gap),
            // With what is told next.
            Noted::Before => budget.daily().tally.is_noted_later(),
            Noted::NotYet => {}
        });
        Ok(())
    }

    /// Puts it on record, unless something was within the hour.
    async fn note(&self, portal: &ProvenPortal, subject: &str) -> Noted {
        match self.try_note(portal, subject).await {
            Ok(noted) => noted,
            Err(error) => {
                let portal_id = portal.portal_id();
                tracing::error!(%error, %portal_id, seen = subject, "that somebody else calls with this portal's token is not on record yet");
                Noted::NotYet
            }
        }
    }

    async fn try_note(&self, portal: &ProvenPortal, subject: &str) -> Result<Noted, ShareError> {
        let id = portal.portal_id();
        let now = self.clock.now();
        match store::unaccounted::is_to_be_noted(&self.database, id, now, NOTED_EVERY).await? {
            Note::OnRecord => return Ok(Noted::Before),
            Note::Perhaps => return Ok(Noted::NotYet),
            Note::Ours => {}
        }
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let draft = Draft::portal(portal, Operation::QuotaUnaccounted, call_id)
            .caller(&self.caller)
            .subject(subject);
        // Where the log fails the hour is not lost: it is asked for again in a moment.
        self.log.admin(draft, Outcome::ok()).await?;
        tracing::warn!(portal_id = %id, seen = subject, "somebody else calls with this portal's token");
        if let Err(error) = store::unaccounted::is_noted(&self.database, id, now).await {
            tracing::warn!(%error, portal_id = %id, "it is on record, and may be once more within the hour");
        }
        Ok(Noted::Now)
    }
}

/// What became of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Noted {
    /// It is on record.
    Now,
    /// Something was within the hour, which will do.
    Before,
    /// Nothing is on record yet.
    NotYet,
}
