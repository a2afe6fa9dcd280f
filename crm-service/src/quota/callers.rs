//! What each caller could use of a limit through this replica.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use hubkeep_core::clock::Tick;
use serde::{Deserialize, Serialize};

use super::class::Class;

/// So many callers are told of by name; what the others want is told in one sum for each class.
const NAMED: usize = 64;
/// No more calls are remembered.
const REMEMBERED: usize = 8_192;

/// What a caller could use of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) class: Class,
    /// Empty for several together, who are none of those that are named.
    pub(super) caller: String,
    pub(super) weight: u32,
    /// Places.
    pub(super) wanted: usize,
}

/// Who was served of late.
#[derive(Debug, Default)]
pub(super) struct Callers {
    served: VecDeque<(Tick, Class, Arc<str>)>,
    /// What each wanted of late: it falls slowly.
    peaks: HashMap<(Class, Arc<str>), usize>,
}

impl Callers {
    /// A call is served.
    pub(super) fn serve(&mut self, class: Class, caller: Arc<str>, now: Tick) {
        if self.served.len() >= REMEMBERED {
            self.served.pop_front();
        }
        self.served.push_back((now, class, caller));
    }

    /// What each caller wants: its calls that count, for as long as `interval`, and those that wait; of late rather than now,
    /// so that places do not go to and fro.
    pub(super) fn wanted(
        &mut self,
        waiting: impl IntoIterator<Item = (Class, Arc<str>, usize)>,
        interval: Duration,
        now: Tick,
    ) -> Vec<(Class, Arc<str>, usize)> {
        let is_over = |at: &Tick| now.since(*at) >= interval;
        while self.served.front().is_some_and(|(at, ..)| is_over(at)) {
            self.served.pop_front();
        }
        let mut wanted: HashMap<(Class, Arc<str>), usize> = HashMap::new();
        let served = self
            .served
            .iter()
            .map(|(_, class, caller)| (*class, caller.clone(), 1));
        for (class, caller, calls) in served.chain(waiting) {
            let wanted = wanted.entry((class, caller)).or_default();
            *wanted = wanted.saturating_add(calls);
        }
        for (key, peak) in self.peaks.drain() {
            let fallen = peak.saturating_sub(peak.div_ceil(8));
            let wanted = wanted.entry(key).or_default();
            *wanted = fallen.max(*wanted);
        }
        wanted.retain(|_, wanted| *wanted > 0);
        self.peaks = wanted;
        let all = self.peaks.iter();
        all.map(|((class, caller), wanted)| (*class, caller.clone(), *wanted))
            .collect()
    }

    /// Nobody wants anything any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The same as it is told to other replicas: those by name who want most, and the others together.
pub(super) fn told(
    all: Vec<(Class, Arc<str>, usize)>,
    most: usize,
    weight_of: impl Fn(&str) -> u32,
) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = all
        .into_iter()
        .map(|(class, caller, wanted)| Wanted {
            class,
            weight: weight_of(&caller),
            caller: caller.to_string(),
            wanted: wanted.min(most),
        })
        .collect();
    all.sort_by(|one, other| {
        let by_size = other.wanted.cmp(&one.wanted);
        by_size.then_with(|| (one.class, &one.caller).cmp(&(other.class, &other.caller)))
    });
    let others = all.split_off(all.len().min(NAMED));
    for class in Class::ALL {
        let mut of_class = others.iter().filter(|other| other.class == class).peekable();
        if of_class.peek().is_some() {
            let together = Wanted {
                class,
                caller: String::new(),
                weight: 0,
                wanted: 0,
            };
            all.push(of_class.fold(together, |sum, other| Wanted {
                weight: sum.weight.saturating_add(other.weight),
                wanted: sum.wanted.saturating_add(other.wanted).min(most),
                ..sum
            }));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::{Clock as _, MockClock, Timestamp};

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    fn sorted(mut all: Vec<(Class, Arc<str>, usize)>) -> Vec<(Class, String, usize)> {
        all.sort();
        let plain = |(class, caller, wanted): (Class, Arc<str>, usize)| (class, caller.to_string(), wanted);
        all.into_iter().map(plain).collect()
    }

    #[test]
    fn a_caller_wants_what_counts_and_what_waits_and_less_only_slowly() {
        let clock = MockClock::at(Timestamp::from_micros(1));
        let (sync, desk) = (Arc::<str>::from("sync"), Arc::<str>::from("desk"));
        let mut callers = Callers::default();
        for _ in 0..10 {
            callers.serve(Class::Usual, sync.clone(), clock.tick());
        }
        clock.advance(INTERVAL / 2);
        callers.serve(Class::Person, desk, clock.tick());
        let waiting = [(Class::Usual, sync.clone(), 30), (Class::Batch, sync, 5)];
        let wanted = callers.wanted(waiting, INTERVAL, clock.tick());
        assert_eq!(
            sorted(wanted),
            [
                (Class::Person, "desk".to_owned(), 1),
                (Class::Usual, "sync".to_owned(), 40),
                (Class::Batch, "sync".to_owned(), 5),
            ]
        );
        clock.advance(INTERVAL);
        let mut read = || sorted(callers.wanted([], INTERVAL, clock.tick()));
        assert_eq!(
            read(),
            [
                (Class::Usual, "sync".to_owned(), 35),
                (Class::Batch, "sync".to_owned(), 4)
            ]
        );
        for _ in 0..40 {
            read();
        }
        assert_eq!(read(), []);
    }

    #[test]
    fn those_who_want_most_are_told_by_name_and_the_others_in_a_sum() {
        let many = (1..=100).map(|nth| {
            let class = if nth % 2 == 0 { Class::Usual } else { Class::Batch };
            (class, Arc::<str>::from(format!("caller-{nth}")), nth)
        });
        let told = told(many.collect(), 90, |_| 10);
        assert_eq!((told.len(), &*told[0].caller), (66, "caller-100"));
        let others: Vec<_> = told.iter().filter(|told| told.caller.is_empty()).collect();
        assert_eq!(
            (others[0].class, others[0].weight, others[0].wanted),
            (Class::Usual, 180, 90)
        );
        assert_eq!((others[1].class, others[1].weight), (Class::Batch, 180));
    }
}
