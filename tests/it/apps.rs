//! HubSpot counts ten seconds' calls for each app of a portal, and so does crm-service: where a portal has credentials of several
//! apps, each app's limit is used and kept, and nothing that is heard of one is believed of another.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_proto::credential::v1::{OnboardPortalRequest, VerifyPortalRequest};
use hubkeep_tests::{
    Allow, Crm, Hubkeep, Limits, Refused, World, eventually,
    support::{audit::Reader, portals::OPERATOR},
};
use hubspot_sim::{TokenSpec, fingerprint};

const A: &str = "client-0001";
const B: &str = "client-0002";
const SECOND: Duration = Duration::from_secs(1);
/// The apps of the portal's first credential and of its second.
const APPS: [u64; 2] = [7_001, 7_002];
/// The second, which may read contacts only: it serves whoever needs no more.
const READER: &str = "reader";
const READERS_TOKEN: &str = "pat-na1-00000000-apps-0000-0000-reader000001";
/// More than any app may do at once.
const AT_ONCE: usize = 220;
/// Less than a place takes to be free again: who finds none is refused at once. And as much as a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(9);
/// After this nothing counts any more that was called before.
const A_WINDOW: Duration = Duration::from_millis(10_200);

struct Stage {
    clock: Arc<MockClock>,
    hubkeep: Hubkeep,
    /// Served by the first credential, and by the second.
    callers: [Crm; 2],
}

impl Stage {
    /// A portal with two credentials of these apps.
    async fn of(apps: [u64; 2], limits: Limits, on_postgres: bool) -> Self {
        let mut world = World::of_portals(2).limits(&limits);
        let portal = world.portal_mut(A).expect("it is there");
        portal.tokens[0].app_id = apps[0];
        let reader = TokenSpec::service_key(READERS_TOKEN).app(apps[1]);
        let reader = reader.scopes(["oauth", "crm.objects.contacts.read"]);
        portal.tokens.push(reader);
        let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
        let setup = Hubkeep::over(world).clock(clock.clone());
        let setup = if on_postgres { setup.postgres() } else { setup };
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        clock.advance(SECOND);
        let further = OnboardPortalRequest {
            client_slug: A.to_owned(),
            portal_token: READERS_TOKEN.to_owned(),
            credential_name: READER.to_owned(),
            ..OnboardPortalRequest::default()
        };
        let mut portals = hubkeep.portals();
        let further = portals.onboard_portal(hubkeep.by_operator(further)).await;
        further.expect("onboarded");
        let writer = hubkeep
            .handle(A)
            .allow([Allow::Get, Allow::Search, Allow::Update]);
        let reader = hubkeep.handle(A).allow([Allow::Get, Allow::Search]);
        let handles = [
            writer.types(["contacts"]).issue().await,
            reader.types(["contacts"]).issue().await,
        ];
        let callers = handles.map(|handle| hubkeep.crm_as("sync").with(&handle).within(PATIENCE));
        let stage = Self {
            clock,
            hubkeep,
            callers,
        };
        // What onboarding has called counts no more.
        stage.later(A_WINDOW);
        stage.has_a_share().await;
        stage
    }

    /// As time leaps, a replica's share of the limits is over, and there is another within a second: for all portals at once.
    async fn has_a_share(&self) {
        let handle = self.hubkeep.handle(B).issue().await;
        let other = self.hubkeep.crm_as("sync").with(&handle);
        eventually!(match other.get("contacts", "101").await {
            Ok(_) => true,
            Err(status) => {
                assert_eq!(Refused::of(&status).reason, "STORAGE_UNAVAILABLE");
                false
            }
        });
    }

    fn later(&self, by: Duration) {
        self.clock.advance(by);
        self.hubkeep.hubspot.advance_time(by);
    }

    /// Both call at once, as often as there is room: how many calls of each were made.
    async fn fill(&self) -> [usize; 2] {
        let calls = self.callers.each_ref().map(async |crm| {
            // The first answer says what HubSpot allows.
            let first = crm.get("contacts", "101").await;
            let others = join_all((0..AT_ONCE).map(|_| crm.get("contacts", "101"))).await;
            others.iter().chain([&first]).filter(|call| call.is_ok()).count()
        });
        let [first, second] = calls;
        let (first, second) = tokio::join!(first, second);
        [first, second]
    }

    /// How many calls HubSpot has had with each token.
    fn received(&self) -> [usize; 2] {
        let tokens = [self.hubkeep.token(A), READERS_TOKEN.to_owned()].map(|token| fingerprint(&token));
        let calls = self.hubkeep.hubspot_calls();
        tokens.map(|token| {
            calls
                .iter()
                .filter(|call| call.token_fingerprint.as_ref() == Some(&token))
                .count()
        })
    }

    fn never_refused(&self) {
        let journal = self.hubkeep.journal();
        let refused: Vec<_> = journal.iter().filter(|call| call.status == Some(429)).collect();
        assert!(refused.is_empty(), "HubSpot had to refuse: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_with_two_apps_uses_both_limits_and_never_makes_hubspot_refuse() {
    for on_postgres in [false, true] {
        let stage = Stage::of(APPS, Limits::default(), on_postgres).await;
        let made = stage.fill().await;
        assert_eq!(stage.received(), made, "each with its own credential's token");
        stage.never_refused();
        assert!(
            made.iter().all(|made| (90..=99).contains(made)),
            "{made:?} of 100 each"
        );

        let quota = stage
            .hubkeep
            .quota(Reader::Operator(OPERATOR), A)
            .await
            .expect("told");
        let apps: Vec<_> = quota
            .app_bursts
            .iter()
            .map(|of_app| {
                (
                    of_app.app.as_str(),
                    of_app.burst.as_ref().and_then(|burst| burst.limit),
                )
            })
            .collect();
        assert_eq!(apps, [("", Some(100)), (READER, Some(100))]);
        let all = quota.burst.expect("told");
        let used = u64::try_from(made[0] + made[1]).expect("few");
        assert_eq!((all.limit, all.used), (Some(200), Some(used)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hubspot_allows_one_app_is_not_taken_for_what_it_allows_another() {
    let limits = Limits {
        burst_of_apps: [(APPS[1], 190)].into(),
        ..Limits::default()
    };
    let stage = Stage::of(APPS, limits, false).await;
    let [first, second] = stage.fill().await;
    stage.never_refused();
    assert!((90..=99).contains(&first), "{first} of 100");
    assert!((180..=189).contains(&second), "{second} of 190");
    // And so it stays, whichever was heard last.
    stage.later(A_WINDOW);
    let [first, second] = stage.fill().await;
    stage.never_refused();
    assert!((90..=99).contains(&first) && (180..=189).contains(&second));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_credentials_of_one_app_share_its_limit() {
    let stage = Stage::of([APPS[0]; 2], Limits::default(), false).await;
    let [first, second] = stage.fill().await;
    stage.never_refused();
    assert!(
        (90..=99).contains(&(first + second)),
        "{first} and {second} of 100"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_that_wait_for_one_app_hold_up_nobody_who_calls_with_another() {
    let stage = Stage::of(APPS, Limits::default(), false).await;
    let [writer, reader] = &stage.callers;
    while reader.get("contacts", "101").await.is_ok() {}
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let reader = reader.clone().within(60 * SECOND);
            tokio::spawn(async move { reader.get("contacts", "101").await })
        })
        .collect();
    let waits = async || {
        let quota = stage.hubkeep.quota(Reader::Operator(OPERATOR), A).await;
        quota.expect("told").burst.map(|burst| burst.waiting_count)
    };
    eventually!(waits().await == Some(100));
    for _ in 0..50 {
        writer.get("contacts", "101").await.expect("this app has room");
    }
    assert_eq!(waits().await, Some(100), "they wait all the while");
    // A limit that is used up is told of as the portal's, and with when there is room.
    let refused = Refused::in_place_of(reader.get("contacts", "101").await);
    assert_eq!(refused.reason, "BUDGET_EXHAUSTED");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    stage.never_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_searches_and_the_day_of_a_portal_are_shared_by_its_apps() {
    let limits = Limits {
        daily: 1_000,
        ..Limits::default()
    };
    let stage = Stage::of(APPS, limits, false).await;
    for crm in &stage.callers {
        crm.get("contacts", "101").await.expect("made");
    }
    let [writer, reader] = &stage.callers;
    let searches = (0..40).map(|nth| if nth % 2 == 0 { writer } else { reader });
    let soon = SECOND * 9 / 10;
    let searches = searches.map(async |crm| crm.clone().within(soon).search("contacts", "lastname", A).await);
    let made = join_all(searches)
        .await
        .iter()
        .filter(|search| search.is_ok())
        .count();
    assert!((1..=5).contains(&made), "{made} of 5");
    // Others have called, too: 150 are left, ten of these for others. Each app alone would make 90 and more.
    let (hubspot, portal) = (&stage.hubkeep.hubspot, stage.hubkeep.portal_id(A));
    hubspot.consume_daily(portal, 1_000 - 150 - 7 - 4).expect("used");
    let made: usize = stage.fill().await.iter().sum();
    assert!((120..=150).contains(&made), "{made} of 150");
    stage.never_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn verifying_two_apps_of_which_one_is_at_its_limit_makes_hubspot_refuse_neither() {
    let stage = Stage::of(APPS, Limits::default(), false).await;
    // What is kept for credential-service is lent again.
    stage.later(46 * SECOND);
    let [_, reader] = &stage.callers;
    let shares = async || {
        let quota = stage.hubkeep.quota(Reader::Operator(OPERATOR), A).await;
        let bursts = quota.map(|quota| quota.app_bursts).unwrap_or_default();
        bursts
            .iter()
            .filter_map(|of_app| of_app.burst.as_ref()?.share)
            .collect::<Vec<_>>()
    };
    reader.get("contacts", "101").await.expect("made");
    eventually!(shares().await == [99]);
    while reader.get("contacts", "101").await.is_ok() {}
    assert_eq!(stage.received()[1], 99);

    let questions = || {
        let journal = stage.hubkeep.journal();
        journal
            .iter()
            .filter(|call| !call.path.starts_with("/crm/"))
            .count()
    };
    let before = questions();
    let verification = tokio::spawn({
        let mut portals = stage.hubkeep.portals();
        let mut request = stage.hubkeep.by_operator(VerifyPortalRequest {
            client_slug: A.to_owned(),
        });
        request.set_timeout(60 * SECOND);
        async move { portals.verify_portal(request).await }
    });
    // The first app has room for both of its calls at once, the second for one, until what was lent counts no more.
    eventually!(questions() == before + 3);
    stage.never_refused();
    eventually!({
        stage.later(SECOND / 5);
        questions() == before + 4
    });
    let verified = verification.await.expect("ran").expect("verified").into_inner();
    let portal = verified.portal.expect("told");
    let apps: Vec<_> = portal
        .credentials
        .iter()
        .map(|credential| credential.app_id)
        .collect();
    assert_eq!(apps, APPS.map(Some), "as HubSpot says");
    stage.never_refused();
}
