//! What HubSpot's answers say of a portal's limits.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::{DailyUsage, Limits};

use super::{
    app::App,
    bucket::Bucket,
    budget::{ASSOCIATIONS, Budget, INTERVAL, Now, part},
    daily::Said,
    limit::Limit,
    paid::SentAt,
    peers::When,
    state::Known,
};

/// What subscriptions allow of them, from the lowest to the highest. HubSpot does not say whether the headers of an answer about
/// associations are of this limit or of the app's, which has other figures: no more is believed than a subscription allows.
const ASSOCIATIONS_OF: [usize; 3] = [ASSOCIATIONS, 150, 200];

/// What the usage endpoint says may have been counted so long before: HubSpot gives it from a cache.
const USAGE_IS_OF_WITHIN: Duration = Duration::from_secs(3_600);

impl Budget {
    /// Takes up what the headers say of the answer to a call that was sent at `sent`, where they tell of a limit in an interval
    /// of this one.
    pub(super) fn learn(&mut self, of: Option<&Limit>, limits: &Limits, sent: Option<SentAt>, now: Now) {
        if let Some(left) = limits.daily_remaining {
            let said = Said {
                known: Known::Header,
                sent: sent.map(|sent| sent.day),
                since: sent.map_or(now.time, |sent| sent.time),
            };
            self.daily.told(limits.daily, left, said, now.time);
        }
        let Some(limit) = of else { return };
        self.learn_interval(limit, limits, now.time);
        let of_another = *limit == Limit::Associations && limits.max.is_some_and(is_of_another);
        let remaining = limits.remaining.filter(|_| !of_another);
        let remaining = remaining.and_then(|left| usize::try_from(left).ok());
        if let (Some(remaining), Some(sent)) = (remaining, sent) {
            self.learn_remaining(limit, remaining, sent, now);
        }
    }

    fn learn_interval(&mut self, limit: &Limit, limits: &Limits, now: Timestamp) {
        let Some(max) = limits.max.and_then(|max| usize::try_from(max).ok()) else {
            return;
        };
        let interval = limits.interval.filter(|interval| !interval.is_zero());
        let max = match limit {
            Limit::Associations => associations_of(max),
            Limit::Burst(_) | Limit::Search => max,
        };
        self.paced(limit).learn(max, interval.unwrap_or(INTERVAL), now);
    }

    fn learn_remaining(&mut self, limit: &Limit, remaining: usize, sent: SentAt, now: Now) {
        let shared = self.shared;
        let paced = self.paced(limit);
        paced.has_heard();
        let (whole, most) = (paced.whole(), paced.window.most());
        let counted = paced.limit().saturating_sub(remaining);
        // Other replicas have the rest, which is not taken from ours. When the call arrived they had what we had not. What they have
        // made of it is known a moment later.
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
        let Limit::Burst(app) = limit else { return };
        if shared {
            let (tick, renewed) = (sent.tick, sent.renewed);
            let peers = &mut self.of_app(app).peers;
            peers.heard(heard.not_ours, When { tick, renewed });
        }
        self.learn_of_others(app, heard.others, now);
    }

    /// So many of an app's calls counted that nobody here has made.
    pub(super) fn learn_of_others(&mut self, app: &App, others: usize, now: Now) {
        let of_app = self.of_app(app);
        let interval = of_app.burst.window.length();
        if let Some(seen) = of_app.watch.heard(others, interval, now) {
            self.outside.add(seen);
        }
    }

    /// Takes up what the usage endpoint says.
    pub(super) fn learn_usage(&mut self, usage: DailyUsage, now: Timestamp) {
        let left = usage.limit.saturating_sub(usage.used);
        let said = Said {
            known: Known::Usage,
            sent: None,
            since: now.minus(USAGE_IS_OF_WITHIN),
        };
        self.daily.told(Some(usage.limit), left, said, now);
    }

    /// HubSpot has refused a call of an app for a limit. Returns how long that holds.
    pub(super) fn refused(
        &mut self,
        (app, bucket): (&App, Bucket),
        pause: Option<Duration>,
        now: Now,
    ) -> Duration {
        let Some(limit) = Limit::of(bucket, app) else {
            self.daily.refused(pause, now.time);
            return self.daily.ends().since(now.time);
        };
        let paced = self.paced(&limit);
        let pause = pause.unwrap_or_else(|| paced.window.length());
        paced.pause_for(pause, now);
        pause
    }
}

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
