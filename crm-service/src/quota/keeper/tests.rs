use std::sync::Mutex;

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::{Clock as _, MockClock, Tick},
    database::Config as DatabaseConfig,
    id::CallId,
    random::SystemRandom,
};
use tokio::task::JoinHandle;

use super::*;
use crate::quota::{About, App, Bucket, Class, Config, Error, Kind, Payer, Sharing};

mod apps;
mod callers;
mod strangers;

const SECOND: Duration = Duration::from_secs(1);
/// Places of all replicas together.
const WHOLE: usize = 96;

/// Who calls for ever, and is answered at once.
#[derive(Clone, Copy)]
struct Caller {
    name: &'static str,
    class: Class,
}

const SYNC: Caller = Caller {
    name: "sync",
    class: Class::Usual,
};

/// A replica whose renewals are made by the test.
struct Replica {
    keeper: Keeper,
    portal: PortalQuota,
}

async fn database() -> Database {
    let fresh = hubkeep_test_postgres::fresh("quota");
    let config = DatabaseConfig {
        url: fresh.url,
        password_file: Some(fresh.password_file),
        ..DatabaseConfig::default()
    };
    let opened = Database::open(&config, &[&crate::MIGRATIONS]).await;
    opened.expect("opened")
}

impl Replica {
    fn of(database: &Database, clock: &Arc<MockClock>, name: &str) -> Self {
        let (lease, wanted) = (Arc::<Lease>::default(), Arc::<Notify>::default());
        let config = Config {
            weights: [("wide".to_owned(), 30)].into(),
            ..Config::default()
        };
        let mut quota = Quota::new(config, clock.clone());
        quota.sharing = Some(Sharing {
            lease: lease.clone(),
            wanted: wanted.clone(),
        });
        let portal = ProvenPortal::by_redeemed_handle(
            PortalId::new(42).expect("not zero"),
            "acme".parse().expect("valid"),
        );
        Self {
            portal: quota.of(&portal, "UTC"),
            keeper: Keeper {
                quota,
                database: database.clone(),
                clock: clock.clone(),
                replica: name.to_owned(),
                lease,
                wanted,
                renewals: AtomicU64::default(),
            },
        }
    }

    fn share(&self) -> usize {
        self.portal.with(|budget| budget.paced(&burst()).window.most())
    }

    /// How many calls it has told of that nobody here has made; `None` if it has seen none.
    fn seen(&self) -> Option<u64> {
        let seen = self.portal.with(|budget| budget.outside.seen());
        seen.map(|seen| seen.calls)
    }

    /// A caller with so many calls at once, with the token of the portal's first app.
    fn load(
        &self,
        clock: &Arc<MockClock>,
        load: (Caller, usize),
        sent: &Arc<Mutex<Vec<Tick>>>,
    ) -> Vec<JoinHandle<()>> {
        self.load_with(None, clock, load, sent)
    }

    /// The same with that of another.
    fn load_with(
        &self,
        app: Option<&'static str>,
        clock: &Arc<MockClock>,
        (caller, at_once): (Caller, usize),
        sent: &Arc<Mutex<Vec<Tick>>>,
    ) -> Vec<JoinHandle<()>> {
        let call = || {
            let (portal, clock, sent) = (self.portal.clone(), clock.clone(), sent.clone());
            let Caller { name, class } = caller;
            tokio::spawn(async move {
                let caller = name.parse().expect("valid");
                let app = app.map(|app| app.parse().expect("valid"));
                let call = CallId::make(&*clock, &*SystemRandom::shared()).expect("made");
                let about = About::new(call, [call]);
                let payer = Payer {
                    caller: &caller,
                    app: app.as_ref(),
                    kind: Kind::Private,
                    is_person: class == Class::Person,
                    is_batch: class == Class::Batch,
                    about: &about,
                };
                loop {
                    let deadline = clock.tick().plus(60 * SECOND);
                    match portal.pay(payer, Bucket::Burst, deadline).await {
                        Ok(slot) => {
                            slot.sent(clock.tick());
                            sent.lock().expect("not poisoned").push(clock.tick());
                        }
                        Err(_) => clock.sleep_until(clock.tick().plus(SECOND)).await,
                    }
                }
            })
        };
        (0..at_once).map(|_| call()).collect()
    }
}

/// Lets time pass, in which each replica renews its shares four times a second.
async fn pass(clock: &MockClock, replicas: &[&Replica], seconds: u64) {
    for step in 0..seconds * 20 {
        clock.advance(Duration::from_millis(50));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        if step % 5 == 0 {
            for replica in replicas {
                replica.keeper.renew().await.expect("renewed");
            }
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The limit of the app that calls here, where no other is said.
fn burst() -> Limit {
    Limit::Burst(App::default())
}

fn never_too_many(sent: &[Tick]) {
    let mut sent = sent.to_vec();
    sent.sort_unstable();
    for (nth, begin) in sent.iter().enumerate() {
        let inside = sent[nth..]
            .iter()
            .take_while(|at| at.since(*begin) < 10 * SECOND)
            .count();
        assert!(inside <= WHOLE, "{inside} within 10 s");
    }
}

#[tokio::test]
async fn places_go_where_the_calls_are_and_no_interval_ever_holds_too_many() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let replicas = ["a", "b", "c"].map(|name| Replica::of(&database, &clock, name));
    let all: Vec<&Replica> = replicas.iter().collect();
    let sent = Arc::<Mutex<Vec<Tick>>>::default();
    let so_far = || sent.lock().expect("not poisoned").len();

    // One alone has everything at once.
    pass(&clock, &all, 1).await;
    let first = replicas[0].load(&clock, (SYNC, 40), &sent);
    pass(&clock, &all, 1).await;
    assert_eq!((replicas[0].share(), so_far()), (WHOLE, WHOLE));

    // Three under load share it evenly when its calls count no more, and use it up.
    let others: Vec<_> = [&replicas[1], &replicas[2]]
        .into_iter()
        .flat_map(|replica| replica.load(&clock, (SYNC, 40), &sent))
        .collect();
    pass(&clock, &all, 12).await;
    assert_eq!(replicas.each_ref().map(Replica::share), [32; 3]);
    let before = so_far();
    pass(&clock, &all, 40).await;
    let used = so_far() - before;
    assert!(used >= WHOLE * 4 * 98 / 100, "{used} of {}", WHOLE * 4);

    // Two fall silent: the third has it all when their last calls count no more.
    others.iter().for_each(JoinHandle::abort);
    pass(&clock, &all, 14).await;
    assert_eq!(replicas.each_ref().map(Replica::share), [WHOLE, 0, 0]);
    let before = so_far();
    pass(&clock, &all, 20).await;
    let used = so_far() - before;
    assert!(used >= WHOLE * 2 * 98 / 100, "{used} of {}", WHOLE * 2);
    first.iter().for_each(JoinHandle::abort);
    never_too_many(&sent.lock().expect("not poisoned"));
}

#[tokio::test]
async fn a_replica_that_is_lost_sends_nothing_and_leaves_its_places_when_its_calls_count_no_more() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let [lost, other] = ["lost", "other"].map(|name| Replica::of(&database, &clock, name));
    let sent = Arc::<Mutex<Vec<Tick>>>::default();
    lost.keeper.renew().await.expect("renewed");
    let loads = [&lost, &other].map(|replica| replica.load(&clock, (SYNC, 40), &sent));
    pass(&clock, &[&lost], 1).await;
    assert_eq!(sent.lock().expect("not poisoned").len(), WHOLE);

    // It renews nothing any more: its lease ends, also where its calls count no more.
    pass(&clock, &[&other], 20).await;
    assert_eq!(sent.lock().expect("not poisoned").len(), WHOLE, "nobody has sent");
    assert_eq!((lost.portal.send_by().is_err(), other.share()), (true, 0));

    // By the database's clock all that is long ago now.
    let long_ago =
        sqlx::query("UPDATE quota_replica SET lease_until = lease_until - $1 WHERE replica = 'lost'")
            .bind(21_000_000_i64)
            .execute(database.pool());
    long_ago.await.expect("moved");
    pass(&clock, &[&other], 2).await;
    assert_eq!(other.share(), WHOLE);

    // It comes back, and takes what is its part, when that counts no more.
    pass(&clock, &[&lost, &other], 30).await;
    assert_eq!((lost.share(), other.share()), (WHOLE / 2, WHOLE / 2));
    loads.iter().flatten().for_each(JoinHandle::abort);
    never_too_many(&sent.lock().expect("not poisoned"));
}

#[tokio::test]
async fn a_replica_that_stops_keeps_what_still_counts_and_nothing_else() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let [stopping, other] = ["stopping", "other"].map(|name| Replica::of(&database, &clock, name));
    stopping.keeper.renew().await.expect("renewed");
    let sent = Arc::<Mutex<Vec<Tick>>>::default();
    stopping
        .portal
        .with(|budget| budget.paced(&burst()).window.resize(10, 10));
    let load = stopping.load(&clock, (SYNC, 40), &sent);
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    load.iter().for_each(JoinHandle::abort);
    let used = sent.lock().expect("not poisoned").len();
    assert_eq!(used, 10);
    stopping.keeper.leave().await.expect("left");
    other.keeper.renew().await.expect("renewed");
    let _load = other.load(&clock, (SYNC, 40), &sent);
    pass(&clock, &[&other], 1).await;
    assert_eq!(other.share(), WHOLE - used, "{used} still count");
    never_too_many(&sent.lock().expect("not poisoned"));
}

/// A call whose replica's share has ended while nothing was renewed, as when the machine is suspended.
async fn after_a_leap(
    replica: &Replica,
    clock: &Arc<MockClock>,
    sent: &Arc<Mutex<Vec<Tick>>>,
) -> JoinHandle<()> {
    replica.keeper.renew().await.expect("renewed");
    replica
        .portal
        .with(|budget| budget.paced(&burst()).window.resize(10, 10));
    clock.advance(20 * SECOND);
    let load = replica.load(clock, (SYNC, 1), sent);
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    load.into_iter().next().expect("one")
}

#[tokio::test]
async fn a_call_that_comes_when_the_share_is_over_waits_for_the_next() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let replica = Replica::of(&database, &clock, "a");
    let sent = Arc::<Mutex<Vec<Tick>>>::default();
    let so_far = || sent.lock().expect("not poisoned").len();
    let call = after_a_leap(&replica, &clock, &sent).await;
    assert_eq!(so_far(), 0, "others may have its places");
    // With the first it may wait in line, with the next it is served.
    for _ in 0..2 {
        replica.keeper.renew().await.expect("renewed");
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }
    assert!(so_far() > 0, "no time has passed, and it was not refused");
    call.abort();
}

#[tokio::test]
async fn a_call_waits_for_no_share_that_cannot_be_renewed() {
    let (database, clock) = (database().await, MockClock::at(Timestamp::from_micros(1)));
    let replica = Replica::of(&database, &clock, "a");
    replica.keeper.renew().await.expect("renewed");
    clock.advance(20 * SECOND);
    let call = CallId::make(&*clock, &*SystemRandom::shared()).expect("made");
    let about = About::new(call, [call]);
    let payer = Payer {
        caller: &"sync".parse().expect("valid"),
        app: None,
        kind: Kind::Private,
        is_person: false,
        is_batch: false,
        about: &about,
    };
    let pay = replica
        .portal
        .pay(payer, Bucket::Burst, clock.tick().plus(60 * SECOND));
    database.close().await;
    let renew = async {
        replica.keeper.renew().await.expect_err("there is no database");
        replica.keeper.has_failed();
    };
    let (paid, ()) = tokio::join!(pay, renew);
    assert!(matches!(paid, Err(Error::LeaseLost { .. })), "{paid:?}");
    // And so are those who come later, at once.
    let again = replica
        .portal
        .pay(payer, Bucket::Burst, clock.tick().plus(60 * SECOND));
    assert!(again.await.is_err());
}
