//! Of a portal's limit some places are kept for credential-service, and lent to callers while it does not call.

use std::{sync::Arc, time::Duration};

use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_proto::credential::v1::{VerifyPortalRequest, portal_service_client::PortalServiceClient};
use hubkeep_tests::{
    Crm, Hubkeep, Service, World, eventually,
    support::{audit::Reader, handles::named, portals::OPERATOR},
};

const A: &str = "client-0001";
const SECOND: Duration = Duration::from_secs(1);
/// credential-service is expected to call for so long after it has said that it does.
const KEPT_FOR: Duration = Duration::from_secs(46);
/// After this nothing counts any more that was called before.
const A_WINDOW: Duration = Duration::from_millis(10_200);

struct Stage {
    clock: Arc<MockClock>,
    hubkeep: Hubkeep,
    crm: Crm,
}

impl Stage {
    async fn start() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
        let hubkeep = Hubkeep::over(World::of_portals(1)).clock(clock.clone());
        let hubkeep = hubkeep.start().await;
        hubkeep.onboard_all().await;
        let handle = hubkeep.handle(A).issue().await;
        let crm = hubkeep.crm_as("sync").with(&handle).within(2 * SECOND);
        Self { clock, hubkeep, crm }
    }

    fn later(&self, by: Duration) {
        self.clock.advance(by);
        self.hubkeep.hubspot.advance_time(by);
    }

    /// Calls one after the other until there is no room: how many were made.
    async fn fill(&self) -> usize {
        let mut made = 0;
        while self.crm.get("contacts", "101").await.is_ok() {
            made += 1;
        }
        made
    }

    /// How many calls in an interval callers may make, as the service says.
    async fn share(&self) -> u64 {
        let quota = self.hubkeep.quota(Reader::Operator(OPERATOR), A).await;
        let burst = quota.expect("told").burst;
        burst.and_then(|burst| burst.share).expect("it is known")
    }

    /// How often HubSpot was asked about the token.
    fn questions(&self) -> usize {
        let journal = self.hubkeep.journal();
        journal
            .iter()
            .filter(|call| !call.path.starts_with("/crm/"))
            .count()
    }

    fn refusals(&self) -> usize {
        let journal = self.hubkeep.journal();
        journal.iter().filter(|call| call.status == Some(429)).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_have_all_but_one_place_and_a_verification_at_the_limit_never_makes_hubspot_refuse() {
    let stage = Stage::start().await;
    stage.crm.get("contacts", "101").await.expect("served");
    stage.later(A_WINDOW);
    eventually!(stage.share().await == 99);
    assert_eq!(stage.fill().await, 99);

    let before = stage.questions();
    let verification = tokio::spawn({
        let mut client = PortalServiceClient::new(stage.hubkeep.channel(Service::Credential));
        async move {
            let request = VerifyPortalRequest {
                client_slug: A.to_owned(),
            };
            let mut request = named(OPERATOR, request);
            request.set_timeout(60 * SECOND);
            client.verify_portal(request).await
        }
    });
    eventually!(stage.questions() == before + 1);
    assert_eq!(stage.fill().await, 0, "the one place was for it");
    // Its second call comes when what was lent counts no more.
    eventually!({
        stage.later(SECOND / 5);
        stage.questions() == before + 2
    });
    verification.await.expect("ran").expect("verified");
    assert_eq!(stage.share().await, 96, "it calls: four are kept");
    stage.fill().await;
    stage.later(KEPT_FOR);
    eventually!(stage.share().await == 99);
    assert_eq!(stage.fill().await, 99);
    assert_eq!(stage.refusals(), 0);
}
