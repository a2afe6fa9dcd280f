use proptest::prelude::*;

use super::*;

/// One caller in each replica, who is nobody elsewhere.
fn wishes(wanted: &[usize]) -> Vec<Wish> {
    let wish = |(nth, wanted): (usize, &usize)| Wish::of(&format!("replica-{nth}"), &[], *wanted);
    wanted.iter().enumerate().map(wish).collect()
}

fn divided(places: usize, wishes: &[Wish], turn: u64) -> Vec<usize> {
    divide(places, wishes, &Parts::of(places, wishes), turn)
}

fn wanted(caller: &str, class: Class, wanted: usize) -> Wanted {
    Wanted {
        class,
        caller: caller.to_owned(),
        weight: 10,
        wanted,
    }
}

#[test]
fn who_is_alone_gets_everything_and_three_under_load_get_a_third_each() {
    assert_eq!(divided(96, &wishes(&[1]), 0), [96]);
    assert_eq!(divided(96, &wishes(&[0, 3, 0]), 0), [0, 96, 0]);
    assert_eq!(divided(96, &wishes(&[500, 200, 97]), 0), [32, 32, 32]);
}

#[test]
fn places_are_where_the_demand_is() {
    assert_eq!(divided(96, &wishes(&[6, 500]), 0), [6, 90]);
    assert_eq!(divided(96, &wishes(&[6, 10]), 0), [46, 50], "the rest is divided");
}

#[test]
fn a_caller_of_three_replicas_and_one_of_a_single_one_get_the_same() {
    let sync = wanted("sync", Class::Usual, 200);
    let desk = wanted("desk", Class::Usual, 200);
    let wishes = [
        Wish::of("a", &[sync.clone(), desk], 400),
        Wish::of("b", std::slice::from_ref(&sync), 200),
        Wish::of("c", &[sync], 200),
    ];
    assert_eq!(divided(96, &wishes, 0), [16 + 48, 16, 16]);
}

#[test]
fn where_batches_are_there_is_a_tenth_while_people_want_everything_elsewhere() {
    let wishes = [
        Wish::of("a", &[wanted("agent", Class::Person, 300)], 300),
        Wish::of("b", &[wanted("walk", Class::Batch, 300)], 300),
    ];
    assert_eq!(divided(100, &wishes, 0), [90, 10]);
    // One place at least, also where it would be less than half a one.
    let wishes = [
        Wish::of("a", &[wanted("agent", Class::Person, 300)], 300),
        Wish::of("b", &[wanted("walk", Class::Batch, 300)], 300),
        Wish::of("c", &[wanted("walk", Class::Batch, 300)], 300),
    ];
    assert_eq!(divided(5, &wishes, 0), [3, 1, 1]);
}

#[test]
fn of_five_places_each_of_seven_gets_one_in_its_turn() {
    let mut had = [0; 7];
    for turn in 0..7 {
        for (had, share) in had.iter_mut().zip(divided(5, &wishes(&[9; 7]), turn)) {
            *had += share;
        }
    }
    assert_eq!(had, [5; 7]);
}

#[test]
fn nobody_goes_without_for_long_however_small_its_part_is() {
    let mut wishes = vec![Wish::of("a", &[wanted("agent", Class::Person, 90)], 90)];
    for replica in ["b", "c", "d", "e", "f", "g"] {
        wishes.push(Wish::of(replica, &[wanted("walk", Class::Batch, 90)], 90));
    }
    let mut had = [0; 7];
    for turn in 0..120 {
        for (had, share) in had.iter_mut().zip(divided(5, &wishes, turn)) {
            *had += share;
        }
    }
    assert!((535..=545).contains(&had[0]), "{had:?}");
    assert!(had[1..].iter().all(|had| (8..=12).contains(had)), "{had:?}");
}

#[test]
fn who_could_use_more_may_have_it_whatever_others_call_there() {
    let busy = Wish::of("a", &[wanted("agent", Class::Person, 300)], 300);
    let prospect = |ours: Wish| divided(100, &[busy.clone(), ours.at_most(100)], 0)[1];
    assert_eq!(prospect(Wish::of("b", &[], 0)), 10);
    assert_eq!(
        prospect(Wish::of("b", &[wanted("agent", Class::Person, 1)], 1)),
        50
    );
    assert_eq!(prospect(Wish::of("b", &[wanted("walk", Class::Batch, 9)], 9)), 19);
}

fn some_wanted() -> impl Strategy<Value = Wanted> {
    let classes = prop_oneof![Just(Class::Person), Just(Class::Usual), Just(Class::Batch)];
    (classes, 0_u8..4, 1_u32..30, 0_usize..400).prop_map(|(class, caller, weight, wanted)| Wanted {
        class,
        // One of them has no name.
        caller: ["", "sync", "desk", "agent"][usize::from(caller)].to_owned(),
        weight,
        wanted,
    })
}

proptest! {
    #[test]
    fn all_is_given_and_never_more(
        places in 0_usize..300,
        callers in proptest::collection::vec(proptest::collection::vec(some_wanted(), 0..5), 1..8),
        turn in 0_u64..100,
    ) {
        let wishes: Vec<Wish> = callers
            .iter()
            .enumerate()
            .map(|(nth, callers)| Wish::of(&format!("replica-{nth}"), callers, 0))
            .collect();
        let wanted: Vec<usize> = callers
            .iter()
            .map(|callers| callers.iter().map(|caller| caller.wanted).sum())
            .collect();
        let shares = divided(places, &wishes, turn);
        let given: usize = shares.iter().sum();
        let want = wanted.iter().filter(|wanted| **wanted > 0).count();
        prop_assert_eq!(given, if want > 0 { places } else { 0 });
        for (share, wanted) in shares.iter().zip(&wanted) {
            prop_assert!(*wanted > 0 || *share == 0, "who wants nothing holds nothing");
            prop_assert!(*wanted == 0 || *share > 0 || places < want, "one place each");
        }
        // Nobody is short while another has more than it wants.
        let short = shares.iter().zip(&wanted).any(|(share, wanted)| share < wanted);
        let idle = shares.iter().zip(&wanted).any(|(share, wanted)| share > wanted);
        prop_assert!(!(short && idle), "{shares:?} {wanted:?}");
    }

    #[test]
    fn every_order_of_rows_gives_each_replica_the_same(
        callers in proptest::collection::vec(proptest::collection::vec(some_wanted(), 0..5), 1..6),
        turn in 0_u64..100,
    ) {
        let wishes: Vec<Wish> = callers
            .iter()
            .enumerate()
            .map(|(nth, callers)| Wish::of(&format!("replica-{nth}"), callers, 0))
            .collect();
        let mut turned = wishes.clone();
        turned.reverse();
        let mut shares = divided(96, &turned, turn);
        shares.reverse();
        prop_assert_eq!(divided(96, &wishes, turn), shares);
    }
}
