use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use hubkeep_core::{
    clock::{Clock as _, MockClock, Timestamp},
    grpc::Caller,
    handle_token::HandleToken,
    random::SystemRandom,
};

use super::*;

const fn amount(calls: u64, records: u64) -> Amount {
    Amount { calls, records }
}

fn purse(calls: u64, records: u64) -> Purse {
    let purse = Purse::empty(true, true);
    purse.deposit(amount(calls, records));
    purse
}

#[test]
fn a_call_takes_one_call_and_no_more_records_than_there_are() {
    let purse = purse(2, 5);
    assert_eq!(purse.take(3).expect("there").records(), 3);
    assert_eq!(purse.take(100).expect("there").records(), 2, "what is left");
    assert_eq!(purse.take(1), Err(Half::Calls));
    purse.deposit(amount(1, 0));
    assert_eq!(purse.take(1), Err(Half::Records));
    assert_eq!(purse.unspent(), amount(1, 0), "who is refused takes nothing");
    assert_eq!(purse.take(0).expect("touches no record").records(), 0);
}

#[test]
fn what_a_call_did_not_use_comes_back_and_never_more() {
    let purse = purse(1, 10);
    let taken = purse.take(10).expect("there");
    purse.give_back(taken, Unused::Records(7));
    assert_eq!(purse.unspent(), amount(0, 7));
    purse.deposit(amount(1, 0));
    let taken = purse.take(2).expect("there");
    purse.give_back(taken, Unused::Records(1_000));
    assert_eq!(purse.unspent(), amount(0, 7), "no more than was taken");
    purse.deposit(amount(1, 0));
    let taken = purse.take(7).expect("there");
    purse.give_back(taken, Unused::All);
    assert_eq!(purse.unspent(), amount(1, 7));
}

#[test]
fn a_half_without_a_limit_is_never_used_up() {
    let purse = Purse::empty(false, true);
    purse.deposit(amount(0, 1));
    assert_eq!(purse.take(1).expect("there").records(), 1);
    assert_eq!(purse.take(0).expect("calls have no limit").records(), 0);
    assert_eq!(purse.take(1), Err(Half::Records));
    let open = Purse::empty(true, false);
    open.deposit(amount(1, 0));
    assert_eq!(open.take(100).expect("records have no limit").records(), 100);
}

#[test]
fn of_many_who_take_at_once_no_more_pass_than_was_put_in() {
    let (purse, passed) = (purse(50, 1_000), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0_u64..8 {
            let (purse, passed) = (&purse, &passed);
            scope.spawn(move || {
                for turn in 0_u64..50 {
                    match purse.take(1) {
                        // Every fifth is not sent after all.
                        Ok(taken) if (number + turn) % 5 == 0 => purse.give_back(taken, Unused::All),
                        Ok(_) => {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(half) => assert_eq!(half, Half::Calls),
                    }
                }
            });
        }
    });
    let passed = passed.into_inner();
    assert_eq!(passed + purse.unspent().calls, 50);
    assert_eq!(passed + purse.unspent().records, 1_000);
}

fn key() -> Key {
    let handle = HandleToken::make(&*SystemRandom::shared()).expect("random");
    let caller = Caller {
        name: "sync".parse().expect("valid"),
        thumbprint: None,
    };
    Key::of(&handle, &caller)
}

const fn slice(calls: u64) -> Option<BudgetSlice> {
    Some(BudgetSlice {
        calls: Some(calls),
        records: None,
    })
}

const fn budget(max_calls: u64) -> Option<HandleBudget> {
    Some(HandleBudget {
        max_calls,
        max_records: 0,
    })
}

#[test]
fn an_allowance_is_kept_until_its_handle_ends_and_adds_up_what_is_given() {
    let clock = MockClock::at(Timestamp::from_micros(1_000_000));
    let (budgets, key) = (Budgets::default(), key());
    let times = || [clock.tick(), clock.tick().plus(Duration::from_secs(60))];
    let ends = times()[1];
    let first = budgets
        .take_up(&key, budget(100), slice(10), times())
        .expect("a budget");
    first.purse().take(1).expect("there");
    let again = budgets
        .take_up(&key, budget(100), slice(1), [clock.tick(), ends])
        .expect("a budget");
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(budgets.unspent(&key), amount(10, 0));
    clock.advance(Duration::from_secs(60));
    let other = self::key();
    budgets.take_up(&other, budget(1), slice(1), times());
    assert_eq!(budgets.unspent(&key), amount(0, 0), "its handle has ended");
}

#[test]
fn a_budget_of_which_no_part_was_given_is_empty_and_no_budget_is_none() {
    let clock = MockClock::at(Timestamp::from_micros(1_000_000));
    let times = [clock.tick(), clock.tick().plus(Duration::from_secs(60))];
    let budgets = Budgets::default();
    let none = budgets.take_up(&key(), budget(7), None, times).expect("a budget");
    assert_eq!(none.purse().take(1), Err(Half::Calls));
    assert!(budgets.take_up(&key(), None, None, times).is_none());
    assert!(budgets.take_up(&key(), budget(0), None, times).is_none());
}
