//! Several replicas over one database: what one has done binds the other, and what both do at once is done once.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, future::join_all, stream};
use hubkeep_credential_service::server::Running;
use hubkeep_proto::credential::v1::{
    OnboardPortalRequest, RedeemHandleRequest, RedeemHandleResponse, RevokeHandleRequest,
    WatchRevocationsRequest, WatchRevocationsResponse, handle_service_client::HandleServiceClient,
    portal_service_client::PortalServiceClient, redemption_service_client::RedemptionServiceClient,
    revoke_handle_request::Target, watch_revocations_response::Message,
};
use tonic::{Status, Streaming, service::interceptor::InterceptedService, transport::Channel};

use crate::{harness::*, keys::rotate, revocations::next};

/// Each has a log of its own.
static OTHERS: AtomicUsize = AtomicUsize::new(0);

/// One of the replicas, and the way to it.
pub(crate) struct Replica {
    running: Running,
    channel: Channel,
    pub(crate) clock: Arc<TestClock>,
}

impl Replica {
    /// Over the database of this bench, by a clock of its own that shows the same time.
    pub(crate) async fn beside(bench: &Bench) -> Self {
        let mut config = bench.config.clone();
        let number = OTHERS.fetch_add(1, Ordering::SeqCst);
        let log = bench
            .folder
            .path()
            .join(format!("audit-of-the-other-{number}.db"));
        config.audit = hubkeep_audit_log::Config::sqlite(&log);
        let clock = TestClock::new();
        let running = serve(&config, &clock).await;
        let channel = connect(&running);
        Self {
            running,
            channel,
            clock,
        }
    }

    pub(crate) fn channel_of(&self, caller: &'static str) -> Named {
        InterceptedService::new(self.channel.clone(), As(caller))
    }

    fn handles(&self, caller: &'static str) -> HandleServiceClient<Named> {
        HandleServiceClient::new(self.channel_of(caller))
    }

    async fn redeem(&self, handle: &str) -> Result<(), Status> {
        self.redeem_whole(handle).await.map(drop)
    }

    pub(crate) async fn redeem_whole(&self, handle: &str) -> Result<RedeemHandleResponse, Status> {
        self.redeem_instead(handle, "").await
    }

    /// The same, where HubSpot refuses this token.
    pub(crate) async fn redeem_instead(
        &self,
        handle: &str,
        refused: &str,
    ) -> Result<RedeemHandleResponse, Status> {
        let request = RedeemHandleRequest {
            handle: handle.to_owned(),
            presented_by: SYNC.to_owned(),
            call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
            refused_token_fingerprint: refused.to_owned(),
            ..RedeemHandleRequest::default()
        };
        self.redeem_request(request).await
    }

    pub(crate) async fn redeem_request(
        &self,
        request: RedeemHandleRequest,
    ) -> Result<RedeemHandleResponse, Status> {
        let mut client = RedemptionServiceClient::new(self.channel_of(CRM));
        Ok(client.redeem_handle(request).await?.into_inner())
    }

    async fn watch(&self) -> Streaming<WatchRevocationsResponse> {
        let first = stream::iter([WatchRevocationsRequest {
            applied_seq: 0,
            redeemer_id: crate::redeemers::SECOND.to_owned(),
            echo: 0,
        }]);
        let mut client = RedemptionServiceClient::new(self.channel_of(CRM));
        let opened = client.watch_revocations(first.chain(stream::pending())).await;
        opened.expect("opens").into_inner()
    }
}

pub(crate) async fn pair() -> (Bench, Replica) {
    let bench = Bench::start().await;
    let other = Replica::beside(&bench).await;
    (bench, other)
}

/// The revocations that come next, in order.
async fn revocations(feed: &mut Streaming<WatchRevocationsResponse>, count: usize) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.len() < count {
        if let Message::Revocation(revocation) = next(feed).await {
            seqs.push(revocation.seq);
        }
    }
    seqs
}

#[tokio::test]
async fn a_handle_of_one_replica_is_redeemed_and_revoked_at_the_other() {
    let (bench, other) = pair().await;
    let issued = bench.handle().await;
    other.redeem(&issued.handle).await.expect("redeems");
    let target = Some(Target::Handle(issued.handle.clone()));
    let revoked = other
        .handles(SYNC)
        .revoke_handle(RevokeHandleRequest {
            target,
            ..RevokeHandleRequest::default()
        })
        .await;
    revoked.expect("revokes");
    assert_eq!(
        reason(&bench.redeem(&issued.handle, SYNC).await),
        "HANDLE_INVALID"
    );
    other.running.stop().await;
    bench
        .issue(SYNC, "acme")
        .await
        .expect("the other replica was not needed");
}

#[tokio::test]
async fn a_revocation_wakes_the_watchers_of_every_replica() {
    let (bench, other) = pair().await;
    let mut feed = other.watch().await;
    assert!(matches!(next(&mut feed).await, Message::Heartbeat(_)));
    let issued = bench.handle().await;
    let target = Some(Target::Handle(issued.handle));
    let revoked = bench
        .handles(SYNC)
        .revoke_handle(RevokeHandleRequest {
            target,
            ..RevokeHandleRequest::default()
        })
        .await;
    revoked.expect("revokes");
    // The other's clock stands: what comes now was woken, not polled for.
    assert_eq!(revocations(&mut feed, 1).await, [1]);
}

#[tokio::test]
async fn revocations_at_two_replicas_stand_in_one_dense_order_for_all_watchers() {
    const EACH: usize = 6;
    let (bench, other) = pair().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let mut handles = Vec::new();
    for _ in 0..2 * EACH {
        handles.push(bench.issue(SYNC, "acme").await.expect("issues").handle);
    }
    let (mut here, mut there) = (
        crate::revocations::watch(&bench, 0).await.expect("opens"),
        other.watch().await,
    );

    let revoke = async |mut client: HandleServiceClient<Named>, handle: &str| {
        let target = Some(Target::Handle(handle.to_owned()));
        let revoked = client
            .revoke_handle(RevokeHandleRequest {
                target,
                ..RevokeHandleRequest::default()
            })
            .await;
        revoked.expect("revokes").into_inner().revocation_seq
    };
    // Every handle is revoked at both, half of them first at one and half at the other.
    let told = join_all(handles.iter().enumerate().map(async |(number, handle)| {
        let (first, second) = (bench.handles(SYNC), other.handles(SYNC));
        let (first, second) = if number % 2 == 0 {
            (first, second)
        } else {
            (second, first)
        };
        let both = futures::future::join(revoke(first, handle), revoke(second, handle)).await;
        assert_eq!(both.0, both.1, "a handle is revoked once");
        both.0
    }))
    .await;

    let dense: Vec<u64> = (1..).take(2 * EACH).collect();
    assert_eq!(
        told.into_iter().collect::<BTreeSet<_>>(),
        dense.iter().copied().collect()
    );
    assert_eq!(
        bench.while_time_passes(revocations(&mut here, 2 * EACH)).await,
        dense
    );
    assert_eq!(revocations(&mut there, 2 * EACH).await, dense);
}

#[tokio::test]
async fn a_portal_is_onboarded_once_however_many_ask_at_once() {
    let (bench, other) = pair().await;
    let onboard = async |name: &str, channel: Named| {
        let request = OnboardPortalRequest {
            client_slug: name.to_owned(),
            portal_token: ACME_TOKEN.to_owned(),
            expected_portal_id: ACME,
            ..OnboardPortalRequest::default()
        };
        let answer = PortalServiceClient::new(channel).onboard_portal(request).await;
        reason(&answer)
    };
    let (here, there) = (bench.channel_of(OPERATOR), other.channel_of(OPERATOR));
    let (one, two, same, another) = tokio::join!(
        onboard("acme", here.clone()),
        onboard("umbrella", here),
        onboard("acme", there.clone()),
        onboard("umbrella", there),
    );
    assert_eq!(
        (&one, &two),
        (&same, &another),
        "who gives the same name gets the same answer"
    );
    let both = BTreeSet::from([one.as_str(), two.as_str()]);
    assert_eq!(both, BTreeSet::from(["OK", "PORTAL_ALREADY_ONBOARDED"]));
}

#[tokio::test]
async fn callers_of_all_replicas_together_hold_no_more_handles_than_one_may() {
    const MOST: u32 = 3;
    let bench = Bench::start_with(|config| config.handles.max_live_per_caller = MOST).await;
    let other = Replica::beside(&bench).await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let told = join_all((0..12).map(async |number| {
        let mut client = if number % 2 == 0 {
            bench.handles(SYNC)
        } else {
            other.handles(SYNC)
        };
        reason(&client.issue_handle(wish("acme")).await)
    }))
    .await;
    let count = |said: &str| told.iter().filter(|told| *told == said).count();
    assert_eq!((count("OK"), count("TOO_MANY_HANDLES")), (3, 9), "{told:?}");
}

#[tokio::test]
async fn a_replica_whose_clock_is_behind_revives_no_handle() {
    let (bench, other) = pair().await;
    let issued = bench.handle().await;
    other.clock.set_back(Duration::from_secs(3_600));
    other.redeem(&issued.handle).await.expect("lives");
    bench.clock.advance(Duration::from_secs(301));
    bench.redeem(&issued.handle, SYNC).await.expect_err("ended");
    // Within seconds of what a replica can tell of itself.
    other.clock.advance(Duration::from_secs(5));
    other.redeem(&issued.handle).await.expect_err("ended here, too");
}

#[tokio::test]
async fn replicas_that_rotate_keys_at_once_bring_over_each_key_once() {
    let mut bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    bench.name_second_version();
    bench.restart(|_| {}).await;
    let other = Replica::beside(&bench).await;
    let both = [
        rotate(bench.channel_of(OPERATOR), 2),
        rotate(other.channel_of(OPERATOR), 2),
    ];
    let mut brought = 0;
    let mut total = 0;
    for told in join_all(both).await {
        let last = told.expect("rotates").pop().expect("it says how it ended");
        assert_eq!((last.failed_count, last.remaining_count), (0, 0), "{last:?}");
        brought += last.rewrapped_count;
        total = total.max(last.total_count);
    }
    assert!(total >= 4, "{total} keys");
    assert_eq!(brought, total, "no key twice, and none left behind");
    other.redeem(&handle).await.expect("redeems");
    bench.redeem(&handle, SYNC).await.expect("redeems");
}

#[tokio::test]
async fn a_replica_that_was_not_given_the_new_version_serves_what_it_remembers_and_then_refuses() {
    let mut bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    let old = Replica::beside(&bench).await;
    old.redeem(&handle).await.expect("redeems");
    bench.name_second_version();
    bench.restart(|_| {}).await;
    bench.rotate(2).await.expect("rotates");
    old.redeem(&handle).await.expect("from memory");
    old.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(reason(&old.redeem(&handle).await), "KEY_UNAVAILABLE");
}
