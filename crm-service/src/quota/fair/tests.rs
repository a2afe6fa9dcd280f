use proptest::prelude::*;

use super::*;
use crate::quota::queue::Queue;

fn wanted(caller: &str, class: Class, weight: u32, wanted: usize) -> Wanted {
    Wanted {
        class,
        caller: caller.to_owned(),
        weight,
        wanted,
    }
}

fn usual(caller: &str, weight: u32, places: usize) -> Wanted {
    wanted(caller, Class::Usual, weight, places)
}

fn wishes(replicas: &[&[Wanted]]) -> Vec<Wish> {
    let wish = |(nth, callers): (usize, &&[Wanted])| Wish::of(&nth.to_string(), callers, 0);
    replicas.iter().enumerate().map(wish).collect()
}

/// How many turns of so many each caller gets in the line of a replica, where all of them always wait.
fn served(here: Here, callers: &[Wanted], turns: usize) -> BTreeMap<(Class, String), usize> {
    let mut queue = Queue::default();
    queue.follow(here);
    let mut served = BTreeMap::new();
    for Wanted {
        class,
        caller,
        weight,
        ..
    } in callers
    {
        served.insert((*class, caller.clone()), 0);
        for _ in 0..turns {
            let item = (*class, caller.clone());
            queue.join(*class, caller.as_str().into(), *weight, item);
        }
    }
    for _ in 0..turns {
        let class = queue.turn(|_| true).expect("all wait");
        let item = queue.serve(class, |_| true).expect("the first");
        *served.get_mut(&item).expect("one of them") += 1;
    }
    served
}

#[test]
fn who_calls_three_replicas_and_who_calls_one_get_the_same_and_are_served_so() {
    let (sync, desk) = (usual("sync", 10, 300), usual("desk", 10, 300));
    let first = [sync.clone(), desk];
    let wishes = wishes(&[&first, std::slice::from_ref(&sync), std::slice::from_ref(&sync)]);
    let parts = Parts::of(96, &wishes);
    assert_eq!(
        (parts.gets(Class::Usual, "sync"), parts.gets(Class::Usual, "desk")),
        (48 * PLACE, 48 * PLACE)
    );
    assert_eq!([0, 1, 2].map(|nth| parts.of_replica(nth) / PLACE), [64, 16, 16]);
    let served = served(parts.here(0), &first, 64);
    let of = |caller: &str| served[&(Class::Usual, caller.to_owned())];
    assert_eq!((of("sync"), of("desk")), (16, 48));
}

#[test]
fn who_weighs_three_times_as_much_gets_three_times_as_much_wherever_it_calls() {
    let (wide, one) = (usual("wide", 30, 300), usual("one", 10, 300));
    let wishes = wishes(&[&[wide], std::slice::from_ref(&one), std::slice::from_ref(&one)]);
    let parts = Parts::of(96, &wishes);
    let gets = |caller| parts.gets(Class::Usual, caller) / PLACE;
    assert_eq!((gets("wide"), gets("one")), (72, 24));
}

#[test]
fn who_wants_little_gets_it_and_what_it_leaves_is_for_the_others() {
    let wishes = wishes(&[
        &[usual("little", 10, 3), usual("much", 10, 300)],
        &[usual("little", 10, 2), usual("other", 10, 40)],
    ]);
    let parts = Parts::of(96, &wishes);
    let gets = |caller| parts.gets(Class::Usual, caller) / PLACE;
    assert_eq!((gets("little"), gets("other"), gets("much")), (5, 40, 51));
    let first = parts.here(0);
    assert_eq!(first.part(Class::Usual, "little"), 600_000);
    assert_eq!(first.part(Class::Usual, "much"), here::ALL);
    assert_eq!(first.part(Class::Usual, "nobody knows"), here::ALL);
}

#[test]
fn people_go_first_over_all_replicas_and_of_ten_turns_one_is_a_lower_class() {
    let person = wanted("agent", Class::Person, 10, 300);
    let (sync, walk) = (usual("sync", 10, 300), wanted("walk", Class::Batch, 10, 300));
    let wishes = wishes(&[
        std::slice::from_ref(&person),
        &[sync, walk.clone()],
        std::slice::from_ref(&walk),
    ]);
    let parts = Parts::of(100, &wishes);
    let gets = |class, caller| parts.gets(class, caller) / PLACE;
    assert_eq!(
        (
            gets(Class::Person, "agent"),
            gets(Class::Usual, "sync"),
            gets(Class::Batch, "walk")
        ),
        (81, 9, 10)
    );
}

#[test]
fn what_people_leave_is_for_programs_and_what_these_leave_for_batches() {
    let wishes = wishes(&[
        &[wanted("agent", Class::Person, 10, 20)],
        &[usual("sync", 10, 30), wanted("walk", Class::Batch, 10, 300)],
    ]);
    let parts = Parts::of(100, &wishes);
    let gets = |class, caller| parts.gets(class, caller) / PLACE;
    assert_eq!(
        (
            gets(Class::Person, "agent"),
            gets(Class::Usual, "sync"),
            gets(Class::Batch, "walk")
        ),
        (20, 30, 50)
    );
}

#[test]
fn classes_take_turns_in_each_line_as_they_would_in_one() {
    let (person, walk) = (
        wanted("agent", Class::Person, 10, 300),
        wanted("walk", Class::Batch, 10, 300),
    );
    // The walk has all its turns in the first, the person half of them.
    let both = [person.clone(), walk];
    let wishes = wishes(&[&both, std::slice::from_ref(&person)]);
    let parts = Parts::of(100, &wishes);
    assert_eq!([0, 1].map(|nth| parts.of_replica(nth) / PLACE), [55, 45]);
    let served = served(parts.here(0), &both, 55);
    let of = |class, caller: &str| served[&(class, caller.to_owned())];
    assert_eq!((of(Class::Person, "agent"), of(Class::Batch, "walk")), (45, 10));
}

fn some_callers() -> impl Strategy<Value = Vec<Wanted>> {
    let classes = prop_oneof![Just(Class::Person), Just(Class::Usual), Just(Class::Batch)];
    proptest::collection::vec((classes, 1_u32..30, 1_usize..200), 1..6).prop_map(|callers| {
        let named = |(nth, (class, weight, places)): (usize, (Class, u32, usize))| {
            wanted(&format!("caller-{nth}"), class, weight, places)
        };
        callers.into_iter().enumerate().map(named).collect()
    })
}

proptest! {
    #[test]
    fn however_calls_are_spread_over_replicas_each_caller_gets_what_it_would_in_one_line(
        callers in some_callers(),
        spread in proptest::collection::vec(0_usize..100, 15),
        places in 1_usize..300,
    ) {
        let one = wishes(&[&callers]);
        let mut replicas = [const { Vec::new() }; 3];
        for (caller, cuts) in callers.iter().zip(spread.chunks(3)) {
            let mut left = caller.wanted;
            for (replica, cut) in replicas.iter_mut().zip([cuts[0], cuts[1], 100]) {
                let here = left * cut / 100;
                left -= here;
                replica.push(Wanted { wanted: here, ..caller.clone() });
            }
        }
        let several = wishes(&replicas.each_ref().map(Vec::as_slice));
        let (one, several) = (Parts::of(places, &one), Parts::of(places, &several));
        for caller in &callers {
            let gets = |parts: &Parts<'_>| parts.gets(caller.class, &caller.caller);
            prop_assert!(gets(&one).abs_diff(gets(&several)) <= 20, "{one:?} {several:?}");
        }
    }

    #[test]
    fn in_a_class_nobody_is_short_while_another_of_its_weight_has_more(
        callers in some_callers(),
        places in 1_usize..300,
    ) {
        let wishes = wishes(&[&callers]);
        let parts = Parts::of(places, &wishes);
        for one in &parts.0 {
            prop_assert!(one.gets() <= one.wanted());
            for other in parts.0.iter().filter(|other| other.class == one.class) {
                let level = |flow: &Flow<'_>| flow.gets() / u64::from(flow.weight);
                prop_assert!(one.gets() == one.wanted() || level(one) + 20 >= level(other), "{parts:?}");
            }
        }
        let wanted: u64 = parts.0.iter().map(Flow::wanted).sum();
        let gets: u64 = parts.0.iter().map(Flow::gets).sum();
        prop_assert!(gets.abs_diff(wanted.min(in_parts(places))) <= 20, "nothing is left over");
    }

    #[test]
    fn all_lines_together_serve_callers_as_one_would(
        weights in proptest::collection::vec((1_u32..=20, proptest::collection::vec(any::<bool>(), 3)), 2..5),
    ) {
        // All want more than there is, each through some of three replicas.
        let mut replicas = [const { Vec::new() }; 3];
        for (nth, (weight, calls)) in weights.iter().enumerate() {
            let caller = usual(&nth.to_string(), *weight, 9_000);
            for (replica, calls) in replicas.iter_mut().zip(calls) {
                if *calls {
                    replica.push(caller.clone());
                }
            }
        }
        let wishes = wishes(&replicas.each_ref().map(Vec::as_slice));
        let parts = Parts::of(600, &wishes);
        for (nth, callers) in replicas.iter().enumerate() {
            let turns = usize::try_from(parts.of_replica(nth) / PLACE).expect("few");
            let served = served(parts.here(nth), callers, turns);
            for flow in parts.0.iter().filter(|flow| flow.gets_in(nth) > 0) {
                let due = flow.gets_in(nth) as f64 / PLACE as f64;
                let count = served[&(Class::Usual, flow.caller.to_owned())] as f64;
                prop_assert!((count - due).abs() <= 2.0 + callers.len() as f64, "{count} of {due}");
            }
        }
    }
}
