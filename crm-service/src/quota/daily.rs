//! The calls of a day. HubSpot's own count is the truth, for all apps of the account share the limit; between two
//! truths our own calls are counted down from the last one.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;

use super::{
    day::{Day, Zone},
    forecast::Forecast,
    order::{Order, Sent},
    state::Known,
    tally::{ByDay, Tally},
};

/// When the limit is used up, one call is let through each time this has passed: the limit may have been raised.
const PROBED_EVERY: Duration = Duration::from_secs(600);
/// When it is looked again where the answers to the calls under way will tell what is left.
const A_MOMENT: Duration = Duration::from_millis(100);
/// What HubSpot said longer ago than this is worth a question.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(300);
/// So many calls without a word of the daily limit are worth a question.
const WORTH_A_QUESTION: u64 = 100;

/// What is to be kept of a portal's days, or compared with what is kept.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) day: Day,
    pub(super) fresh: ByDay,
}

/// By what HubSpot says what is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) known: Known,
    /// What was known when the call was sent in whose answer it is said; without a call it is as HubSpot says.
    pub(super) sent: Option<Sent>,
    /// It was so at this time, or later.
    pub(super) since: Timestamp,
}

/// What is known of a portal's day.
#[derive(Debug)]
pub(super) struct Daily {
    zone: Zone,
    reserve: u64,
    limit: Option<u64>,
    left: Option<u64>,
    /// Paid for, and not ended: HubSpot may have counted them already, or not.
    in_flight: u64,
    /// Paid for since HubSpot last said something.
    since_told: u64,
    order: Order,
    known: Known,
    as_of: Option<Timestamp>,
    ends: Timestamp,
    /// When a call may be let through although nothing is left.
    probe_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    forecast: Forecast,
    pub(super) tally: Tally,
}

impl Daily {
    pub(super) fn new(zone: Zone, reserve: u64, now: Timestamp) -> Self {
        Self {
            ends: zone.day_end(now),
            zone,
            reserve,
            limit: None,
            left: None,
            in_flight: 0,
            since_told: 0,
            order: Order::default(),
            known: Known::Assumed,
            as_of: None,
            probe_at: None,
            asked_at: None,
            forecast: Forecast::default(),
            tally: Tally::default(),
        }
    }

    /// Of this limit HubSpot says nothing: only our own calls are counted.
    pub(super) const fn assume(&mut self, limit: u64) {
        self.limit = Some(limit);
        self.left = Some(limit);
    }

    /// The portal is in this zone.
    pub(super) fn is_in(&mut self, zone: &str, now: Timestamp) {
        if self.zone.told() != zone {
            let was_known = self.zone.day(now).is_some();
            self.zone = Zone::named(zone);
            if let Some(day) = self.zone.day(now).filter(|_| !was_known) {
                self.tally.is_unsure_of(day.ends);
            }
            self.ends = self.zone.day_end(self.as_of.unwrap_or(now));
        }
    }

    pub(super) const fn zone(&self) -> &Zone {
        &self.zone
    }

    /// How long until there is room behind `ahead` others; `None` if there is.
    pub(super) fn wait(&mut self, ahead: usize, now: Timestamp) -> Option<Duration> {
        self.turn(now);
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
        if self.usable()? > ahead {
            return None;
        }
        let probe_at = *self.probe_at.get_or_insert(now.plus(PROBED_EVERY));
        if ahead == 0 && now >= probe_at {
            return None;
        }
        let perhaps = self.perhaps_usable().is_some_and(|usable| usable > ahead);
        Some(match perhaps {
            true => A_MOMENT,
            false => self.ends.since(now),
        })
    }

    /// Counts one.
    pub(super) fn take(&mut self, now: Timestamp) {
        if self.usable() == Some(0) {
            self.probe_at = Some(now.plus(PROBED_EVERY));
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.order.taken();
        self.in_flight = self.in_flight.saturating_add(1);
        self.since_told = self.since_told.saturating_add(1);
    }

    /// One that was counted has ended.
    pub(super) fn ended(&mut self, sent: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if sent {
            self.order.ended();
        } else {
            self.left = self.left.map(|left| left.saturating_add(1));
            self.order.given_back();
            self.since_told = self.since_told.saturating_sub(1);
        }
        if self.in_flight == 0 {
            // All are in HubSpot's count, and of what it has said the least was said last.
            self.left = self.left.map(|left| self.order.at_most(left));
        }
    }

    /// One that was counted is sent.
    pub(super) fn is_sent(&mut self, now: Timestamp) {
        self.tally.sent(self.zone.days_of(now));
    }

    /// What is known when a call is sent, by which it is seen what its answer is older than.
    pub(super) const fn sent(&self) -> Sent {
        self.order.sent()
    }

    /// HubSpot says what is left, in the answer to a call that has not ended yet.
    pub(super) fn told(&mut self, limit: Option<u64>, left: u64, said: Said, now: Timestamp) {
        let Said { known, sent, since } = said;
        self.limit = limit.or(self.limit);
        // The other calls under way may not be in HubSpot's count yet.
        let others = self.in_flight.saturating_sub(1);
        self.left = Some(self.order.left(self.left, left, others, sent));
        self.heard(known, now);
        self.forecast.told(left, now);
        // What was so before midnight was said of another day.
        let day = self.zone.day(now).filter(|day| since >= day.began);
        if let Some((limit, day)) = self.limit.zip(day) {
            self.tally.turns(day.ends);
            self.tally.told(limit.saturating_sub(left), now);
        }
        if self.usable() != Some(0) {
            self.probe_at = None;
        }
    }

    /// HubSpot has refused a call because nothing is left; perhaps it said for how long.
    pub(super) fn refused(&mut self, pause: Option<Duration>, now: Timestamp) {
        self.left = Some(0);
        self.order.refused();
        self.heard(Known::Refused, now);
        self.probe_at = Some(now.plus(PROBED_EVERY));
        if let Some(pause) = pause {
            self.ends = now.plus(pause);
        }
    }

    /// Until when nothing is sent, if nothing is.
    pub(super) fn paused_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.wait(0, now)
            .filter(|_| self.perhaps_usable().is_none())
            .map(|_| self.ends)
    }

    /// When the calls that are left for us will be used up, at the rate of all apps of the last half hour; `None` if not
    /// before the day ends, or where that is not known.
    pub(super) fn exhausted_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.turn(now);
        let (left, usable) = (self.left?, self.usable().filter(|usable| *usable > 0)?);
        // By what is left in all, at which the rate is seen; less those that are not for us.
        let reserved = left.saturating_sub(usable);
        self.forecast.exhausted_at(usable, reserved, now, self.ends)
    }

    /// Whether what is known is too old to be told as it is.
    pub(super) fn is_stale(&mut self, now: Timestamp) -> bool {
        self.turn(now);
        self.as_of.is_none_or(|as_of| now.since(as_of) > STALE_AFTER)
    }

    /// Whether HubSpot should be asked, because its answers do not say what is left. Says so once in a while only.
    pub(super) fn is_worth_a_question(&mut self, now: Timestamp) -> bool {
        let asked = self.asked_at.is_some_and(|asked| now.since(asked) <= STALE_AFTER);
        let worth = !asked && self.since_told >= WORTH_A_QUESTION && self.is_stale(now);
        if worth {
            self.asked_at = Some(now);
        }
        worth
    }

    /// Calls of all apps that HubSpot allows.
    pub(super) const fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Calls that are left by HubSpot's count, those for others included.
    pub(super) const fn left(&self) -> Option<u64> {
        self.left
    }

    /// Calls that are left for us.
    pub(super) fn usable(&self) -> Option<u64> {
        self.left.map(|left| left.saturating_sub(self.reserve()))
    }

    /// Calls that may be left for us, where the answers to those under way will tell: while none was heard, all of them may be
    /// in HubSpot's last count or not. `None` where there is nothing to be told.
    pub(super) fn perhaps_usable(&self) -> Option<u64> {
        let left = self.left.filter(|_| self.in_flight > 0)?;
        let at_most = self.order.at_most(left);
        let usable = at_most.saturating_sub(self.reserve());
        (at_most > left && usable > 0).then_some(usable)
    }

    /// The same when HubSpot last said something: before the calls that were paid for since.
    pub(super) fn usable_as_told(&self) -> Option<u64> {
        self.usable().map(|usable| usable.saturating_add(self.since_told))
    }

    /// Calls that were paid for since then.
    pub(super) const fn since_told(&self) -> u64 {
        self.since_told
    }

    /// Calls that are left for others.
    pub(super) fn reserve(&self) -> u64 {
        self.limit
            .map_or(self.reserve, |limit| self.reserve.min(limit / 100))
    }

    pub(super) const fn known(&self) -> (Known, Option<Timestamp>) {
        (self.known, self.as_of)
    }

    pub(super) const fn ends(&self) -> Timestamp {
        self.ends
    }

    /// What is to be kept or compared now; it is here no more. `None` also where nobody knows when the day ends.
    pub(super) fn tallied(&mut self, now: Timestamp) -> Option<Due> {
        let day = self.zone.day(now)?;
        self.tally.turns(day.ends);
        self.tally.is_due(now).then(|| Due {
            day,
            fresh: self.tally.take(),
        })
    }

    /// At least so many calls of the day were made by others. `None` before HubSpot's count was compared.
    pub(super) fn others(&mut self, now: Timestamp) -> Option<u64> {
        let day = self.zone.day(now)?;
        self.tally.turns(day.ends);
        self.tally.others()
    }

    fn heard(&mut self, known: Known, now: Timestamp) {
        self.known = known;
        self.as_of = Some(now);
        self.since_told = 0;
        self.ends = self.zone.day_end(now);
    }

    /// A new day begins with the whole limit, as far as anybody knows.
    fn turn(&mut self, now: Timestamp) {
        if now < self.ends {
            return;
        }
        self.left = self.limit;
        self.order.turned();
        self.known = Known::Assumed;
        self.as_of = None;
        self.probe_at = None;
        self.ends = self.zone.day_end(now);
        self.forecast.forget();
    }
}
