//! How the places of a limit are divided among replicas.

use super::{
    callers::Wanted,
    class::Class,
    config::USUAL_WEIGHT,
    fair::{PLACE, Parts, in_parts, ratio},
};

/// A replica's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Whose.
    pub(super) replica: String,
    /// What those could use now who call there; nobody who calls there, nothing that is wanted.
    pub(super) callers: Vec<Wanted>,
}

impl Wish {
    /// Of a replica that wants so many places for these callers. Where it says nothing of callers, it is one.
    pub(super) fn of(replica: &str, callers: &[Wanted], wanted: usize) -> Self {
        let mut wish = Self {
            replica: replica.to_owned(),
            callers: callers.to_vec(),
        };
        if wish.callers.is_empty() && wanted > 0 {
            wish.callers.push(somebody(wanted));
        }
        wish
    }

    /// The same if everybody who calls there could use so many places, and a program besides if nobody waits for what they
    /// call.
    pub(super) fn at_most(mut self, places: usize) -> Self {
        for caller in &mut self.callers {
            caller.wanted = caller.wanted.max(places);
        }
        if self.callers.iter().all(|caller| caller.class == Class::Batch) {
            self.callers.push(somebody(places));
        }
        self
    }

    fn wanted(&self) -> u64 {
        let wanted = self.callers.iter().map(|caller| in_parts(caller.wanted));
        wanted.fold(0, u64::saturating_add)
    }
}

/// A caller of whom nothing else is known.
const fn somebody(wanted: usize) -> Wanted {
    Wanted {
        class: Class::Usual,
        caller: String::new(),
        weight: USUAL_WEIGHT,
        wanted,
    }
}

/// What a replica that wants something is to have, in parts of a place.
struct Due {
    nth: usize,
    wanted: u64,
    due: u64,
}

/// How many of `places` each replica is to have, in the order of `wishes`: what its callers get there. What nobody wants is divided
/// among those who want anything, so that it is at hand where calls come. Who wants anything has a place if there are as many.
/// What is no whole place goes to those whose `turn` it is, so that over some turns each has had its part.
///
/// All replicas count the same from the same wishes, and nobody decides for the others.
pub(super) fn divide(places: usize, wishes: &[Wish], parts: &Parts<'_>, turn: u64) -> Vec<usize> {
    let mut all: Vec<Due> = wishes
        .iter()
        .enumerate()
        .map(|(nth, wish)| Due {
            nth,
            wanted: wish.wanted(),
            due: parts.of_replica(nth),
        })
        .collect();
    all.retain(|due| due.wanted > 0);
    all.sort_by_key(|due| wishes.get(due.nth).map(|wish| &wish.replica));
    let whole = in_parts(places);
    give_what_nobody_wants(whole, &mut all);
    give_one_each(whole, &mut all);
    give_what_is_left(whole, &mut all);
    let mut shares = vec![0; wishes.len()];
    let mut so_far = offset(turn, all.len());
    for Due { nth, due, .. } in all {
        let next = so_far.saturating_add(due);
        let share = (next / PLACE).saturating_sub(so_far / PLACE);
        if let Some(given) = shares.get_mut(nth) {
            *given = usize::try_from(share).unwrap_or(usize::MAX);
        }
        so_far = next;
    }
    shares
}

fn sum(all: &[Due], of: impl Fn(&Due) -> u64) -> u64 {
    all.iter().fold(0, |sum, due| sum.saturating_add(of(due)))
}

fn count(all: &[Due]) -> u64 {
    u64::try_from(all.len()).unwrap_or(u64::MAX)
}

fn give_what_nobody_wants(whole: u64, all: &mut [Due]) {
    let spare = whole.saturating_sub(sum(all, |due| due.wanted));
    let each = spare.checked_div(count(all)).unwrap_or(0);
    for due in all {
        due.due = due.due.saturating_add(each);
    }
}

/// Nobody who wants something has less than a place where there are enough: those with more give of what is more.
fn give_one_each(whole: u64, all: &mut [Due]) {
    let more = |due: &Due| due.due.saturating_sub(PLACE);
    let (over, given) = (sum(all, more), count(all).saturating_mul(PLACE));
    let Some(left) = whole.checked_sub(given) else {
        return;
    };
    if all.iter().all(|due| due.due >= PLACE) {
        return;
    }
    for due in all {
        let more = more(due);
        due.due = PLACE.saturating_add(ratio(more, left, over).min(more));
    }
}

/// What was lost of a place by counting goes to who is shortest of what it wants.
fn give_what_is_left(whole: u64, all: &mut [Due]) {
    let left = whole.saturating_sub(sum(all, |due| due.due));
    let shortest = all
        .iter_mut()
        .max_by_key(|due| due.wanted.saturating_sub(due.due));
    if let Some(due) = shortest {
        due.due = due.due.saturating_add(left);
    }
}

/// Where counting begins, in parts of a place: `among` turns on end begin evenly apart, the next as many between them.
fn offset(turn: u64, among: usize) -> u64 {
    /// A part of a place that divides it best, however often it is added: the golden section.
    const BETWEEN: u64 = 618_034;
    let among = u64::try_from(among).unwrap_or(u64::MAX).max(1);
    let between = (turn / among).wrapping_mul(BETWEEN).wrapping_add(PLACE / 2) % PLACE;
    let whole = (turn % among).saturating_mul(PLACE);
    whole.saturating_add(between) / among
}

#[cfg(test)]
mod tests;
