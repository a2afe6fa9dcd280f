//! Whether all processes have kept the calls that they have made: what one has not kept when it is lost, nobody knows, and would be
//! taken for somebody else's.
//!
//! Each process has a row, before it makes a call, until it has kept all and stops ([`processes`](super::store::processes)). It keeps
//! what it has made since the last time, counts that in its row, and looks at the rows of the others.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use hubkeep_core::clock::Timestamp;

use super::store::processes::Process;

/// A process that has kept nothing for so long is lost, and makes no calls: each keeps what it has made every ten seconds.
const LOST_AFTER: Duration = Duration::from_secs(60);
/// So many looks back are compared with what is seen now.
const LOOKS: usize = 60;

/// What is known of the other processes.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// When it was looked, and how many times each of the others had kept its calls then; the oldest first.
    looks: VecDeque<(Timestamp, BTreeMap<String, u64>)>,
    /// All that was made until then is kept, but what lost processes have made.
    all_until: Option<Timestamp>,
    /// When the last of those that are lost was last heard of.
    lost_at: Option<Timestamp>,
    lost: BTreeSet<String>,
}

impl Kept {
    /// The other processes are these, as they are looked at after `now`.
    pub(super) fn looked(&mut self, now: Timestamp, others: Vec<Process>) {
        let (lost, living): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|process| now.since(process.kept_time) > LOST_AFTER);
        self.lost_at = lost.iter().map(|process| process.kept_time).max();
        let living: BTreeMap<_, _> = living
            .into_iter()
            .map(|process| (process.id, process.keeps))
            .collect();
        if living.keys().any(|id| self.lost.contains(id)) {
            // It has come back: while it was taken for lost it was not waited for.
            self.looks.clear();
            self.all_until = None;
        }
        self.lost = lost.into_iter().map(|process| process.id).collect();
        let has_kept_since = |(id, before): (&String, &u64)| match living.get(id) {
            // What it keeps next may be what it had made before the look, and not what it made until then.
            Some(keeps) => *keeps >= before.saturating_add(2),
            // Those that are lost are told apart. Who has no row any more has kept everything.
            None => true,
        };
        let settled = self
            .looks
            .iter()
            .filter(|(_, keeps)| keeps.iter().all(has_kept_since));
        let last = settled.map(|(at, _)| *at).max();
        self.all_until = self.all_until.max(last);
        self.looks.push_back((now, living));
        while self.looks.len() > LOOKS {
            self.looks.pop_front();
        }
    }

    /// Whether all is kept that was made until then, by processes that are not lost.
    pub(super) fn all_until(&self, time: Timestamp) -> bool {
        self.all_until.is_some_and(|until| until >= time)
    }

    /// Whether no process was lost that may have made calls after this time.
    pub(super) fn nobody_was_lost_since(&self, time: Timestamp) -> bool {
        self.lost_at.is_none_or(|heard| heard.plus(LOST_AFTER) < time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);
    const START: Timestamp = Timestamp::from_micros(1_795_366_800_000_000);

    fn after(tens: u32) -> Timestamp {
        START.plus(TEN * tens)
    }

    /// Another process that has kept its calls so many times, the last time then.
    fn process(id: &str, keeps: u64, kept_time: Timestamp) -> Process {
        Process {
            id: id.to_owned(),
            keeps,
            kept_time,
        }
    }

    #[test]
    fn what_was_made_until_a_look_is_kept_when_each_of_the_others_has_kept_its_calls_twice_since() {
        let mut kept = Kept::default();
        kept.looked(
            after(0),
            vec![process("a", 7, after(0)), process("b", 1, after(0))],
        );
        kept.looked(
            after(1),
            vec![process("a", 9, after(1)), process("b", 2, after(1))],
        );
        assert!(
            !kept.all_until(after(0)),
            "b may have made calls while it kept those before"
        );
        kept.looked(
            after(2),
            vec![process("a", 10, after(2)), process("b", 3, after(2))],
        );
        assert!(kept.all_until(after(0)) && !kept.all_until(after(1)));
        // It has kept everything, and stopped; and another has started.
        kept.looked(
            after(3),
            vec![process("a", 11, after(3)), process("c", 0, after(3))],
        );
        assert!(kept.all_until(after(1)) && !kept.all_until(after(2)));
        assert!(kept.nobody_was_lost_since(START));
    }

    #[test]
    fn alone_all_is_kept_until_the_last_look() {
        let mut kept = Kept::default();
        kept.looked(after(0), Vec::new());
        assert!(!kept.all_until(after(0)));
        kept.looked(after(1), Vec::new());
        assert!(kept.all_until(after(0)) && !kept.all_until(after(1)));
    }

    #[test]
    fn of_a_lost_process_it_is_known_that_it_made_no_calls_a_minute_after_it_was_heard_of() {
        let mut kept = Kept::default();
        for tens in 0..7 {
            kept.looked(after(tens), vec![process("lost", 5, START)]);
            assert!(!kept.all_until(START), "it may keep them yet");
        }
        kept.looked(after(7), vec![process("lost", 5, START)]);
        assert!(kept.all_until(after(6)), "of the others all is known");
        assert!(!kept.nobody_was_lost_since(after(6)));
        assert!(kept.nobody_was_lost_since(after(6).plus(Duration::from_micros(1))));
        kept.looked(after(8), vec![process("lost", 6, after(8))]);
        assert!(kept.nobody_was_lost_since(START), "it has come back");
        assert!(!kept.all_until(START), "and may not have kept all of them yet");
    }
}
