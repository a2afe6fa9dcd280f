//! Whatever goes wrong at HubSpot: the right reason, nothing half-done, nothing lost.

use std::{collections::HashSet, time::Duration};

use futures::future::join_all;
use hubkeep_tests::{
    BOUND, Crm, Fault, FaultRule, Hubkeep, ObjectType, Policy, Refused, Service, World, eventually,
    intents_by_entry,
    support::audit::{assert_dense, outcomes_by_attempt, without_proofs},
};
use serde_json::json;
use tonic::Code::{
    self, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted, Unavailable,
    Unknown,
};

const DEADLINE: Duration = Duration::from_millis(1_500);

/// A fault, what a read is told, and what a write is told.
struct Case {
    fault: Fault,
    read: (Code, &'static str),
    write: (Code, &'static str),
    /// How long a write's caller is told to wait, in seconds; `None` for no word of it.
    wait: Option<u64>,
}

fn same(fault: Fault, code: Code, reason: &'static str, wait: Option<u64>) -> Case {
    let said = (code, reason);
    Case {
        fault,
        read: said,
        write: said,
        wait,
    }
}

/// A failure after which nobody knows whether a write was made.
fn unclear(fault: Fault) -> Case {
    Case {
        fault,
        read: (Unavailable, "HUBSPOT_UNAVAILABLE"),
        write: (Unknown, "OUTCOME_UNKNOWN"),
        wait: None,
    }
}

/// An answer that is not HubSpot's: of something between that has waited for it, or that sends elsewhere for what came of it.
fn between(status: u16) -> Case {
    Case {
        fault: Fault::Status { status },
        read: (FailedPrecondition, "HUBSPOT_REFUSED"),
        write: (Unknown, "OUTCOME_UNKNOWN"),
        wait: None,
    }
}

fn limited(policy: Policy, retry_after: Option<u64>, wait: Option<u64>) -> Case {
    let fault = Fault::RateLimited {
        policy,
        headers: false,
        retry_after,
    };
    same(fault, ResourceExhausted, "HUBSPOT_RATE_LIMITED", wait)
}

fn answer(status: u16, body: serde_json::Value) -> Fault {
    Fault::Answer { status, body }
}

fn cases() -> Vec<Case> {
    let invalid = json!({ "category": "VALIDATION_ERROR", "message": "no", "errors": [{ "message": "no" }] });
    let taken = json!({ "category": "CONFLICT", "message": "Contact already exists. Existing ID: 77" });
    vec![
        same(
            Fault::Status { status: 401 },
            FailedPrecondition,
            "TOKEN_REFUSED",
            None,
        ),
        same(Fault::ExpiredToken, FailedPrecondition, "TOKEN_REFUSED", None),
        same(
            Fault::Status { status: 403 },
            FailedPrecondition,
            "SCOPE_MISSING",
            None,
        ),
        same(Fault::Status { status: 404 }, NotFound, "OBJECT_NOT_FOUND", None),
        same(answer(400, invalid), InvalidArgument, "HUBSPOT_VALIDATION", None),
        same(answer(409, taken), AlreadyExists, "OBJECT_CONFLICT", None),
        same(
            answer(403, json!({ "category": "BANNED" })),
            FailedPrecondition,
            "HUBSPOT_REFUSED",
            None,
        ),
        same(
            answer(418, json!({ "tea": true })),
            FailedPrecondition,
            "HUBSPOT_REFUSED",
            None,
        ),
        same(
            answer(302, json!({})),
            FailedPrecondition,
            "HUBSPOT_REFUSED",
            None,
        ),
        same(
            Fault::Status { status: 423 },
            Unavailable,
            "OBJECT_LOCKED",
            Some(2),
        ),
        same(
            Fault::Migrating { retry_after: 3_600 },
            Unavailable,
            "PORTAL_MIGRATING",
            Some(3_600),
        ),
        limited(Policy::TenSecondlyRolling, None, Some(10)),
        limited(Policy::TenSecondlyRolling, Some(7), Some(7)),
        limited(Policy::Secondly, Some(3), Some(3)),
        limited(Policy::Daily, None, None),
        between(408),
        between(499),
        between(303),
        unclear(Fault::Status { status: 500 }),
        unclear(Fault::Status { status: 502 }),
        unclear(Fault::Status { status: 503 }),
        unclear(Fault::Status { status: 504 }),
        unclear(Fault::Status { status: 524 }),
        unclear(Fault::HtmlBody),
        unclear(Fault::CutConnection),
        unclear(Fault::CutBody),
        unclear(Fault::NeverEndingBody),
        unclear(Fault::HoldUntilReleased),
        unclear(answer(200, json!(["not", "a", "record"]))),
        unclear(answer(201, json!({ "results": "none" }))),
    ]
}

/// Faults that come although the request took effect.
fn takes_effect(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::CutBody | Fault::NeverEndingBody | Fault::HoldUntilReleased
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_hubspot_has_its_reason_and_leaves_nothing_half_done() {
    let cases = cases();
    // Each case has a portal for its read and one for its write, so that no rest after a limit spoils the next.
    let portals = u32::try_from(2 * cases.len()).expect("few");
    // The service's own deadline: a caller's would also run out at the caller, who might then not hear the reason.
    let setup =
        Hubkeep::over(World::of_portals(portals)).crm(|config| config.grpc.default_deadline = DEADLINE);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let numbered = (1..).step_by(2).zip(&cases);
    join_all(numbered.map(async |(number, case)| {
        let (reader, writer) = (
            client(&hubkeep, number, case).await,
            client(&hubkeep, number + 1, case).await,
        );
        futures::join!(
            refuses_a_read(case, &reader),
            refuses_a_write(&hubkeep, case, &writer, number + 1)
        );
    }))
    .await;
    hubkeep.hubspot.clear_faults();

    let events = hubkeep.audit_events(Service::Crm).await;
    assert_dense(&events);
    let asked = without_proofs(&events);
    let intents = intents_by_entry(&asked);
    assert_eq!(
        intents.len(),
        outcomes_by_attempt(&asked).len(),
        "every attempt has its end on record"
    );
    let mut unsent: HashSet<&str> = intents.keys().copied().collect();
    let journal = hubkeep.hubspot_calls();
    for received in &journal {
        let id = received
            .header("x-request-id")
            .expect("it carries its intent's id");
        assert_eq!(Some(intents[id].portal_id), received.portal_id);
        unsent.remove(id);
    }
    // A connection may break under a request before it has left: then nothing is claimed of it.
    let outcomes = outcomes_by_attempt(&asked);
    for id in unsent {
        let outcome = outcomes[&(intents[id].call_id.as_str(), intents[id].attempt)];
        assert_eq!(outcome.status_code, 0, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_read_is_sent_again_when_a_lock_has_passed() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle("client-0001").issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let locked = FaultRule::new(Fault::Status { status: 423 }).path("/crm/");
    hubkeep.hubspot.inject(locked.times(1));
    crm.get("contacts", "101")
        .await
        .expect("read at the second attempt");
    assert_eq!(hubkeep.hubspot_calls().len(), 2);
}

fn slug(number: u32) -> String {
    format!("client-{number:04}")
}

/// A caller for whose portal every call goes wrong from now on; not so the question whose account its token is.
async fn client(hubkeep: &Hubkeep, number: u32, case: &Case) -> Crm {
    let slug = slug(number);
    let handle = hubkeep.handle(&slug).issue().await;
    let rule = FaultRule::new(case.fault.clone())
        .portal(hubkeep.portal_id(&slug))
        .path("/crm/");
    hubkeep.hubspot.inject(rule);
    hubkeep.crm_as("sync").with(&handle)
}

async fn refuses_a_read(case: &Case, crm: &Crm) {
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.said(), case.read, "a read: {:?}", case.fault);
    let is_limit = refused.reason == "HUBSPOT_RATE_LIMITED";
    assert_eq!(refused.has_quota_failure, is_limit, "a read: {:?}", case.fault);
}

async fn refuses_a_write(hubkeep: &Hubkeep, case: &Case, crm: &Crm, number: u32) {
    let told = format!("a write: {:?}", case.fault);
    let portal = hubkeep.portal_id(&slug(number));
    let refused = Refused::in_place_of(crm.update("contacts", "101", &[("firstname", "changed")]).await);
    assert_eq!(refused.said(), case.write, "{told}");
    let wait = refused.retry_after.map(|wait| wait.as_secs());
    if matches!(
        case.fault,
        Fault::RateLimited {
            policy: Policy::Daily,
            ..
        }
    ) {
        let longest_day = 25 * 3_600 + 30;
        assert!(wait.is_some_and(|wait| wait <= longest_day), "{told}: {wait:?}");
    } else {
        assert_eq!(wait, case.wait, "{told}");
    }

    let calls = hubkeep.hubspot_calls();
    let sent = calls.iter().filter(|call| call.portal_id == Some(portal)).count();
    assert_eq!(sent, 1, "{told}: a write is sent once before its deadline");
    let record = hubkeep
        .hubspot
        .record(portal, ObjectType::Contacts, 101)
        .expect("there");
    let changed = record["properties"]["firstname"] == "changed";
    assert_eq!(changed, takes_effect(&case.fault), "{told}");
}

#[tokio::test]
async fn a_slow_answer_is_still_an_answer() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle("client-0001").issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Slow { ms: 300 }).times(2));
    crm.get("contacts", "101").await.expect("read");
    crm.update("contacts", "101", &[("firstname", "x")])
        .await
        .expect("written");
    assert_eq!(hubkeep.hubspot_calls().len(), 2);
}

#[tokio::test]
async fn a_portal_that_is_revoked_at_hubspot_harms_no_other() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    hubkeep
        .hubspot
        .revoke_token(&hubkeep.token("client-0001"))
        .expect("there");
    for (slug, works) in [("client-0001", false), ("client-0002", true)] {
        let handle = hubkeep.handle(slug).issue().await;
        let answer = hubkeep.crm_as("sync").with(&handle).get("contacts", "101").await;
        assert_eq!(answer.is_ok(), works, "{slug}");
    }
    hubkeep
        .hubspot
        .restore_token(&hubkeep.token("client-0001"))
        .expect("there");
    let handle = hubkeep.handle("client-0001").issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    // A token that was refused is tried after 5 s.
    let works_again = async || crm.get("contacts", "101").await.is_ok();
    eventually!(2 * BOUND, works_again().await);
}
