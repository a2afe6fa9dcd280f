//! What HubSpot's headers say of a portal's limits. Promise: a limit is learned from digits alone, and from the whole of
//! what they say; whatever else stands there says nothing.

#![no_main]

use hubkeep_fuzz::{digits, headers, text};
use hubkeep_hubspot::fuzzing::limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (headers, _) = headers(data);
    let limits = limits(&headers);
    let said = |name: &str, most: u128| {
        let number =
            text(&headers, &format!("x-hubspot-ratelimit-{name}")).and_then(|text| digits(text.trim()));
        number.filter(|number| *number <= most)
    };
    let (small, large) = (u128::from(u32::MAX), u128::from(u64::MAX));
    assert_eq!(limits.max.map(u128::from), said("max", small));
    assert_eq!(limits.remaining.map(u128::from), said("remaining", small));
    let interval = limits.interval.map(|interval| interval.as_millis());
    assert_eq!(interval, said("interval-milliseconds", large));
    assert_eq!(limits.daily.map(u128::from), said("daily", large));
    assert_eq!(
        limits.daily_remaining.map(u128::from),
        said("daily-remaining", large)
    );

    let left = limits.quota_left();
    let recorded = left.and_then(|left| left.daily).map(i128::from);
    let known = limits
        .daily_remaining
        .and_then(|left| i64::try_from(left).ok())
        .map(i128::from);
    assert_eq!(recorded, known, "what is put on record is what was said");
    assert_eq!(
        left.and_then(|left| left.interval),
        limits.remaining.map(i64::from)
    );
});
