//! A portal that HubSpot moves between data centres (477) is left alone for as long as HubSpot has asked for.

use std::{sync::Arc, time::Duration};

use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_tests::{Allow, Crm, Fault, FaultRule, Handle, Hubkeep, Refused, World, support::audit::Reader};
use hubspot_sim::FaultId;
use tonic::{Code, Status};

const A: &str = "client-0001";
const B: &str = "client-0002";
const HOUR: Duration = Duration::from_secs(3_600);

struct Stage {
    hubkeep: Hubkeep,
    clock: Arc<MockClock>,
}

impl Stage {
    async fn start() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
        let setup = Hubkeep::over(World::of_portals(2)).clock(clock.clone());
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        Self { hubkeep, clock }
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.hubkeep.hubspot.advance_time(by);
    }

    /// Handles end long before a portal is moved: each time takes a new one.
    async fn handle(&self, slug: &str) -> Handle {
        let wish = self.hubkeep.handle(slug);
        wish.allow([Allow::Get, Allow::Update, Allow::Search, Allow::Quota])
            .issue()
            .await
    }

    async fn crm(&self, slug: &str) -> Crm {
        let handle = self.handle(slug).await;
        self.hubkeep.crm_as("sync").with(&handle)
    }

    /// From now on HubSpot moves the portal, and says for how many seconds.
    fn moves(&self, retry_after: u64) -> FaultId {
        let rule = FaultRule::new(Fault::Migrating { retry_after });
        self.hubkeep
            .hubspot
            .inject(rule.portal(self.hubkeep.portal_id(A)))
    }

    /// How many calls HubSpot has received for the portal.
    fn received(&self) -> usize {
        let id = self.hubkeep.portal_id(A);
        let calls = self.hubkeep.hubspot_calls();
        calls.iter().filter(|call| call.portal_id == Some(id)).count()
    }

    /// Until when the quota says that it is moved, in seconds from now.
    async fn told_until(&self) -> Option<i64> {
        let handle = self.handle(A).await;
        let quota = self
            .hubkeep
            .quota(Reader::Holder(&handle), A)
            .await
            .expect("told");
        let now = quota.observe_time.expect("told").seconds;
        quota.moving_until_time.map(|until| until.seconds - now)
    }
}

fn is_moved<T>(answer: Result<T, Status>, wait: Duration) {
    let refused = Refused::in_place_of(answer);
    assert_eq!(refused.said(), (Code::Unavailable, "PORTAL_MIGRATING"));
    assert_eq!(refused.retry_after, Some(wait));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_is_moved_is_asked_once_and_again_when_its_time_is_over() {
    let stage = Stage::start().await;
    let moves = stage.moves(4 * 3_600);
    is_moved(stage.crm(A).await.get("contacts", "101").await, 4 * HOUR);
    assert_eq!(stage.received(), 1);

    for left in [4, 3, 2, 1] {
        let crm = stage.crm(A).await;
        is_moved(crm.get("contacts", "102").await, left * HOUR);
        is_moved(crm.search("contacts", "lastname", A).await, left * HOUR);
        is_moved(
            crm.update("contacts", "101", &[("firstname", "x")]).await,
            left * HOUR,
        );
        assert_eq!(stage.told_until().await, Some(i64::from(left) * 3_600));
        let other = stage.crm(B).await;
        other
            .get("contacts", "101")
            .await
            .expect("another portal goes on");
        assert_eq!(stage.received(), 1, "nothing more was sent");
        stage.advance(HOUR);
    }

    // It takes longer than HubSpot thought: one call finds out.
    stage.hubkeep.hubspot.release(moves);
    let longer = stage.moves(1_800);
    is_moved(stage.crm(A).await.get("contacts", "101").await, HOUR / 2);
    is_moved(stage.crm(A).await.get("contacts", "101").await, HOUR / 2);
    assert_eq!(stage.received(), 2);
    stage.advance(HOUR / 2);
    stage.hubkeep.hubspot.release(longer);
    let crm = stage.crm(A).await;
    crm.get("contacts", "101").await.expect("it is over");
    let wrote = crm.update("contacts", "101", &[("firstname", "x")]).await;
    wrote.expect("for everything");
    assert_eq!(stage.told_until().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_hubspot_does_not_say_for_how_long_it_is_asked_again_after_an_hour_and_never_later_than_a_day()
{
    let stage = Stage::start().await;
    let rule = FaultRule::new(Fault::Status { status: 477 }).portal(stage.hubkeep.portal_id(A));
    let silent = stage.hubkeep.hubspot.inject(rule);
    is_moved(stage.crm(A).await.get("contacts", "101").await, HOUR);
    stage.advance(HOUR);
    stage.hubkeep.hubspot.release(silent);
    let for_ever = stage.moves(1_000_000);
    is_moved(stage.crm(A).await.get("contacts", "101").await, 24 * HOUR);
    assert_eq!(stage.received(), 2);
    stage.hubkeep.hubspot.release(for_ever);
    stage.advance(23 * HOUR);
    is_moved(stage.crm(A).await.get("contacts", "101").await, HOUR);
    stage.advance(HOUR);
    stage
        .crm(A)
        .await
        .get("contacts", "101")
        .await
        .expect("it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_not_sent_to_a_portal_that_is_found_to_be_moved_when_its_token_is_proven() {
    let stage = Stage::start().await;
    stage.moves(600);
    let crm = stage.crm(A).await;
    let wrote = crm.update("contacts", "101", &[("firstname", "x")]).await;
    is_moved(wrote, Duration::from_secs(600));
    is_moved(crm.get("contacts", "101").await, Duration::from_secs(600));
    let journal = stage.hubkeep.hubspot_calls();
    let of_records = journal.iter().filter(|call| call.path.starts_with("/crm/"));
    assert_eq!(of_records.count(), 0, "that was heard, and nothing else sent");
}
