//! What is contained gets no handle, and those that it had are dead, until it is lifted and after.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use hubkeep_proto::{
    audit::v1::Operation,
    credential::v1::{
        CallerGeneration, ContainRequest, Containment, GetPortalRequest, HandleHolder,
        LiftContainmentRequest, ListContainmentsRequest, ListGrantsRequest, PersonGeneration, PortalState,
        PutGrantRequest, ResumePortalRequest, RevokeHandlesRequest, SuspendPortalRequest,
        access_service_client::AccessServiceClient, containment_service_client::ContainmentServiceClient,
        handle_holder::Holder, portal_service_client::PortalServiceClient, revocation::Scope,
        watch_revocations_response::Message,
    },
};
use tokio::task::JoinSet;
use tonic::Status;

use crate::{grants::of_everything, harness::*};

fn operator(bench: &Bench) -> ContainmentServiceClient<Named> {
    ContainmentServiceClient::new(bench.channel_of(OPERATOR))
}

fn target(holder: &Holder) -> Option<HandleHolder> {
    Some(HandleHolder {
        holder: Some(holder.clone()),
    })
}

async fn contain(bench: &Bench, holder: &Holder, reason: &str) -> Result<Containment, Status> {
    let request = ContainRequest {
        target: target(holder),
        reason: reason.to_owned(),
        wait: None,
    };
    // Where there may be other replicas, it is waited for them.
    let mut client = operator(bench);
    let answer = bench.as_time_goes(client.contain(request)).await?.into_inner();
    Ok(answer.containment.expect("told"))
}

async fn lift(bench: &Bench, holder: &Holder) -> Result<(), Status> {
    let request = LiftContainmentRequest {
        target: target(holder),
        reason: "it is over".to_owned(),
    };
    operator(bench).lift_containment(request).await.map(drop)
}

async fn list(bench: &Bench, page_size: i32) -> Vec<Containment> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListContainmentsRequest {
            page_size,
            page_token,
        };
        let page = operator(bench).list_containments(request).await.expect("lists");
        let page = page.into_inner();
        all.extend(page.containments);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

async fn state(bench: &Bench, slug: &str) -> PortalState {
    let request = GetPortalRequest {
        client_slug: slug.to_owned(),
    };
    let answer = bench.portals(OPERATOR).get_portal(request).await.expect("gets");
    answer.into_inner().portal.expect("told").state()
}

/// Whoever else is an operator.
const BOB: &str = "operator/bob";
/// More of one act at once than can be carried out at once.
const AT_ONCE: usize = 12;
const ROUNDS: usize = 8;

/// Ann contains Bob while he does something again and again, until he is refused or she has her answer. Gives what is seen
/// of it when she has that, and when nothing of his is under way any more.
async fn contain_in_the_act<F, T>(
    bench: &Bench,
    act: impl Fn(Named) -> F + Clone + Send + 'static,
    seen: impl AsyncFn() -> T,
) -> (T, T)
where
    F: Future<Output = Result<(), Status>> + Send,
{
    let over = Arc::new(AtomicBool::new(false));
    let mut acting = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (act, over, channel) = (act.clone(), over.clone(), bench.channel_of(BOB));
        acting.spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let done = act(channel.clone()).await;
                if reason(&done) == "CALLER_CONTAINED" {
                    return;
                }
            }
        });
    }
    let bob = Holder::Caller(BOB.to_owned());
    contain(bench, &bob, "an incident").await.expect("contains");
    let at_once = seen().await;
    over.store(true, Ordering::SeqCst);
    while let Some(ended) = acting.join_next().await {
        ended.expect("no panic");
    }
    let later = seen().await;
    let _ = lift(bench, &bob).await;
    (at_once, later)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_contained_in_the_act_of_lifting_stays_contained_however_many_lifts_wait() {
    let bench = Bench::start().await;
    let lifting = |channel: Named| async move {
        let request = LiftContainmentRequest {
            target: target(&Holder::Caller(BOB.to_owned())),
            reason: "it is nothing".to_owned(),
        };
        let mut client = ContainmentServiceClient::new(channel);
        client.lift_containment(request).await.map(drop)
    };
    for round in 0..ROUNDS {
        let contained = contain_in_the_act(&bench, lifting, async || list(&bench, 0).await.len()).await;
        assert_eq!(contained, (1, 1), "in round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_contained_in_the_act_of_putting_grants_puts_none_once_that_is_said() {
    let bench = Bench::start().await;
    let putting = |channel: Named| async move {
        let request = PutGrantRequest {
            grant: Some(of_everything("bobs", BOB)),
            validate_only: false,
        };
        let mut client = AccessServiceClient::new(channel);
        client.put_grant(request).await.map(drop)
    };
    let newest = async || {
        let mut client = AccessServiceClient::new(bench.channel_of(OPERATOR));
        let listed = client.list_grants(ListGrantsRequest::default()).await;
        let grants = listed.expect("lists").into_inner().grants;
        grants.iter().map(|grant| grant.revision).max()
    };
    for round in 0..ROUNDS {
        let (at_once, later) = contain_in_the_act(&bench, putting, newest).await;
        assert_eq!(at_once, later, "in round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_contained_in_the_act_of_resuming_resumes_nothing_once_that_is_said() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let moving = |channel: Named| async move {
        let client_slug = "acme".to_owned();
        let mut client = PortalServiceClient::new(channel);
        let suspending = SuspendPortalRequest {
            client_slug: client_slug.clone(),
        };
        let _ = client.suspend_portal(suspending).await;
        let resuming = ResumePortalRequest { client_slug };
        client.resume_portal(resuming).await.map(drop)
    };
    let moved = async || {
        let request = GetPortalRequest {
            client_slug: "acme".to_owned(),
        };
        let answer = bench.portals(OPERATOR).get_portal(request).await.expect("gets");
        answer.into_inner().portal.expect("told").store_version
    };
    for round in 0..ROUNDS {
        let (at_once, later) = contain_in_the_act(&bench, moving, moved).await;
        assert_eq!(at_once, later, "in round {round}");
    }
}

fn portal(slug: &str) -> Holder {
    Holder::ClientSlug(slug.to_owned())
}

#[tokio::test]
async fn a_contained_portal_is_not_served_and_nothing_but_lifting_serves_it_again() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    let contained = contain(&bench, &portal("acme"), "a token leaked")
        .await
        .expect("contains");
    assert_eq!(
        (contained.contained_by.as_str(), contained.reason.as_str()),
        (OPERATOR, "a token leaked")
    );
    assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "HANDLE_INVALID");
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "PORTAL_CONTAINED");
    assert_eq!(state(&bench, "acme").await, PortalState::Contained);
    let client_slug = || "acme".to_owned();
    let mut portals = bench.portals(OPERATOR);
    let resumed = portals.resume_portal(ResumePortalRequest {
        client_slug: client_slug(),
    });
    assert_eq!(reason(&resumed.await), "PORTAL_CONTAINED");
    let suspended = portals.suspend_portal(SuspendPortalRequest {
        client_slug: client_slug(),
    });
    assert_eq!(reason(&suspended.await), "PORTAL_CONTAINED");
    let again = contain(&bench, &portal("acme"), "another reason")
        .await
        .expect("contains");
    assert_eq!(again, contained, "it stays as it is");
    lift(&bench, &portal("acme")).await.expect("lifts");
    assert_eq!(state(&bench, "acme").await, PortalState::Active);
    assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "HANDLE_INVALID");
    bench.issue(SYNC, "acme").await.expect("a new one");
    assert_eq!(
        reason(&lift(&bench, &portal("acme")).await),
        "CONTAINMENT_UNKNOWN"
    );
}

#[tokio::test]
async fn a_portal_that_was_suspended_is_suspended_again_when_it_is_lifted() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let request = SuspendPortalRequest {
        client_slug: "acme".to_owned(),
    };
    bench
        .portals(OPERATOR)
        .suspend_portal(request)
        .await
        .expect("suspends");
    contain(&bench, &portal("acme"), "to be sure")
        .await
        .expect("contains");
    lift(&bench, &portal("acme")).await.expect("lifts");
    assert_eq!(state(&bench, "acme").await, PortalState::Suspended);
}

#[tokio::test]
async fn what_is_contained_is_listed_the_newest_first_page_by_page() {
    let mut bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let holders = [
        Holder::Caller(SYNC.to_owned()),
        portal("acme"),
        Holder::PersonId("ann".to_owned()),
    ];
    for holder in &holders {
        bench.clock.advance(std::time::Duration::from_millis(1));
        contain(&bench, holder, "an incident").await.expect("contains");
    }
    let mut expected: Vec<_> = holders.iter().map(target).collect();
    expected.reverse();
    bench.restart(|_| {}).await;
    for page_size in [1, 2, 0] {
        let listed = list(&bench, page_size).await;
        let targets: Vec<_> = listed.into_iter().map(|one| one.target).collect();
        assert_eq!(targets, expected, "in pages of {page_size}");
    }
    for holder in &holders {
        lift(&bench, holder).await.expect("lifts");
    }
    assert_eq!(list(&bench, 0).await, []);
}

#[tokio::test]
async fn ending_all_handles_of_a_portal_forbids_no_new_ones() {
    let bench = Bench::start().await;
    let old = bench.handle().await.handle;
    let request = RevokeHandlesRequest {
        target: target(&portal("acme")),
        wait: None,
    };
    let ended = operator(&bench)
        .revoke_handles(request)
        .await
        .expect("ends")
        .into_inner();
    assert_eq!((ended.revocation_seq, ended.reach), (1, None), "nobody waited");
    assert_eq!(reason(&bench.redeem(&old, SYNC).await), "HANDLE_INVALID");
    let new = bench.issue(SYNC, "acme").await.expect("issues").handle;
    bench.redeem(&new, SYNC).await.expect("redeems");
    assert_eq!(bench.last_entry().await.1.operation(), Operation::HandleRedeem);
}

#[tokio::test]
async fn a_contained_handle_is_dead_and_there_is_nothing_to_lift() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    let id = Holder::HandleId(issued.description.expect("told").handle_id);
    contain(&bench, &id, "found in a log").await.expect("contains");
    assert_eq!(
        reason(&bench.redeem(&issued.handle, SYNC).await),
        "HANDLE_INVALID"
    );
    assert_eq!(reason(&lift(&bench, &id).await), "CONTAINMENT_UNKNOWN");
}

#[tokio::test]
async fn who_contains_and_lifts_and_why_is_on_the_log() {
    let bench = Bench::start().await;
    let sync = Holder::Caller(SYNC.to_owned());
    contain(&bench, &sync, "its key leaked").await.expect("contains");
    let entry = bench.last_entry().await.1;
    assert_eq!(entry.operation(), Operation::Contain);
    assert_eq!(
        (entry.caller.as_str(), entry.subject.as_str()),
        (OPERATOR, "caller nightly-sync: its key leaked")
    );
    lift(&bench, &sync).await.expect("lifts");
    let entry = bench.last_entry().await.1;
    assert_eq!(entry.operation(), Operation::ContainmentLift);
    assert_eq!(entry.subject, "caller nightly-sync: it is over");
}

#[tokio::test]
async fn what_cannot_be_contained_is_refused_with_the_field() {
    let bench = Bench::start().await;
    let sync = Holder::Caller(SYNC.to_owned());
    for bad in ["", "two\nlines", &"x".repeat(257)] {
        assert_eq!(
            reason(&contain(&bench, &sync, bad).await),
            "INVALID_FIELD",
            "{bad:?}"
        );
    }
    for bad in [
        Holder::ClientSlug("No Slug".to_owned()),
        Holder::Caller(String::new()),
        Holder::PersonId("Ann".to_owned()),
        Holder::HandleId("7".to_owned()),
    ] {
        assert_eq!(
            reason(&contain(&bench, &bad, "why").await),
            "INVALID_FIELD",
            "{bad:?}"
        );
    }
    let request = ContainRequest {
        reason: "why".to_owned(),
        ..ContainRequest::default()
    };
    let nobody = operator(&bench).contain(request).await;
    assert_eq!(reason(&nobody), "INVALID_FIELD");
    let unknown = contain(&bench, &portal("nobody"), "why").await;
    assert_eq!(reason(&unknown), "PORTAL_UNKNOWN");
    let crm = ContainmentServiceClient::new(bench.channel_of(CRM))
        .list_containments(ListContainmentsRequest::default())
        .await;
    assert_eq!(reason(&crm), "CALLER_NOT_ALLOWED");
}

#[tokio::test]
async fn each_end_of_a_callers_or_persons_handles_is_on_the_feed_with_the_generation_that_lives() {
    let bench = Bench::start().await;
    let (sync, ann) = (
        Holder::Caller(SYNC.to_owned()),
        Holder::PersonId("ann".to_owned()),
    );
    let end = async |holder: &Holder| {
        let request = RevokeHandlesRequest {
            target: target(holder),
            wait: None,
        };
        let ended = operator(&bench).revoke_handles(request).await;
        ended.expect("ends").into_inner().revocation_seq
    };
    assert_eq!((end(&sync).await, end(&ann).await, end(&sync).await), (1, 2, 3));
    contain(&bench, &ann, "an incident").await.expect("contains");
    contain(&bench, &ann, "again").await.expect("contains");
    let mut feed = crate::revocations::watch(&bench, 0).await.expect("opens");
    let caller = |generation| {
        Scope::CallerGeneration(CallerGeneration {
            caller: SYNC.to_owned(),
            generation,
        })
    };
    let person = |generation| {
        Scope::PersonGeneration(PersonGeneration {
            person_id: "ann".to_owned(),
            generation,
        })
    };
    for expected in [caller(2), person(2), caller(3), person(3)] {
        let Message::Revocation(revocation) = crate::revocations::next(&mut feed).await else {
            panic!("a heartbeat before {expected:?}");
        };
        assert_eq!(revocation.scope, Some(expected));
    }
    assert_eq!(crate::revocations::heartbeat(&mut feed).await, 4, "and no more");
}
