//! Budgets, spent in slices: each redeemer is handed a part of what is left, and spends that without asking.
//!
//! What a handle spends is spent of every handle it was narrowed from. The slices get smaller as a budget runs out, so
//! that little of it lies unspent at one redeemer while another asks.

use std::fmt;

use hubkeep_core::database::Transaction;

use super::{Error, Handle, Handles, store::budgets};
use crate::access::Budget;

/// Up to so many calls, a budget is handed out call by call, and no grant of it is kept in memory.
const SMALL: u64 = 16;
/// A slice is this part of what is left.
const PART: u64 = 8;
/// The largest slice, in calls.
const MOST_CALLS: u64 = 64;
/// A slice of records is at least what one page holds, and at most this.
const MOST_RECORDS: u64 = 6_400;
const PAGE: u64 = 100;

/// What one redeemer may spend beside what it has: `None` for any amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Calls.
    pub calls: Option<u64>,
    /// Records.
    pub records: Option<u64>,
}

/// What a redeemer has not spent yet of the slices it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unspent {
    /// Calls.
    pub calls: u64,
    /// Records.
    pub records: u64,
}

/// Which budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// That of calls.
    Calls,
    /// That of records.
    Records,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Spent {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Records => "records",
        }
    }
}

/// Whether a redeemer must ask again for each call.
pub(super) const fn is_small(budget: Budget) -> bool {
    matches!(budget.max_calls, Some(most) if most <= SMALL)
}

/// The slice of what is left, for a redeemer that still has some.
fn slice(left: Budget, budget: Budget, unspent: Unspent) -> Result<Slice, Spent> {
    let most = if is_small(budget) { 1 } else { MOST_CALLS };
    let calls = part(left.max_calls, unspent.calls, 1, most).ok_or(Spent::Calls)?;
    let records = part(left.max_records, unspent.records, PAGE, MOST_RECORDS).ok_or(Spent::Records)?;
    Ok(Slice { calls, records })
}

/// A part of what is left, so that it makes up a slice with what is unspent; `None` if nothing is there to be spent.
fn part(left: Option<u64>, unspent: u64, least: u64, most: u64) -> Option<Option<u64>> {
    let Some(left) = left else {
        return Some(None);
    };
    let whole = (left / PART).clamp(least, most.max(least));
    let part = whole.saturating_sub(unspent).min(left);
    (part > 0 || unspent > 0).then_some(Some(part))
}

impl Handles {
    /// Hands out a slice of what is left to a handle, and to those it was narrowed from.
    pub(super) async fn hand_out(&self, handle: &Handle, unspent: Unspent) -> Result<Slice, Error> {
        if !handle.budget.is_limited() {
            return Ok(Slice::default());
        }
        let mut transaction = self.database.begin().await?;
        // A family's budgets are looked at and taken from by one at a time.
        transaction
            .lock(&format!("handle-budget/{}", handle.root()))
            .await?;
        let left = left_of(&mut transaction, handle).await?;
        match slice(left, handle.budget, unspent) {
            Ok(slice) => {
                take_of(&mut transaction, handle, slice).await?;
                transaction.commit().await?;
                Ok(slice)
            }
            Err(spent) => {
                transaction.rollback().await?;
                Err(Error::BudgetSpent(handle.handle_id, spent))
            }
        }
    }
}

impl Handles {
    /// What nobody was handed yet of the budgets that a handle spends of.
    pub(super) async fn left(&self, handle: &Handle) -> Result<Budget, Error> {
        if !handle.budget.is_limited() {
            return Ok(Budget::default());
        }
        let mut transaction = self.database.begin().await?;
        let left = left_of(&mut transaction, handle).await?;
        transaction.rollback().await?;
        Ok(left)
    }

    /// Takes one call, for so many records, out of a handle's budget.
    pub(super) async fn charge(&self, handle: &Handle, records: u64) -> Result<(), Error> {
        if !handle.budget.is_limited() {
            return Ok(());
        }
        let mut transaction = self.database.begin().await?;
        transaction
            .lock(&format!("handle-budget/{}", handle.root()))
            .await?;
        let left = left_of(&mut transaction, handle).await?;
        let spent = match left {
            Budget {
                max_calls: Some(0), ..
            } => Some(Spent::Calls),
            Budget {
                max_records: Some(left),
                ..
            } if left < records => Some(Spent::Records),
            _ => None,
        };
        if let Some(spent) = spent {
            transaction.rollback().await?;
            return Err(Error::BudgetSpent(handle.handle_id, spent));
        }
        let this = Slice {
            calls: Some(1),
            records: Some(records),
        };
        take_of(&mut transaction, handle, this).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// The least that is left of the budgets that a handle spends of.
async fn left_of(transaction: &mut Transaction, handle: &Handle) -> Result<Budget, Error> {
    let mut least = Budget::default();
    for handle_id in &handle.budgeted {
        let left = budgets::left(transaction, *handle_id).await?;
        least = Budget {
            max_calls: smaller(least.max_calls, left.max_calls),
            max_records: smaller(least.max_records, left.max_records),
        };
    }
    Ok(least)
}

async fn take_of(transaction: &mut Transaction, handle: &Handle, slice: Slice) -> Result<(), Error> {
    let (calls, records) = (slice.calls.unwrap_or(0), slice.records.unwrap_or(0));
    for handle_id in &handle.budgeted {
        budgets::take(transaction, *handle_id, calls, records).await?;
    }
    Ok(())
}

const fn smaller(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one < other { one } else { other }),
        (Some(only), None) | (None, Some(only)) => Some(only),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn calls(max: u64) -> Budget {
        Budget {
            max_calls: Some(max),
            max_records: None,
        }
    }

    #[test]
    fn a_small_budget_is_handed_out_call_by_call_and_then_no_more() {
        let none = Unspent::default();
        let one = Slice {
            calls: Some(1),
            records: None,
        };
        assert_eq!(slice(calls(3), calls(3), none), Ok(one));
        assert_eq!(slice(calls(0), calls(3), none), Err(Spent::Calls));
        let some = Unspent { calls: 1, ..none };
        let nothing = Slice {
            calls: Some(0),
            records: None,
        };
        assert_eq!(slice(calls(2), calls(3), some), Ok(nothing), "it has its one");
    }

    #[test]
    fn what_is_not_limited_is_not_handed_out() {
        let any = Budget::default();
        assert_eq!(slice(any, any, Unspent::default()), Ok(Slice::default()));
    }

    proptest! {
        #[test]
        fn replicas_are_never_handed_more_than_the_budget(
            max in 1_u64..5_000,
            asks in proptest::collection::vec((0_usize..3, 0_u64..80), 1..400),
        ) {
            let (mut left, mut unspent, mut spent) = (max, [0_u64; 3], 0_u64);
            for (replica, spend) in asks {
                let has = Unspent { calls: unspent[replica], records: 0 };
                if let Ok(given) = slice(calls(left), calls(max), has) {
                    let given = given.calls.expect("limited");
                    prop_assert!(given <= left);
                    left -= given;
                    unspent[replica] += given;
                }
                let spend = spend.min(unspent[replica]);
                unspent[replica] -= spend;
                spent += spend;
            }
            prop_assert!(spent + unspent.iter().sum::<u64>() + left == max);
        }

        #[test]
        fn one_replica_alone_can_spend_every_call(max in 1_u64..2_000) {
            let (mut left, mut spent) = (max, 0_u64);
            while let Ok(given) = slice(calls(left), calls(max), Unspent::default()) {
                left -= given.calls.expect("limited");
                spent += given.calls.expect("limited");
            }
            prop_assert_eq!(spent, max);
        }
    }
}
