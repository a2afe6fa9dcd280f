//! Who is served next, where several wait: a fair queue by virtual time.
//!
//! Each caller is a flow. A call begins, by the queue's own time, where the one before it of the same caller ends, but no
//! earlier than now; it ends a whole turn later, divided by its caller's weight; and who begins first is served first. So a
//! caller with five hundred calls in the queue has one of them before the first of another, and shares become what the
//! weights say (start-time fair queueing).
//!
//! There are three classes: calls with a person behind them, others that somebody waits for, and batch work. The higher is
//! served first, but of ten turns one is the lower one's, so that none starves.
//!
//! Where replicas share a limit, weights and turns are those of one line that all callers stand in ([`Here`]): who calls
//! through three replicas weighs a third in each.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    class::{ByClass, Class},
    here::Here,
};

/// How long a call of weight 1 is, in the queue's own time; a caller's weight is counted in millionths.
const TURN: u64 = 1_000_000_000_000;
/// One call of a higher class that is let pass, as it is counted.
const PASS: u64 = 1_000;
/// More flows than this are looked through for those that are over.
const FLOWS: usize = 64;

/// A place in the queue.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    class: Class,
    caller: Arc<str>,
    number: u64,
}

/// The calls of one caller.
#[derive(Debug)]
struct Flow<T> {
    /// Where its next call begins.
    begins: u64,
    weight: u32,
    /// Those that wait, in their order.
    waiting: BTreeMap<u64, T>,
}

impl<T> Flow<T> {
    fn first(&self) -> Option<u64> {
        self.waiting.first_key_value().map(|(number, _)| *number)
    }
}

/// Those of one class.
#[derive(Debug)]
struct Lane<T> {
    now: u64,
    flows: HashMap<Arc<str>, Flow<T>>,
    /// The first call of each caller: where it begins, and its number.
    firsts: BTreeSet<(u64, u64, Arc<str>)>,
    waiting: usize,
    /// Calls of higher classes that were served while this one waited.
    passed: u64,
}

impl<T> Lane<T> {
    fn new(_: Class) -> Self {
        Self {
            now: 0,
            flows: HashMap::new(),
            firsts: BTreeSet::new(),
            waiting: 0,
            passed: 0,
        }
    }

    /// The flow of a caller, whose next call begins no earlier than now if none of it waits.
    fn flow(&mut self, caller: &Arc<str>, weight: u32) -> &mut Flow<T> {
        let now = self.now;
        if self.flows.len() > FLOWS {
            self.flows
                .retain(|_, flow| !flow.waiting.is_empty() || flow.begins > now);
        }
        let flow = self.flows.entry(caller.clone()).or_insert_with(|| Flow {
            begins: now,
            weight,
            waiting: BTreeMap::new(),
        });
        flow.weight = weight;
        if flow.waiting.is_empty() {
            flow.begins = flow.begins.max(now);
        }
        flow
    }

    fn join(&mut self, caller: &Arc<str>, weight: u32, number: u64, item: T) {
        let flow = self.flow(caller, weight);
        let first = flow.waiting.is_empty().then_some(flow.begins);
        flow.waiting.insert(number, item);
        if let Some(begins) = first {
            self.firsts.insert((begins, number, caller.clone()));
        }
        self.waiting = self.waiting.saturating_add(1);
    }

    /// Takes a call out; the next of its caller begins so much later.
    fn take(&mut self, caller: &Arc<str>, number: u64, later: u64) -> Option<T> {
        let flow = self.flows.get_mut(caller)?;
        let first = flow.first();
        let item = flow.waiting.remove(&number)?;
        self.waiting = self.waiting.saturating_sub(1);
        if first == Some(number) {
            self.firsts.remove(&(flow.begins, number, caller.clone()));
            flow.begins = flow.begins.saturating_add(later);
            if let Some(next) = flow.first() {
                self.firsts.insert((flow.begins, next, caller.clone()));
            }
        }
        Some(item)
    }
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue<T> {
    lanes: ByClass<Lane<T>>,
    here: Here,
    next: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            lanes: ByClass::new(Lane::new),
            here: Here::default(),
            next: 0,
        }
    }
}

impl<T> Queue<T> {
    /// From now on callers weigh here what this says.
    pub(super) fn follow(&mut self, here: Here) {
        self.here = here;
    }

    pub(super) fn len(&self) -> usize {
        Class::ALL
            .into_iter()
            .fold(0, |sum, class| sum.saturating_add(self.lanes.of(class).waiting))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who waits, and with how many calls of those that are meant.
    pub(super) fn waiting(&self, is_meant: impl Fn(&T) -> bool) -> Vec<(Class, Arc<str>, usize)> {
        let mut waiting = Vec::new();
        for class in Class::ALL {
            for (caller, flow) in &self.lanes.of(class).flows {
                let calls = flow.waiting.values().filter(|item| is_meant(item)).count();
                if calls > 0 {
                    waiting.push((class, caller.clone(), calls));
                }
            }
        }
        waiting
    }

    /// How many are served before a call of this caller that comes now, if no others come.
    pub(super) fn ahead(&self, class: Class, caller: &str) -> usize {
        let lane = self.lanes.of(class);
        let (mut own, mut start) = (0_usize, lane.now);
        if let Some(flow) = lane.flows.get(caller) {
            own = flow.waiting.len();
            let cost = self.cost(class, caller, flow.weight);
            let waits = u64::try_from(own).unwrap_or(u64::MAX).saturating_mul(cost);
            start = flow.begins.saturating_add(waits).max(start);
        }
        for (other, flow) in &lane.flows {
            if **other == *caller || flow.begins > start {
                continue;
            }
            let cost = self.cost(class, other, flow.weight);
            let before = start.saturating_sub(flow.begins).checked_div(cost).unwrap_or(0);
            let before = usize::try_from(before).unwrap_or(usize::MAX).saturating_add(1);
            own = own.saturating_add(before.min(flow.waiting.len()));
        }
        let higher = class.above().fold(0_usize, |sum, other| {
            sum.saturating_add(self.lanes.of(other).waiting)
        });
        // So many turns one is its own class's.
        let turns = u64::try_from(own.saturating_add(1)).unwrap_or(u64::MAX);
        let passes = turns.saturating_mul(self.here.lets_pass(class)) / PASS;
        own.saturating_add(higher.min(usize::try_from(passes).unwrap_or(usize::MAX)))
    }

    /// A call is served at once, since nobody waits.
    pub(super) fn serve_at_once(&mut self, class: Class, caller: &Arc<str>, weight: u32) {
        let cost = self.cost(class, caller, weight);
        let lane = self.lanes.of_mut(class);
        let flow = lane.flow(caller, weight);
        let start = flow.begins;
        flow.begins = start.saturating_add(cost);
        lane.now = start;
    }

    /// Joins the queue.
    pub(super) fn join(&mut self, class: Class, caller: Arc<str>, weight: u32, item: T) -> Ticket {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.lanes.of_mut(class).join(&caller, weight, number, item);
        Ticket {
            class,
            caller,
            number,
        }
    }

    /// Leaves the queue, and takes no turn. Whoever was served has left already.
    pub(super) fn leave(&mut self, ticket: &Ticket) {
        let lane = self.lanes.of_mut(ticket.class);
        let _ = lane.take(&ticket.caller, ticket.number, 0);
    }

    /// The class whose turn it is among those that have room, if anybody waits there.
    pub(super) fn turn(&self, has_room: impl Fn(Class) -> bool) -> Option<Class> {
        let waits = |class: &Class| self.lanes.of(*class).waiting > 0 && has_room(*class);
        let due = |class: &Class| self.lanes.of(*class).passed >= self.here.lets_pass(*class);
        let mut lowest_first = Class::ALL.into_iter().rev();
        lowest_first
            .find(|class| waits(class) && due(class))
            .or_else(|| Class::ALL.into_iter().find(waits))
    }

    /// Who is first in a class.
    pub(super) fn first(&self, class: Class) -> Option<&T> {
        let lane = self.lanes.of(class);
        let (_, number, caller) = lane.firsts.first()?;
        lane.flows.get(caller)?.waiting.get(number)
    }

    /// Takes the first of a class out, who is served; `has_room` as for the turn.
    pub(super) fn serve(&mut self, class: Class, has_room: impl Fn(Class) -> bool) -> Option<T> {
        for other in class.below() {
            let most = self.here.lets_pass(other).saturating_add(PASS);
            let lane = self.lanes.of_mut(other);
            if lane.waiting == 0 {
                lane.passed = 0;
            } else if has_room(other) {
                lane.passed = lane.passed.saturating_add(PASS).min(most);
            }
        }
        let lets_pass = self.here.lets_pass(class);
        let (start, number, caller) = self.lanes.of(class).firsts.first()?.clone();
        let weight = self.lanes.of(class).flows.get(&caller)?.weight;
        let cost = self.cost(class, &caller, weight);
        let lane = self.lanes.of_mut(class);
        lane.passed = lane.passed.saturating_sub(lets_pass);
        lane.now = lane.now.max(start);
        lane.take(&caller, number, cost)
    }

    /// Takes the first of a class out, who is refused.
    pub(super) fn refuse(&mut self, class: Class) -> Option<T> {
        let lane = self.lanes.of_mut(class);
        let (_, number, caller) = lane.firsts.first()?.clone();
        lane.take(&caller, number, 0)
    }

    /// How long a call of this caller is.
    fn cost(&self, class: Class, caller: &str, weight: u32) -> u64 {
        let weight = u64::from(weight).saturating_mul(self.here.part(class, caller));
        TURN.checked_div(weight).unwrap_or(TURN).max(1)
    }
}

#[cfg(test)]
mod tests;
