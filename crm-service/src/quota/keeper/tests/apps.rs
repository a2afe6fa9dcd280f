//! Limits of several apps of one portal, each of which is shared for itself.

use super::*;

const SECOND_APP: &str = "second";

fn second() -> Limit {
    Limit::Burst(App::named(SECOND_APP).expect("valid"))
}

fn share_of_second(replica: &Replica) -> usize {
    let most = |budget: &mut crate::quota::budget::Budget| budget.paced(&second()).window.most();
    replica.portal.with(most)
}

#[tokio::test]
async fn each_app_has_all_its_places_whatever_is_called_with_the_other() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let replicas = ["a", "b", "c"].map(|name| Replica::of(&database, &clock, name));
    let all: Vec<&Replica> = replicas.iter().collect();
    let [first, other] = [(); 2].map(|()| Arc::<Mutex<Vec<Tick>>>::default());
    pass(&clock, &all, 1).await;
    // One with the first app in all replicas, one with the second in one of them.
    let mut loads: Vec<_> = all
        .iter()
        .flat_map(|replica| replica.load(&clock, (SYNC, 40), &first))
        .collect();
    loads.extend(replicas[0].load_with(Some(SECOND_APP), &clock, (SYNC, 120), &other));
    pass(&clock, &all, 40).await;
    assert_eq!(replicas.each_ref().map(Replica::share), [32; 3]);
    assert_eq!(replicas.each_ref().map(share_of_second), [WHOLE, 0, 0]);
    loads.iter().for_each(JoinHandle::abort);
    for sent in [first, other] {
        let sent = sent.lock().expect("not poisoned");
        never_too_many(&sent);
        assert!(sent.len() >= WHOLE * 35 / 10, "{} in four intervals", sent.len());
    }
}

#[tokio::test]
async fn what_a_version_holds_that_knows_of_no_apps_is_left_to_it_in_each_and_it_is_told_of_their_sum() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let replica = Replica::of(&database, &clock, "new");
    replica.keeper.renew().await.expect("renewed");
    for sql in [
        "INSERT INTO quota_replica (replica, lease_until) VALUES ('old', 4102444800000000)",
        "INSERT INTO quota_share (portal_id, bucket, replica, places, wanted, whole, interval_us) \
         VALUES (42, 'burst', 'old', 40, 40, 186, 10000000)",
    ] {
        sqlx::query(sql).execute(database.pool()).await.expect("written");
    }
    let sent = Arc::<Mutex<Vec<Tick>>>::default();
    let mut loads = replica.load(&clock, (SYNC, 120), &sent);
    loads.extend(replica.load_with(Some(SECOND_APP), &clock, (SYNC, 120), &sent));
    pass(&clock, &[&replica], 1).await;
    assert_eq!((replica.share(), share_of_second(&replica)), (56, 56));
    let told: (i64, i64) =
        sqlx::query_as("SELECT places, is_sum FROM quota_share WHERE replica = 'new' AND bucket = 'burst'")
            .fetch_one(database.pool())
            .await
            .expect("told");
    assert_eq!(told, (112, 1));

    // It is gone: what it left counts no more.
    sqlx::query("DELETE FROM quota_share WHERE replica = 'old'")
        .execute(database.pool())
        .await
        .expect("gone");
    pass(&clock, &[&replica], 1).await;
    assert_eq!((replica.share(), share_of_second(&replica)), (WHOLE, WHOLE));
    loads.iter().for_each(JoinHandle::abort);

    // Who leaves says so in the sum too.
    replica.keeper.leave().await.expect("left");
    let left: (i64,) = sqlx::query_as(
        "SELECT SUM(CASE is_sum WHEN 1 THEN places ELSE -places END)::BIGINT FROM quota_share",
    )
    .fetch_one(database.pool())
    .await
    .expect("told");
    assert_eq!(left, (0,));
}
