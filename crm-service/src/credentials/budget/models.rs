//! One purse, and calls that meet at it in every order: no more get through than were paid for, and nothing is lost.

use loom::{sync::Arc as Shared, thread};

use super::*;

/// Calls, and records, that are there at first.
const AT_FIRST: Amount = Amount { calls: 1, records: 3 };
/// What comes while calls are made.
const LATER: Amount = Amount { calls: 1, records: 1 };

/// A call that touches fewer records than it might have: gives how many of what it took it kept.
fn call(purse: &Purse, wanted: u64, unused: Unused) -> Amount {
    let Ok(taken) = purse.take(wanted) else {
        return Amount::default();
    };
    assert!((1..=wanted).contains(&taken.records()), "no more than was wanted");
    let kept = match unused {
        Unused::All => Amount::default(),
        Unused::Records(back) => Amount {
            calls: 1,
            records: taken.records().saturating_sub(back),
        },
    };
    purse.give_back(taken, unused);
    kept
}

#[test]
fn no_more_goes_out_of_a_purse_than_was_put_in_and_nothing_is_lost() {
    for unused in [Unused::All, Unused::Records(0), Unused::Records(1)] {
        loom::model(move || {
            let purse = Shared::new(Purse::empty(true, true));
            purse.deposit(AT_FIRST);
            let callers = [2, 3].map(|wanted| {
                let purse = Shared::clone(&purse);
                thread::spawn(move || call(&purse, wanted, unused))
            });
            purse.deposit(LATER);
            let spent = callers.map(|caller| caller.join().expect("ends"));
            let calls: u64 = spent.iter().map(|amount| amount.calls).sum();
            let records: u64 = spent.iter().map(|amount| amount.records).sum();
            let left = purse.unspent();
            assert_eq!(calls + left.calls, AT_FIRST.calls + LATER.calls);
            assert_eq!(records + left.records, AT_FIRST.records + LATER.records);
        });
    }
}

#[test]
fn of_two_calls_that_race_for_one_exactly_one_gets_through() {
    loom::model(|| {
        let purse = Shared::new(Purse::empty(true, false));
        purse.deposit(Amount { calls: 1, records: 0 });
        let callers = [(); 2].map(|()| {
            let purse = Shared::clone(&purse);
            thread::spawn(move || purse.take(100).is_ok())
        });
        let passed = callers.map(|caller| caller.join().expect("ends"));
        assert_eq!(passed.iter().filter(|passed| **passed).count(), 1);
    });
}
