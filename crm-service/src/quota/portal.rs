//! One portal's quota: its buckets, and the lines before them.

use std::{
    pin::pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::clock::{SharedClock, Tick};
use hubkeep_hubspot::{DailyUsage, Limits};
use tokio::sync::Notify;

use super::{
    Error,
    bucket::Bucket,
    budget::{Budget, Lack, Now, Paid},
    config::Config,
    line::{Head, Line},
    state::State,
};

/// What one portal may still do. Clones are of the same portal.
#[derive(Clone, Debug)]
pub struct PortalQuota(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    portal: ProvenPortal,
    clock: SharedClock,
    budget: Mutex<Budget>,
    burst: Line,
    search: Line,
    /// Told when an answer may have made room that nobody knew the time of.
    heard: Notify,
}

impl PortalQuota {
    pub(super) fn new(portal: ProvenPortal, time_zone: &str, config: Config, clock: SharedClock) -> Self {
        let now = Now {
            tick: clock.tick(),
            time: clock.now(),
        };
        let budget = Budget::new(config, time_zone, now);
        Self(Arc::new(Inner {
            portal,
            clock,
            budget: Mutex::new(budget),
            burst: Line::default(),
            search: Line::default(),
            heard: Notify::new(),
        }))
    }

    /// Whose it is.
    pub fn portal(&self) -> &ProvenPortal {
        &self.0.portal
    }

    pub(super) fn is_in(&self, time_zone: &str) {
        let now = self.0.clock.now();
        self.with(|budget| budget.is_in(time_zone, now));
    }

    /// Pays for one attempt, waiting for room until `deadline`; who comes first is served first. What is paid and
    /// never sent is given back when the [`Slot`] is dropped.
    ///
    /// # Errors
    /// As soon as it is clear that there will be no room before the deadline; nothing is paid then.
    pub async fn pay(&self, bucket: Bucket, deadline: Tick) -> Result<Slot, Error> {
        let _search = match bucket {
            Bucket::Search => Some(self.head_of(bucket, deadline).await?),
            Bucket::Burst | Bucket::Daily => None,
        };
        if bucket == Bucket::Search {
            // Searches wait for their own limit in their own line, so that other calls do not wait behind them.
            self.until_room(deadline, Budget::room_for_search).await?;
        }
        let _head = self.head_of(Bucket::Burst, deadline).await?;
        let paid = self
            .until_room(deadline, |budget, now| budget.take(bucket, now))
            .await?;
        Ok(Slot {
            quota: self.clone(),
            paid,
            sent: OnceLock::new(),
        })
    }

    pub(super) fn learn(&self, limits: &Limits, sent: Option<Tick>) {
        let now = self.now();
        self.looks_anew(|budget| budget.learn(limits, sent, now));
    }

    /// Does what may end the time in which little is let through, and tells who waits at the head of a line.
    fn looks_anew(&self, work: impl FnOnce(&mut Budget)) {
        let was_blind = self.with(|budget| {
            let was_blind = budget.is_blind();
            work(budget);
            was_blind
        });
        if was_blind {
            self.0.heard.notify_waiters();
        }
    }

    /// Takes up what HubSpot's usage endpoint said.
    pub fn learn_usage(&self, usage: DailyUsage) {
        let now = self.0.clock.now();
        self.with(|budget| budget.learn_usage(usage, now));
    }

    /// HubSpot has refused a call for this limit, and perhaps said for how long. Stops what counts against it, and
    /// returns for how long.
    pub fn refused(&self, bucket: Bucket, pause: Option<Duration>) -> Duration {
        let now = self.now();
        self.with(|budget| budget.refused(bucket, pause, now))
    }

    /// Whether HubSpot said what is left of the day too long ago to tell it as it is.
    pub fn is_stale(&self) -> bool {
        let now = self.0.clock.now();
        self.with(|budget| budget.daily().is_stale(now))
    }

    /// Whether HubSpot should be asked what is left of the day because its answers do not say so: after a hundred such
    /// calls, and once in 5 minutes.
    pub fn is_worth_a_question(&self) -> bool {
        let now = self.0.clock.now();
        self.with(|budget| budget.daily().is_worth_a_question(now))
    }

    /// What is left now.
    pub fn state(&self) -> State {
        let now = self.now();
        let waiting = [self.0.burst.waiting(), self.0.search.waiting()];
        self.with(|budget| budget.state(self.0.portal.clone(), waiting, now))
    }

    /// The head of the line of a bucket.
    async fn head_of(&self, bucket: Bucket, deadline: Tick) -> Result<Head<'_>, Error> {
        let line = match bucket {
            Bucket::Search => &self.0.search,
            Bucket::Burst | Bucket::Daily => &self.0.burst,
        };
        if let Some(head) = line.try_head() {
            return Ok(head);
        }
        let waiter = line.join();
        // Those that wait, and the one at the head.
        let ahead = waiter.before().saturating_add(1);
        let now = self.now();
        let lack = self.with(|budget| budget.lack(bucket, ahead, now));
        if let Some(lack) = lack.filter(|lack| now.tick.plus(lack.wait) > deadline) {
            return Err(self.refusal(lack));
        }
        let head = self.0.clock.timeout_at(deadline, waiter.head()).await;
        head.ok_or_else(|| {
            let now = self.now();
            let lack = self.with(|budget| budget.lack(bucket, ahead, now));
            self.refusal(lack.unwrap_or(Lack {
                bucket,
                wait: Duration::ZERO,
            }))
        })
    }

    /// Waits until `look` finds room. Stands at the head of the line.
    async fn until_room<T>(
        &self,
        deadline: Tick,
        look: impl Fn(&mut Budget, Now) -> Result<T, Lack>,
    ) -> Result<T, Error> {
        loop {
            let mut heard = pin!(self.0.heard.notified());
            heard.as_mut().enable();
            let now = self.now();
            let lack = match self.with(|budget| look(budget, now)) {
                Ok(found) => return Ok(found),
                Err(lack) => lack,
            };
            let free_at = now.tick.plus(lack.wait);
            if free_at > deadline {
                return Err(self.refusal(lack));
            }
            tokio::select! {
                () = self.0.clock.sleep_until(free_at) => {}
                () = heard => {}
            }
        }
    }

    fn refusal(&self, lack: Lack) -> Error {
        Error {
            portal: self.0.portal.portal_id(),
            bucket: lack.bucket,
            retry_after: lack.wait,
        }
    }

    fn now(&self) -> Now {
        Now {
            tick: self.0.clock.tick(),
            time: self.0.clock.now(),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Budget) -> T) -> T {
        // A panic while the lock was held cannot leave a budget half-changed: counting cannot panic.
        work(&mut self.0.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One attempt, paid for. HubSpot counts it when it arrives: somewhere between sent and answered.
#[derive(Debug)]
pub struct Slot {
    quota: PortalQuota,
    paid: Paid,
    sent: OnceLock<Tick>,
}

impl Slot {
    /// The attempt is sent now.
    pub fn sent(&self, at: Tick) {
        self.sent.get_or_init(|| at);
        self.quota.with(|budget| budget.sent(self.paid, at));
    }

    /// Takes up what HubSpot's headers said in the answer to the attempt: of the day, of the limit, and of what others
    /// use.
    pub fn learn(&self, limits: &Limits) {
        self.quota.learn(limits, self.sent.get().copied());
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let now = self.quota.0.clock.tick();
        self.quota.looks_anew(|budget| budget.ended(self.paid, now));
    }
}
