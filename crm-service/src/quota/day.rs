//! When HubSpot's day ends: at midnight in the portal's time zone.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// HubSpot's clock and ours differ by less than this. What is said this close behind midnight may still be about the
/// day before, and is taken so.
const MARGIN: Duration = Duration::from_secs(30);
/// Where the time zone is not known, a midnight has passed after this at the latest.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

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
