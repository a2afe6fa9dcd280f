//! What can happen to a connection, and what must hold of the logs whatever happens.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use hubkeep_audit_log::{Event, Phase};
use url::Url;

use super::{
    audit::{assert_dense, intents_by_entry, proto_entry},
    chaos::Proxy,
    hubkeep::{Hubkeep, Service},
};
use crate::eventually;

/// How long anything may take to work again once the connection is mended, without a restart.
pub const MENDED_WITHIN: Duration = Duration::from_secs(10);

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is closed, and so is each new one.
    Cut,
    /// Nothing comes through; all of it does when it is mended.
    Frozen,
    /// It is half open: what is sent is lost both ways, and new connections are taken.
    Silent,
    /// What is sent arrives, and no answer comes back.
    AnswersLost,
    /// What is sent is lost, and the other side may still speak.
    RequestsLost,
    /// Every piece takes a while.
    Slow,
}

/// Those under which nothing can be done.
pub const BREAKS: [Trouble; 5] = [
    Trouble::Cut,
    Trouble::Frozen,
    Trouble::Silent,
    Trouble::AnswersLost,
    Trouble::RequestsLost,
];

impl Trouble {
    /// Begins.
    pub fn befall(self, proxy: &Proxy) {
        match self {
            Self::Cut => proxy.cut(),
            Self::Frozen => proxy.freeze(),
            Self::Silent => proxy.go_silent(),
            Self::AnswersLost => proxy.lose_answers(),
            Self::RequestsLost => proxy.lose_requests(),
            Self::Slow => proxy.slow_down(Duration::from_millis(40)),
        }
    }
}

/// The address of a proxy, for configurations.
pub fn url_of(proxy: &Proxy) -> Url {
    Url::parse(&format!("http://{}", proxy.address())).expect("an address")
}

/// The address in a URL.
pub fn socket_of(url: &str) -> SocketAddr {
    let url = Url::parse(url).expect("a URL");
    let found = url.socket_addrs(|| None).expect("an address");
    found.into_iter().next().expect("one")
}

/// The attempts that entries of a phase are about, in order: equal lists mean that each attempt has its own outcome.
fn attempts(events: &[Event], phase: Phase) -> Vec<(&str, u32)> {
    let of_phase = events
        .iter()
        .map(proto_entry)
        .filter(|entry| entry.phase() == phase);
    let mut attempts: Vec<_> = of_phase
        .map(|entry| (entry.call_id.as_str(), entry.attempt))
        .collect();
    attempts.sort_unstable();
    attempts
}

/// Holds the logs of both services against what reached HubSpot: every request was recorded before, and every intent
/// has its one outcome, at the latest when what was under way has ended.
pub async fn every_call_is_on_record(hubkeep: &Hubkeep) {
    let mut recorded = HashSet::new();
    for service in [Service::Credential, Service::Crm] {
        // What the service asks by itself may begin at any time: the log is read until it shows nothing under way.
        let mut events = Vec::new();
        eventually!({
            events = hubkeep.audit_events(service).await;
            attempts(&events, Phase::Intent) == attempts(&events, Phase::Outcome)
        });
        assert_dense(&events);
        recorded.extend(intents_by_entry(&events).into_keys().map(str::to_owned));
    }
    for received in hubkeep.journal() {
        let id = received.header("x-request-id").unwrap_or_default();
        assert!(
            recorded.contains(id),
            "reached HubSpot without a record: {received:?}"
        );
    }
}
