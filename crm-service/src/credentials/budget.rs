//! What this process may still spend of the handles that have a budget: parts of it, that credential-service gives with
//! each redemption. What is spent here was given, so that all replicas together never spend more than the budget.
//!
//! [`Purse`] is the counter: one lock, nothing awaited under it, and what goes out of it never exceeds what was put in.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError},
};

use hubkeep_core::clock::Tick;
use hubkeep_proto::credential::v1::{BudgetSlice, HandleBudget};

use super::memory::Key;
use crate::sync::{Mutex, MutexGuard};

/// A half of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Calls.
    Calls,
    /// Records read or written.
    Records,
}

impl Half {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Records => "records",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        match name {
            "records" => Self::Records,
            _ => Self::Calls,
        }
    }
}

/// An amount of each half; of a half that has no limit it means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Calls.
    pub calls: u64,
    /// Records.
    pub records: u64,
}

impl Amount {
    /// That of one half.
    pub const fn of(self, half: Half) -> u64 {
        match half {
            Half::Calls => self.calls,
            Half::Records => self.records,
        }
    }
}

/// What a call has taken out of a purse. To be given back, as far as it was not used, or dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    records: u64,
}

impl Taken {
    /// How many records the call may touch.
    pub const fn records(&self) -> u64 {
        self.records
    }
}

/// What of it was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unused {
    /// Nothing was sent: the call itself neither.
    All,
    /// So many of its records.
    Records(u64),
}

/// What is left; `None` for any number.
#[derive(Clone, Copy, Debug)]
struct Left {
    calls: Option<u64>,
    records: Option<u64>,
}

/// What may still be spent of one handle's budget here.
#[derive(Debug)]
pub struct Purse(Mutex<Left>);

impl Purse {
    /// An empty one, in which these halves are limited.
    pub fn empty(calls: bool, records: bool) -> Self {
        let limited = |limited: bool| limited.then_some(0);
        Self(Mutex::new(Left {
            calls: limited(calls),
            records: limited(records),
        }))
    }

    /// Takes one call, and of `records` as many as there are.
    ///
    /// # Errors
    /// With the half of which there is nothing. Nothing is taken then.
    pub fn take(&self, records: u64) -> Result<Taken, Half> {
        let mut left = self.left();
        let calls = match left.calls {
            Some(calls) => Some(calls.checked_sub(1).ok_or(Half::Calls)?),
            None => None,
        };
        let records = match left.records {
            Some(0) if records > 0 => return Err(Half::Records),
            Some(there) => there.min(records),
            None => records,
        };
        left.calls = calls;
        left.records = left.records.map(|there| there.saturating_sub(records));
        Ok(Taken { records })
    }

    /// Puts back what a call has taken and not used: never more than it has taken.
    pub fn give_back(&self, taken: Taken, unused: Unused) {
        let back = match unused {
            Unused::All => Amount {
                calls: 1,
                records: taken.records,
            },
            Unused::Records(records) => Amount {
                calls: 0,
                records: records.min(taken.records),
            },
        };
        self.deposit(back);
    }

    /// Puts in what was given.
    pub fn deposit(&self, given: Amount) {
        let mut left = self.left();
        let add = |left: Option<u64>, given: u64| left.map(|left| left.saturating_add(given));
        left.calls = add(left.calls, given.calls);
        left.records = add(left.records, given.records);
    }

    /// What is in it now.
    pub fn unspent(&self) -> Amount {
        let left = self.left();
        Amount {
            calls: left.calls.unwrap_or_default(),
            records: left.records.unwrap_or_default(),
        }
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        // What is done under the lock cannot panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The budget of one handle, as far as this process has part in it.
#[derive(Debug)]
pub struct Allowance {
    purse: Purse,
    /// Held by whoever asks for more, so that not everybody does who finds nothing.
    asking: tokio::sync::Mutex<()>,
}

impl Allowance {
    /// What may still be spent.
    pub const fn purse(&self) -> &Purse {
        &self.purse
    }

    /// Who holds this asks for more; the others look again when it is done.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.asking.lock().await
    }
}

/// An allowance, and when its handle ends.
struct Held {
    allowance: Arc<Allowance>,
    ends: Tick,
}

/// The allowances of all handles that have a budget, each until its handle ends: also beyond the grants.
#[derive(Clone, Default)]
pub(super) struct Budgets(Arc<std::sync::Mutex<HashMap<Key, Held>>>);

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Budgets")
    }
}

impl Budgets {
    /// What is unspent of a handle's budget here.
    pub(super) fn unspent(&self, key: &Key) -> Amount {
        let all = self.all();
        all.get(key)
            .map(|held| held.allowance.purse.unspent())
            .unwrap_or_default()
    }

    /// Takes up what a redemption gave, and gives the allowance of the handle: none if it has no budget. What is given is
    /// taken up whatever becomes of the redemption: it is counted as given out.
    pub(super) fn take_up(
        &self,
        key: &Key,
        budget: Option<HandleBudget>,
        slice: Option<BudgetSlice>,
        [now, ends]: [Tick; 2],
    ) -> Option<Arc<Allowance>> {
        let (budget, slice) = (budget.unwrap_or_default(), slice.unwrap_or_default());
        let calls = budget.max_calls > 0 || slice.calls.is_some();
        let records = budget.max_records > 0 || slice.records.is_some();
        let mut all = self.all();
        if !(calls || records || all.contains_key(key)) {
            return None;
        }
        all.retain(|_, held| now < held.ends);
        let held = all.entry(key.clone()).or_insert_with(|| Held {
            allowance: Arc::new(Allowance {
                purse: Purse::empty(calls, records),
                asking: tokio::sync::Mutex::default(),
            }),
            ends,
        });
        held.ends = held.ends.max(ends);
        held.allowance.purse.deposit(Amount {
            calls: slice.calls.unwrap_or_default(),
            records: slice.records.unwrap_or_default(),
        });
        Some(held.allowance.clone())
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Held>> {
        // What is done under the lock cannot panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[cfg(feature = "models")]
mod models;
#[cfg(test)]
mod tests;
