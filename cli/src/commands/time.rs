//! Points in time as people read and write them.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use prost_types::Timestamp as WireTime;

/// "2026-11-22 17:45:25" in UTC; a dash where there is none.
pub(crate) fn day_and_time(time: Option<&WireTime>) -> String {
    formatted(time, "%Y-%m-%d %H:%M:%S")
}

/// "17:45:25.123" in UTC.
pub(crate) fn time_of_day(time: Option<&WireTime>) -> String {
    formatted(time, "%H:%M:%S%.3f")
}

fn formatted(time: Option<&WireTime>, format: &str) -> String {
    time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok())
        .map_or_else(|| "–".to_owned(), |time| time.strftime(format).to_string())
}

pub(crate) fn on_the_wire(time: Timestamp) -> WireTime {
    WireTime {
        seconds: time.as_second(),
        nanos: time.subsec_nanosecond(),
    }
}

/// "2026-11-29", the beginning of that day in UTC, or "2026-11-29T08:00:00Z".
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let day: Date = text.parse().map_err(|_| {
        "expected a day such as 2026-11-29, or a time such as 2026-11-29T08:00:00Z".to_owned()
    })?;
    let midnight = day.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(midnight.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        assert_eq!(
            moment("2026-11-29").expect("a day").to_string(),
            "2026-11-29T00:00:00Z"
        );
        assert_eq!(
            moment("2026-11-29T08:00:00+01:00").expect("a time").to_string(),
            "2026-11-29T07:00:00Z"
        );
        assert!(moment("yesterday").expect_err("neither").contains("2026-11-29"));
    }

    #[test]
    fn times_are_shown_in_utc_and_missing_ones_as_a_dash() {
        let time = WireTime {
            seconds: 1_795_369_525,
            nanos: 123_000_000,
        };
        assert_eq!(day_and_time(Some(&time)), "2026-11-22 17:45:25");
        assert_eq!(time_of_day(Some(&time)), "17:45:25.123");
        assert_eq!(day_and_time(None), "–");
    }
}
