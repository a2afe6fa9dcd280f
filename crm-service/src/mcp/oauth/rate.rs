//! How often one address may do what costs us something: a sliding minute for each.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, request::Parts},
};
use hubkeep_core::{clock::Tick, grpc::PeerAddress};

/// What is counted.
const WINDOW: Duration = Duration::from_secs(60);
/// More addresses than this are not told apart: whoever comes then waits.
const MOST: usize = 20_000;

/// Counts by address.
#[derive(Debug)]
pub(super) struct Rate {
    most: usize,
    seen: Mutex<HashMap<IpAddr, VecDeque<Tick>>>,
}

impl Rate {
    /// So many in a minute for each address.
    pub(super) fn of(most: u32) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            seen: Mutex::default(),
        }
    }

    /// Counts one more; `false` where it is one too many.
    pub(super) fn takes(&self, address: IpAddr, now: Tick) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST && !seen.contains_key(&address) {
            seen.retain(|_, times| times.back().is_some_and(|last| now.since(*last) < WINDOW));
            if seen.len() >= MOST {
                return false;
            }
        }
        let times = seen.entry(address).or_default();
        while times.front().is_some_and(|first| now.since(*first) >= WINDOW) {
            times.pop_front();
        }
        let takes = times.len() < self.most;
        if takes {
            times.push_back(now);
        }
        takes
    }
}

/// Whose address a request comes from: of a network's IPv6 addresses, which one has by the million, the network.
pub(super) fn address(parts: &Parts, behind_proxy: bool) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<PeerAddress>>();
    let peer = peer.map(|ConnectInfo(PeerAddress(address))| *address);
    let told = if behind_proxy {
        forwarded(&parts.headers)
    } else {
        None
    };
    told.or(peer).map(network)
}

/// What the proxy has added: the last one. What stands before that anybody can write.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all("x-forwarded-for").iter().next_back()?;
    line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hubkeep_core::clock::{Clock as _, MockClock, Timestamp};

    use super::*;

    #[test]
    fn each_address_has_its_own_minute() {
        let clock: Arc<MockClock> = MockClock::at(Timestamp::from_micros(0));
        let rate = Rate::of(2);
        let (one, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        assert!(rate.takes(one, clock.tick()) && rate.takes(one, clock.tick()));
        assert!(!rate.takes(one, clock.tick()) && rate.takes(other, clock.tick()));
        clock.advance(WINDOW);
        assert!(rate.takes(one, clock.tick()));
    }

    #[test]
    fn of_an_ipv6_network_every_address_is_one() {
        let text = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(text("2001:db8:1:2:3::4"), text("2001:db8:1:2:ffff::1"));
        assert_ne!(text("2001:db8:1:2::1"), text("2001:db8:1:3::1"));
        assert_eq!(text("::ffff:192.0.2.1"), text("192.0.2.1"));
    }

    #[test]
    fn what_a_client_writes_of_its_address_does_not_count() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            "10.0.0.1, 192.0.2.7".parse().expect("a header"),
        );
        assert_eq!(forwarded(&headers), Some([192, 0, 2, 7].into()));
    }
}
