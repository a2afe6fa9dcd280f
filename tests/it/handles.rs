//! The life of a handle: minutes at most, and over at once when it is revoked.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubkeep_audit_log::{Cause, Operation};
use hubkeep_core::clock::{MockClock, SystemClock, Timestamp};
use hubkeep_tests::{
    Crm, Handle, Hubkeep, Limits, Proxy, Refused, Service, World, eventually, proto_entry, reason,
};
use tonic::Code;

const A: &str = "client-0001";
const NOW: Timestamp = Timestamp::from_micros(1_795_366_800_000_000);
const SECOND: Duration = Duration::from_secs(1);
/// What a machine under load may add to a bound of real time.
const MARGIN: Duration = Duration::from_secs(1);

async fn at_a_standstill() -> (Hubkeep, Arc<MockClock>) {
    let clock = MockClock::at(NOW);
    let hubkeep = Hubkeep::over(World::of_portals(1))
        .clock(clock.clone())
        .start()
        .await;
    hubkeep.onboard_all().await;
    (hubkeep, clock)
}

fn holder(hubkeep: &Hubkeep, handle: &Handle) -> Crm {
    hubkeep.crm_as(&handle.caller).with(handle)
}

#[tokio::test]
async fn a_handle_lives_for_its_time_and_not_a_moment_longer() {
    let (hubkeep, clock) = at_a_standstill().await;
    let usual = hubkeep.handle(A).issue().await;
    let short = hubkeep.handle(A).lifetime(SECOND).issue().await;
    let longest = hubkeep.handle(A).lifetime(900 * SECOND).issue().await;
    let works = async |handle: &Handle| match holder(&hubkeep, handle).get("contacts", "101").await {
        Ok(_) => true,
        Err(status) => {
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::Unauthenticated, "HANDLE_INVALID")
            );
            false
        }
    };
    assert!(works(&usual).await && works(&short).await && works(&longest).await);
    clock.advance(SECOND);
    assert!(!works(&short).await && works(&usual).await);
    clock.advance(298 * SECOND);
    assert!(works(&usual).await, "after 299 s");
    clock.advance(SECOND);
    assert!(!works(&usual).await && works(&longest).await, "after 300 s");
    clock.advance(600 * SECOND);
    assert!(!works(&longest).await, "after 900 s");
    assert!(!works(&usual).await, "what has ended stays so");
    let introspected = hubkeep.introspect(&usual.token, "sync").await;
    assert_eq!(Refused::in_place_of(introspected).reason, "HANDLE_INVALID");
    let causes = redemption_causes(&hubkeep).await;
    assert!(
        causes.contains(&Cause::HandleExpired),
        "the true cause is on the log: {causes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_once_by_a_new_handle_cost_one_redemption() {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as(&handle.caller).with(&handle);
    let answers = join_all((0..200).map(|_| crm.get("contacts", "101"))).await;
    for answer in answers {
        answer.expect("read");
    }
    assert_eq!(redemption_causes(&hubkeep).await.len(), 1);
}

async fn redemption_causes(hubkeep: &Hubkeep) -> Vec<Cause> {
    let events = hubkeep.audit_events(Service::Credential).await;
    let entries = events.iter().map(proto_entry);
    let redemptions = entries.filter(|entry| entry.operation() == Operation::HandleRedeem);
    redemptions.map(|entry| entry.cause()).collect()
}

#[tokio::test]
async fn nobody_gets_a_handle_for_longer_than_fifteen_minutes() {
    let (hubkeep, _clock) = at_a_standstill().await;
    for lifetime in [Duration::ZERO, SECOND / 2, 901 * SECOND, 1_000_000 * SECOND] {
        let refused = Refused::in_place_of(hubkeep.handle(A).lifetime(lifetime).ask().await);
        assert_eq!(
            refused.said(),
            (Code::InvalidArgument, "INVALID_FIELD"),
            "{lifetime:?}"
        );
    }
    let refused = Refused::in_place_of(hubkeep.handle("no-such-client").ask().await);
    assert_eq!(refused.said(), (Code::NotFound, "PORTAL_UNKNOWN"));
    for wish in [
        hubkeep.handle(A).allow([]),
        hubkeep.handle(A).types([]),
        hubkeep.handle(A).types(["*", "deals"]),
    ] {
        assert_eq!(Refused::in_place_of(wish.ask().await).reason, "INVALID_FIELD");
    }
}

#[tokio::test]
async fn a_caller_holds_so_many_handles_of_a_portal_and_no_more() {
    let clock = MockClock::at(NOW);
    let setup = Hubkeep::over(World::of_portals(2)).clock(clock.clone());
    let hubkeep = setup
        .credential(|config| config.handles.max_live_per_caller = 3)
        .start()
        .await;
    hubkeep.onboard_all().await;
    for _ in 0..3 {
        hubkeep.handle(A).issue().await;
    }
    let refused = Refused::in_place_of(hubkeep.handle(A).ask().await);
    assert_eq!(refused.said(), (Code::ResourceExhausted, "TOO_MANY_HANDLES"));
    assert_eq!(refused.metadata["limit"], "3");
    hubkeep.handle(A).for_caller("agent").issue().await;
    hubkeep.handle("client-0002").issue().await;
    clock.advance(300 * SECOND);
    hubkeep.handle(A).issue().await;
}

#[tokio::test]
async fn a_cut_an_unknown_and_a_foreign_handle_are_told_apart_only_where_it_helps() {
    let (hubkeep, clock) = at_a_standstill().await;
    let handle = hubkeep.handle(A).issue().await;
    let revoked = hubkeep.handle(A).issue().await;
    hubkeep.revoke(&revoked).await;
    let cut = Handle {
        token: handle.token[..40].to_owned(),
        ..handle.clone()
    };
    let of_another = Handle {
        caller: "agent".to_owned(),
        ..handle.clone()
    };
    let refused =
        async |handle: &Handle| Refused::in_place_of(holder(&hubkeep, handle).get("contacts", "101").await);
    assert_eq!(refused(&cut).await.reason, "HANDLE_MALFORMED");
    for unusable in [Handle::invented(A, "sync"), of_another, revoked] {
        // Refusals of one second may be one entry, which has one cause.
        clock.advance(2 * SECOND);
        let refused = refused(&unusable).await;
        assert_eq!(refused.said(), (Code::Unauthenticated, "HANDLE_INVALID"));
        assert!(refused.metadata.is_empty());
    }
    assert!(hubkeep.hubspot_calls().is_empty());
    clock.advance(2 * SECOND);
    let causes = redemption_causes(&hubkeep).await;
    for cause in [
        Cause::HandleUnknown,
        Cause::HandleOfAnotherCaller,
        Cause::HandleRevoked,
    ] {
        assert!(causes.contains(&cause), "{cause:?} is not on the log: {causes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_handle_is_refused_although_it_was_in_memory() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let (handle, other) = (hubkeep.handle(A).issue().await, hubkeep.handle(A).issue().await);
    let crm = holder(&hubkeep, &handle);
    for _ in 0..3 {
        crm.get("contacts", "101").await.expect("served");
    }
    hubkeep.revoke(&handle).await;
    eventually!(SECOND, crm.get("contacts", "101").await.is_err());
    for _ in 0..20 {
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        assert_eq!(refused.reason, "HANDLE_INVALID", "what is over stays over");
    }
    holder(&hubkeep, &other)
        .get("contacts", "101")
        .await
        .expect("another handle lives on");
    hubkeep.revoke(&handle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_hears_of_no_revocations_serves_nothing_from_memory_after_five_seconds() {
    // Asked as often as can be: no limit may answer in the place of the handle.
    let world = World::of_portals(1).limits(&Limits::unlimited());
    let hubkeep = Hubkeep::over(world)
        .between_services(Proxy::open().await)
        .start()
        .await;
    hubkeep.onboard_all().await;
    let (handle, other) = (hubkeep.handle(A).issue().await, hubkeep.handle(A).issue().await);
    let crm = holder(&hubkeep, &handle);
    eventually!(crm.get("contacts", "101").await.is_ok());

    let clock = SystemClock::shared();
    hubkeep.between_services().freeze();
    let frozen = clock.tick();
    // The revocation succeeds, and crm-service cannot hear of it.
    hubkeep.revoke(&handle).await;
    let mut served_last = Duration::ZERO;
    let bound = 5 * SECOND + MARGIN;
    eventually!(bound + MARGIN, {
        let answer = crm.get("contacts", "101").await;
        if answer.is_ok() {
            served_last = clock.tick().since(frozen);
        }
        answer.is_err()
    });
    assert!(
        served_last <= bound,
        "served {served_last:?} after the feed fell silent"
    );
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(
        refused.said(),
        (Code::Unavailable, "CREDENTIAL_SERVICE_UNAVAILABLE")
    );
    assert!(refused.retry_after.is_some());

    hubkeep.between_services().restore();
    let lives = holder(&hubkeep, &other);
    eventually!(lives.get("contacts", "101").await.is_ok());
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(
        refused.reason, "HANDLE_INVALID",
        "what was revoked meanwhile is over"
    );
}

#[tokio::test]
async fn a_feed_that_was_cut_is_taken_up_again_and_tells_what_was_missed() {
    let clock = MockClock::at(NOW);
    let setup = Hubkeep::over(World::of_portals(1)).clock(clock.clone());
    let hubkeep = setup.between_services(Proxy::open().await).start().await;
    hubkeep.onboard_all().await;
    let (handle, other) = (hubkeep.handle(A).issue().await, hubkeep.handle(A).issue().await);
    let (crm, lives) = (holder(&hubkeep, &handle), holder(&hubkeep, &other));
    crm.get("contacts", "101").await.expect("served");
    hubkeep.between_services().cut();
    hubkeep.revoke(&handle).await;
    clock.advance(5 * SECOND);
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(
        refused.said(),
        (Code::Unavailable, "CREDENTIAL_SERVICE_UNAVAILABLE")
    );

    hubkeep.between_services().restore();
    eventually!({
        clock.advance(SECOND / 5);
        lives.get("contacts", "101").await.is_ok()
    });
    assert_eq!(
        Refused::in_place_of(crm.get("contacts", "101").await).reason,
        "HANDLE_INVALID"
    );
}
