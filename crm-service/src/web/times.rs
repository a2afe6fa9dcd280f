//! Times as people write and read them: in UTC.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use prost_types::{Duration, Timestamp as Wire};

/// A time as a field of the form has it, or with a time zone; `None` if it is none.
pub(super) fn read(text: &str) -> Option<Wire> {
    let stated = text.parse::<Timestamp>().ok();
    let time = stated.or_else(|| {
        let in_utc = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(in_utc.timestamp())
    })?;
    let (seconds, nanos) = (time.as_second(), time.subsec_nanosecond());
    Some(match nanos {
        // Before 1970 it counts backwards, and the wire does not.
        ..0 => Wire {
            seconds: seconds.saturating_sub(1),
            nanos: nanos.saturating_add(1_000_000_000),
        },
        nanos => Wire { seconds, nanos },
    })
}

/// A day and the time in it, to the millisecond.
pub(super) fn shown(time: Option<Wire>) -> Option<(String, String)> {
    let time = time?;
    let time = Timestamp::new(time.seconds, time.nanos).ok()?;
    let day = time.strftime("%Y-%m-%d").to_string();
    Some((day, time.strftime("%H:%M:%S%.3f").to_string()))
}

/// The same by RFC 3339.
pub(super) fn exact(time: Wire) -> String {
    Timestamp::new(time.seconds, time.nanos).map_or_else(|_| String::new(), |time| time.to_string())
}

/// How long something took, with as much as a reader wants.
pub(super) fn took(duration: Duration) -> String {
    let micros = duration
        .seconds
        .saturating_mul(1_000_000)
        .saturating_add(i64::from(duration.nanos) / 1_000);
    match micros {
        ..1_000 => format!("{micros} µs"),
        1_000..10_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{} s", micros / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_form_writes_them_and_as_logs_do() {
        let at = |seconds, nanos| Some(Wire { seconds, nanos });
        for (text, expected) in [
            ("2026-11-30T11:24", at(1_796_037_840, 0)),
            ("2026-11-30T11:24:05", at(1_796_037_845, 0)),
            ("2026-11-30", at(1_795_996_800, 0)),
            ("2026-11-30T11:24:05.5Z", at(1_796_037_845, 500_000_000)),
            ("2026-11-30T12:24:05+01:00", at(1_796_037_845, 0)),
            ("1969-12-31T23:59:59.25Z", at(-1, 250_000_000)),
            ("yesterday", None),
            ("", None),
            ("2026-13-01", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_what_was_made() {
        let time = read("2026-11-30T11:24:05.0789Z");
        assert_eq!(
            shown(time),
            Some(("2026-11-30".to_owned(), "11:24:05.078".to_owned()))
        );
        assert_eq!(time.map(exact), Some("2026-11-30T11:24:05.0789Z".to_owned()));
        assert_eq!(shown(None), None);
        for (nanos, expected) in [(999_000, "999 µs"), (1_000_000, "1 ms"), (-5_000, "-5 µs")] {
            assert_eq!(took(Duration { seconds: 0, nanos }), expected);
        }
        assert_eq!(
            took(Duration {
                seconds: 12,
                nanos: 1
            }),
            "12 s"
        );
    }
}
