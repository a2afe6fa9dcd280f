//! Alerts over a real log and a real database, by a clock that a test holds.

mod people;

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, sync::Arc, time::Duration};

use hubkeep_audit_log::{AuditLog, Draft, Identity, Operation, Outcome, ProvenPortal, anchors};
use hubkeep_core::{
    clock::{MockClock, SharedClock, SystemClock, Timestamp},
    database::{self, Database},
    error::ErrorReason,
    grpc::Holds,
    id::{CallId, PortalId, RequestId},
    random::SystemRandom,
};
use hubkeep_test_doubles::{keeper::Keeper, trouble::Trouble};
use hubkeep_test_postgres::Fresh;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Alert, Alerts, Config, Deps, Kind, PutRule, Severity, Which};
use crate::{
    credentials::{self, Credentials},
    notify::{self, Notify},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Where everything is kept.
enum Place {
    Files(TempDir),
    Postgres(Fresh, Fresh),
}

impl Place {
    fn both() -> [Self; 2] {
        [
            Self::Files(tempfile::tempdir().expect("a folder")),
            Self::Postgres(
                hubkeep_test_postgres::fresh("data"),
                hubkeep_test_postgres::fresh("audit"),
            ),
        ]
    }

    fn configs(&self) -> (database::Config, hubkeep_audit_log::Config) {
        let (mut data, mut audit) = (database::Config::default(), hubkeep_audit_log::Config::default());
        match self {
            Self::Files(folder) => {
                let url = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
                (data.url, audit.url) = (url("data"), url("audit"));
            }
            Self::Postgres(of_data, of_audit) => {
                (data.url, data.password_file) = (of_data.url.clone(), Some(of_data.password_file.clone()));
                (audit.url, audit.password_file) =
                    (of_audit.url.clone(), Some(of_audit.password_file.clone()));
            }
        }
        audit.intent_deadline = Duration::from_secs(20);
        (data, audit)
    }
}

/// One replica.
struct Replica {
    log: AuditLog,
    database: Database,
    alerts: Alerts,
    clock: SharedClock,
}

/// A credential-service that nobody has started.
fn nobody(clock: &SharedClock) -> Credentials {
    let config = credentials::Config::default();
    let (orders, _) = mpsc::unbounded_channel();
    let random = SystemRandom::shared();
    let built = Credentials::build(config, None, clock.clone(), &*random, orders, Holds::default());
    built.expect("an address")
}

impl Replica {
    async fn start(place: &Place, clock: &SharedClock) -> Self {
        Self::anchoring(place, clock, anchors::Config::default()).await
    }

    async fn anchoring(place: &Place, clock: &SharedClock, anchors: anchors::Config) -> Self {
        let (data, mut audit) = place.configs();
        audit.anchors = anchors;
        let random = SystemRandom::shared();
        let database = Database::open(&data, &[&hubkeep_seal::MIGRATIONS, &crate::MIGRATIONS])
            .await
            .expect("opened");
        let identity = Identity {
            deployment: "test".to_owned(),
            service: "crm-service",
            instance: "here".to_owned(),
        };
        let log = AuditLog::open(&audit, identity, clock.clone(), random.clone())
            .await
            .expect("opened");
        let deps = Deps {
            database: database.clone(),
            log: log.clone(),
            notify: Notify::build(&notify::Config::default(), clock.clone()).expect("built"),
            credentials: nobody(clock),
            caller: "crm-service".parse().expect("valid"),
            holder: RequestId::make(&**clock, &*random).expect("random").to_string(),
            clock: clock.clone(),
            random,
        };
        let alerts = Alerts::start(Config::default(), deps, CancellationToken::new()).await;
        Self {
            log,
            database,
            alerts: alerts.expect("started"),
            clock: clock.clone(),
        }
    }

    async fn stop(self) {
        self.alerts.close().await;
        self.log.stop().await;
        self.database.close().await;
    }

    fn draft(&self, portal: u64, caller: &str) -> Draft {
        let id = PortalId::new(portal).expect("valid");
        let slug = format!("client-{portal}").parse().expect("valid");
        let portal = ProvenPortal::by_redeemed_handle(id, slug);
        let call_id = CallId::make(&*self.clock, &*SystemRandom::shared()).expect("random");
        Draft::portal(&portal, Operation::ObjectGet, call_id)
            .caller(&caller.parse().expect("valid"))
            .object("contacts", None)
            .attempt(1)
    }

    async fn reads(&self, portal: u64, caller: &str, times: usize) {
        self.reads_for(portal, caller, None, times).await;
    }

    async fn reads_for(&self, portal: u64, caller: &str, person: Option<&str>, times: usize) {
        let outcomes = (0..times).map(|_| async {
            let draft = self.draft(portal, caller).actor(person);
            let intent = self.log.intent(draft).await.expect("durable");
            let outcome = Outcome {
                status_code: 200,
                ..Outcome::ok()
            };
            intent.settle(outcome).await.expect("durable");
        });
        futures::future::join_all(outcomes).await;
    }

    async fn refused(&self, portal: u64, caller: &str, reason: ErrorReason) {
        let refused = self
            .log
            .denied(self.draft(portal, caller), Outcome::refused(reason));
        refused.await.expect("durable");
    }

    async fn all(&self) -> Vec<Alert> {
        self.alerts
            .list(&Which::default(), None, 500)
            .await
            .expect("read")
    }

    async fn firing(&self) -> Vec<Alert> {
        let mut all = self.all().await;
        all.retain(|alert| alert.resolve_time.is_none());
        all
    }

    /// Waits until the log was looked at to its end.
    async fn looked(&self) {
        let end = self.log.end().await.expect("read");
        // An alert of its own, which must come behind everything else.
        self.refused(999, &format!("probe-{}", end.get()), ErrorReason::PortalMismatch)
            .await;
        wait(async || {
            let all = self.all().await;
            all.iter()
                .any(|alert| alert.subject == format!("probe-{}", end.get()))
        })
        .await;
    }

    /// All but those by which it is known that the log was looked at.
    async fn found(&self) -> Vec<(Kind, u64, String, u64)> {
        self.looked().await;
        let mut all = self.all().await;
        all.retain(|alert| alert.portal_id != 999);
        all.reverse();
        all.into_iter()
            .map(|alert| (alert.kind, alert.portal_id, alert.subject, alert.count))
            .collect()
    }
}

async fn wait(mut holds: impl AsyncFnMut() -> bool) {
    let clock = SystemClock::shared();
    let until = clock.tick().plus(Duration::from_secs(60));
    while !holds().await {
        assert!(clock.tick() < until, "it does not hold");
        clock.sleep(Duration::from_millis(10)).await;
    }
}

fn mock() -> (Arc<MockClock>, SharedClock) {
    let clock = MockClock::at(Timestamp::from_micros(1_795_369_525_000_000));
    (clock.clone(), clock)
}

fn reads_of(portal: u64, caller: &str) -> (Kind, u64, String, u64) {
    (Kind::ContactReads, portal, caller.to_owned(), 101)
}

#[tokio::test]
async fn one_caller_with_one_read_too_many_fires_once_and_is_resolved_by_time() {
    for place in Place::both() {
        let (clock, shared) = mock();
        let replica = Replica::start(&place, &shared).await;
        replica.reads(1, "sync", 100).await;
        replica.reads(2, "sync", 60).await;
        replica.reads(2, "billing", 60).await;
        assert_eq!(
            replica.found().await,
            [],
            "a hundred are allowed, to each caller and portal"
        );
        replica.reads(1, "sync", 20).await;
        assert_eq!(replica.found().await, [reads_of(1, "sync")], "once");
        clock.advance(MINUTE / 2);
        replica.looked().await;
        assert!(replica.firing().await.iter().any(|alert| alert.portal_id == 1));
        let fired = shared.now().minus(MINUTE / 2);
        clock.advance(MINUTE / 2);
        wait(async || replica.firing().await.iter().all(|alert| alert.portal_id != 1)).await;
        let all = replica.all().await;
        let alert = all.iter().find(|alert| alert.portal_id == 1).expect("kept");
        assert_eq!(
            (alert.fire_time, alert.resolve_time),
            (fired, Some(fired.plus(MINUTE))),
            "by the entries' own time"
        );
        replica.reads(1, "sync", 101).await;
        assert_eq!(
            replica.found().await,
            [reads_of(1, "sync"), reads_of(1, "sync")],
            "anew"
        );
        replica.stop().await;
    }
}

#[tokio::test]
async fn what_happens_while_nobody_looks_is_found_after_the_start_and_nothing_is_found_twice() {
    for place in Place::both() {
        let (clock, shared) = mock();
        let replica = Replica::start(&place, &shared).await;
        replica.reads(1, "sync", 101).await;
        replica.reads(2, "sync", 60).await;
        assert_eq!(replica.found().await, [reads_of(1, "sync")]);
        replica.alerts.close().await;
        // Nobody looks, and then the process ends.
        replica.reads(2, "sync", 41).await;
        replica.reads(1, "sync", 5).await;
        replica.refused(3, "sync", ErrorReason::PortalMismatch).await;
        replica.log.stop().await;
        replica.database.close().await;
        for start in 0..3 {
            let replica = Replica::start(&place, &shared).await;
            let wrong = (Kind::WrongPortal, 3, "sync".to_owned(), 1);
            assert_eq!(
                replica.found().await,
                [reads_of(1, "sync"), reads_of(2, "sync"), wrong],
                "start {start}"
            );
            replica.stop().await;
        }
        clock.advance(MINUTE * 11);
        let replica = Replica::start(&place, &shared).await;
        replica.looked().await;
        clock.advance(Duration::from_secs(2));
        wait(async || replica.firing().await.iter().all(|alert| alert.portal_id == 999)).await;
        replica.stop().await;
    }
}

#[tokio::test]
async fn a_rule_that_is_put_for_a_portal_holds_there_at_once_and_nowhere_else() {
    for place in Place::both() {
        let (_, shared) = mock();
        let replica = Replica::start(&place, &shared).await;
        replica.reads(1, "sync", 10).await;
        let mut rule = replica.alerts.rule(Kind::ContactReads).clone();
        (rule.threshold, rule.severity) = (10, Severity::Critical);
        let put = PutRule {
            portal_id: PortalId::new(1).expect("valid"),
            client_slug: "client-1".to_owned(),
            kind: Kind::ContactReads,
            rule,
            put_by: "operator/ann".to_owned(),
            put_time: shared.now(),
        };
        replica.alerts.put(&put).await.expect("put");
        let kept = replica.alerts.put_rules().await.expect("read");
        assert_eq!(kept, std::slice::from_ref(&put));
        replica.reads(2, "sync", 100).await;
        replica.reads(1, "sync", 1).await;
        let eleven = (Kind::ContactReads, 1, "sync".to_owned(), 11);
        let found = replica.found().await;
        assert_eq!(found, std::slice::from_ref(&eleven), "with the ten of before");
        replica
            .alerts
            .take_back(put.portal_id, put.kind)
            .await
            .expect("taken back");
        replica.reads(1, "other", 50).await;
        assert_eq!(replica.found().await, [eleven]);
        replica.stop().await;
    }
}

#[tokio::test]
async fn of_two_replicas_one_looks_and_the_other_goes_on_when_it_ends() {
    let place = Place::both().into_iter().next_back().expect("PostgreSQL");
    let clock = SystemClock::shared();
    let one = Replica::start(&place, &clock).await;
    one.reads(1, "sync", 101).await;
    assert_eq!(one.found().await, [reads_of(1, "sync")]);
    let other = Replica::start(&place, &clock).await;
    other.reads(2, "sync", 101).await;
    assert_eq!(other.found().await.len(), 2, "found by the first");
    one.stop().await;
    other.reads(1, "sync", 5).await;
    other.reads(3, "sync", 101).await;
    assert_eq!(
        other.found().await,
        [reads_of(1, "sync"), reads_of(2, "sync"), reads_of(3, "sync")]
    );
    other.stop().await;
}

#[tokio::test]
async fn a_log_that_is_not_anchored_in_time_fires_and_is_resolved_when_it_is() {
    const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let keeper = Keeper::start(SECRET).await;
    keeper.switch().set(Trouble::Fails);
    let folder = tempfile::tempdir().expect("a folder");
    let secret_file = folder.path().join("secret");
    std::fs::write(&secret_file, SECRET).expect("written");
    std::fs::set_permissions(&secret_file, Permissions::from_mode(0o600)).expect("set");
    let anchors = anchors::Config {
        every: MINUTE,
        late_by: 2 * MINUTE,
        webhook: Some(anchors::Webhook {
            url: keeper.url(),
            secret_file,
        }),
        ..anchors::Config::default()
    };
    let (clock, shared) = mock();
    let place = Place::Files(folder);
    let replica = Replica::anchoring(&place, &shared, anchors).await;
    replica.reads(1, "sync", 1).await;
    let unanchored = async || {
        clock.advance(Duration::from_secs(2));
        let mut all = replica.all().await;
        all.retain(|alert| alert.kind == Kind::Unanchored);
        all
    };
    wait(async || !unanchored().await.is_empty()).await;
    let fired = unanchored().await.remove(0);
    assert!(
        shared.now().since(mock().1.now()) > 3 * MINUTE,
        "not before it is late"
    );
    assert_eq!(
        (fired.portal_id, fired.severity, fired.resolve_time),
        (0, Severity::High, None)
    );
    keeper.switch().set(Trouble::None);
    wait(async || {
        unanchored()
            .await
            .iter()
            .all(|alert| alert.resolve_time.is_some())
    })
    .await;
    assert!(!keeper.taken().is_empty());
    assert_eq!(
        unanchored().await.len(),
        1,
        "one alert, however often it was noted"
    );
    replica.stop().await;
}
