//! What each of several callers gets, who call through different replicas.

use super::*;

/// More at once than all places: whoever calls so always waits.
const MANY: usize = 100;
/// So many intervals of ten seconds are counted.
const INTERVALS: usize = 5;
const ALL: usize = WHOLE * INTERVALS;

const DESK: Caller = Caller {
    name: "desk",
    class: Class::Usual,
};
const WIDE: Caller = Caller {
    name: "wide",
    class: Class::Usual,
};
const AGENT: Caller = Caller {
    name: "agent",
    class: Class::Person,
};
const WALK: Caller = Caller {
    name: "walk",
    class: Class::Batch,
};

/// How many calls each of two callers makes in those intervals, the first through some of three replicas, the second through others,
/// when places have gone where they are due.
async fn made(first: (Caller, &[usize]), second: (Caller, &[usize])) -> [usize; 2] {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let replicas = ["a", "b", "c"].map(|name| Replica::of(&database, &clock, name));
    let all: Vec<&Replica> = replicas.iter().collect();
    let sent = [(); 2].map(|()| Arc::<Mutex<Vec<Tick>>>::default());
    let so_far = || {
        sent.each_ref()
            .map(|sent| sent.lock().expect("not poisoned").len())
    };
    pass(&clock, &all, 1).await;
    let mut loads = Vec::new();
    for ((caller, through), sent) in [first, second].into_iter().zip(&sent) {
        for nth in through {
            loads.extend(replicas[*nth].load(&clock, (caller, MANY), sent));
        }
    }
    pass(&clock, &all, 35).await;
    let before = so_far();
    pass(&clock, &all, 10 * INTERVALS as u64).await;
    let after = so_far();
    loads.iter().for_each(JoinHandle::abort);
    let sent = sent
        .each_ref()
        .map(|sent| sent.lock().expect("not poisoned").clone());
    never_too_many(&sent.concat());
    let made = [after[0] - before[0], after[1] - before[1]];
    let used = made[0] + made[1];
    assert!(used >= ALL * 97 / 100, "{used} of {ALL} were used");
    made
}

fn near(count: usize, due: usize) -> bool {
    count.abs_diff(due) * 100 <= due * 8
}

#[tokio::test]
async fn who_calls_through_three_replicas_and_who_calls_through_one_get_the_same() {
    let [sync, desk] = made((SYNC, &[0, 1, 2]), (DESK, &[0])).await;
    assert!(near(sync, ALL / 2) && near(desk, ALL / 2), "{sync} and {desk}");
}

#[tokio::test]
async fn who_weighs_three_times_as_much_gets_three_times_as_much_over_all_replicas() {
    let [wide, sync] = made((WIDE, &[0, 1]), (SYNC, &[1, 2])).await;
    assert!(
        near(wide, ALL * 3 / 4) && near(sync, ALL / 4),
        "{wide} and {sync}"
    );
}

#[tokio::test]
async fn a_person_at_one_replica_goes_before_batch_work_at_others_which_has_one_turn_of_ten() {
    let [agent, walk] = made((AGENT, &[0]), (WALK, &[1, 2])).await;
    assert!(near(agent, ALL * 9 / 10), "{agent} for people");
    assert!(
        (ALL * 8 / 100..=ALL * 12 / 100).contains(&walk),
        "{walk} of batches"
    );
}

#[tokio::test]
async fn batch_work_beside_a_person_who_calls_elsewhere_too_has_one_turn_of_ten() {
    let [agent, walk] = made((AGENT, &[0, 1]), (WALK, &[1])).await;
    assert!(near(agent, ALL * 9 / 10), "{agent} for people");
    assert!(
        (ALL * 8 / 100..=ALL * 12 / 100).contains(&walk),
        "{walk} of batches"
    );
}

#[tokio::test]
async fn a_replica_that_says_nothing_of_its_callers_counts_as_one_more() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let [here, other] = ["here", "other"].map(|name| Replica::of(&database, &clock, name));
    let sent = Arc::<Mutex<Vec<Tick>>>::default();
    pass(&clock, &[&here, &other], 1).await;
    // As the version before this one writes it.
    sqlx::query(
        "INSERT INTO quota_share (portal_id, bucket, replica, places, wanted, whole, interval_us) \
         VALUES (42, 'burst', 'other', 0, 300, 0, 10000000)",
    )
    .execute(database.pool())
    .await
    .expect("written");
    let loads = [SYNC, DESK].map(|caller| here.load(&clock, (caller, MANY), &sent));
    pass(&clock, &[&here], 1).await;
    assert_eq!(here.share(), WHOLE * 2 / 3);
    loads.iter().flatten().for_each(JoinHandle::abort);
}
