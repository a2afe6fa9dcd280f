//! A token that HubSpot refuses (401) costs it a call from time to time, and no more, however many callers there are.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_proto::credential::v1::OnboardPortalRequest;
use hubkeep_proto::{crm::v1::RefusedToken, error::v1::ErrorReason};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, eventually,
    support::{
        audit::Reader,
        limited::{Limited, Wish},
        portals::OPERATOR,
    },
};
use hubspot_sim::{TokenSpec, fingerprint};
use tonic::{Code, Status};

const A: &str = "client-0001";
const B: &str = "client-0002";
const NEW: &str = "pat-na1-00000000-load-0000-0000-rotated000001";
const READER: &str = "pat-na1-00000000-load-0000-0000-reader0000001";
const SECOND: Duration = Duration::from_secs(1);

/// Time stands still, so that it is known what is let through when.
struct Stage {
    hubkeep: Hubkeep,
    clock: Arc<MockClock>,
}

impl Stage {
    async fn start() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
        let world = World::of_portals(2).limits(&Limits::unlimited());
        let hubkeep = Hubkeep::over(world).clock(clock.clone()).start().await;
        hubkeep.onboard_all().await;
        Self { hubkeep, clock }
    }

    /// Lets a little time pass, again and again, much less than is waited before a token is looked at: what else waits goes on.
    async fn time_goes_on(&self) {
        let mut beats = tokio::time::interval(Duration::from_millis(20));
        loop {
            beats.tick().await;
            self.clock.advance(Duration::from_millis(5));
        }
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.hubkeep.hubspot.advance_time(by);
    }

    async fn crm(&self, slug: &str) -> Crm {
        let handle = self.hubkeep.handle(slug).issue().await;
        self.hubkeep.crm_as(&handle.caller).with(&handle)
    }

    /// The calls for records that HubSpot has received with this token.
    fn received(&self, token: &str) -> usize {
        let calls = self.hubkeep.hubspot_calls();
        let token = Some(fingerprint(token));
        let by_token = calls
            .iter()
            .filter(|call| call.token_fingerprint == token && call.path.starts_with("/crm/"));
        by_token.count()
    }

    async fn told(&self, slug: &str) -> Vec<RefusedToken> {
        let quota = self.hubkeep.quota(Reader::Operator(OPERATOR), slug).await;
        quota.expect("told").refused_tokens
    }

    /// Puts a new token in force for a portal whose old one is dead.
    async fn replace_token(&self) {
        let portal = self.hubkeep.portal_id(A);
        let minted = self
            .hubkeep
            .hubspot
            .add_token(portal, TokenSpec::private_app(NEW));
        minted.expect("minted");
        tokio::select! {
            rotated = self.hubkeep.try_rotate(A, NEW) => drop(rotated.expect("rotated")),
            () = self.time_goes_on() => {}
        }
    }

    fn revoke(&self, slug: &str) -> String {
        let token = self.hubkeep.token(slug);
        self.hubkeep.hubspot.revoke_token(&token).expect("it is there");
        token
    }
}

fn is_refused<T>(answer: Result<T, Status>) {
    let refused = Refused::in_place_of(answer);
    assert_eq!(refused.said(), (Code::FailedPrecondition, "TOKEN_REFUSED"));
    assert_eq!(refused.retry_after, None, "waiting is no help");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_calls_by_a_revoked_token_cost_hubspot_one_and_one_a_minute_from_then_on() {
    let stage = Stage::start().await;
    let (crm, other) = (stage.crm(A).await, stage.crm(B).await);
    let token = stage.revoke(A);
    for _ in 0..200 {
        is_refused(crm.get("contacts", "101").await);
    }
    assert_eq!(stage.received(&token), 1);
    let message = crm.get("contacts", "101").await.expect_err("refused");
    assert!(message.message().contains("hubkeep rotate"), "{message:?}");
    // The first look comes soon, for HubSpot is mistaken at times; then there is one a minute.
    for (wait, expected) in [(5, 2), (59, 2), (1, 3), (60, 4)] {
        stage.advance(wait * SECOND);
        for _ in 0..10 {
            is_refused(crm.get("contacts", "101").await);
        }
        assert_eq!(stage.received(&token), expected, "after {wait} s more");
    }
    other.get("contacts", "101").await.expect("another portal");
    let refused = stage.hubkeep.entries(Service::Crm, Phase::Denied).await;
    let refused = refused.iter().filter(|entry| {
        entry.operation() == Operation::ObjectGet && entry.reason() == ErrorReason::TokenRefused
    });
    assert_eq!(refused.count(), 241 - 4, "what was not sent is on record as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_under_way_when_hubspot_refuses_the_token_are_the_last() {
    let stage = Stage::start().await;
    let crm = stage.crm(A).await;
    let first = crm.create("contacts", &[("lastname", "x")]).await;
    first.expect("HubSpot says whose token it is");
    let token = stage.revoke(A);
    let before = stage.received(&token);
    let callers = (0..20).map(|_| {
        let crm = crm.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                is_refused(crm.create("contacts", &[("lastname", "x")]).await);
            }
        })
    });
    for caller in join_all(callers.collect::<Vec<_>>()).await {
        caller.expect("ran");
    }
    let made = stage.received(&token) - before;
    assert!((1..=20).contains(&made), "{made} calls of 200 were sent");
    let calls = stage.hubkeep.hubspot_calls();
    let carried_out = calls
        .iter()
        .filter(|call| call.method == "POST" && call.carried_out);
    assert_eq!(carried_out.count(), 1, "the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_calls_go_on_at_once_and_nothing_is_told_of_the_old_token() {
    let stage = Stage::start().await;
    let (crm, other) = (stage.crm(A).await, stage.crm(B).await);
    let old = stage.revoke(A);
    other.get("contacts", "101").await.expect("another portal");
    for _ in 0..3 {
        is_refused(crm.get("contacts", "101").await);
    }
    let told = stage.told(A).await;
    let [refused] = &told[..] else {
        panic!("one, not {told:?}");
    };
    assert_eq!(
        (&refused.token_fingerprint, refused.credential_version),
        (&fingerprint(&old), 1)
    );
    let seconds = |time: &Option<prost_types::Timestamp>| time.as_ref().expect("told").seconds;
    assert_eq!(
        seconds(&refused.next_trial_time) - seconds(&refused.since_time),
        5
    );
    assert_eq!(stage.told(B).await, []);

    stage.replace_token().await;
    crm.get("contacts", "101").await.expect("no time has passed");
    assert_eq!((stage.received(&old), stage.received(NEW)), (1, 1));
    eventually!(stage.told(A).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_credential_of_the_portal_is_not_concerned() {
    let stage = Stage::start().await;
    let portal = stage.hubkeep.portal_id(A);
    let reader = TokenSpec::private_app(READER).scopes(["oauth", "crm.objects.contacts.read"]);
    stage.hubkeep.hubspot.add_token(portal, reader).expect("minted");
    let request = OnboardPortalRequest {
        client_slug: A.to_owned(),
        portal_token: READER.to_owned(),
        credential_name: "reader".to_owned(),
        ..OnboardPortalRequest::default()
    };
    let request = stage.hubkeep.by_operator(request);
    let added = stage.hubkeep.portals().onboard_portal(request).await;
    added.expect("added");
    let crm = async |allow: &[Allow]| {
        let wish = stage.hubkeep.handle(A).allow(allow.to_vec()).types(["contacts"]);
        let handle = wish.issue().await;
        stage.hubkeep.crm_as(&handle.caller).with(&handle)
    };
    let (reads, writes) = (crm(&[Allow::Get]).await, crm(&[Allow::Get, Allow::Update]).await);
    stage.hubkeep.hubspot.revoke_token(READER).expect("it is there");
    for _ in 0..5 {
        is_refused(reads.get("contacts", "101").await);
    }
    assert_eq!(stage.received(READER), 1);
    for _ in 0..5 {
        writes.get("contacts", "101").await.expect("by the other token");
    }
    let changed = writes.update("contacts", "101", &[("lastname", "x")]).await;
    changed.expect("by the other token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_slip_of_hubspots_shuts_a_token_out_for_seconds_and_a_403_never_does() {
    let stage = Stage::start().await;
    let crm = stage.crm(A).await;
    let token = stage.hubkeep.token(A);
    crm.get("contacts", "101").await.expect("HubSpot answers");
    for fault in [Fault::Status { status: 401 }, Fault::ExpiredToken] {
        let before = stage.received(&token);
        stage
            .hubkeep
            .hubspot
            .inject(FaultRule::new(fault).path("/crm/").times(1));
        is_refused(crm.get("contacts", "101").await);
        is_refused(crm.get("contacts", "101").await);
        stage.advance(5 * SECOND);
        crm.get("contacts", "101").await.expect("was tried");
        crm.get("contacts", "101").await.expect("was tried");
        assert_eq!(stage.received(&token) - before, 3);
        assert_eq!(stage.told(A).await, []);
    }
    let before = stage.received(&token);
    let denied = FaultRule::new(Fault::Status { status: 403 });
    stage.hubkeep.hubspot.inject(denied.path("/crm/"));
    for _ in 0..10 {
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        assert_ne!(refused.reason, "TOKEN_REFUSED");
    }
    assert_eq!(stage.received(&token) - before, 10, "each reaches HubSpot");
    assert_eq!(stage.told(A).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_before_which_hubspot_refuses_the_token_is_not_sent_and_may_be_asked_for_again() {
    let stage = Stage::start().await;
    let crm = stage.crm(A).await.under("01890000-0000-7000-8000-000000000007");
    let token = stage.revoke(A);
    for _ in 0..3 {
        is_refused(crm.create("contacts", &[("lastname", "once")]).await);
    }
    stage.hubkeep.hubspot.restore_token(&token).expect("it is there");
    stage.advance(5 * SECOND);
    for _ in 0..2 {
        crm.create("contacts", &[("lastname", "once")])
            .await
            .expect("made");
    }
    let calls = stage.hubkeep.hubspot_calls();
    let made = calls
        .iter()
        .filter(|call| call.method == "POST" && call.carried_out);
    assert_eq!(made.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_before_a_write_by_a_refused_token_costs_nothing_of_the_handles_budget() {
    let stage = Stage::start().await;
    let writer = stage.crm(A).await;
    let proven = writer.update("contacts", "102", &[("firstname", "Bo")]).await;
    proven.expect("the token is proven");
    let handle = stage.hubkeep.handle(A).budget(1, 10).issue().await;
    let crm = stage.hubkeep.crm_as(&handle.caller).with(&handle);
    stage.revoke(A);
    is_refused(crm.erase("101", "").await);
    stage.replace_token().await;
    crm.erase("101", "").await.expect("the one call is there still");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_so_beside_a_credential_service_that_knows_nothing_of_refused_tokens() {
    let limited = Limited::start(World::of_portals(1)).await;
    let crm = limited.holder(A, &Wish::default());
    crm.get("contacts", "101").await.expect("HubSpot answers");
    let before = limited.sent().len();
    let world = World::of_portals(1);
    let token = world
        .portal(A)
        .and_then(|portal| portal.first_token().map(str::to_owned));
    limited
        .hubspot
        .revoke_token(&token.expect("it has one"))
        .expect("it is there");
    for _ in 0..40 {
        is_refused(crm.get("contacts", "101").await);
    }
    // Its clock goes on: a look after 5 s, and one a minute later.
    let sent = limited.sent().len() - before;
    assert!((1..=3).contains(&sent), "{sent} of 40 calls were sent");
}
