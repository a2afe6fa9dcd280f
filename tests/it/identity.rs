//! Before something is written, HubSpot itself says whose account the token is.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::clock::{MockClock, SystemClock};
use hubkeep_tests::{Crm, Fault, FaultRule, Hubkeep, ObjectType, Refused, Service, World, eventually};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";
const NEW: &str = "pat-na1-00000000-load-0000-0000-rotated000001";
const ACCOUNT_INFO: &str = "/account-info/";

/// Onboarded, and with an empty journal.
async fn ready(hubkeep: Hubkeep) -> Hubkeep {
    hubkeep.onboard_all().await;
    hubkeep.hubspot.clear_journal();
    hubkeep
}

async fn holder(hubkeep: &Hubkeep, slug: &str) -> Crm {
    let handle = hubkeep.handle(slug).issue().await;
    hubkeep.crm_as("sync").with(&handle)
}

async fn write(crm: &Crm) -> Result<(), Refused> {
    let written = crm.update("contacts", "101", &[("firstname", "x")]).await;
    written.map(drop).map_err(|status| Refused::of(&status))
}

/// What HubSpot received: "proof" for a question whose account it is, else the method. Then it is forgotten.
fn received(hubkeep: &Hubkeep) -> Vec<String> {
    let journal = hubkeep.journal();
    hubkeep.hubspot.clear_journal();
    let word = |entry: &hubkeep_tests::JournalEntry| match entry.path.starts_with(ACCOUNT_INFO) {
        true => "proof".to_owned(),
        false => entry.method.clone(),
    };
    journal.iter().map(word).collect()
}

#[tokio::test]
async fn the_first_write_of_each_portal_is_proven_and_the_second_needs_no_proof() {
    let hubkeep = ready(Hubkeep::start(World::of_portals(2)).await).await;
    for slug in [A, B] {
        let crm = holder(&hubkeep, slug).await;
        crm.get("contacts", "101").await.expect("reads need no proof");
        assert_eq!(received(&hubkeep), ["GET"]);
        write(&crm).await.expect("written");
        assert_eq!(received(&hubkeep), ["proof", "PATCH"]);
        write(&crm).await.expect("written");
        let other = holder(&hubkeep, slug).await;
        write(&other).await.expect("another handle of the portal");
        assert_eq!(received(&hubkeep), ["PATCH", "PATCH"]);
    }
    let mut asked = hubkeep.entries(Service::Crm, Phase::Intent).await;
    asked.retain(|entry| entry.operation() == Operation::AccountRead);
    let portals: Vec<&str> = asked.iter().map(|entry| entry.client_slug.as_str()).collect();
    assert_eq!(portals, [A, B], "each in its portal's own log");
    assert!(asked.iter().all(|entry| !entry.handle_id.is_empty()));
}

#[tokio::test]
async fn a_new_token_is_proven_before_it_writes() {
    let hubkeep = ready(Hubkeep::start(World::of_portals(1)).await).await;
    let crm = holder(&hubkeep, A).await;
    write(&crm).await.expect("written");
    hubkeep
        .hubspot
        .rotate_token(&hubkeep.token(A), NEW, hubspot_sim::Expire::Later)
        .expect("rotated at HubSpot");
    hubkeep.try_rotate(A, NEW).await.expect("rotated");
    hubkeep.hubspot.clear_journal();
    write(&crm).await.expect("written by the new token");
    let (journal, fingerprint) = (hubkeep.journal(), hubspot_sim::fingerprint(NEW));
    let of_crm: Vec<_> = journal
        .iter()
        .filter(|entry| entry.method == "PATCH" || entry.path.starts_with(ACCOUNT_INFO))
        .collect();
    assert!(
        of_crm
            .windows(2)
            .any(|pair| pair[0].path.starts_with(ACCOUNT_INFO) && pair[1].method == "PATCH"),
        "{journal:?}"
    );
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    let by_the_new: Vec<_> = intents
        .iter()
        .filter(|entry| entry.token_fingerprint == fingerprint)
        .map(|entry| entry.operation())
        .collect();
    assert_eq!(
        by_the_new,
        [Operation::AccountRead, Operation::ObjectUpdate],
        "the proof is by the very token that writes"
    );
}

#[tokio::test]
async fn a_proof_is_made_again_after_a_day() {
    let clock = MockClock::at(SystemClock::shared().now());
    let hubkeep = Hubkeep::over(World::of_portals(1)).clock(clock.clone());
    let hubkeep = ready(hubkeep.start().await).await;
    write(&holder(&hubkeep, A).await).await.expect("written");
    assert_eq!(received(&hubkeep), ["proof", "PATCH"]);
    let day = Duration::from_secs(24 * 3_600);
    for (later, expected) in [
        (day - Duration::from_secs(60), &["PATCH"][..]),
        (Duration::from_secs(61), &["proof", "PATCH"]),
    ] {
        clock.advance(later);
        hubkeep.hubspot.advance_time(later);
        let crm = holder(&hubkeep, A).await;
        hubkeep.hubspot.clear_journal();
        write(&crm).await.expect("written");
        assert_eq!(received(&hubkeep), expected, "after {later:?}");
    }
}

#[tokio::test]
async fn a_token_that_answers_for_another_account_writes_nothing() {
    let hubkeep = ready(Hubkeep::start(World::of_portals(2)).await).await;
    let (own, other) = (hubkeep.portal_id(A), hubkeep.portal_id(B));
    let token = hubkeep.token(A);
    hubkeep.hubspot.move_token(&token, other).expect("moved");
    let crm = holder(&hubkeep, A).await;
    let answers = [
        write(&crm).await,
        crm.create("contacts", &[("firstname", "x")])
            .await
            .map(drop)
            .map_err(|status| Refused::of(&status)),
        crm.archive("contacts", "101")
            .await
            .map(drop)
            .map_err(|status| Refused::of(&status)),
    ];
    for answer in &answers {
        let refused = answer.as_ref().expect_err("refused");
        assert_eq!(
            refused.said(),
            (Code::FailedPrecondition, "TOKEN_OF_ANOTHER_PORTAL")
        );
        assert_eq!(refused.metadata["expected_portal_id"], own.to_string());
        assert_eq!(refused.metadata["actual_portal_id"], other.to_string());
        assert_eq!(refused.retry_after, None);
    }
    assert_eq!(
        received(&hubkeep),
        ["proof", "proof", "proof"],
        "no write went out"
    );
    for portal in [own, other] {
        let record = hubkeep.hubspot.record(portal, ObjectType::Contacts, 101);
        assert_ne!(record.expect("there")["properties"]["firstname"], "x");
    }
    let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    assert_eq!(denied.len(), answers.len());

    hubkeep.hubspot.move_token(&token, own).expect("moved back");
    write(&crm).await.expect("it is the portal's own again");
}

#[tokio::test]
async fn a_write_is_never_sent_unproven_because_hubspot_does_not_answer() {
    let hubkeep = ready(Hubkeep::start(World::of_portals(1)).await).await;
    let crm = holder(&hubkeep, A).await.within(Duration::from_secs(8));
    for fault in [Fault::Status { status: 503 }, Fault::CutConnection] {
        hubkeep.hubspot.inject(FaultRule::new(fault).path(ACCOUNT_INFO));
        let refused = write(&crm).await.expect_err("not proven");
        assert_eq!(refused.said(), (Code::Unavailable, "HUBSPOT_UNAVAILABLE"));
        assert!(refused.retry_after.is_some());
        hubkeep.hubspot.clear_faults();
    }
    assert!(hubkeep.hubspot_calls().is_empty(), "nothing was written");

    let held = FaultRule::new(Fault::HoldUntilReleased).path(ACCOUNT_INFO);
    hubkeep.hubspot.inject(held);
    let hasty = crm.clone().within(Duration::from_millis(700));
    let refused = hasty.update("contacts", "101", &[("firstname", "x")]).await;
    let refused = refused.expect_err("not proven in time");
    assert!(
        [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled].contains(&refused.code()),
        "{refused:?}"
    );
    hubkeep.hubspot.clear_faults();
    assert!(hubkeep.hubspot_calls().is_empty(), "nothing was written");
    // So often failed, the portal is left alone for some seconds.
    eventually!(Duration::from_secs(20), write(&crm).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_first_writes_at_once_one_asks_for_all() {
    let hubkeep = ready(Hubkeep::start(World::of_portals(1)).await).await;
    let crm = Arc::new(holder(&hubkeep, A).await);
    let writes = join_all((0..20).map(|_| write(&crm))).await;
    writes.into_iter().for_each(|written| written.expect("written"));
    let journal = received(&hubkeep);
    assert_eq!(journal.iter().filter(|word| *word == "proof").count(), 1);
    assert_eq!(journal.first().map(String::as_str), Some("proof"));
    assert_eq!(journal.len(), 21);
}
