//! One portal's buckets.

use std::time::Duration;

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::clock::{Tick, Timestamp};
use hubkeep_hubspot::{DailyUsage, Limits};

use super::{
    bucket::Bucket,
    config::Config,
    daily::Daily,
    day::Zone,
    state::{BucketState, Known, State},
    window::{Place, SOON, Window},
};

/// Calls in an interval, until HubSpot's headers say otherwise: the lowest limit of any subscription.
const BURST: usize = 100;
/// The interval, until HubSpot's headers say otherwise.
const INTERVAL: Duration = Duration::from_secs(10);
/// Left free for credential-service, which verifies tokens on the same limit: two verifications, of two calls each.
const KEPT_FREE: usize = 4;
/// A process does not know what was used before it began. Until a first answer says so, only so many calls are under way
/// at once: there is room for them where the process before has used its whole share, and credential-service two of the
/// calls that are kept free for it.
const BLIND: usize = 2;
/// After this a first answer is waited for no longer: HubSpot is slow, or does not say what is left.
const UNTIL_THE_FIRST_ANSWER: Duration = Duration::from_secs(3);
/// Searches in a second, per account.
const SEARCHES: usize = 5;
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);

/// Now, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) tick: Tick,
    pub(super) time: Timestamp,
}

/// A window, and until when HubSpot wants to be left alone.
#[derive(Debug)]
struct Paced {
    window: Window,
    limit: usize,
    known: Known,
    as_of: Option<Timestamp>,
    paused_until: Option<(Tick, Timestamp)>,
}

impl Paced {
    const fn new(limit: usize, share: usize, interval: Duration) -> Self {
        Self {
            window: Window::new(share, interval),
            limit,
            known: Known::Assumed,
            as_of: None,
            paused_until: None,
        }
    }

    fn wait(&mut self, ahead: usize, now: Tick) -> Option<Duration> {
        self.pause(now).max(self.window.wait(ahead, now))
    }

    fn pause(&self, now: Tick) -> Option<Duration> {
        let (until, _) = self.paused_until?;
        let left = until.since(now);
        (!left.is_zero()).then_some(left)
    }

    fn pause_for(&mut self, pause: Duration, now: Now) {
        let until = (now.tick.plus(pause), now.time.plus(pause));
        self.paused_until = self.paused_until.max(Some(until));
        self.known = Known::Refused;
        self.as_of = Some(now.time);
    }

    fn state(&mut self, waiting: usize, now: Now) -> BucketState {
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
        }
    }
}

/// What a call has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paid {
    burst: Place,
    search: Option<Place>,
}

/// The time before the first answer.
#[derive(Clone, Copy, Debug)]
struct Blind {
    until: Tick,
    under_way: usize,
}

/// No room: in which bucket, and how long there will be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lack {
    pub(super) bucket: Bucket,
    pub(super) wait: Duration,
}

#[derive(Debug)]
pub(super) struct Budget {
    replicas: usize,
    burst: Paced,
    search: Paced,
    daily: Daily,
    blind: Option<Blind>,
}

impl Budget {
    pub(super) fn new(config: Config, zone: &str, now: Now) -> Self {
        let replicas = usize::try_from(config.replicas).unwrap_or(1).max(1);
        Self {
            replicas,
            burst: Paced::new(BURST, share(BURST - KEPT_FREE, replicas), INTERVAL),
            search: Paced::new(SEARCHES, share(SEARCHES, replicas), SEARCH_INTERVAL),
            daily: Daily::new(Zone::named(zone), config.daily_reserve, now.time),
            blind: Some(Blind {
                until: now.tick.plus(UNTIL_THE_FIRST_ANSWER),
                under_way: 0,
            }),
        }
    }

    pub(super) fn is_in(&mut self, zone: &str, now: Timestamp) {
        self.daily.is_in(zone, now);
    }

    /// Where a call finds no room behind `ahead` others in the line of its bucket.
    pub(super) fn lack(&mut self, bucket: Bucket, ahead: usize, now: Now) -> Option<Lack> {
        let search = match bucket {
            Bucket::Search => self.search.wait(ahead, now.tick),
            Bucket::Burst | Bucket::Daily => None,
        };
        let waits = [
            (Bucket::Daily, self.daily.wait(ahead, now.time)),
            (
                Bucket::Burst,
                self.burst.wait(ahead, now.tick).max(self.blind(now.tick)),
            ),
            (Bucket::Search, search),
        ];
        let lacks = waits
            .into_iter()
            .filter_map(|(bucket, wait)| wait.map(|wait| Lack { bucket, wait }));
        lacks.max_by_key(|lack| lack.wait)
    }

    /// Whether nothing was heard yet of what was used before.
    pub(super) const fn is_blind(&self) -> bool {
        self.blind.is_some()
    }

    /// How long to wait before looking again, where too many calls are under way into the unknown.
    fn blind(&self, now: Tick) -> Option<Duration> {
        let blind = self.blind.filter(|blind| now < blind.until)?;
        // Nobody is refused for this: who waits is told of an answer, and looks again soon in any case.
        (blind.under_way >= share(BLIND, self.replicas)).then_some(SOON)
    }

    /// Whether the search limit itself has room.
    pub(super) fn room_for_search(&mut self, now: Now) -> Result<(), Lack> {
        let bucket = Bucket::Search;
        let wait = self.search.wait(0, now.tick);
        wait.map_or(Ok(()), |wait| Err(Lack { bucket, wait }))
    }

    /// Takes one call from every bucket that it counts in, or from none.
    pub(super) fn take(&mut self, bucket: Bucket, now: Now) -> Result<Paid, Lack> {
        if let Some(lack) = self.lack(bucket, 0, now) {
            return Err(lack);
        }
        self.daily.take(now.time);
        if let Some(blind) = &mut self.blind {
            blind.under_way = blind.under_way.saturating_add(1);
        }
        let searches = bucket == Bucket::Search;
        Ok(Paid {
            burst: self.burst.window.take(now.tick),
            search: searches.then(|| self.search.window.take(now.tick)),
        })
    }

    pub(super) fn sent(&mut self, paid: Paid, at: Tick) {
        self.burst.window.sent(paid.burst, at);
        if let Some(search) = paid.search {
            self.search.window.sent(search, at);
        }
    }

    pub(super) fn ended(&mut self, paid: Paid, now: Tick) {
        let sent = self.burst.window.ended(paid.burst, now);
        if let Some(search) = paid.search {
            self.search.window.ended(search, now);
        }
        self.daily.ended(sent);
        if let Some(blind) = &mut self.blind {
            blind.under_way = blind.under_way.saturating_sub(1);
        }
    }

    /// Takes up what the headers say of the answer to a call that was sent at `sent`.
    pub(super) fn learn(&mut self, limits: &Limits, sent: Option<Tick>, now: Now) {
        if let Some(left) = limits.daily_remaining {
            self.daily.told(limits.daily, left, Known::Header, now.time);
        }
        self.learn_burst(limits, now.time);
        let remaining = limits.remaining.and_then(|left| usize::try_from(left).ok());
        if let (Some(remaining), Some(sent)) = (remaining, sent) {
            self.blind = None;
            let counted = self.burst.limit.saturating_sub(remaining);
            let ours = self.burst.window.most();
            // Other replicas have their parts, which are not taken from ours.
            let spare = self.burst.limit.saturating_sub(KEPT_FREE).saturating_sub(ours);
            self.burst.window.heard(counted, spare, sent, now.tick);
        }
    }

    fn learn_burst(&mut self, limits: &Limits, now: Timestamp) {
        let Some(max) = limits.max.and_then(|max| usize::try_from(max).ok()) else {
            return;
        };
        let interval = limits
            .interval
            .filter(|interval| !interval.is_zero())
            .unwrap_or(INTERVAL);
        let part = share(max.saturating_sub(KEPT_FREE), self.replicas);
        self.burst.window.resize(part, interval);
        self.burst.limit = max;
        self.burst.known = Known::Header;
        self.burst.as_of = Some(now);
    }

    /// Takes up what the usage endpoint says.
    pub(super) fn learn_usage(&mut self, usage: DailyUsage, now: Timestamp) {
        let left = usage.limit.saturating_sub(usage.used);
        self.daily.told(Some(usage.limit), left, Known::Usage, now);
    }

    /// HubSpot has refused a call for a limit. Returns how long that holds.
    pub(super) fn refused(&mut self, bucket: Bucket, pause: Option<Duration>, now: Now) -> Duration {
        let paced = match bucket {
            Bucket::Daily => {
                self.daily.refused(pause, now.time);
                return self.daily.ends().since(now.time);
            }
            Bucket::Search => &mut self.search,
            Bucket::Burst => &mut self.burst,
        };
        let pause = pause.unwrap_or_else(|| paced.window.length());
        paced.pause_for(pause, now);
        pause
    }

    pub(super) fn daily(&mut self) -> &mut Daily {
        &mut self.daily
    }

    pub(super) fn state(&mut self, portal: ProvenPortal, waiting: [usize; 2], now: Now) -> State {
        let [burst, search] = waiting;
        State {
            portal,
            observed: now.time,
            burst: self.burst.state(burst, now),
            search: self.search.state(search, now),
            daily: self.day(now.time),
            time_zone: self.daily.zone().name().to_owned(),
        }
    }

    fn day(&mut self, now: Timestamp) -> BucketState {
        let daily = &mut self.daily;
        let paused_until = daily.paused_until(now);
        let (known, as_of) = daily.known();
        let (limit, left) = (daily.limit(), daily.left());
        BucketState {
            limit,
            share: limit.map(|limit| limit.saturating_sub(daily.reserve())),
            used: limit.zip(left).map(|(limit, left)| limit.saturating_sub(left)),
            left: daily.usable(),
            interval: None,
            reset: Some(daily.ends()),
            known,
            as_of,
            paused_until,
            waiting: 0,
        }
    }
}

/// The part of one replica, so that all of them together never pass the limit; but at least one.
fn share(limit: usize, replicas: usize) -> usize {
    limit.checked_div(replicas).unwrap_or(limit).max(1)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
