use proptest::prelude::*;

use super::*;

fn queue(calls: &[(&str, u32, usize)]) -> Queue<String> {
    let mut queue = Queue::default();
    for (caller, weight, count) in calls {
        for _ in 0..*count {
            queue.join(Class::Usual, (*caller).into(), *weight, (*caller).to_owned());
        }
    }
    queue
}

fn serve(queue: &mut Queue<String>) -> Option<String> {
    let class = queue.turn(|_| true)?;
    queue.serve(class, |_| true)
}

#[test]
fn one_call_waits_behind_one_of_a_caller_with_five_hundred() {
    let mut queue = queue(&[("flood", 10, 500)]);
    for _ in 0..7 {
        serve(&mut queue);
    }
    assert!(queue.ahead(Class::Usual, "single") <= 1);
    queue.join(Class::Usual, "single".into(), 10, "single".to_owned());
    let served: Vec<_> = (0..2).filter_map(|_| serve(&mut queue)).collect();
    assert!(served.contains(&"single".to_owned()), "{served:?}");
}

#[test]
fn calls_of_one_caller_are_served_in_their_order() {
    let mut queue = Queue::default();
    for number in 0..50 {
        queue.join(Class::Usual, "one".into(), 10, number.to_string());
    }
    let served: Vec<_> = std::iter::from_fn(|| serve(&mut queue)).collect();
    let expected: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(served, expected);
}

#[test]
fn who_leaves_without_being_served_has_paid_nothing() {
    let mut queue = Queue::default();
    let tickets: Vec<_> = (0..100)
        .map(|_| queue.join(Class::Usual, "hasty".into(), 10, "hasty".to_owned()))
        .collect();
    for ticket in &tickets {
        queue.leave(ticket);
        queue.leave(ticket);
    }
    assert!(queue.is_empty());
    queue.join(Class::Usual, "other".into(), 10, "other".to_owned());
    queue.join(Class::Usual, "other".into(), 10, "other".to_owned());
    queue.join(Class::Usual, "hasty".into(), 10, "hasty".to_owned());
    let served: Vec<_> = std::iter::from_fn(|| serve(&mut queue)).collect();
    assert_eq!(served, ["other", "hasty", "other"]);
}

#[test]
fn batch_work_gets_one_turn_of_ten_and_people_go_first() {
    let mut queue = Queue::default();
    for (class, name) in [
        (Class::Batch, "walk"),
        (Class::Usual, "sync"),
        (Class::Person, "agent"),
    ] {
        for _ in 0..200 {
            queue.join(class, name.into(), 10, name.to_owned());
        }
    }
    let served: Vec<_> = (0..100).filter_map(|_| serve(&mut queue)).collect();
    let count = |name: &str| served.iter().filter(|other| *other == name).count();
    assert_eq!(served[0], "agent");
    assert!(count("agent") >= 78, "{}", count("agent"));
    assert!(count("walk") >= 8 && count("sync") >= 8, "{served:?}");
}

#[test]
fn where_places_are_left_for_people_only_they_are_served() {
    let mut queue = queue(&[("sync", 10, 3)]);
    let person = |class| class == Class::Person;
    assert_eq!(queue.turn(person), None);
    queue.join(Class::Person, "agent".into(), 10, "agent".to_owned());
    assert_eq!(queue.turn(person), Some(Class::Person));
    assert_eq!(queue.serve(Class::Person, person), Some("agent".to_owned()));
}

proptest! {
    #[test]
    fn shares_become_what_the_weights_say_and_nobody_starves(
        weights in proptest::collection::vec(1_u32..=20, 2..6),
        turns in 200_usize..400,
    ) {
        let names: Vec<String> = (0..weights.len()).map(|number| number.to_string()).collect();
        let mut queue = Queue::default();
        for (name, weight) in names.iter().zip(&weights) {
            for _ in 0..400 {
                queue.join(Class::Usual, name.as_str().into(), *weight, name.clone());
            }
        }
        let served: Vec<_> = (0..turns).filter_map(|_| serve(&mut queue)).collect();
        let all: u32 = weights.iter().sum();
        for (name, weight) in names.iter().zip(&weights) {
            let count = served.iter().filter(|other| *other == name).count();
            let due = turns as f64 * f64::from(*weight) / f64::from(all);
            prop_assert!((count as f64 - due).abs() <= 2.0 + weights.len() as f64, "{count} of {due}");
        }
    }

    #[test]
    fn whatever_comes_and_goes_everybody_is_served_once_and_none_waits_longer_than_for_a_turn_of_each_other(
        events in proptest::collection::vec((0_u8..6, 0_usize..3), 1..300),
    ) {
        let mut queue = Queue::default();
        let (mut joined, mut served) = (0_usize, 0_usize);
        let mut waits: HashMap<String, usize> = HashMap::new();
        for (caller, serves) in events {
            let name = caller.to_string();
            queue.join(Class::Usual, name.as_str().into(), 10, name.clone());
            joined += 1;
            for _ in 0..serves {
                let before: Vec<String> = queue
                    .waiting(|_| true)
                    .into_iter()
                    .map(|(_, caller, _)| caller.to_string())
                    .collect();
                let Some(next) = serve(&mut queue) else { continue };
                served += 1;
                waits.insert(next.clone(), 0);
                let others: std::collections::HashSet<_> =
                    before.into_iter().filter(|other| *other != next).collect();
                for other in others {
                    let waited = waits.entry(other).or_default();
                    *waited += 1;
                    prop_assert!(*waited <= 12, "six callers of one weight take turns");
                }
            }
        }
        served += std::iter::from_fn(|| serve(&mut queue)).count();
        prop_assert_eq!(served, joined);
    }
}
