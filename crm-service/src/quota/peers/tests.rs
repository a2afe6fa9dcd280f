use hubkeep_core::clock::{Clock as _, MockClock};

use super::*;
use crate::quota::{
    App,
    store::{Of, Share},
};

const RENEWAL: Duration = Duration::from_millis(250);

/// Another replica, of whose calls so many counted of late, by its renewal of that number.
fn peer(name: &str, counted: Option<usize>, renewal: i64) -> Held {
    Held {
        share: Share {
            portal_id: hubkeep_core::id::PortalId::new(42).expect("not zero"),
            of: Of::One(Limit::Burst(App::default())),
            replica: name.to_owned(),
            places: 32,
            wanted: 1,
            whole: 0,
            interval: Duration::from_secs(10),
            callers: Vec::new(),
            told: Told {
                counted,
                unexplained: 0,
            },
        },
        lease_until: Timestamp::from_micros(renewal),
    }
}

/// A replica that renews its lease four times a second, and what it is told then.
struct Ours {
    clock: std::sync::Arc<MockClock>,
    peers: Peers,
}

impl Ours {
    fn new() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_000_000_000));
        let mut ours = Self {
            clock,
            peers: Peers::default(),
        };
        ours.renew(&[peer("a", Some(1), 1), peer("b", Some(1), 1)]);
        ours
    }

    fn now(&self) -> When {
        When {
            tick: self.clock.tick(),
            renewed: self.peers.renewed(),
        }
    }

    fn renew(&mut self, others: &[Held]) -> Option<usize> {
        self.clock.advance(RENEWAL);
        let now = When {
            tick: self.clock.tick(),
            renewed: self.clock.now(),
        };
        self.peers.compare(others, now)
    }
}

#[test]
fn what_hubspot_counts_beyond_what_each_replica_has_told_since_is_nobodys() {
    let mut ours = Ours::new();
    ours.peers.heard(62, ours.now());
    let then = [peer("a", Some(1), 2), peer("b", Some(1), 2)];
    assert_eq!(
        ours.renew(&then),
        None,
        "they had not heard of it when they told that"
    );
    let one = [peer("a", Some(1), 3), peer("b", Some(1), 2)];
    assert_eq!(ours.renew(&one), None, "one of them has told nothing since");
    let both = [peer("a", Some(2), 4), peer("b", Some(5), 3)];
    assert_eq!(ours.renew(&both), Some(55));
    assert_eq!(ours.renew(&both), None, "it is said once");
}

#[test]
fn of_a_replica_that_is_silent_or_gone_or_says_nothing_of_its_calls_nothing_is_said() {
    let a = |renewal| peer("a", Some(1), renewal);
    // It renews its lease no more.
    let mut ours = Ours::new();
    ours.peers.heard(62, ours.now());
    for renewal in 2..40 {
        assert_eq!(ours.renew(&[a(renewal), peer("b", Some(1), 1)]), None);
    }
    // It has no share any more: its calls may have counted before.
    let mut ours = Ours::new();
    ours.peers.heard(62, ours.now());
    let sent = ours.now();
    assert_eq!(ours.renew(&[a(2)]), None);
    ours.peers.heard(62, sent);
    for renewal in 3..40 {
        assert_eq!(ours.renew(&[a(renewal)]), None, "it was sent before");
    }
    ours.peers.heard(62, ours.now());
    let after: Vec<_> = (40..43).filter_map(|renewal| ours.renew(&[a(renewal)])).collect();
    assert_eq!(after, [61]);
    // It is of a version that does not tell.
    let mut ours = Ours::new();
    ours.peers.heard(62, ours.now());
    for renewal in 2..40 {
        assert_eq!(ours.renew(&[a(renewal), peer("b", None, renewal)]), None);
    }
}

#[test]
fn what_was_counted_too_long_ago_for_what_replicas_tell_is_not_compared() {
    let both = |renewal| [peer("a", Some(1), renewal), peer("b", Some(1), renewal)];
    let mut ours = Ours::new();
    ours.peers.heard(62, ours.now());
    assert_eq!(ours.renew(&both(2)), None);
    ours.clock.advance(COMPARED_WITHIN);
    assert_eq!(ours.renew(&both(3)), None);
    // The machine was suspended, and its own clock stood still meanwhile: the database's did not.
    let mut ours = Ours::new();
    ours.peers.heard(62, ours.now());
    assert_eq!(ours.renew(&both(2)), None);
    let now = When {
        tick: ours.clock.tick(),
        renewed: ours.clock.now().plus(COMPARED_WITHIN),
    };
    assert_eq!(ours.peers.compare(&both(3), now), None);
}
