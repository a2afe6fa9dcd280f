//! How many calls of one portal may wait and be under way at once, and whose: who stands in no line yet is not served by any, so
//! that nobody may take all places where lines begin.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{class::Class, config::Config};

/// The last part of all places, one in so many, is for people, and for callers who have few.
const LAST: usize = 8;
/// So many are few.
const FEW: usize = 8;

/// Those of one portal who wait, and whose calls are under way.
#[derive(Debug)]
pub(super) struct Crowd {
    most: usize,
    most_of_one: usize,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    all: usize,
    by_caller: HashMap<Arc<str>, usize>,
}

/// There is no place: this setting, and how many it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) setting: &'static str,
    pub(super) limit: usize,
}

/// A place. Free again when it is dropped.
#[derive(Debug)]
pub(super) struct InCrowd {
    crowd: Arc<Crowd>,
    caller: Arc<str>,
}

impl Crowd {
    pub(super) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            most: config.max_per_portal,
            most_of_one: config.max_per_portal_and_caller,
            places: Mutex::default(),
        })
    }

    /// Lets a call in.
    pub(super) fn enter(self: &Arc<Self>, caller: &Arc<str>, class: Class) -> Result<InCrowd, Full> {
        let mut places = self.places();
        let own = places.by_caller.get(caller).copied().unwrap_or(0);
        let for_all = match class == Class::Person || own < FEW {
            true => self.most,
            false => self.most - self.most / LAST,
        };
        if places.all >= for_all {
            return Err(Full {
                setting: "quota.max_per_portal",
                limit: self.most,
            });
        }
        if own >= self.most_of_one {
            return Err(Full {
                setting: "quota.max_per_portal_and_caller",
                limit: self.most_of_one,
            });
        }
        places.all += 1;
        *places.by_caller.entry(caller.clone()).or_default() += 1;
        Ok(InCrowd {
            crowd: self.clone(),
            caller: caller.clone(),
        })
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Counts are not left half-changed.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InCrowd {
    fn drop(&mut self) {
        let mut places = self.crowd.places();
        places.all = places.all.saturating_sub(1);
        if let Some(own) = places.by_caller.get_mut(&self.caller) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                places.by_caller.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(most: usize, most_of_one: usize) -> Arc<Crowd> {
        Crowd::new(&Config {
            max_per_portal: most,
            max_per_portal_and_caller: most_of_one,
            ..Config::default()
        })
    }

    fn fill(crowd: &Arc<Crowd>, caller: &Arc<str>, class: Class) -> (Vec<InCrowd>, Full) {
        let mut inside = Vec::new();
        loop {
            match crowd.enter(caller, class) {
                Ok(place) => inside.push(place),
                Err(full) => return (inside, full),
            }
        }
    }

    #[test]
    fn however_many_calls_two_callers_have_people_and_callers_with_few_find_a_place() {
        let crowd = crowd(768, 400);
        let [sync, import, other] = ["sync", "import", "other"].map(Arc::<str>::from);
        let (first, full) = fill(&crowd, &sync, Class::Usual);
        assert_eq!(
            (first.len(), full.setting),
            (400, "quota.max_per_portal_and_caller")
        );
        let (second, full) = fill(&crowd, &import, Class::Batch);
        assert_eq!((second.len(), full.setting), (272, "quota.max_per_portal"));
        let (few, _) = fill(&crowd, &other, Class::Usual);
        assert_eq!(few.len(), FEW);
        let (people, full) = fill(&crowd, &other, Class::Person);
        assert_eq!((people.len(), full.limit), (768 - 400 - 272 - FEW, 768));
        drop(second);
        assert!(crowd.enter(&import, Class::Batch).is_ok());
    }

    #[test]
    fn a_caller_of_whom_nothing_waits_any_more_is_forgotten() {
        let crowd = crowd(3, 400);
        let sync = Arc::<str>::from("sync");
        let (inside, full) = fill(&crowd, &sync, Class::Usual);
        assert_eq!((inside.len(), full.limit), (3, 3));
        drop(inside);
        assert!(crowd.places().by_caller.is_empty());
        assert_eq!(crowd.places().all, 0);
    }
}
