//! The connections of both services to PostgreSQL, in trouble: each service has two, for its data and for its log.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use hubkeep_core::clock::SystemClock;
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, Limits, Proxy, Refused, World, eventually,
    support::trouble::{BREAKS, MENDED_WITHIN, Trouble, every_call_is_on_record, socket_of},
};
use tonic::Code::{self, Unavailable, Unknown};

const A: &str = "client-0001";
const B: &str = "client-0002";
const INTENT_DEADLINE: Duration = Duration::from_millis(400);
/// The deadline of who states none: the service holds it, and no timer of the caller's comes first.
const DEADLINE: Duration = Duration::from_secs(2);
/// The deadline, and what a machine under load may add.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);
/// The same where a service waits for its data: it looks for another connection for 4 s.
const REFUSED_WITHOUT_DATA_WITHIN: Duration = Duration::from_secs(9);

const NO_LOG: (Code, &str) = (Unavailable, "AUDIT_UNAVAILABLE");
const NO_DATA: (Code, &str) = (Unavailable, "STORAGE_UNAVAILABLE");
const NO_HANDLES: (Code, &str) = (Unavailable, "CREDENTIAL_SERVICE_UNAVAILABLE");
const UNKNOWN: (Code, &str) = (Unknown, "OUTCOME_UNKNOWN");

/// Whose connection to which database is in trouble.
#[derive(Clone, Copy, Debug)]
enum Line {
    CredentialData,
    CredentialLog,
    CrmData,
    CrmLog,
}

/// Leads a database's address through a proxy.
fn through(proxy: &Proxy, url: &mut String) {
    let server = socket_of(url);
    proxy.lead_to(server);
    *url = url.replace(&server.to_string(), &proxy.address().to_string());
}

/// A Hubkeep on PostgreSQL, with one of its connections through a proxy.
struct Behind {
    hubkeep: Hubkeep,
    proxy: Arc<Proxy>,
}

impl Behind {
    async fn start(line: Line) -> Self {
        let proxy = Arc::new(Proxy::open().await);
        let (credential, crm) = (Arc::clone(&proxy), Arc::clone(&proxy));
        let world = World::of_portals(2).limits(&Limits::unlimited());
        let setup = Hubkeep::over(world)
            .postgres()
            .credential(move |config| {
                config.audit.intent_deadline = INTENT_DEADLINE;
                match line {
                    Line::CredentialData => through(&credential, &mut config.database.url),
                    Line::CredentialLog => through(&credential, &mut config.audit.url),
                    Line::CrmData | Line::CrmLog => {}
                }
            })
            .crm(move |config| {
                config.audit.intent_deadline = INTENT_DEADLINE;
                config.grpc.default_deadline = DEADLINE;
                match line {
                    Line::CrmData => through(&crm, &mut config.database.url),
                    Line::CrmLog => through(&crm, &mut config.audit.url),
                    Line::CredentialData | Line::CredentialLog => {}
                }
            });
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        Self { hubkeep, proxy }
    }

    /// A caller with a new handle for this portal, which crm-service has not seen yet.
    async fn caller(&self, slug: &str) -> Crm {
        let handle = self.hubkeep.handle(slug).issue().await;
        self.hubkeep.crm_as("sync").with(&handle)
    }

    /// Begins the trouble while calls and issues are under way. Each of them ends in time, well or with one of these.
    async fn befall(&self, trouble: Trouble, crm: &Crm, allowed: &[(Code, &str)], within: Duration) {
        let clock = SystemClock::shared();
        let ended = |answer: Result<(), tonic::Status>| {
            if let Err(status) = answer {
                let refused = Refused::of(&status);
                assert!(allowed.contains(&refused.said()), "{trouble:?}: {refused:?}");
            }
        };
        eventually!(crm.get("contacts", "101").await.is_ok());
        let mut under_way: FuturesUnordered<_> = (0..24)
            .map(|number| async move {
                match number % 3 {
                    0 => crm.get("contacts", "101").await.map(drop),
                    1 => {
                        let change = crm.update("contacts", "101", &[("firstname", "x")]);
                        change.await.map(drop)
                    }
                    _ => self.hubkeep.handle(A).ask().await.map(drop),
                }
            })
            .collect();
        ended(under_way.next().await.expect("one of them"));
        trouble.befall(&self.proxy);
        let began = clock.tick();
        while let Some(answer) = under_way.next().await {
            ended(answer);
        }
        let took = clock.tick().since(began);
        assert!(took < within, "{trouble:?}: ended after {took:?}");
    }

    /// Mends the connection: everything works again in time, without a restart.
    async fn mend(&self) {
        self.proxy.restore();
        let clock = SystemClock::shared();
        let mended = clock.tick();
        let all_is_well = async || {
            let Ok(handle) = self.hubkeep.handle(A).ask().await else {
                return false;
            };
            let crm = self.hubkeep.crm_as("sync").with(&handle);
            crm.get("contacts", "101").await.is_ok()
                && crm.update("contacts", "101", &[("firstname", "y")]).await.is_ok()
        };
        eventually!(MENDED_WITHIN, all_is_well().await);
        let took = clock.tick().since(mended);
        assert!(took < MENDED_WITHIN, "{took:?}");
    }

    /// A slow connection is one that works.
    async fn bears_slowness(&self) {
        Trouble::Slow.befall(&self.proxy);
        let crm = self.caller(B).await.within(MENDED_WITHIN);
        crm.get("contacts", "101").await.expect("slow, and answered");
        let written = crm.update("contacts", "101", &[("firstname", "slow")]).await;
        written.expect("slow, and written");
        self.proxy.restore();
    }

    fn sent(&self) -> usize {
        self.hubkeep.hubspot_calls().len()
    }
}

/// Fails unless this is refused so, in time.
async fn is_refused<T>(
    trouble: Trouble,
    said: (Code, &str),
    within: Duration,
    asked: impl Future<Output = Result<T, tonic::Status>>,
) {
    let clock = SystemClock::shared();
    let began = clock.tick();
    let refused = Refused::in_place_of(asked.await);
    let took = clock.tick().since(began);
    assert_eq!(refused.said(), said, "{trouble:?}");
    assert!(took < within, "{trouble:?}: told after {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn crm_service_and_its_log() {
    let behind = Behind::start(Line::CrmLog).await;
    let crm = behind.caller(A).await;
    for trouble in BREAKS {
        let allowed = [NO_LOG, UNKNOWN];
        behind.befall(trouble, &crm, &allowed, REFUSED_WITHIN).await;
        let sent = behind.sent();
        futures::join!(
            is_refused(trouble, NO_LOG, REFUSED_WITHIN, crm.get("contacts", "101")),
            is_refused(
                trouble,
                NO_LOG,
                REFUSED_WITHIN,
                crm.update("contacts", "101", &[("firstname", "x")])
            ),
        );
        assert_eq!(
            behind.sent(),
            sent,
            "{trouble:?}: what is not recorded is not sent"
        );
        behind.mend().await;
    }
    behind.bears_slowness().await;
    every_call_is_on_record(&behind.hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_outcome_cannot_be_recorded_ends_as_unknown_and_is_on_record_later() {
    let behind = Behind::start(Line::CrmLog).await;
    let crm = behind.caller(A).await.within(MENDED_WITHIN);
    for trouble in BREAKS {
        let rule = FaultRule::new(Fault::HoldUntilReleased).path("/crm/").times(2);
        let held = behind.hubkeep.hubspot.inject(rule);
        let (reader, writer) = (crm.clone(), crm.clone());
        let read = tokio::spawn(async move { reader.get("contacts", "101").await });
        let write =
            tokio::spawn(async move { writer.update("contacts", "101", &[("firstname", "held")]).await });
        behind.hubkeep.hubspot.until_held(2).await;
        trouble.befall(&behind.proxy);
        behind.hubkeep.hubspot.release(held);
        let refused = Refused::in_place_of(read.await.expect("no panic"));
        assert_eq!(refused.said(), NO_LOG, "{trouble:?}");
        let refused = Refused::in_place_of(write.await.expect("no panic"));
        assert_eq!(refused.said(), UNKNOWN, "{trouble:?}");
        behind.mend().await;
    }
    every_call_is_on_record(&behind.hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_service_and_its_log() {
    let behind = Behind::start(Line::CredentialLog).await;
    let crm = behind.caller(A).await;
    for trouble in BREAKS {
        let new = behind.caller(A).await;
        let allowed = [NO_LOG, NO_HANDLES];
        behind.befall(trouble, &crm, &allowed, REFUSED_WITHIN).await;
        let sent = behind.sent();
        let issue = behind.hubkeep.handle(A).ask();
        futures::join!(
            is_refused(trouble, NO_LOG, REFUSED_WITHIN, issue),
            is_refused(trouble, NO_HANDLES, REFUSED_WITHIN, new.get("contacts", "101")),
        );
        assert_eq!(behind.sent(), sent, "{trouble:?}: nobody may know of it");
        behind.mend().await;
    }
    behind.bears_slowness().await;
    every_call_is_on_record(&behind.hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_service_and_its_data() {
    // Each trouble has a Hubkeep of its own: it takes seconds to give up a server that is silent.
    join_all(BREAKS.map(|trouble| {
        Box::pin(async move {
            let behind = Behind::start(Line::CredentialData).await;
            let crm = behind.caller(A).await;
            let new = behind.caller(A).await;
            let allowed = [NO_DATA, NO_HANDLES];
            let within = REFUSED_WITHOUT_DATA_WITHIN;
            behind.befall(trouble, &crm, &allowed, within).await;
            let sent = behind.sent();
            let issue = behind.hubkeep.handle(A).ask();
            futures::join!(
                is_refused(trouble, NO_DATA, within, issue),
                is_refused(trouble, NO_HANDLES, REFUSED_WITHIN, new.get("contacts", "101")),
            );
            assert_eq!(behind.sent(), sent, "{trouble:?}: nothing was sent");
            behind.mend().await;
            behind.bears_slowness().await;
            every_call_is_on_record(&behind.hubkeep).await;
        })
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crm_service_and_its_data() {
    join_all(BREAKS.map(|trouble| {
        Box::pin(async move {
            let behind = Behind::start(Line::CrmData).await;
            let crm = behind.caller(A).await;
            let new = behind.caller(B).await;
            // The key of its portal is in memory, so its calls go on as long as its share of the limits holds.
            behind.befall(trouble, &crm, &[NO_DATA], REFUSED_WITHIN).await;
            eventually!(crm.get("contacts", "101").await.is_err());
            let sent = behind.sent();
            let first = new.get("contacts", "101");
            is_refused(trouble, NO_DATA, REFUSED_WITHIN, first).await;
            assert_eq!(behind.sent(), sent, "{trouble:?}: nothing was sent");
            behind.mend().await;
            eventually!(MENDED_WITHIN, new.get("contacts", "101").await.is_ok());
            behind.bears_slowness().await;
            every_call_is_on_record(&behind.hubkeep).await;
        })
    }))
    .await;
}
