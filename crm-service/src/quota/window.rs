//! A sliding window: at most so many in any stretch of so long, as the one counts who receives them.

use std::{collections::VecDeque, time::Duration};

use hubkeep_core::clock::Tick;

/// A request that was handed to the connection has arrived within this, also where the connection must be opened first
/// or the machine is busy. What was answered sooner is known to have arrived sooner.
const ARRIVES_WITHIN: Duration = Duration::from_secs(1);
/// How long to wait before looking again, where what is waited for gives no time: a call between paid and sent.
pub(super) const SOON: Duration = Duration::from_millis(10);
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

/// The calls that still count.
#[derive(Debug)]
pub(super) struct Window {
    most: usize,
    length: Duration,
    places: VecDeque<Taken>,
    /// The number of the first of `places`.
    first: u64,
    void: usize,
    others: usize,
    /// When our own calls arrived, at the latest, that count no more, the oldest first: an answer on its way may still
    /// count them.
    gone: VecDeque<Tick>,
}

impl Window {
    pub(super) const fn new(most: usize, length: Duration) -> Self {
        Self {
            most,
            length,
            places: VecDeque::new(),
            first: 0,
            void: 0,
            others: 0,
            gone: VecDeque::new(),
        }
    }

    /// Changes the limit; what was taken still counts.
    pub(super) fn resize(&mut self, most: usize, length: Duration) {
        self.most = most.max(1);
        self.length = length;
    }

    pub(super) const fn most(&self) -> usize {
        self.most
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

    /// Takes up that so many counted, ours and others', when a call of ours that was sent at `sent` arrived. Whatever
    /// cannot have been ours is others' use, and beyond those whom we leave `spare` it takes places here. All of ours
    /// that may have counted then is taken off: too little is seen of others, never too much.
    pub(super) fn heard(&mut self, counted: usize, spare: usize, sent: Tick, now: Tick) {
        if now.since(sent) > LATE {
            return;
        }
        let here = self.used(now).saturating_sub(self.others);
        let over = |at: &Tick| at.plus(self.length).plus(MARGIN) < sent;
        let ours = here.saturating_add(self.gone.len().saturating_sub(self.gone.partition_point(over)));
        let others = counted.saturating_sub(ours).saturating_sub(spare).min(self.most);
        for _ in self.others..others {
            self.places.push_back(Taken::Others(now));
        }
        self.others = self.others.max(others);
    }

    /// How long until there is room behind `ahead` others; `None` if there is.
    pub(super) fn wait(&mut self, ahead: usize, now: Tick) -> Option<Duration> {
        let used = self.used(now);
        let excess = used.saturating_add(ahead).checked_sub(self.most)?;
        // Places become free in the order in which they were taken, and after `most` of them once more.
        let rounds = excess.checked_div(self.most).unwrap_or(0);
        let place = excess.checked_rem(self.most).unwrap_or(0);
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
