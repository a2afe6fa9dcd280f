//! When HubSpot's day ends: at midnight in the portal's time zone.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// HubSpot's clock and ours differ by less than this. What is said this close behind midnight may still be about the
/// day before, and is taken so.
const MARGIN: Duration = Duration::from_secs(30);
/// Where the time zone is not known, a midnight has passed after this at the latest.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// A call has arrived so long after it was sent.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// A day as we count it, for which clocks may differ: each of its ends lies behind a midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// When it began, which is the end of the day before.
    pub(super) began: Timestamp,
    /// When it ends: by this all replicas know it.
    pub(super) ends: Timestamp,
    /// When the next one ends.
    pub(super) next_ends: Timestamp,
}

/// A portal's time zone, by its IANA name.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    name: String,
    /// `None` if the name is none that is known here.
    known: Option<TimeZone>,
}

impl Zone {
    /// The zone of this name, from the data that this program was built with.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            known: TimeZoneDatabase::bundled().get(name).ok(),
        }
    }

    /// The name as HubSpot told it.
    pub(super) fn told(&self) -> &str {
        &self.name
    }

    /// The name; empty where it is not known.
    pub(super) fn name(&self) -> &str {
        self.known.as_ref().map_or("", |_| &self.name)
    }

    /// The day of which something is said at `time`; `None` where the zone is not known.
    pub(super) fn day(&self, time: Timestamp) -> Option<Day> {
        let zone = self.known.as_ref()?;
        let ends = midnight_after(zone, time.minus(MARGIN))?;
        Some(Day {
            began: midnight_before(zone, time.minus(MARGIN))?.plus(MARGIN),
            ends: ends.plus(MARGIN),
            next_ends: midnight_after(zone, ends)?.plus(MARGIN),
        })
    }

    /// The ends of the days in which HubSpot may count a call that is sent at `time`: two near midnight, and none where the zone is
    /// not known.
    pub(super) fn days_of(&self, time: Timestamp) -> impl Iterator<Item = Timestamp> {
        let at_most = time.plus(MARGIN).plus(ARRIVES_WITHIN);
        let days = [time.minus(MARGIN), at_most].map(|at| midnight_after(self.known.as_ref()?, at));
        let [first, second] = days;
        let second = second.filter(|day| Some(*day) != first);
        [first, second]
            .into_iter()
            .flatten()
            .map(|midnight| midnight.plus(MARGIN))
    }

    /// When the day is over of which something was said at `time`. A day is 23, 24 or 25 hours long.
    pub(super) fn day_end(&self, time: Timestamp) -> Timestamp {
        let midnight = self
            .known
            .as_ref()
            .and_then(|zone| midnight_after(zone, time.minus(MARGIN)));
        midnight.map_or_else(|| time.plus(LONGEST), |midnight| midnight.plus(MARGIN))
    }
}

fn midnight_after(zone: &TimeZone, time: Timestamp) -> Option<Timestamp> {
    let local = jiff::Timestamp::from_microsecond(time.as_micros())
        .ok()?
        .to_zoned(zone.clone());
    let midnight = local.tomorrow().ok()?.start_of_day().ok()?;
    Some(Timestamp::from_micros(midnight.timestamp().as_microsecond()))
}

fn midnight_before(zone: &TimeZone, time: Timestamp) -> Option<Timestamp> {
    let local = jiff::Timestamp::from_microsecond(time.as_micros())
        .ok()?
        .to_zoned(zone.clone());
    let midnight = local.start_of_day().ok()?;
    Some(Timestamp::from_micros(midnight.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let time: jiff::Timestamp = text.parse().expect("a time");
        Timestamp::from_micros(time.as_microsecond())
    }

    #[test]
    fn a_day_ends_at_midnight_where_the_portal_is() {
        for (zone, said_at, ends_at) in [
            ("Asia/Kolkata", "2026-11-22T18:00:00Z", "2026-11-22T18:30:30Z"),
            ("Asia/Kolkata", "2026-11-22T18:31:00Z", "2026-11-23T18:30:30Z"),
            ("America/New_York", "2026-11-22T12:00:00Z", "2026-11-23T05:00:30Z"),
            ("US/Eastern", "2026-11-22T12:00:00Z", "2026-11-23T05:00:30Z"),
            // 23 hours: the clocks go forward on the 14th.
            ("America/New_York", "2027-03-14T05:01:00Z", "2027-03-15T04:00:30Z"),
            // 25 hours: they go back on the 1st.
            ("America/New_York", "2026-11-01T04:01:00Z", "2026-11-02T05:00:30Z"),
            // There is no midnight on the 5th: the day begins at one.
            ("America/Santiago", "2026-09-05T12:00:00Z", "2026-09-06T04:00:30Z"),
        ] {
            assert_eq!(
                Zone::named(zone).day_end(at(said_at)),
                at(ends_at),
                "{zone} {said_at}"
            );
        }
    }

    #[test]
    fn a_call_near_midnight_is_of_both_days() {
        let zone = Zone::named("Asia/Kolkata");
        let [before, after, next] = [
            "2026-11-22T18:30:30Z",
            "2026-11-23T18:30:30Z",
            "2026-11-24T18:30:30Z",
        ]
        .map(at);
        for (sent_at, days) in [
            ("2026-11-22T18:29:24Z", vec![before]),
            ("2026-11-22T18:29:25Z", vec![before, after]),
            ("2026-11-22T18:30:27Z", vec![before, after]),
            ("2026-11-22T18:30:29Z", vec![before, after]),
            ("2026-11-22T18:30:30Z", vec![after]),
            ("2026-11-23T18:29:00Z", vec![after]),
        ] {
            let of = zone.days_of(at(sent_at)).collect::<Vec<_>>();
            assert_eq!(of, days, "{sent_at}");
        }
        let day = zone.day(at("2026-11-22T18:30:30Z")).expect("known");
        assert_eq!((day.began, day.ends, day.next_ends), (before, after, next));
        let nowhere = Zone::named("Mars/Olympus");
        assert_eq!((nowhere.day(before), nowhere.days_of(before).count()), (None, 0));
    }

    #[test]
    fn what_is_said_just_behind_midnight_may_be_about_the_day_before() {
        let zone = Zone::named("Asia/Kolkata");
        assert_eq!(
            zone.day_end(at("2026-11-22T18:30:29Z")),
            at("2026-11-22T18:30:30Z")
        );
        assert_eq!(
            zone.day_end(at("2026-11-22T18:30:30Z")),
            at("2026-11-23T18:30:30Z")
        );
    }

    #[test]
    fn where_the_zone_is_not_known_a_day_lasts_no_longer_than_24_hours() {
        for name in ["", "Mars/Olympus", "+05:30"] {
            let zone = Zone::named(name);
            assert_eq!(zone.name(), "");
            assert_eq!(
                zone.day_end(at("2026-11-22T18:00:00Z")),
                at("2026-11-23T18:00:00Z"),
                "{name}"
            );
        }
    }
}
