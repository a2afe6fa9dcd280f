//! Who gets what of a limit that several replicas share: the same as if all callers stood in one line.
//!
//! Each class has what it wants, the higher before the lower, but of ten turns one is the lower one's. In a class callers get
//! by their weights: who wants little has what it wants, and what it leaves is for the others. What a caller has in all is where
//! its calls are: a replica where it wants little has that, the others the same each. So a caller gains nothing by calling
//! through more replicas.

use std::collections::BTreeMap;

use super::{
    callers::Wanted,
    class::{ByClass, Class},
    here::{self, Here},
    share::Wish,
};

/// A place, in the parts in which it is counted here.
pub(super) const PLACE: u64 = 1_000_000;
/// Of so many turns one is the lower class's.
const TURNS: u64 = 10;

/// A caller in one class, and what it wants and gets in each replica that it calls.
#[derive(Debug)]
struct Flow<'a> {
    weight: u32,
    /// Replicas by their number, what is wanted there, and what is got.
    wants: Vec<(usize, u64, u64)>,
    caller: &'a str,
    class: Class,
}

impl Flow<'_> {
    fn wanted(&self) -> u64 {
        let wanted = self.wants.iter().map(|(_, wanted, _)| *wanted);
        wanted.fold(0, u64::saturating_add)
    }

    fn gets(&self) -> u64 {
        self.wants
            .iter()
            .fold(0, |sum, (.., gets)| sum.saturating_add(*gets))
    }

    fn gets_in(&self, replica: usize) -> u64 {
        let here = self.wants.iter().filter(|(nth, ..)| *nth == replica);
        here.fold(0, |sum, (.., gets)| sum.saturating_add(*gets))
    }
}

/// What each caller gets in each replica.
#[derive(Debug)]
pub(super) struct Parts<'a>(Vec<Flow<'a>>);

impl<'a> Parts<'a> {
    /// Divides so many places among the callers of all replicas.
    pub(super) fn of(places: usize, wishes: &'a [Wish]) -> Self {
        let mut flows = flows(wishes);
        let places = in_parts(places);
        let wanted = ByClass::new(|class| {
            let of_class = flows.iter().filter(|flow| flow.class == class);
            of_class.fold(0, |sum: u64, flow| sum.saturating_add(flow.wanted()))
        });
        let of_classes = among_classes(places, &wanted);
        for class in Class::ALL {
            let mut of_class: Vec<&mut Flow<'_>> =
                flows.iter_mut().filter(|flow| flow.class == class).collect();
            let wanted: Vec<_> = of_class.iter().map(|flow| (flow.weight, flow.wanted())).collect();
            let gets = fill(*of_classes.of(class), &wanted);
            for (flow, gets) in of_class.iter_mut().zip(gets) {
                let wanted: Vec<_> = flow.wants.iter().map(|(_, wanted, _)| (1, *wanted)).collect();
                for ((.., part), gets) in flow.wants.iter_mut().zip(fill(gets, &wanted)) {
                    *part = gets;
                }
            }
        }
        Self(flows)
    }

    /// What the callers of a replica get there together.
    pub(super) fn of_replica(&self, replica: usize) -> u64 {
        let flows = self.0.iter();
        flows.fold(0, |sum, flow| sum.saturating_add(flow.gets_in(replica)))
    }

    /// How callers are to stand in the line of a replica, so that each gets its part there.
    pub(super) fn here(&self, replica: usize) -> Here {
        let mut here = Here::default();
        for flow in &self.0 {
            let (part, all) = (flow.gets_in(replica), flow.gets());
            if flow.wants.iter().any(|(nth, ..)| *nth == replica) && !flow.caller.is_empty() {
                here.has(flow.class, flow.caller, ratio(here::ALL, part, all));
            }
        }
        for class in Class::ALL {
            let (own_here, own_all) = self.of_classes(replica, |other| other == class);
            let (above_here, above_all) = self.of_classes(replica, |other| other < class);
            if own_here > 0 && above_here > 0 {
                // A class that is here more than the higher ones are has more of its turns here.
                let lets_pass = ratio(here::LETS_PASS, above_here, above_all);
                here.lets(class, ratio(lets_pass, own_all, own_here));
            }
        }
        here
    }

    /// What some classes get in a replica, and in all.
    fn of_classes(&self, replica: usize, are_meant: impl Fn(Class) -> bool) -> (u64, u64) {
        let flows = self.0.iter().filter(|flow| are_meant(flow.class));
        flows.fold((0, 0), |(here, all), flow| {
            let here = here.saturating_add(flow.gets_in(replica));
            (here, all.saturating_add(flow.gets()))
        })
    }

    #[cfg(test)]
    fn gets(&self, class: Class, caller: &str) -> u64 {
        let flows = self
            .0
            .iter()
            .filter(|flow| (flow.class, flow.caller) == (class, caller));
        flows.map(Flow::gets).sum()
    }
}

/// All callers, those of several replicas once. Who has no name is nobody else in another replica.
fn flows(wishes: &[Wish]) -> Vec<Flow<'_>> {
    let mut flows: BTreeMap<(Class, &str, Option<usize>), Flow<'_>> = BTreeMap::new();
    for (nth, wish) in wishes.iter().enumerate() {
        for Wanted {
            class,
            caller,
            weight,
            wanted,
        } in wish.callers.iter().filter(|caller| caller.wanted > 0)
        {
            let whose = caller.is_empty().then_some(nth);
            let flow = flows.entry((*class, caller, whose)).or_insert_with(|| Flow {
                weight: 1,
                wants: Vec::new(),
                caller,
                class: *class,
            });
            flow.weight = flow.weight.max(*weight);
            flow.wants.push((nth, in_parts(*wanted), 0));
        }
    }
    flows.into_values().collect()
}

/// What each class gets of so much.
fn among_classes(places: u64, wanted: &ByClass<u64>) -> ByClass<u64> {
    // What is the lower ones' in any case.
    let mut left = places;
    let mut due = ByClass::<u64>::default();
    for class in [Class::Batch, Class::Usual] {
        let of_class = (left / TURNS).min(*wanted.of(class));
        *due.of_mut(class) = of_class;
        left = left.saturating_sub(of_class);
    }
    let mut left = places;
    let mut gets = ByClass::<u64>::default();
    for class in Class::ALL {
        let lower = class
            .below()
            .fold(0_u64, |sum, lower| sum.saturating_add(*due.of(lower)));
        let of_class = left.saturating_sub(lower).min(*wanted.of(class));
        *gets.of_mut(class) = of_class;
        left = left.saturating_sub(of_class);
    }
    gets
}

/// Divides so much by weights among those who want so much each: nobody gets more than it wants while another is short.
fn fill(amount: u64, wanted: &[(u32, u64)]) -> Vec<u64> {
    let mut order: Vec<(usize, u32, u64)> = wanted
        .iter()
        .enumerate()
        .map(|(nth, (weight, wanted))| (nth, (*weight).max(1), *wanted))
        .collect();
    // The modest first: what they leave is for the others.
    order.sort_by_key(|(_, weight, wanted)| ratio(*wanted, here::ALL, u64::from(*weight)));
    let mut weights = order.iter().fold(0_u64, |sum, (_, weight, _)| {
        sum.saturating_add(u64::from(*weight))
    });
    let (mut left, mut gets) = (amount, vec![0; wanted.len()]);
    for (nth, weight, wanted) in order {
        let weight = u64::from(weight);
        let part = ratio(left, weight, weights).min(wanted);
        if let Some(gets) = gets.get_mut(nth) {
            *gets = part;
        }
        left = left.saturating_sub(part);
        weights = weights.saturating_sub(weight);
    }
    gets
}

/// So much, times one over the other.
pub(super) fn ratio(amount: u64, times: u64, over: u64) -> u64 {
    let product = u128::from(amount).saturating_mul(u128::from(times));
    u64::try_from(product.checked_div(u128::from(over)).unwrap_or(0)).unwrap_or(u64::MAX)
}

/// So many places.
pub(super) fn in_parts(places: usize) -> u64 {
    u64::try_from(places).unwrap_or(u64::MAX).saturating_mul(PLACE)
}

#[cfg(test)]
mod tests;
