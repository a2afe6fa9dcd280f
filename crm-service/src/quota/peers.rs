//! Which of the calls that HubSpot counts other replicas have made. An answer says how many of an app's calls count; those that
//! are not ours are theirs, or somebody else's. What they may call says nothing of it: so it is kept until each of them has renewed its
//! lease since, and has told thereby how many of its calls counted at most, at any time in between ([`peak`](super::peak)). What is
//! more is nobody's here.
//!
//! It comes less than a second after the answer. Where a replica is silent, is gone, or knows nothing of this, nothing is said: too
//! little is seen of others, never too much. The limit is kept without it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use hubkeep_core::clock::{Tick, Timestamp};

use super::{
    PortalQuota,
    budget::{Budget, Now, part},
    limit::Limit,
    peak::LOOKS_BACK,
    store::Held,
};

/// What HubSpot counted longer ago is not compared any more: what replicas tell would not cover it for sure.
const COMPARED_WITHIN: Duration = LOOKS_BACK.saturating_sub(Duration::from_secs(1));

/// What a replica tells the others of an app's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// How many of its own counted of late, at most; `None` where it says nothing of that.
    pub(super) counted: Option<usize>,
    /// How many of nobody's it has seen that may still count.
    pub(super) unexplained: usize,
}

/// When a call was sent, by two clocks: one of them stands still while the machine is suspended, and the other may be set.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) tick: Tick,
    /// The last renewal before, by the database's clock.
    pub(super) renewed: Timestamp,
}

/// What an answer said.
#[derive(Clone, Copy, Debug)]
struct Said {
    /// Calls that counted, and were not ours.
    not_ours: usize,
    sent: When,
}

impl Said {
    fn is_old(&self, now: When) -> bool {
        let by_either = [
            now.tick.since(self.sent.tick),
            now.renewed.since(self.sent.renewed),
        ];
        by_either.iter().any(|age| *age > COMPARED_WITHIN)
    }
}

/// The other replicas, as one app's calls are counted.
#[derive(Debug)]
pub(super) struct Peers {
    /// When this replica last renewed its lease, by the database's clock.
    renewed: Timestamp,
    /// Who had a share then.
    known: BTreeSet<String>,
    /// When it was found that one of them had none any more: what it had made may have counted until then.
    gone: Option<Tick>,
    /// Of what was said since the last renewal, the most.
    fresh: Option<Said>,
    /// What is compared as soon as all of these have another lease than then.
    asked: Option<(Said, BTreeMap<String, Timestamp>)>,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            renewed: Timestamp::from_micros(0),
            known: BTreeSet::new(),
            gone: None,
            fresh: None,
            asked: None,
        }
    }
}

impl Peers {
    /// The last renewal, by the database's clock.
    pub(super) const fn renewed(&self) -> Timestamp {
        self.renewed
    }

    /// So many calls counted that were not ours, when a call of ours arrived that was sent then.
    pub(super) fn heard(&mut self, not_ours: usize, sent: When) {
        if self.gone.is_some_and(|at| sent.tick <= at) {
            return;
        }
        if self.fresh.is_none_or(|said| said.not_ours < not_ours) {
            self.fresh = Some(Said { not_ours, sent });
        }
    }

    /// The lease was renewed, and these are the shares of others. Gives how many calls counted that nobody has made, if that can be
    /// said now.
    pub(super) fn compare(&mut self, peers: &[Held], now: When) -> Option<usize> {
        self.renewed = now.renewed;
        let names = peers.iter().map(|peer| peer.share.replica.clone()).collect();
        let known = std::mem::replace(&mut self.known, names);
        if !known.is_subset(&self.known) {
            self.gone = Some(now.tick);
            (self.fresh, self.asked) = (None, None);
            return None;
        }
        let (fresh, asked) = (self.fresh.take(), self.asked.take());
        self.fresh = fresh.filter(|said| !said.is_old(now));
        self.asked = asked.filter(|(said, _)| !said.is_old(now));
        let others = self.asked.as_ref().and_then(|(said, leases)| {
            let all_have_told = peers.iter().all(|peer| has_told_since(peer, leases));
            let theirs = peers
                .iter()
                .fold(0_usize, |sum, peer| sum.saturating_add(counted(peer)));
            all_have_told.then(|| said.not_ours.saturating_sub(theirs))
        });
        if others.is_some() {
            self.asked = None;
        }
        if self.asked.is_none() {
            let leases = || {
                peers
                    .iter()
                    .map(|peer| (peer.share.replica.clone(), peer.lease_until))
            };
            self.asked = self.fresh.take().map(|said| (said, leases().collect()));
        }
        others
    }
}

fn counted(peer: &Held) -> usize {
    peer.share.told.counted.unwrap_or(0)
}

/// Whether it has told since then how many of its calls counted. Who had no share then had no calls that counted.
fn has_told_since(peer: &Held, leases: &BTreeMap<String, Timestamp>) -> bool {
    let before = leases.get(&peer.share.replica);
    before.is_none_or(|before| *before != peer.lease_until && peer.share.told.counted.is_some())
}

impl PortalQuota {
    /// The lease was renewed at `renewed`, and others have these shares of a limit: compares with that what HubSpot has counted, and
    /// gives what is told to them.
    pub(super) fn compare(&self, limit: &Limit, peers: &[Held], renewed: Timestamp) -> Told {
        let now = self.now();
        self.with(|budget| budget.compare(limit, peers, renewed, now))
    }

    /// What is told to others by whoever makes no more calls.
    pub(super) fn told_at_last(&self, limit: &Limit) -> Told {
        let now = self.now().tick;
        let counted = self.with(|budget| budget.paced(limit).window.may_count(now));
        Told {
            counted: matches!(limit, Limit::Burst(_)).then_some(counted),
            unexplained: 0,
        }
    }
}

impl Budget {
    fn compare(&mut self, limit: &Limit, peers: &[Held], renewed: Timestamp, now: Now) -> Told {
        let Limit::Burst(app) = limit else {
            return Told::default();
        };
        let of_app = self.of_app(app);
        let elsewhere = peers.iter().map(|peer| peer.share.told.unexplained).max();
        of_app.watch.told_elsewhere(elsewhere.unwrap_or(0));
        let when = When {
            tick: now.tick,
            renewed,
        };
        if let Some(others) = of_app.peers.compare(peers, when) {
            let burst = &mut of_app.burst;
            let here = part(others, burst.window.most(), burst.whole());
            burst.window.give_way(here, now.tick);
            self.learn_of_others(app, others, now);
        }
        let of_app = self.of_app(app);
        let length = of_app.burst.window.length();
        Told {
            counted: Some(of_app.burst.window.counted_of_late(now.tick)),
            unexplained: of_app.watch.unexplained(length, now.tick),
        }
    }
}

#[cfg(test)]
mod tests;
