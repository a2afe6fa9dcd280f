//! crm-service asked to stop while it works: what has begun ends with its record, what has not begun is refused.

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    iter,
    time::Duration,
};

use hubkeep_audit_log::{Cause, Operation, Phase};
use hubkeep_core::clock::SystemClock;
use hubkeep_proto::crm::v1::Reply;
use hubkeep_tests::{
    Crm, Fault, FaultRule, Limits, Refused, World, eventually, intents_by_entry, proto_entry,
    support::{
        audit::{assert_dense, events_on_disk},
        crm_process::CrmProcess,
    },
};
use tonic::{Code, Status};

const A: &str = "client-0001";
const CALLERS: usize = 32;
/// HubSpot's searches a second: the next one waits.
const SEARCHES: usize = 5;
/// What a stop may take when nothing is in flight: a tenth of the drain time.
const SOON: Duration = Duration::from_secs(3);

/// How a call ended, as its caller knows it.
#[derive(Debug)]
enum End {
    Answered(String),
    /// With the reason, where the service itself refused.
    Refused(Option<String>),
}

fn end(answer: Result<Option<Reply>, Status>) -> End {
    match answer {
        Ok(reply) => End::Answered(reply.expect("every answer has it").call_id),
        Err(status) => {
            let from_the_service = !status.details().is_empty();
            // Without one: no connection, or one that went away under a request that the client had not sent yet.
            let safe_to_send_again = match status.code() {
                Code::Unavailable => true,
                Code::Cancelled => !from_the_service,
                Code::Internal => was_told_to_go_elsewhere(&status),
                _ => false,
            };
            assert!(safe_to_send_again, "{status:?}");
            End::Refused(from_the_service.then(|| Refused::of(&status).reason))
        }
    }
}

/// Whether the client's own HTTP/2 gave up a request because the server had said that it takes no more on this
/// connection: such a request was not processed (RFC 9113, section 6.8).
fn was_told_to_go_elsewhere(status: &Status) -> bool {
    let first: Option<&(dyn Error + 'static)> = status.source();
    iter::successors(first, |&error| error.source())
        .filter_map(|error| error.downcast_ref::<h2::Error>())
        .any(|error| error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR))
}

/// Callers who write and read, each until it is refused once.
fn load(crm: &Crm) -> Vec<tokio::task::JoinHandle<Vec<End>>> {
    let one = |number: usize| {
        let crm = crm.clone();
        tokio::spawn(async move {
            let (mut ends, value) = (Vec::new(), number.to_string());
            loop {
                let wrote = crm.update("contacts", "101", &[("firstname", &value)]).await;
                ends.push(end(wrote.map(|answer| answer.reply)));
                let read = crm.get("contacts", "102").await;
                ends.push(end(read.map(|answer| answer.reply)));
                if matches!(ends[..], [.., End::Refused(_)]) {
                    return ends;
                }
            }
        })
    };
    (0..CALLERS).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_every_call_is_answered_with_its_outcome_on_record_or_was_never_sent() {
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let mut stage = CrmProcess::start(world).await;
    stage
        .hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Slow { ms: 20 }));
    let handle = stage.hubkeep.handle(A).issue().await;
    let callers = load(&stage.crm(&handle));
    eventually!(stage.hubkeep.hubspot.journal_len() > 5 * CALLERS);
    stage.process.ask_to_stop();
    let mut ends = Vec::new();
    for caller in callers {
        ends.extend(caller.await.expect("callers survive"));
    }
    stage.process.ends_within(SOON).await;

    let answered: HashSet<&str> = ends
        .iter()
        .filter_map(|end| match end {
            End::Answered(call_id) => Some(call_id.as_str()),
            End::Refused(reason) => {
                assert!(
                    reason.as_deref().is_none_or(|reason| reason == "STOPPING"),
                    "{reason:?}"
                );
                None
            }
        })
        .collect();
    let events = events_on_disk(&stage.log());
    assert_dense(&events);
    let outcomes: HashMap<&str, Cause> = events
        .iter()
        .map(proto_entry)
        .filter(|entry| entry.phase() == Phase::Outcome)
        .map(|entry| (entry.call_id.as_str(), entry.cause()))
        .collect();
    let intents = intents_by_entry(&events);
    let journal = stage.hubkeep.hubspot_calls();
    for received in &journal {
        let intent = received.header("x-request-id").and_then(|id| intents.get(id));
        let call_id = intent.expect("recorded before").call_id.as_str();
        assert!(
            answered.contains(call_id),
            "sent, and its caller has no answer: {received:?}"
        );
        assert!(
            outcomes.contains_key(call_id),
            "sent, and without an outcome: {received:?}"
        );
    }
    assert_eq!(journal.len(), answered.len(), "one request each");
    let asked = intents
        .values()
        .filter(|intent| intent.operation() == Operation::AccountRead);
    assert_eq!(
        asked.count(),
        1,
        "whose account the token is, before the first write"
    );
    assert_eq!(
        intents.len(),
        journal.len() + 1,
        "no intent for what was not sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_hubspot_when_the_stop_comes_is_answered_and_health_says_so_at_once() {
    let mut stage = CrmProcess::start(World::of_portals(1)).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let crm = stage.crm(&handle);
    let held = stage
        .hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::HoldUntilReleased).path("/crm/"));
    let reading = tokio::spawn({
        let crm = crm.clone();
        async move { crm.get("contacts", "101").await }
    });
    let writing = tokio::spawn(async move { crm.update("contacts", "101", &[("firstname", "x")]).await });
    stage.hubkeep.hubspot.until_held(2).await;
    let mut health = stage.watch_health().await;
    stage.process.ask_to_stop();
    health.hears_the_stop().await;
    stage.hubkeep.hubspot.release(held);
    reading.await.expect("no panic").expect("answered");
    writing.await.expect("no panic").expect("answered");
    stage.process.ends_within(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_room_is_refused_at_once_and_not_sent() {
    let mut stage = CrmProcess::start(World::of_portals(1)).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let crm = stage.crm(&handle);
    let searches = (0..8 * SEARCHES).map(|_| crm.search("contacts", "email", "a@b.example"));
    let clock = SystemClock::shared();
    let (ends, ()) = futures::join!(futures::future::join_all(searches), async {
        eventually!(stage.hubkeep.hubspot.journal_len() >= SEARCHES);
        stage.process.ask_to_stop();
    });
    let began = clock.tick();
    stage.process.ends_within(SOON).await;
    assert!(clock.tick().since(began) < SOON);
    let made = ends.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(
        stage.hubkeep.hubspot_calls().len(),
        made,
        "what was refused was not sent"
    );
    let mut stopped = 0;
    for status in ends.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        if !status.details().is_empty() {
            let refused = Refused::of(status);
            assert_eq!(refused.reason, "STOPPING");
            assert!(refused.retry_after.is_some(), "it may be sent again, elsewhere");
            stopped += 1;
        }
    }
    assert!(stopped > 0, "nobody waited: {made} of {} were made", ends.len());
}
