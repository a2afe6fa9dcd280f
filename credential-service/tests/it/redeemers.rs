//! Who redeems handles is waited for: until it has acknowledged, or serves nothing any more.

use std::time::Duration;

use futures::StreamExt as _;
use hubkeep_core::clock::Clock as _;
use hubkeep_proto::credential::v1::{
    ContainRequest, ContainResponse, HandleHolder, Heartbeat, ListPortalsRequest, RevocationReach,
    RevokeHandlesRequest, WatchRevocationsRequest, WatchRevocationsResponse,
    containment_service_client::ContainmentServiceClient, handle_holder::Holder,
    redemption_service_client::RedemptionServiceClient, revocation::Scope,
    watch_revocations_response::Message,
};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Status, Streaming};

use crate::harness::*;

pub(crate) const FIRST: &str = "01890000-0000-7000-8000-00000000000a";
pub(crate) const SECOND: &str = "01890000-0000-7000-8000-00000000000b";

/// A crm-service, as far as it is heard on the feed.
pub(crate) struct Redeemer {
    says: mpsc::UnboundedSender<WatchRevocationsRequest>,
    hears: Streaming<WatchRevocationsResponse>,
}

impl Redeemer {
    pub(crate) async fn connect(channel: Named, id: &str, after: u64) -> Result<Self, Status> {
        let (says, said) = mpsc::unbounded_channel();
        says.send(WatchRevocationsRequest {
            applied_seq: after,
            redeemer_id: id.to_owned(),
            echo: 0,
        })
        .expect("open");
        let opened = RedemptionServiceClient::new(channel)
            .watch_revocations(UnboundedReceiverStream::new(said).boxed())
            .await;
        Ok(Self {
            says,
            hears: opened?.into_inner(),
        })
    }

    pub(crate) fn say(&self, applied_seq: u64, echo: u64) {
        let message = WatchRevocationsRequest {
            applied_seq,
            redeemer_id: String::new(),
            echo,
        };
        self.says.send(message).expect("open");
    }

    /// Says something, and waits until that is noted.
    pub(crate) async fn said(&mut self, applied_seq: u64, echo: u64) -> Heartbeat {
        self.say(applied_seq, echo);
        loop {
            if let Message::Heartbeat(beat) = self.next().await.expect("goes on")
                && beat.echo == echo
            {
                return beat;
            }
        }
    }

    /// The place of the next event that takes handles away.
    pub(crate) async fn revoked(&mut self) -> u64 {
        loop {
            if let Message::Revocation(revocation) = self.next().await.expect("goes on")
                && !matches!(revocation.scope, Some(Scope::CallerHold(_)))
            {
                return revocation.seq;
            }
        }
    }

    async fn next(&mut self) -> Result<Message, Status> {
        let news = self.hears.message().await?;
        Ok(news.and_then(|news| news.message).expect("goes on"))
    }

    /// How the stream ends.
    async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }
}

pub(crate) fn caller(name: &str) -> Option<HandleHolder> {
    Some(HandleHolder {
        holder: Some(Holder::Caller(name.to_owned())),
    })
}

/// The place of a first containment: who is contained is told before that the handles end.
pub(crate) const CONTAINED: u64 = 2;

/// Contains a caller, waiting as long as may be.
pub(crate) fn containing(channel: Named) -> JoinHandle<Result<ContainResponse, Status>> {
    let request = ContainRequest {
        target: caller(SYNC),
        reason: "its key leaked".to_owned(),
        wait: None,
    };
    tokio::spawn(async move {
        let answer = ContainmentServiceClient::new(channel).contain(request).await;
        Ok(answer?.into_inner())
    })
}

pub(crate) fn reach(acknowledged: u32, lapsed: u32, waiting: u32) -> Option<RevocationReach> {
    Some(RevocationReach {
        acknowledged,
        lapsed,
        waiting,
    })
}

pub(crate) async fn reached(
    bench: &Bench,
    contained: JoinHandle<Result<ContainResponse, Status>>,
) -> Option<RevocationReach> {
    // Where there may be other replicas, it is waited for them.
    let contained = bench.as_time_goes(contained).await;
    contained.expect("ends").expect("contains").reach
}

/// Lets time pass, and the service look at its tables as it goes.
pub(crate) async fn pass(bench: &Bench, steps: usize) {
    for _ in 0..steps {
        bench.clock.advance(Duration::from_millis(50));
        let mut portals = bench.portals(OPERATOR);
        let looked = portals.list_portals(ListPortalsRequest::default()).await;
        looked.expect("lists");
    }
}

#[tokio::test]
async fn a_redeemer_hears_its_number_when_it_is_noted_and_not_before_it_has_heard_what_was_revoked() {
    let bench = Bench::start().await;
    let mut redeemer = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    assert_eq!(redeemer.said(0, 1).await.revocation_seq, 0);
    let request = RevokeHandlesRequest {
        target: caller(SYNC),
        wait: None,
    };
    let mut operator = ContainmentServiceClient::new(bench.channel_of(OPERATOR));
    operator.revoke_handles(request).await.expect("revokes");
    redeemer.say(0, 2);
    // The clock stands.
    assert_eq!(redeemer.revoked().await, 1);
    let beat = redeemer.said(1, 3).await;
    assert_eq!((beat.revocation_seq, beat.echo), (1, 3));
}

#[tokio::test]
async fn containing_returns_when_every_redeemer_has_acknowledged_and_not_before() {
    let bench = Bench::start().await;
    let mut first = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    let mut second = Redeemer::connect(bench.channel_of(CRM), SECOND, 0)
        .await
        .expect("opens");
    let contained = containing(bench.channel_of(OPERATOR));
    assert_eq!(
        (first.revoked().await, second.revoked().await),
        (CONTAINED, CONTAINED)
    );
    first.said(CONTAINED, 1).await;
    second.said(0, 1).await;
    assert!(
        !contained.is_finished(),
        "the second lives, and has not acknowledged"
    );
    second.say(CONTAINED, 2);
    assert_eq!(reached(&bench, contained).await, reach(2, 0, 0));
}

#[tokio::test]
async fn a_redeemer_that_falls_silent_is_waited_for_until_it_serves_nothing_and_no_longer() {
    let bench = Bench::start().await;
    let mut silent = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    silent.said(0, 1).await;
    let contained = containing(bench.channel_of(OPERATOR));
    let began = bench.clock.tick();
    assert_eq!(silent.revoked().await, CONTAINED);
    pass(&bench, 108).await;
    assert!(!contained.is_finished(), "its lease runs still");
    while !contained.is_finished() {
        pass(&bench, 1).await;
    }
    assert_eq!(reached(&bench, contained).await, reach(0, 1, 0));
    let waited = bench.clock.tick().since(began);
    assert!(waited < Duration::from_secs(10), "{waited:?}");
}

#[tokio::test]
async fn a_redeemer_that_lives_and_acknowledges_nothing_is_told_as_such_when_the_wait_is_over() {
    let bench = Bench::start().await;
    let mut slow = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    let contained = containing(bench.channel_of(OPERATOR));
    assert_eq!(slow.revoked().await, CONTAINED);
    for echo in 1.. {
        if contained.is_finished() {
            break;
        }
        slow.said(0, echo).await;
        pass(&bench, 10).await;
    }
    assert_eq!(reached(&bench, contained).await, reach(0, 0, 1));
}

#[tokio::test]
async fn who_was_not_heard_for_long_is_hardly_waited_for_and_then_forgotten() {
    let bench = Bench::start().await;
    let mut gone = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    gone.said(0, 1).await;
    drop(gone);
    bench.clock.advance(Duration::from_secs(11));
    let contained = containing(bench.channel_of(OPERATOR));
    let began = bench.clock.tick();
    while !contained.is_finished() {
        pass(&bench, 1).await;
    }
    let waited = bench.clock.tick().since(began);
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    assert_eq!(reached(&bench, contained).await, reach(0, 1, 0));
    bench.clock.advance(Duration::from_secs(60));
    // The clock stands while this is answered.
    let again = reached(&bench, containing(bench.channel_of(OPERATOR))).await;
    assert_eq!(again, reach(0, 0, 0));
}

#[tokio::test]
async fn a_redeemer_that_comes_back_goes_on_with_what_it_had_acknowledged() {
    let bench = Bench::start().await;
    let mut redeemer = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    let contained = containing(bench.channel_of(OPERATOR));
    assert_eq!(redeemer.revoked().await, CONTAINED);
    redeemer.said(CONTAINED, 1).await;
    assert_eq!(reached(&bench, contained).await, reach(1, 0, 0));
    drop(redeemer);
    let mut back = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    assert_eq!(back.revoked().await, CONTAINED, "from where it asks");
    back.said(0, 2).await;
    let again = reached(&bench, containing(bench.channel_of(OPERATOR))).await;
    assert_eq!(again, reach(1, 0, 0), "an acknowledgement is never taken back");
}

#[tokio::test]
async fn where_a_new_redeemer_begins_to_listen_acknowledges_nothing() {
    let bench = Bench::start().await;
    let seq = bench
        .as_time_goes(containing(bench.channel_of(OPERATOR)))
        .await
        .expect("ends")
        .expect("contains");
    let mut redeemer = Redeemer::connect(bench.channel_of(CRM), FIRST, seq.revocation_seq)
        .await
        .expect("opens");
    let again = containing(bench.channel_of(OPERATOR));
    redeemer.said(0, 1).await;
    assert!(!again.is_finished());
    redeemer.say(seq.revocation_seq, 2);
    assert_eq!(reached(&bench, again).await, reach(1, 0, 0));
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_acknowledged_and_nobody_listens_without_a_name() {
    let bench = Bench::start().await;
    let mut eager = Redeemer::connect(bench.channel_of(CRM), FIRST, 0)
        .await
        .expect("opens");
    eager.say(7, 1);
    assert_eq!(reason::<()>(&Err(eager.end().await)), "INVALID_FIELD");
    for id in ["", "crm-service-1"] {
        let refused = Redeemer::connect(bench.channel_of(CRM), id, 0).await.map(drop);
        assert_eq!(reason(&refused), "INVALID_FIELD", "{id:?}");
    }
}
