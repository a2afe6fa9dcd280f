//! One portal's quota: its buckets, and the lines before them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::clock::{SharedClock, Tick, Timestamp};
use hubkeep_hubspot::{DailyUsage, Limits};
use tokio::sync::Notify;

use super::{
    Error,
    about::About,
    app::App,
    breaker::Health,
    bucket::Bucket,
    budget::{Budget, Now},
    config::Config,
    crowd::Crowd,
    gate::{Gate, Pass, Shut},
    lease::Lease,
    lending::Lends,
    limit::Limit,
    line::{Due, Line, Lines},
    moving::Told,
    paid::{Lack, Paid, SentAt},
    state::{State, total},
};

/// What one portal may still do. Clones are of the same portal.
#[derive(Clone, Debug)]
pub struct PortalQuota(pub(super) Arc<Inner>);

/// What replicas share by.
#[derive(Clone, Debug)]
pub(super) struct Sharing {
    pub(super) lease: Arc<Lease>,
    /// Told when places are wanted where there are none.
    pub(super) wanted: Arc<Notify>,
}

/// Nobody knows what was called in the interval before a portal's first call here: HubSpot's, and what a call may take to arrive.
const UNKNOWN_FOR: Duration = Duration::from_millis(12_500);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) portal: ProvenPortal,
    pub(super) clock: SharedClock,
    pub(super) config: Arc<Config>,
    pub(super) sharing: Option<Sharing>,
    lends: Lends,
    /// Before this nothing is lent.
    lends_from: Tick,
    budget: Mutex<Budget>,
    gate: Mutex<Gate>,
    lines: Lines,
    /// Those that wait and those under way.
    pub(super) crowd: Arc<Crowd>,
    /// Told when there may be room that nobody knew the time of.
    pub(super) heard: Notify,
}

impl PortalQuota {
    pub(super) fn new(
        portal: ProvenPortal,
        time_zone: &str,
        config: Arc<Config>,
        (sharing, lends): (Option<Sharing>, Lends),
        clock: SharedClock,
    ) -> Self {
        let now = Now {
            tick: clock.tick(),
            time: clock.now(),
        };
        let lends_from = match sharing {
            // The headers tell of what was used before.
            None => now.tick,
            // They do not where others have used it. The calls that made the portal known were made before anybody could be told of
            // them: whose the token is was their answer.
            Some(_) => now.tick.plus(UNKNOWN_FOR),
        };
        let budget = Budget::new(&config, time_zone, sharing.is_some(), now);
        Self(Arc::new(Inner {
            portal,
            clock,
            crowd: Crowd::new(&config),
            config,
            sharing,
            lends,
            lends_from,
            budget: Mutex::new(budget),
            gate: Mutex::default(),
            lines: Lines::default(),
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

    /// Lets a call in that must be answered by then.
    pub(super) fn let_in(&self, about: &About, deadline: Tick) -> Result<Pass, Error> {
        let now = self.now();
        let left = deadline.since(now.tick);
        let pass = self.gate(|gate| gate.enter(about, left, now));
        pass.map_err(|shut| self.shut(shut))
    }

    /// Whether a call that was let in may go on.
    pub(super) fn may_go_on(&self, pass: &Pass) -> Result<(), Error> {
        let now = self.now().tick;
        let still = self.gate(|gate| gate.still(pass, now));
        still.map_err(|shut| self.shut(shut))
    }

    /// Until when what is paid may be sent; `None` for ever.
    pub(super) fn send_by(&self) -> Result<Option<Tick>, Error> {
        let Some(sharing) = &self.0.sharing else {
            return Ok(None);
        };
        let until = sharing.lease.until(self.now().tick);
        until.map(Some).ok_or_else(|| self.lease_lost())
    }

    /// A call that was let in has ended.
    pub(super) fn has_ended(&self, pass: &Pass, health: Health) {
        let now = self.now();
        let portal_id = self.0.portal.portal_id();
        match self.gate(|gate| gate.ended(pass, health, now)) {
            None => return,
            Some(Shut::NotAnswering(_)) => {
                tracing::warn!(%portal_id, "HubSpot does not answer for this portal: its calls are refused for a while");
            }
            Some(Shut::Moving(wait)) => {
                tracing::warn!(%portal_id, seconds = wait.as_secs(), "HubSpot moves this portal between data centres: its calls are refused until that is over");
            }
        }
        self.0.heard.notify_waiters();
    }

    /// Another process has told whether HubSpot moves this portal.
    pub(super) fn hears_of_moving(&self, told: Told) {
        let now = self.now();
        if self.gate(|gate| gate.moving().hear_told(told, now)) {
            self.0.heard.notify_waiters();
        }
    }

    /// Until when HubSpot moves this portal, if other processes are to be told.
    pub(super) fn moving_news(&self) -> Option<Told> {
        self.gate(|gate| gate.moving().news())
    }

    /// They were told that it is until then.
    pub(super) fn moving_told(&self, until: Timestamp) {
        self.gate(|gate| gate.moving().told(until));
    }

    pub(super) fn learn(&self, of: Option<&Limit>, limits: &Limits, sent: Option<SentAt>) {
        let now = self.now();
        self.looks_anew(|budget| budget.learn(of, limits, sent, now));
    }

    /// A call has ended: what was not sent is given back.
    pub(super) fn give_back(&self, paid: &Paid) {
        let now = self.0.clock.tick();
        self.looks_anew(|budget| budget.ended(paid, now));
    }

    /// Does what may end the time in which little is let through or known, and tells who looks for room.
    fn looks_anew(&self, work: impl FnOnce(&mut Budget)) {
        let tells = self.with(|budget| {
            let tells = budget.is_blind() || budget.daily().perhaps_usable().is_some();
            work(budget);
            tells
        });
        if tells {
            self.0.heard.notify_waiters();
        }
    }

    /// The shares have changed.
    pub(super) fn look_again(&self) {
        self.0.heard.notify_waiters();
    }

    /// Takes up what HubSpot's usage endpoint said.
    pub fn learn_usage(&self, usage: DailyUsage) {
        let now = self.0.clock.now();
        self.with(|budget| budget.learn_usage(usage, now));
    }

    /// HubSpot has refused a call of this app for a limit.
    pub(super) fn refused(&self, app: &App, bucket: Bucket, pause: Option<Duration>) -> Duration {
        let now = self.now();
        self.with(|budget| budget.refused((app, bucket), pause, now))
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
        // Looked at before: who holds the budget must not wait for a line.
        let waiting: HashMap<Limit, usize> = self
            .limits()
            .into_iter()
            .map(|limit| (limit.clone(), self.waiting(&limit)))
            .collect();
        let waiting = |limit: &Limit| waiting.get(limit).copied().unwrap_or_default();
        let (broken_until, moving_until) = self.gate(|gate| (gate.broken_until(), gate.moving_until()));
        self.with(|budget| {
            let mut state = |limit: &Limit| budget.paced(limit).state(waiting(limit), now);
            let (search, associations) = (state(&Limit::Search), state(&Limit::Associations));
            let bursts = budget.bursts(waiting, now);
            let burst = total(&bursts).unwrap_or_else(|| budget.untouched(now));
            State {
                portal: self.0.portal.clone(),
                observed: now.time,
                burst,
                bursts,
                search,
                associations,
                daily: budget.day(now.time),
                time_zone: budget.daily().zone().name().to_owned(),
                unaccounted: budget.outside.seen(),
                broken_until,
                moving_until,
            }
        })
    }

    /// The limits in an interval that calls count against here.
    pub(super) fn limits(&self) -> Vec<Limit> {
        let bursts = self.with(|budget| budget.apps().cloned().map(Limit::Burst).collect::<Vec<_>>());
        [bursts, vec![Limit::Search, Limit::Associations]].concat()
    }

    /// How many stand in the line of a limit.
    pub(super) fn waiting(&self, limit: &Limit) -> usize {
        self.line(limit).waiting()
    }

    pub(super) fn line(&self, limit: &Limit) -> Arc<Line> {
        self.0.lines.of(limit)
    }

    pub(super) fn due(&self, paid: Paid) -> Due {
        Due {
            paid: Some(paid),
            quota: self.clone(),
        }
    }

    pub(super) fn refusal(&self, lack: Lack) -> Error {
        Error::NoRoom {
            portal: self.0.portal.portal_id(),
            bucket: lack.bucket,
            retry_after: lack.wait,
        }
    }

    pub(super) fn lease_lost(&self) -> Error {
        Error::LeaseLost {
            portal: self.0.portal.portal_id(),
        }
    }

    fn shut(&self, shut: Shut) -> Error {
        let portal = self.0.portal.portal_id();
        match shut {
            Shut::NotAnswering(retry_after) => Error::NotAnswering { portal, retry_after },
            Shut::Moving(retry_after) => Error::Moving { portal, retry_after },
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            tick: self.0.clock.tick(),
            time: self.0.clock.now(),
        }
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Budget) -> T) -> T {
        // A panic while the lock was held cannot leave a budget half-changed: counting cannot panic.
        let mut budget = self.0.budget.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: what is known here before a place is taken was known when it was taken.
        let (portal, now) = (self.0.portal.portal_id(), self.0.clock.tick());
        budget.is_seen(now, now >= self.0.lends_from && self.0.lends.to(portal, now));
        work(&mut budget)
    }

    fn gate<T>(&self, work: impl FnOnce(&mut Gate) -> T) -> T {
        work(&mut self.0.gate.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
