//! Who waits for whom.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hubkeep_core::clock::SharedClock;
use tokio::sync::Notify;

use super::{
    kind::{Kind, record_of},
    leaves_at,
    seat::Seat,
    sharing::Fate,
};
use crate::{
    call::{Call, Counted},
    crm::MAX_BATCH,
};

/// With so many of a kind under way, whoever comes gathers on: HubSpot, or the quota, is slower than they come.
const MOST_UNDER_WAY: usize = 8;
/// More than this do not wait for one answer, also where they ask the same.
const MOST_MEMBERS: usize = 1_000;

/// A call that waits for others.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) call: Call<Counted>,
    pub(super) seat: Arc<Seat>,
}

impl Member {
    /// Whether somebody waits for it, and it may still be made.
    pub(super) fn is_there(&self) -> bool {
        !self.call.caller_gone.is_cancelled() && !self.call.authority.grant().taken_away().is_cancelled()
    }

    pub(super) fn tell(&self, fate: Fate) {
        self.seat.tell(fate);
    }

    /// It may be made with others once more, if it has time left for that.
    pub(super) fn stays(&self, clock: &SharedClock) {
        let must_leave = clock.tick() >= leaves_at(self.call.context.deadline);
        self.seat.is_back(None, must_leave);
    }

    /// It is to be made by itself.
    pub(super) fn goes_alone(&self) {
        self.tell(Fate::Alone {
            attempts: self.seat.attempts(),
        });
    }
}

/// What became of a call that came.
pub(super) enum Joined {
    /// Nothing like it is under way: it goes at once.
    Alone(Box<Member>, UnderWay),
    /// It is the first of a new gathering, which somebody must close.
    Begun(u64),
    /// With it a gathering is full, and goes.
    Filled(Vec<Member>, UnderWay),
    /// It waits with others.
    Waiting,
}

/// The gatherings of all kinds. Clones are of the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Gatherings(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    kinds: HashMap<Kind, OfKind>,
    newest: u64,
}

#[derive(Debug, Default)]
struct OfKind {
    under_way: usize,
    ended: Arc<Notify>,
    gathering: Option<Gathering>,
}

#[derive(Debug)]
struct Gathering {
    number: u64,
    members: Vec<Member>,
    /// The records that they are about.
    records: HashSet<String>,
}

impl Gathering {
    fn add(&mut self, member: Member) {
        if let Some(id) = record_of(&member.call) {
            self.records.insert(id.as_str().to_owned());
        }
        self.members.push(member);
    }

    fn is_full(&self) -> bool {
        self.records.len() >= MAX_BATCH || self.members.len() >= MOST_MEMBERS
    }
}

impl Gatherings {
    fn state(&self) -> MutexGuard<'_, State> {
        // What could panic under the lock does not leave the state half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call comes.
    pub(super) fn join(&self, kind: &Kind, member: Member) -> Joined {
        let mut state = self.state();
        let State { kinds, newest } = &mut *state;
        let of_kind = kinds.entry(kind.clone()).or_default();
        if let Some(mut gathering) = of_kind.gathering.take() {
            gathering.add(member);
            if gathering.is_full() {
                of_kind.under_way = of_kind.under_way.saturating_add(1);
                return Joined::Filled(gathering.members, self.under_way(kind));
            }
            of_kind.gathering = Some(gathering);
            return Joined::Waiting;
        }
        if of_kind.under_way == 0 {
            of_kind.under_way = 1;
            return Joined::Alone(Box::new(member), self.under_way(kind));
        }
        *newest = newest.saturating_add(1);
        let mut gathering = Gathering {
            number: *newest,
            members: Vec::new(),
            records: HashSet::new(),
        };
        gathering.add(member);
        of_kind.gathering = Some(gathering);
        Joined::Begun(*newest)
    }

    /// Waits until a gathering may go: its time is over, and not too many of its kind are under way.
    pub(super) async fn wait(&self, kind: &Kind, number: u64, window: Duration, clock: &SharedClock) {
        clock.sleep(window).await;
        loop {
            let ended = {
                let state = self.state();
                let Some(of_kind) = state.kinds.get(kind) else {
                    return;
                };
                let is_open = of_kind.gathering.as_ref().is_some_and(|one| one.number == number);
                if !is_open || of_kind.under_way < MOST_UNDER_WAY {
                    return;
                }
                of_kind.ended.clone().notified_owned()
            };
            ended.await;
        }
    }

    /// Takes those who gathered; `None` if they went already.
    pub(super) fn close(&self, kind: &Kind, number: u64) -> Option<(Vec<Member>, UnderWay)> {
        let mut state = self.state();
        let of_kind = state.kinds.get_mut(kind)?;
        let gathering = of_kind.gathering.take_if(|one| one.number == number)?;
        of_kind.under_way = of_kind.under_way.saturating_add(1);
        Some((gathering.members, self.under_way(kind)))
    }

    fn under_way(&self, kind: &Kind) -> UnderWay {
        UnderWay {
            gatherings: self.clone(),
            kind: kind.clone(),
        }
    }
}

/// Something of a kind is under way, until this is dropped.
pub(super) struct UnderWay {
    gatherings: Gatherings,
    kind: Kind,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.gatherings.state();
        let Some(of_kind) = state.kinds.get_mut(&self.kind) else {
            return;
        };
        of_kind.under_way = of_kind.under_way.saturating_sub(1);
        of_kind.ended.notify_waiters();
        if of_kind.under_way == 0 && of_kind.gathering.is_none() {
            state.kinds.remove(&self.kind);
        }
    }
}
