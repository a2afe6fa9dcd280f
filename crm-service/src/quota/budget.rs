//! One portal's buckets.

use std::time::Duration;

use hubkeep_core::clock::{Tick, Timestamp};
use hubkeep_hubspot::{DailyUsage, Limits};

use super::{
    bucket::Bucket,
    config::Config,
    daily::Daily,
    day::Zone,
    outside::Outside,
    paced::Paced,
    state::{BucketState, Known},
    window::Place,
};

/// Calls in an interval, until HubSpot's headers say otherwise: the lowest limit of any subscription.
const BURST: usize = 100;
/// The interval, until HubSpot's headers say otherwise.
const INTERVAL: Duration = Duration::from_secs(10);
/// Left free for credential-service, which verifies tokens on the same limit: two verifications, of two calls each. Some of
/// them are lent while it does not call.
const KEPT_FREE: usize = 4;
/// Searches in a second, per account.
const SEARCHES: usize = 5;
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);
/// Calls of the associations API in an interval, until the headers of one say otherwise: the lowest of any subscription.
const ASSOCIATIONS: usize = 100;
/// What subscriptions allow of them, from the lowest to the highest. HubSpot does not say whether the headers of an answer about
/// associations are of this limit or of the app's, which has other figures: no more is believed than a subscription allows.
const ASSOCIATIONS_OF: [usize; 3] = [ASSOCIATIONS, 150, 200];
/// Calls of the associations API in a day. HubSpot's answers do not say it.
const ASSOCIATIONS_A_DAY: u64 = 500_000;
/// When it is looked again whether more of the day's last calls are this replica's.
const A_MOMENT: Duration = Duration::from_millis(100);
/// A call with a person behind it keeps the places for people for so long.
const PEOPLE_FOR: Duration = Duration::from_secs(300);

/// Now, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) tick: Tick,
    pub(super) time: Timestamp,
}

/// What a call has taken.
#[derive(Debug, Default)]
pub(super) struct Paid {
    pub(super) burst: Option<Place>,
    pub(super) search: Option<Place>,
    pub(super) associations: Option<Place>,
    /// Whether it counts in a day.
    daily: bool,
}

impl Paid {
    /// The same, and what another has taken for the same call.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            burst: self.burst.or(other.burst),
            search: self.search.or(other.search),
            associations: self.associations.or(other.associations),
            daily: self.daily || other.daily,
        }
    }
}

/// No room: in which bucket, and how long there will be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lack {
    pub(super) bucket: Bucket,
    pub(super) wait: Duration,
}

/// When a call was sent, and how many places there were then.
#[derive(Clone, Copy, Debug)]
pub(super) struct SentAt {
    pub(super) tick: Tick,
    pub(super) places: usize,
}

#[derive(Debug)]
pub(super) struct Budget {
    shared: bool,
    burst: Paced,
    search: Paced,
    associations: Paced,
    daily: Daily,
    associations_daily: Daily,
    associations_in_burst: bool,
    reserved_for_people: usize,
    people_until: Option<Tick>,
    pub(super) outside: Outside,
}

impl Budget {
    pub(super) fn new(config: &Config, zone: &str, shared: bool, now: Now) -> Self {
        let zone = Zone::named(zone);
        let mut associations_daily = Daily::new(zone.clone(), 0, now.time);
        associations_daily.assume(ASSOCIATIONS_A_DAY);
        Self {
            shared,
            burst: Paced::new(BURST, KEPT_FREE, INTERVAL, shared).blind_from(now.tick),
            search: Paced::new(SEARCHES, 0, SEARCH_INTERVAL, shared),
            associations: Paced::new(ASSOCIATIONS, 0, INTERVAL, shared).blind_from(now.tick),
            daily: Daily::new(zone, config.daily_reserve, now.time),
            associations_daily,
            associations_in_burst: config.associations_in_burst,
            reserved_for_people: usize::try_from(config.reserved_for_people).unwrap_or(0),
            people_until: None,
            outside: Outside::new(now.tick),
        }
    }

    pub(super) fn is_in(&mut self, zone: &str, now: Timestamp) {
        self.daily.is_in(zone, now);
        self.associations_daily.is_in(zone, now);
    }

    /// A call with a person behind it comes.
    pub(super) fn a_person_calls(&mut self, now: Tick) {
        self.people_until = Some(now.plus(PEOPLE_FOR));
    }

    /// Whether what is kept free for credential-service is lent now.
    pub(super) fn lend(&mut self, lends: bool) {
        self.burst.lend(lends);
    }

    /// Where a call finds no room behind `ahead` others in the line before this bucket.
    pub(super) fn lack(&mut self, bucket: Bucket, ahead: usize, by_person: bool, now: Now) -> Option<Lack> {
        let left_alone = match by_person {
            true => 0,
            false => self.left_to_people(now.tick),
        };
        let tick = now.tick;
        let none = (Bucket::Daily, None);
        // Shares change from moment to moment: nobody is refused for the day because of one.
        let of_all = self.daily.wait(ahead, now.time);
        let daily = (
            Bucket::Daily,
            of_all.or_else(|| self.wait_for_a_share_of_the_day(ahead)),
        );
        let waits = match bucket {
            Bucket::Search => [(bucket, self.search.wait(ahead, 0, tick)), none, none],
            Bucket::Associations => {
                let burst = match self.associations_in_burst {
                    true => self.burst.wait(ahead, left_alone, tick),
                    false => None,
                };
                let own = self.associations.wait(ahead, 0, tick);
                let of_today = self.associations_daily.wait(ahead, now.time);
                let own = [(bucket, own), (Bucket::Burst, burst)];
                let longest = own.into_iter().max_by_key(|(_, wait)| *wait).unwrap_or(none);
                [longest, daily, (Bucket::Daily, of_today)]
            }
            Bucket::Burst | Bucket::Daily => {
                let burst = self.burst.wait(ahead, left_alone, tick);
                [(Bucket::Burst, burst), daily, none]
            }
        };
        let lacks = waits
            .into_iter()
            .filter_map(|(bucket, wait)| wait.map(|wait| Lack { bucket, wait }));
        lacks.max_by_key(|lack| lack.wait)
    }

    /// Of the last calls of a day replicas leave each other their part: all of them have heard of the same calls, and could make them
    /// at once. What is rounded up comes out of the reserve.
    fn wait_for_a_share_of_the_day(&self, ahead: usize) -> Option<Duration> {
        let (most, whole) = (self.burst.window.most(), self.burst.whole());
        let told = usize::try_from(self.daily.usable_as_told()?).ok()?;
        if !self.shared || told >= whole.saturating_mul(2) {
            return None;
        }
        let ours = part(told, most, whole);
        let used = usize::try_from(self.daily.since_told()).unwrap_or(usize::MAX);
        (ours <= used.saturating_add(ahead)).then_some(A_MOMENT)
    }

    /// Places of this replica that only calls for people may take.
    fn left_to_people(&self, now: Tick) -> usize {
        if self.people_until.is_none_or(|until| now >= until) {
            return 0;
        }
        part(
            self.reserved_for_people,
            self.burst.window.most(),
            self.burst.whole(),
        )
    }

    /// Whether nothing was heard yet of what was used before.
    pub(super) const fn is_blind(&self) -> bool {
        self.burst.is_blind() || self.associations.is_blind()
    }

    /// Takes one call from every bucket that the line before this one leads to, or from none.
    pub(super) fn take(&mut self, bucket: Bucket, by_person: bool, now: Now) -> Result<Paid, Lack> {
        if let Some(lack) = self.lack(bucket, 0, by_person, now) {
            return Err(lack);
        }
        let mut paid = Paid::default();
        if bucket == Bucket::Search {
            paid.search = Some(self.search.window.take(now.tick));
            return Ok(paid);
        }
        paid.daily = true;
        self.daily.take(now.time);
        let associations = bucket == Bucket::Associations;
        if associations {
            self.associations_daily.take(now.time);
            self.associations.count(true);
            paid.associations = Some(self.associations.window.take(now.tick));
        }
        if !associations || self.associations_in_burst {
            self.burst.count(true);
            paid.burst = Some(self.burst.window.take(now.tick));
        }
        Ok(paid)
    }

    /// The call is sent now.
    pub(super) fn sent(&mut self, paid: &Paid, at: Tick) -> SentAt {
        for (paced, place) in [
            (&mut self.burst, paid.burst),
            (&mut self.search, paid.search),
            (&mut self.associations, paid.associations),
        ] {
            if let Some(place) = place {
                paced.window.sent(place, at);
            }
        }
        let places = self.told_by(paid).window.most();
        SentAt { tick: at, places }
    }

    pub(super) fn ended(&mut self, paid: &Paid, now: Tick) {
        let mut sent = false;
        for (paced, place) in [
            (&mut self.burst, paid.burst),
            (&mut self.search, paid.search),
            (&mut self.associations, paid.associations),
        ] {
            if let Some(place) = place {
                sent |= paced.window.ended(place, now);
                paced.count(false);
            }
        }
        if paid.daily {
            self.daily.ended(sent);
            if paid.associations.is_some() {
                self.associations_daily.ended(sent);
            }
        }
    }

    /// The limit that answers to such a call tell of.
    fn told_by(&mut self, paid: &Paid) -> &mut Paced {
        match paid.associations {
            Some(_) => &mut self.associations,
            None => &mut self.burst,
        }
    }

    /// Takes up what the headers say of the answer to a call that was sent at `sent`.
    pub(super) fn learn(&mut self, paid: &Paid, limits: &Limits, sent: Option<SentAt>, now: Now) {
        if let Some(left) = limits.daily_remaining {
            self.daily.told(limits.daily, left, Known::Header, now.time);
        }
        self.learn_interval(paid, limits, now.time);
        let of_another = paid.associations.is_some() && limits.max.is_some_and(is_of_another);
        let remaining = limits.remaining.filter(|_| !of_another);
        let remaining = remaining.and_then(|left| usize::try_from(left).ok());
        if let (Some(remaining), Some(sent)) = (remaining, sent) {
            self.learn_remaining(paid, remaining, sent, now);
        }
    }

    fn learn_interval(&mut self, paid: &Paid, limits: &Limits, now: Timestamp) {
        let Some(max) = limits.max.and_then(|max| usize::try_from(max).ok()) else {
            return;
        };
        let interval = limits.interval.filter(|interval| !interval.is_zero());
        let max = match paid.associations {
            Some(_) => associations_of(max),
            None => max,
        };
        self.told_by(paid).learn(max, interval.unwrap_or(INTERVAL), now);
    }

    fn learn_remaining(&mut self, paid: &Paid, remaining: usize, sent: SentAt, now: Now) {
        let shared = self.shared;
        let paced = self.told_by(paid);
        paced.has_heard();
        let (whole, most) = (paced.whole(), paced.window.most());
        let counted = paced.limit().saturating_sub(remaining);
        // Other replicas have the rest, which is not taken from ours. When the call arrived they had what we had not.
        let spare = match shared {
            true => whole.saturating_sub(most.min(sent.places)),
            false => 0,
        };
        let heard = paced
            .window
            .heard(counted, spare, sent.tick, now.tick, |others| match shared {
                true => part(others, most, whole),
                false => others,
            });
        if paid.associations.is_none() {
            self.outside.heard(heard.others, self.burst.window.length(), now);
        }
    }

    /// Takes up what the usage endpoint says.
    pub(super) fn learn_usage(&mut self, usage: DailyUsage, now: Timestamp) {
        let left = usage.limit.saturating_sub(usage.used);
        self.daily.told(Some(usage.limit), left, Known::Usage, now);
    }

    /// HubSpot has refused a call for a limit. Returns how long that holds.
    pub(super) fn refused(&mut self, bucket: Bucket, pause: Option<Duration>, now: Now) -> Duration {
        if bucket == Bucket::Daily {
            self.daily.refused(pause, now.time);
            return self.daily.ends().since(now.time);
        }
        let paced = self.paced(bucket);
        let pause = pause.unwrap_or_else(|| paced.window.length());
        paced.pause_for(pause, now);
        pause
    }

    pub(super) const fn daily(&mut self) -> &mut Daily {
        &mut self.daily
    }

    /// One of those in a rolling interval; of the day, the burst.
    pub(super) const fn paced(&mut self, bucket: Bucket) -> &mut Paced {
        match bucket {
            Bucket::Search => &mut self.search,
            Bucket::Associations => &mut self.associations,
            Bucket::Burst | Bucket::Daily => &mut self.burst,
        }
    }

    pub(super) fn day(&mut self, now: Timestamp) -> BucketState {
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
            exhausted: daily.exhausted_at(now),
            others: daily.tally.others(),
        }
    }
}

/// The part of something that goes with `most` of `whole`, rounded up.
/// The limit of associations of the largest subscription whose limit is within this one.
fn associations_of(max: usize) -> usize {
    let within = ASSOCIATIONS_OF.into_iter().filter(|limit| *limit <= max);
    within.max().unwrap_or(max)
}

/// Whether the headers of an answer about associations are of another limit, by what they say that it is.
fn is_of_another(max: u32) -> bool {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    max > ASSOCIATIONS && !ASSOCIATIONS_OF.contains(&max)
}

fn part(of: usize, most: usize, whole: usize) -> usize {
    of.saturating_mul(most).div_ceil(whole.max(1)).min(of)
}
