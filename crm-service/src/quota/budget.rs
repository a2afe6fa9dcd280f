//! One portal's buckets.

use std::{collections::BTreeMap, time::Duration};

use super::{
    app::{App, OfApp},
    bucket::Bucket,
    config::Config,
    daily::Daily,
    day::Zone,
    kind::Kind,
    limit::Limit,
    outside::Outside,
    paced::Paced,
    paid::{Lack, Paid, SentAt, Who},
    state::BucketState,
};
use hubkeep_core::clock::{Tick, Timestamp};

/// The interval, until HubSpot's headers say otherwise.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);
/// Searches in a second, per account.
const SEARCHES: usize = 5;
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);
/// Calls of the associations API in an interval, until the headers of one say otherwise: the lowest of any subscription.
pub(super) const ASSOCIATIONS: usize = 100;
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

#[derive(Debug)]
pub(super) struct Budget {
    pub(super) shared: bool,
    /// When it was last looked at.
    now: Tick,
    /// Whether what is kept free for credential-service is lent.
    lends: bool,
    apps: BTreeMap<App, OfApp>,
    /// With how many apps all replicas call.
    apps_in_all: usize,
    search: Paced,
    associations: Paced,
    pub(super) daily: Daily,
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
            now: now.tick,
            lends: false,
            apps: BTreeMap::new(),
            apps_in_all: 1,
            search: Paced::new(SEARCHES, 0, SEARCH_INTERVAL, shared),
            associations: Paced::new(ASSOCIATIONS, 0, INTERVAL, shared).blind_from(now.tick),
            daily: Daily::new(zone, config.daily_reserve, now.time),
            associations_daily,
            associations_in_burst: config.associations_in_burst,
            reserved_for_people: usize::try_from(config.reserved_for_people).unwrap_or(0),
            people_until: None,
            outside: Outside::default(),
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

    /// It is looked at now; and whether what is kept free for credential-service is lent now.
    pub(super) fn is_seen(&mut self, now: Tick, lends: bool) {
        (self.now, self.lends) = (now, lends);
        for of_app in self.apps.values_mut() {
            of_app.burst.lend(lends);
        }
    }

    /// With so many apps all replicas call.
    pub(super) fn apps_in_all(&mut self, apps: usize) {
        self.apps_in_all = apps.max(1);
    }

    /// The apps that were called with here.
    pub(super) fn apps(&self) -> impl Iterator<Item = &App> {
        self.apps.keys()
    }

    pub(super) fn of_app(&mut self, app: &App) -> &mut OfApp {
        let (shared, lends, now) = (self.shared, self.lends, self.now);
        let new = || OfApp::new(INTERVAL, (shared, lends), now);
        self.apps.entry(app.clone()).or_insert_with(new)
    }

    /// One of those in a rolling interval.
    pub(super) fn paced(&mut self, limit: &Limit) -> &mut Paced {
        match limit {
            Limit::Burst(app) => &mut self.of_app(app).burst,
            Limit::Search => &mut self.search,
            Limit::Associations => &mut self.associations,
        }
    }

    /// Where a call finds no room behind `ahead` others in the line before this limit.
    pub(super) fn lack(&mut self, limit: &Limit, ahead: usize, who: Who, now: Now) -> Option<Lack> {
        let lack = |bucket| move |wait| Lack { bucket, wait };
        let left_alone = match (limit, who.is_person) {
            (Limit::Burst(app), false) => self.left_to_people(app, now.tick),
            _ => 0,
        };
        let own = self.paced(limit).wait(ahead, left_alone, now.tick);
        let own = own.map(lack(limit.bucket()));
        let of_today = match limit {
            Limit::Search => None,
            Limit::Burst(_) => self.wait_for_the_day(ahead, who.kind, now),
            Limit::Associations => {
                let of_all = self.wait_for_the_day(ahead, who.kind, now);
                of_all.max(self.associations_daily.wait(ahead, now.time))
            }
        };
        let of_today = of_today.map(lack(Bucket::Daily));
        // Of two alike the day is told, which lasts.
        own.into_iter().chain(of_today).max_by_key(|lack| lack.wait)
    }

    /// How long until there is room in the day. Shares change from moment to moment: nobody is refused for the day because of one.
    fn wait_for_the_day(&mut self, ahead: usize, kind: Kind, now: Now) -> Option<Duration> {
        if !kind.counts_by_day() {
            return None;
        }
        let of_all = self.daily.wait(ahead, now.time);
        of_all.or_else(|| self.wait_for_a_share_of_the_day(ahead))
    }

    /// Of the last calls of a day replicas leave each other their part: all of them have heard of the same calls, and could make them
    /// at once. Where they call with several apps each app has the same part of them, and each replica its part of that. What is
    /// rounded up comes out of the reserve.
    fn wait_for_a_share_of_the_day(&self, ahead: usize) -> Option<Duration> {
        let told = usize::try_from(self.daily.usable_as_told()?).ok()?;
        let of_each = told.div_ceil(self.apps_in_all);
        let (mut ours, mut whole) = (0_usize, 0);
        for OfApp { burst, .. } in self.apps.values() {
            whole = burst.whole().max(whole);
            ours = ours.saturating_add(part(of_each, burst.window.most(), burst.whole()));
        }
        if !self.shared || of_each >= whole.saturating_mul(2) {
            return None;
        }
        let used = usize::try_from(self.daily.since_told()).unwrap_or(usize::MAX);
        (ours <= used.saturating_add(ahead)).then_some(A_MOMENT)
    }

    /// Places of this replica that only calls for people may take.
    fn left_to_people(&mut self, app: &App, now: Tick) -> usize {
        if self.people_until.is_none_or(|until| now >= until) {
            return 0;
        }
        let reserved = self.reserved_for_people;
        let burst = &self.of_app(app).burst;
        part(reserved, burst.window.most(), burst.whole())
    }

    /// Whether nothing was heard yet of what was used before.
    pub(super) fn is_blind(&self) -> bool {
        self.associations.is_blind() || self.apps.values().any(|of_app| of_app.burst.is_blind())
    }

    /// Takes one call from every bucket that the line before this limit leads to, or from none.
    pub(super) fn take(&mut self, limit: &Limit, who: Who, now: Now) -> Result<Paid, Lack> {
        if let Some(lack) = self.lack(limit, 0, who, now) {
            return Err(lack);
        }
        if *limit == Limit::Associations {
            self.associations_daily.take(now.time);
        }
        // What stands in the line of a burst afterwards counts in the day there.
        let daily = who.kind.counts_by_day() && self.is_last(limit, who.kind);
        if daily {
            self.daily.take(now.time);
        }
        let paced = self.paced(limit);
        paced.count(true);
        let place = paced.window.take(now.tick);
        Ok(Paid {
            places: vec![(limit.clone(), place)],
            daily,
        })
    }

    /// Whether whoever has paid here has paid all, and does not pay in the line of a burst besides.
    pub(super) const fn is_last(&self, limit: &Limit, kind: Kind) -> bool {
        match limit {
            Limit::Burst(_) => true,
            Limit::Search => !kind.searches_in_burst(),
            Limit::Associations => !self.associations_in_burst,
        }
    }

    /// The call is sent now.
    pub(super) fn sent(&mut self, paid: &Paid, at: Now) -> SentAt {
        for (limit, place) in &paid.places {
            self.paced(limit).window.sent(*place, at.tick);
        }
        if paid.daily {
            self.daily.is_sent(at.time);
        }
        let told_of = paid.told_of();
        let places = told_of.map_or(0, |limit| self.paced(limit).window.most());
        let renewed = match told_of {
            Some(Limit::Burst(app)) => self.of_app(app).peers.renewed(),
            _ => Timestamp::from_micros(0),
        };
        SentAt {
            tick: at.tick,
            time: at.time,
            places,
            day: self.daily.sent(),
            renewed,
        }
    }

    /// The call has ended: what was not sent is given back.
    pub(super) fn ended(&mut self, paid: &Paid, now: Tick) {
        let mut sent = false;
        for (limit, place) in &paid.places {
            let paced = self.paced(limit);
            sent |= paced.window.ended(*place, now);
            paced.count(false);
        }
        if paid.daily {
            self.daily.ended(sent);
        }
        if paid.has_associations() {
            self.associations_daily.ended(sent);
        }
    }

    pub(super) const fn daily(&mut self) -> &mut Daily {
        &mut self.daily
    }

    /// The burst of each app that was called with, before which so many wait.
    pub(super) fn bursts(&mut self, waiting: impl Fn(&Limit) -> usize, now: Now) -> Vec<(App, BucketState)> {
        let apps = self.apps.iter_mut();
        let state = |(app, of_app): (&App, &mut OfApp)| {
            let waiting = waiting(&Limit::Burst(app.clone()));
            (app.clone(), of_app.burst.state(waiting, now))
        };
        apps.map(state).collect()
    }

    /// The burst of an app that was not called with yet.
    pub(super) fn untouched(&self, now: Now) -> BucketState {
        let mut new = OfApp::new(INTERVAL, (self.shared, self.lends), self.now);
        new.burst.state(0, now)
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
            others: daily.others(now),
        }
    }
}

/// The part of something that goes with `most` of `whole`, rounded up.
pub(super) fn part(of: usize, most: usize, whole: usize) -> usize {
    of.saturating_mul(most).div_ceil(whole.max(1)).min(of)
}
