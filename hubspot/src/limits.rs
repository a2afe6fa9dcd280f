//! What HubSpot's headers say of a portal's limits. Search answers and OAuth answers leave some or all of them out.

use std::time::Duration;

use http::HeaderMap;
use hubkeep_audit_log::QuotaLeft;

use crate::wire::number;

/// The limits, as one answer told them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls allowed in one interval.
    pub max: Option<u32>,
    /// Calls left in the current interval.
    pub remaining: Option<u32>,
    /// The interval's length.
    pub interval: Option<Duration>,
    /// Calls allowed today.
    pub daily: Option<u64>,
    /// Calls left today.
    pub daily_remaining: Option<u64>,
}

impl Limits {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            max: number(headers, "x-hubspot-ratelimit-max"),
            remaining: number(headers, "x-hubspot-ratelimit-remaining"),
            interval: number(headers, "x-hubspot-ratelimit-interval-milliseconds").map(Duration::from_millis),
            daily: number(headers, "x-hubspot-ratelimit-daily"),
            daily_remaining: number(headers, "x-hubspot-ratelimit-daily-remaining"),
        }
    }

    /// What was left, for the record; `None` where HubSpot said nothing.
    pub fn quota_left(&self) -> Option<QuotaLeft> {
        let daily = self.daily_remaining.and_then(|left| i64::try_from(left).ok());
        let interval = self.remaining.map(i64::from);
        (daily.is_some() || interval.is_some()).then_some(QuotaLeft { daily, interval })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn absent_or_odd_headers_say_nothing() {
        let mut headers = HeaderMap::new();
        assert_eq!(Limits::of(&headers).quota_left(), None);
        headers.insert("x-hubspot-ratelimit-remaining", HeaderValue::from_static("97"));
        headers.insert("x-hubspot-ratelimit-max", HeaderValue::from_static("many"));
        let limits = Limits::of(&headers);
        assert_eq!((limits.remaining, limits.max), (Some(97), None));
        headers.insert("x-hubspot-ratelimit-remaining", HeaderValue::from_static("+97"));
        assert_eq!(Limits::of(&headers).remaining, None, "a sign is no digit");
    }
}
