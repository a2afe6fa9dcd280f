//! One limit in a rolling interval: its window, what is known of it, and until when HubSpot wants to be left alone.

use std::time::Duration;

use hubkeep_core::clock::{Tick, Timestamp};

use super::{
    budget::Now,
    lending::Kept,
    state::{BucketState, Known},
    window::{SOON, Window},
};

/// A process does not know what was used before it began. Until a first answer says so, only so many calls are under way
/// at once: there is room for it where the process before has used its whole share, and all that was lent to it.
const BLIND: usize = 1;
/// After this a first answer is waited for no longer: HubSpot is slow, or does not say what is left.
const UNTIL_THE_FIRST_ANSWER: Duration = Duration::from_secs(3);

/// The time before the first answer.
#[derive(Clone, Copy, Debug)]
struct Blind {
    until: Tick,
}

/// A window, and until when HubSpot wants to be left alone.
#[derive(Debug)]
pub(super) struct Paced {
    pub(super) window: Window,
    /// What HubSpot allows in an interval.
    limit: usize,
    /// What is kept free of these.
    kept: Kept,
    /// Calls that were paid for and have not ended.
    under_way: usize,
    /// Whether other replicas have parts of it: then how many places there are here is said from outside.
    shared: bool,
    /// Whether the shares of replicas say that this one holds or wants something.
    pub(super) has_row: bool,
    known: Known,
    as_of: Option<Timestamp>,
    paused_until: Option<(Tick, Timestamp)>,
    blind: Option<Blind>,
}

impl Paced {
    pub(super) fn new(limit: usize, kept_free: usize, interval: Duration, shared: bool) -> Self {
        let kept = Kept::new(kept_free);
        let whole = limit.saturating_sub(kept.places());
        let mut window = Window::new(whole, interval);
        if shared {
            window.resize(0, whole);
        }
        Self {
            window,
            limit,
            kept,
            under_way: 0,
            shared,
            has_row: false,
            known: Known::Assumed,
            as_of: None,
            paused_until: None,
            blind: None,
        }
    }

    /// The same, of which nothing is known of what was used before.
    pub(super) fn blind_from(mut self, now: Tick) -> Self {
        self.blind = Some(Blind {
            until: now.plus(UNTIL_THE_FIRST_ANSWER),
        });
        self
    }

    /// The places of all replicas together.
    pub(super) fn whole(&self) -> usize {
        self.limit.saturating_sub(self.kept.places()).max(1)
    }

    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    pub(super) const fn known(&self) -> Known {
        self.known
    }

    /// How long until there is room behind `ahead` others, with so many places left alone; `None` if there is.
    pub(super) fn wait(&mut self, ahead: usize, left_alone: usize, now: Tick) -> Option<Duration> {
        let left_alone = left_alone.min(self.window.most() / 2);
        let room = self.window.wait(ahead.saturating_add(left_alone), now);
        self.pause(now).max(room).max(self.blind(now))
    }

    fn pause(&self, now: Tick) -> Option<Duration> {
        let (until, _) = self.paused_until?;
        let left = until.since(now);
        (!left.is_zero()).then_some(left)
    }

    /// How long to wait before looking again, where too many calls are under way into the unknown.
    fn blind(&self, now: Tick) -> Option<Duration> {
        self.blind.filter(|blind| now < blind.until)?;
        // Nobody is refused for this: who waits is told of an answer, and looks again soon in any case.
        (self.under_way >= BLIND).then_some(SOON)
    }

    pub(super) const fn is_blind(&self) -> bool {
        self.blind.is_some()
    }

    pub(super) const fn has_heard(&mut self) {
        self.blind = None;
    }

    /// One call more is under way, or one less.
    pub(super) const fn count(&mut self, more: bool) {
        self.under_way = match more {
            true => self.under_way.saturating_add(1),
            false => self.under_way.saturating_sub(1),
        };
    }

    /// Lends what is kept free, or lends it no more: the places that there are follow at once where it becomes less, and where
    /// others share them, when that is written, where it becomes more.
    pub(super) fn lend(&mut self, lends: bool) {
        let lent = self.kept.lent();
        if !self.kept.lend(lends) {
            return;
        }
        let whole = self.whole();
        let most = match self.shared {
            // Each gives up all that was lent: the others may not have heard of it.
            true => self.window.most().saturating_sub(lent),
            false => whole,
        };
        self.window.resize(most, whole);
    }

    /// How many of the places of all replicas together are lent.
    pub(super) const fn lent(&self) -> usize {
        self.kept.lent()
    }

    /// HubSpot says what it allows.
    pub(super) fn learn(&mut self, limit: usize, interval: Duration, now: Timestamp) {
        self.limit = limit;
        self.window.set_length(interval);
        let (whole, most) = (self.whole(), self.window.most());
        match self.shared {
            // More than before must be shared out first.
            true => self.window.resize(most.min(whole), whole),
            false => self.window.resize(whole, whole),
        }
        self.known = Known::Header;
        self.as_of = Some(now);
    }

    pub(super) fn pause_for(&mut self, pause: Duration, now: Now) {
        let until = (now.tick.plus(pause), now.time.plus(pause));
        self.paused_until = self.paused_until.max(Some(until));
        self.known = Known::Refused;
        self.as_of = Some(now.time);
    }

    pub(super) fn state(&mut self, waiting: usize, now: Now) -> BucketState {
        let (share, used) = (self.window.most(), self.window.used(now.tick));
        let paused_until = self.paused_until.filter(|_| self.pause(now.tick).is_some());
        let left = match paused_until {
            Some(_) => 0,
            None => share.saturating_sub(used),
        };
        BucketState {
            limit: Some(number(self.limit)),
            share: Some(number(share)),
            used: Some(number(used)),
            left: Some(number(left)),
            interval: Some(self.window.length()),
            reset: None,
            known: self.known,
            as_of: self.as_of,
            paused_until: paused_until.map(|(_, time)| time),
            waiting,
            exhausted: None,
            others: None,
        }
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
