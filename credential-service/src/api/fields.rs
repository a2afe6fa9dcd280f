//! Reads the fields that many requests share.

use std::{str::FromStr, time::Duration};

use hubkeep_core::{
    handle_token::HandleToken,
    id::{InvalidName, PortalId},
};

use super::Error;

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

/// A name, held to its rule.
pub(super) fn name<N: FromStr<Err = InvalidName>>(field: &str, text: &str) -> Result<N, Error> {
    text.parse()
        .map_err(|error: InvalidName| Error::field(field, error.rule()))
}

/// A UUID.
pub(super) fn id<I: FromStr>(field: &str, text: &str) -> Result<I, Error> {
    text.parse().map_err(|_| Error::field(field, "must be a UUID"))
}

/// A handle that somebody sent.
pub(super) fn handle(text: &str) -> Result<HandleToken, Error> {
    HandleToken::parse(text).map_err(|_| Error::HandleMalformed)
}

/// A portal's id, where 0 means that none is stated.
pub(super) fn portal_id(field: &str, id: u64) -> Result<Option<PortalId>, Error> {
    match (id, PortalId::new(id)) {
        (0, _) => Ok(None),
        (_, Some(id)) => Ok(Some(id)),
        (_, None) => Err(Error::field(field, "is larger than any portal's id")),
    }
}

/// The size of a page, where 0 means the default.
pub(super) fn page_size(size: i32) -> Result<usize, Error> {
    match usize::try_from(size) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size) if size <= MAX_PAGE => Ok(size),
        _ => Err(Error::field("page_size", "must be from 1 to 1,000, or 0 for 100")),
    }
}

/// A duration of zero or more.
pub(super) fn duration(field: &str, wire: prost_types::Duration) -> Result<Duration, Error> {
    Duration::try_from(wire).map_err(|_| Error::field(field, "must not be negative"))
}

/// The longest that a request may wait for redeemers.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10);

/// How long a request waits for redeemers; `None` where it does not say.
pub(super) fn wait(wire: Option<prost_types::Duration>) -> Result<Option<Duration>, Error> {
    match wire.map(|wire| duration("wait", wire)).transpose()? {
        Some(wait) if wait > MAX_WAIT => Err(Error::field("wait", "must be at most 10 s")),
        wait => Ok(wait),
    }
}

/// A duration as it is sent.
pub(super) fn to_wire(duration: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(duration).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_1000_entries() {
        assert!(matches!(page_size(0), Ok(100)) && matches!(page_size(1_000), Ok(1_000)));
        for bad in [-1, i32::MIN, 1_001, 10_000] {
            assert!(page_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_waits_for_redeemers_longer_than_10_s() {
        let seconds = |seconds| prost_types::Duration { seconds, nanos: 0 };
        assert!(matches!(wait(None), Ok(None)));
        assert!(matches!(wait(Some(seconds(10))), Ok(Some(MAX_WAIT))));
        for bad in [-1, 11, i64::MAX] {
            assert!(wait(Some(seconds(bad))).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_portal_id_of_0_is_not_stated_and_a_too_large_one_is_refused() {
        assert!(matches!(portal_id("f", 0), Ok(None)));
        assert!(matches!(portal_id("f", 7), Ok(Some(_))));
        assert!(portal_id("f", u64::MAX).is_err());
    }
}
