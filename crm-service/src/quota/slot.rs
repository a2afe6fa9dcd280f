//! One attempt, paid for.

use std::{sync::OnceLock, time::Duration};

use hubkeep_core::clock::Tick;
use hubkeep_hubspot::Limits;

use super::{
    Error, PortalQuota,
    app::App,
    breaker::Health,
    bucket::Bucket,
    budget::Now,
    crowd::InCrowd,
    gate::Pass,
    kind::Kind,
    line::Due,
    paid::{Paid, SentAt},
};

/// A call that was let in: it waits, or is under way. Dropped without a word on the other side's health, it has shown
/// nothing of it.
#[derive(Debug)]
pub(super) struct Entry {
    quota: PortalQuota,
    /// With whose token it is made.
    pub(super) app: App,
    pub(super) kind: Kind,
    pub(super) pass: Pass,
    told: OnceLock<()>,
    _one_of_many: InCrowd,
}

impl Entry {
    pub(super) fn new(
        quota: PortalQuota,
        (app, kind): (App, Kind),
        pass: Pass,
        one_of_many: InCrowd,
    ) -> Self {
        Self {
            quota,
            app,
            kind,
            pass,
            told: OnceLock::new(),
            _one_of_many: one_of_many,
        }
    }

    fn tell(&self, health: Health) {
        if self.told.set(()).is_ok() {
            self.quota.has_ended(&self.pass, health);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.tell(Health::Unknown);
    }
}

/// One attempt, paid for. HubSpot counts it when it arrives: somewhere between sent and answered.
#[derive(Debug)]
pub struct Slot {
    paid: Paid,
    sent: OnceLock<SentAt>,
    /// After this it must not be sent: the places are others'.
    send_by: Option<Tick>,
    entry: Entry,
}

impl Slot {
    /// Of what was paid for it in one or two lines.
    pub(super) fn new(entry: Entry, mut due: Due, before: Option<Due>) -> Result<Self, Error> {
        // Whatever is refused here is given back by what holds it.
        entry.quota.may_go_on(&entry.pass)?;
        let send_by = entry.quota.send_by()?;
        let paid = due.take().unwrap_or_default();
        let before = before.and_then(|mut before| before.take());
        Ok(Self {
            paid: paid.and(before.unwrap_or_default()),
            sent: OnceLock::new(),
            send_by,
            entry,
        })
    }

    /// After this the attempt must not be sent; `None` if there is no such time.
    pub const fn send_by(&self) -> Option<Tick> {
        self.send_by
    }

    /// The attempt is sent now.
    pub fn sent(&self, at: Tick) {
        self.sent.get_or_init(|| {
            let time = self.entry.quota.now().time;
            let at = Now { tick: at, time };
            self.entry.quota.with(|budget| budget.sent(&self.paid, at))
        });
    }

    /// Takes up what HubSpot's headers said in the answer to the attempt: of the day, of the limit, and of what others
    /// use.
    pub fn learn(&self, limits: &Limits) {
        let sent = self.sent.get().copied();
        self.entry.quota.learn(self.paid.told_of(), limits, sent);
    }

    /// HubSpot has refused the attempt for this limit, and perhaps said for how long. Stops what counts against it, and
    /// returns for how long.
    pub fn refused(&self, bucket: Bucket, pause: Option<Duration>) -> Duration {
        // Of a day in which its calls do not count nothing is said.
        let bucket = match bucket {
            Bucket::Daily if !self.entry.kind.counts_by_day() => Bucket::Burst,
            bucket => bucket,
        };
        self.entry.quota.refused(&self.entry.app, bucket, pause)
    }

    /// What the attempt has shown of the other side.
    pub fn tell(&self, health: Health) {
        self.entry.tell(health);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.entry.quota.give_back(&self.paid);
    }
}
