//! A sliding window: at most so many in any stretch of so long, as the one counts who receives them.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::clock::Tick;

use super::peak::Peak;

/// A request that is sent has arrived within this, also where the connection must be opened first: none is that takes longer to
/// open. What was answered sooner is known to have arrived sooner.
const ARRIVES_WITHIN: Duration = hubkeep_hubspot::LONGEST_CONNECT;
/// How long to wait before looking again, where what is waited for gives no time: a call between paid and sent.
pub(super) const SOON: Duration = Duration::from_millis(10);
/// How long to wait before looking again, where other replicas are to give places up.
const GIVEN_UP_WITHIN: Duration = Duration::from_millis(250);
/// An answer that took longer says nothing of what has been used: it may be older than what is remembered.
const LATE: Duration = Duration::from_secs(5);
/// A call that counts no more by our clock may still count by the other's for this long.
const MARGIN: Duration = Duration::from_secs(1);

/// The number of a place in a window: they are given out in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u64);

/// What became of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// Paid for then, and not sent yet: nobody knows when it will arrive.
    Paid(Tick),
    /// Arrived no later than this.
    Arrived(Tick),
    /// Given back: it was never sent.
    Void,
    /// Somebody else's, who has sent it no later than this.
    Others(Tick),
}

/// What an answer has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Calls that counted when it was given, and that were not ours.
    pub(super) not_ours: usize,
    /// Those of them that also nobody may have made to whom we leave places.
    pub(super) others: usize,
}

/// The calls that still count.
#[derive(Debug)]
pub(super) struct Window {
    most: usize,
    /// As many as there may be soon, where replicas share the limit: by this it is told how long a wait will be.
    prospect: usize,
    /// As many as were wanted of late: it falls slowly.
    peak: usize,
    length: Duration,
    places: VecDeque<Taken>,
    /// The number of the first of `places`.
    first: u64,
    void: usize,
    others: usize,
    /// When our own calls arrived, at the latest, that count no more, the oldest first: an answer on its way may still
    /// count them.
    gone: VecDeque<Tick>,
    /// How many of ours counted of late.
    counted: Peak,
}

impl Window {
    pub(super) const fn new(most: usize, length: Duration) -> Self {
        Self {
            most,
            prospect: most,
            peak: 0,
            length,
            places: VecDeque::new(),
            first: 0,
            void: 0,
            others: 0,
            gone: VecDeque::new(),
            counted: Peak::new(),
        }
    }

    /// Changes the limit; what was taken still counts.
    pub(super) fn resize(&mut self, most: usize, prospect: usize) {
        self.most = most;
        self.prospect = prospect.max(most);
    }

    pub(super) fn set_length(&mut self, length: Duration) {
        self.length = length;
    }

    pub(super) const fn most(&self) -> usize {
        self.most
    }

    pub(super) const fn prospect(&self) -> usize {
        self.prospect
    }

    /// As many as were wanted of late.
    pub(super) const fn peak(&self) -> usize {
        self.peak
    }

    /// So many are wanted now: says how many are to be counted as wanted.
    pub(super) fn wants(&mut self, wanted: usize) -> usize {
        let fallen = self.peak.saturating_sub(self.peak.div_ceil(8));
        self.peak = wanted.max(fallen);
        self.peak
    }

    pub(super) const fn length(&self) -> Duration {
        self.length
    }

    /// How many count now.
    pub(super) fn used(&mut self, now: Tick) -> usize {
        while self.places.front().is_some_and(|taken| self.is_over(*taken, now)) {
            match self.places.pop_front() {
                Some(Taken::Void) => self.void = self.void.saturating_sub(1),
                Some(Taken::Others(_)) => self.others = self.others.saturating_sub(1),
                Some(Taken::Arrived(at)) => self
                    .gone
                    .push_back(self.gone.back().map_or(at, |last| at.max(*last))),
                Some(Taken::Paid(_)) | None => {}
            }
            self.first = self.first.saturating_add(1);
        }
        let kept = self.length.saturating_add(MARGIN).saturating_add(LATE);
        while self.gone.front().is_some_and(|at| now.since(*at) > kept) {
            self.gone.pop_front();
        }
        self.places.len().saturating_sub(self.void)
    }

    /// How many of ours counted when a call that was sent at `sent` arrived, at most, where they count for `margin` longer
    /// than they should.
    pub(super) fn ours(&mut self, sent: Tick, margin: Duration, now: Tick) -> usize {
        let here = self.used(now).saturating_sub(self.others);
        let over = |at: &Tick| at.plus(self.length).plus(margin) < sent;
        let gone = self.gone.len().saturating_sub(self.gone.partition_point(over));
        here.saturating_add(gone)
    }

    /// Takes up that so many counted, ours and others', when a call of ours that was sent at `sent` arrived. Whatever
    /// cannot have been ours, nor of those whom we leave `spare`, is others' use: `part` says how many places it takes
    /// here. All of ours that may have counted then is taken off: too little is seen of others, never too much.
    pub(super) fn heard(
        &mut self,
        counted: usize,
        spare: usize,
        sent: Tick,
        now: Tick,
        part: impl FnOnce(usize) -> usize,
    ) -> Heard {
        if now.since(sent) > LATE {
            return Heard::default();
        }
        let not_ours = counted.saturating_sub(self.ours(sent, MARGIN, now));
        let others = not_ours.saturating_sub(spare);
        self.give_way(part(others), now);
        Heard { not_ours, others }
    }

    /// So many places are taken by others here, for an interval from now.
    pub(super) fn give_way(&mut self, places: usize, now: Tick) {
        let before = self.others;
        let here = places.min(self.most);
        for _ in before..here {
            self.places.push_back(Taken::Others(now));
        }
        self.others = before.max(here);
    }

    /// How many of ours may count at HubSpot now, at most.
    pub(super) fn may_count(&mut self, now: Tick) -> usize {
        self.ours(now, MARGIN, now)
    }

    /// How many of ours counted at HubSpot at any time of late, at most.
    pub(super) fn counted_of_late(&mut self, now: Tick) -> usize {
        let now_counts = self.may_count(now);
        self.counted.of_late(now_counts, now)
    }

    /// Whether a call was paid for that is not sent yet.
    pub(super) fn has_unsent(&self) -> bool {
        self.places.iter().any(|taken| matches!(taken, Taken::Paid(_)))
    }

    /// How long until there is room behind `ahead` others; `None` if there is.
    pub(super) fn wait(&mut self, ahead: usize, now: Tick) -> Option<Duration> {
        let needed = self.used(now).saturating_add(ahead);
        if needed < self.most {
            return None;
        }
        let most = self.prospect.max(1);
        let Some(excess) = needed.checked_sub(most) else {
            return Some(GIVEN_UP_WITHIN);
        };
        // Places become free in the order in which they were taken, and after `most` of them once more.
        let rounds = excess.checked_div(most).unwrap_or(0);
        let place = excess.checked_rem(most).unwrap_or(0);
        let (since, least) = match self.places.get(place) {
            Some(Taken::Paid(at)) => (*at, SOON),
            Some(Taken::Arrived(at) | Taken::Others(at)) => (*at, Duration::ZERO),
            Some(Taken::Void) | None => (now, Duration::ZERO),
        };
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX).saturating_add(1);
        let free_at = since.plus(self.length.saturating_mul(rounds));
        Some(free_at.since(now).max(least))
    }

    /// Takes a place.
    pub(super) fn take(&mut self, now: Tick) -> Place {
        let number = self
            .first
            .saturating_add(u64::try_from(self.places.len()).unwrap_or(u64::MAX));
        self.places.push_back(Taken::Paid(now));
        let count = self.may_count(now);
        self.counted.rises(count);
        Place(number)
    }

    /// The call is sent now.
    pub(super) fn sent(&mut self, place: Place, at: Tick) {
        if let Some(taken) = self.place(place) {
            *taken = Taken::Arrived(at.plus(ARRIVES_WITHIN));
        }
    }

    /// The call has ended: if it was sent, it had arrived by now; if it was not, its place is free. Returns whether it
    /// was sent.
    pub(super) fn ended(&mut self, place: Place, now: Tick) -> bool {
        let Some(taken) = self.place(place) else {
            // Long over: only what was sent is.
            return true;
        };
        let sent = match taken {
            Taken::Arrived(at) => {
                *at = (*at).min(now);
                true
            }
            Taken::Paid(_) => {
                *taken = Taken::Void;
                false
            }
            Taken::Void | Taken::Others(_) => return false,
        };
        self.void = self.void.saturating_add(usize::from(!sent));
        sent
    }

    fn place(&mut self, Place(number): Place) -> Option<&mut Taken> {
        let index = number.checked_sub(self.first)?;
        self.places.get_mut(usize::try_from(index).ok()?)
    }

    fn is_over(&self, taken: Taken, now: Tick) -> bool {
        match taken {
            Taken::Paid(_) => false,
            Taken::Arrived(at) | Taken::Others(at) => now.since(at) >= self.length,
            Taken::Void => true,
        }
    }
}
