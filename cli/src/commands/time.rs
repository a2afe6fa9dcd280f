//! Points in time as people read them.

use jiff::Timestamp;
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

#[cfg(test)]
mod tests {
    use super::*;

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
