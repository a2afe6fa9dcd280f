//! Tokens are replaced under the feet of callers who notice nothing, and the old ones are watched until they are dead.

use std::{collections::BTreeMap, time::Duration};

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::credential::v1::{RotationState, TokenStanding};
use hubkeep_tests::{
    BOUND, Fault, FaultRule, Hubkeep, Limits, Service, Setup, World, eventually, reason,
    support::rotations::{Traffic, consumer},
};
use hubspot_sim::fingerprint;

const A: &str = "client-0001";
const NEW: &str = "pat-na1-00000000-load-0000-0000-rotated000001";

/// The background looks often, so that no test waits for it.
fn attentive(setup: Setup) -> Setup {
    setup.credential(|config| {
        config.rotation.probe_soonest = Duration::from_millis(200);
        config.rotation.probe_latest = Duration::from_millis(400);
        config.rotation.look_every = Duration::from_millis(100);
    })
}

async fn started(world: World) -> Hubkeep {
    let hubkeep = attentive(Hubkeep::over(world.limits(&Limits::unlimited())))
        .start()
        .await;
    hubkeep.onboard_all().await;
    hubkeep
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_tokens_are_replaced() {
    no_call_fails(Hubkeep::over(World::of_portals(10).limits(&Limits::unlimited()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_tokens_are_replaced_on_postgres() {
    no_call_fails(Hubkeep::over(World::of_portals(10).limits(&Limits::unlimited())).postgres()).await;
}

/// With fewer calls nothing is said.
const ENOUGH: usize = 60;

/// 50 calls a second over ten portals, each of which is rotated three times.
async fn no_call_fails(setup: Setup) {
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let slugs: Vec<String> = hubkeep
        .onboarded()
        .await
        .into_iter()
        .map(|portal| portal.client_slug)
        .collect();
    let mut callers = Vec::new();
    for slug in &slugs {
        let handle = hubkeep.handle(slug).issue().await;
        callers.push(hubkeep.crm_as(&handle.caller).with(&handle));
    }
    let traffic = Traffic::start(callers, Duration::from_millis(200));
    let mut switched = BTreeMap::new();
    for round in 1..=3 {
        for slug in &slugs {
            let old = match round {
                1 => hubkeep.token(slug),
                _ => format!("pat-na1-{slug}-{}", round - 1),
            };
            hubkeep
                .rotate(slug, &old, &format!("pat-na1-{slug}-{round}"))
                .await;
            switched.insert(fingerprint(&old), hubkeep.hubspot.now_micros());
        }
    }
    // Every portal is called with its newest token before the traffic ends, however quickly all are rotated.
    eventually!({
        let calls = hubkeep.hubspot_calls();
        let called = |slug: &String| {
            let newest = Some(fingerprint(&format!("pat-na1-{slug}-3")));
            calls.iter().any(|call| call.token_fingerprint == newest)
        };
        calls.len() > ENOUGH && slugs.iter().all(called)
    });
    let (made, failed) = traffic.end().await;
    assert!(
        failed.is_empty(),
        "{} of {made} calls failed: {failed:#?}",
        failed.len()
    );
    assert!(made > ENOUGH, "too little traffic to say anything: {made} calls");
    for call in hubkeep.hubspot_calls() {
        let old = call
            .token_fingerprint
            .as_ref()
            .and_then(|token| switched.get(token));
        // Requests in flight end on the old token; the feed tells of the switch within its heartbeat.
        let late = old.is_some_and(|at| call.received_at > at + 1_000_000);
        assert!(!late, "a call began with an old token: {call:?}");
        assert_eq!(call.status.map(|status| status / 100), Some(2), "{call:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_quota_while_the_token_is_replaced_is_made_with_the_new_one() {
    // Of twelve calls in 10 s onboarding has made two, and one is kept free; four while credential-service calls.
    let limits = Limits {
        burst: 12,
        ..Limits::default()
    };
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&limits)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep
        .crm_as(&handle.caller)
        .with(&handle)
        .within(Duration::from_secs(60));
    crm.get("contacts", "101").await.expect("HubSpot tells its limit");
    // Eight are made at once, eight in the next interval, and the rest when the token is replaced.
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let crm = crm.clone();
            tokio::spawn(async move { crm.get("contacts", "101").await.map(drop) })
        })
        .collect();
    eventually!(hubkeep.hubspot_calls().len() >= 7);
    hubkeep.rotate(A, &hubkeep.token(A), NEW).await;
    for call in calls {
        call.await.expect("ran").expect("answered, before or after");
    }
    let tokens: Vec<_> = hubkeep
        .hubspot_calls()
        .into_iter()
        .map(|call| call.token_fingerprint)
        .collect();
    let (old, new) = (Some(fingerprint(&hubkeep.token(A))), Some(fingerprint(NEW)));
    let replaced = tokens
        .iter()
        .position(|token| *token == new)
        .expect("some waited");
    assert!(replaced >= 7, "{replaced} were made before");
    assert_eq!(tokens[..replaced], vec![old; replaced]);
    assert_eq!(tokens[replaced..], vec![new; tokens.len() - replaced]);
}

#[tokio::test]
async fn the_old_token_is_watched_until_hubspot_refuses_it_and_only_then_is_the_rotation_done() {
    let hubkeep = started(World::of_portals(1)).await;
    hubkeep.register_consumer(consumer("billing")).await;
    let old = hubkeep.token(A);
    let rotation = hubkeep.rotate(A, &old, NEW).await;
    let now = async || {
        hubkeep
            .rotation(&rotation.rotation_id)
            .await
            .rotation
            .expect("there")
    };
    eventually!(now().await.old_token() == TokenStanding::Accepted);
    hubkeep
        .acknowledge("billing", &rotation, NEW)
        .await
        .expect("true");
    assert_eq!(
        now().await.state(),
        RotationState::OldTokenAlive,
        "whatever consumers say"
    );
    hubkeep.hubspot.expire_old_token(&old).expect("expired");
    // It is believed when HubSpot has refused it twice, and asked four times in 10 s at most.
    eventually!(3 * BOUND, now().await.state() == RotationState::Done);
    assert_eq!(now().await.old_token(), TokenStanding::Refused);
    let asked = hubkeep.journal().len();
    hubkeep.hubspot.advance_time(Duration::from_secs(3_600));
    let entries = hubkeep.entries(Service::Credential, Phase::Admin).await;
    let told = entries
        .iter()
        .filter(|entry| entry.operation() == Operation::RotationProbe);
    assert_eq!(
        told.count(),
        2,
        "alive, and then dead: what changed is on the log, and nothing else"
    );
    assert_eq!(hubkeep.journal().len(), asked, "a dead token is not asked about");
}

#[tokio::test]
async fn a_rotation_that_is_cancelled_at_hubspot_is_seen_and_can_be_rolled_back() {
    let hubkeep = started(World::of_portals(1)).await;
    let old = hubkeep.token(A);
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as(&handle.caller).with(&handle);
    let rotation = hubkeep.rotate(A, &old, NEW).await;
    let now = async || {
        hubkeep
            .rotation(&rotation.rotation_id)
            .await
            .rotation
            .expect("there")
    };
    hubkeep.hubspot.cancel_rotation(&old).expect("cancelled");
    eventually!(now().await.state() == RotationState::NewTokenRefused);
    assert_eq!(now().await.old_token(), TokenStanding::Accepted);
    let refused = crm.get("contacts", "101").await;
    assert_eq!(reason(&refused.expect_err("revoked")), "TOKEN_REFUSED");
    let back = hubkeep
        .cancel_rotation(&rotation.rotation_id)
        .await
        .expect("the old token lives");
    assert_eq!(back.state(), RotationState::RolledBack);
    eventually!(crm.get("contacts", "101").await.is_ok());
    let last = hubkeep.hubspot_calls().pop().expect("made");
    assert_eq!(last.token_fingerprint, Some(fingerprint(&old)));
}

#[tokio::test]
async fn a_hubspot_that_fails_while_a_token_is_verified_changes_nothing() {
    let hubkeep = started(World::of_portals(1)).await;
    let old = hubkeep.token(A);
    hubkeep
        .hubspot
        .rotate_token(&old, NEW, hubspot_sim::Expire::Later)
        .expect("minted");
    let faults = [
        (Fault::Status { status: 401 }, "TOKEN_REFUSED"),
        (Fault::Status { status: 500 }, "HUBSPOT_UNAVAILABLE"),
        (Fault::HtmlBody, "HUBSPOT_UNAVAILABLE"),
        (Fault::CutConnection, "HUBSPOT_UNAVAILABLE"),
    ];
    for (fault, expected) in faults {
        hubkeep.hubspot.inject(FaultRule::new(fault.clone()));
        let refused = hubkeep.try_rotate(A, NEW).await;
        assert_eq!(reason(&refused.expect_err("refused")), expected, "{fault:?}");
        hubkeep.hubspot.clear_faults();
        let portal = hubkeep.onboarded().await.pop().expect("there");
        assert_eq!(
            (portal.credential_version, portal.token_fingerprint),
            (1, fingerprint(&old)),
            "{fault:?}"
        );
    }
}
