//! The doctor tells what is not as it should be, portal by portal, and changes nothing.

use std::{collections::BTreeMap, time::Duration};

use hubkeep_proto::{
    audit::v1::Operation,
    credential::v1::{
        FindingKind, RunDoctorRequest, RunDoctorResponse, SuspendPortalRequest, run_doctor_response::Message,
    },
};
use hubspot_sim::{Fault, FaultRule};
use tonic::Status;

use crate::{
    consumers::{consumer, register},
    harness::*,
    rotation::{rotate, to},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the doctor says: of the service, and of each portal that was looked at.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    service: Vec<FindingKind>,
    portals: BTreeMap<String, Vec<FindingKind>>,
}

async fn ask(bench: &Bench, slugs: &[&str]) -> Result<Vec<RunDoctorResponse>, Status> {
    // What was asked before has left HubSpot's window.
    bench.clock.advance(Duration::from_secs(11));
    let request = RunDoctorRequest {
        client_slugs: slugs.iter().map(|slug| (*slug).to_owned()).collect(),
        max_token_age: None,
    };
    let mut stream = bench.portals(OPERATOR).run_doctor(request).await?.into_inner();
    let mut told = Vec::new();
    while let Some(message) = stream.message().await? {
        told.push(message);
    }
    Ok(told)
}

async fn told(bench: &Bench) -> Told {
    let mut told = Told::default();
    for response in ask(bench, &[]).await.expect("answers") {
        match response.message.expect("set") {
            Message::Service(finding) => told.service.push(finding.kind()),
            Message::Portal(portal) => {
                let kinds = portal.findings.iter().map(|finding| finding.kind()).collect();
                told.portals.insert(portal.client_slug, kinds);
            }
        }
    }
    told
}

fn of(acme: &[FindingKind], globex: &[FindingKind]) -> Told {
    Told {
        service: Vec::new(),
        portals: [("acme", acme), ("globex", globex)]
            .map(|(slug, kinds)| (slug.to_owned(), kinds.to_vec()))
            .into(),
    }
}

async fn bench() -> Bench {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    bench
}

#[tokio::test]
async fn a_healthy_fleet_has_no_findings_and_each_portal_has_an_entry() {
    let bench = bench().await;
    assert_eq!(told(&bench).await, of(&[], &[]));
    let entries = bench.entries().await;
    let logs: Vec<&str> = entries
        .iter()
        .filter(|(_, entry)| entry.operation() == Operation::DoctorRun)
        .map(|(log, _)| log.rsplit('/').next().expect("a name"))
        .collect();
    assert!(
        ["system", "1001", "1002"].iter().all(|log| logs.contains(log)),
        "{logs:?}"
    );
}

#[tokio::test]
async fn what_changed_at_hubspot_is_told_and_told_again_until_somebody_acts_on_it() {
    let bench = bench().await;
    bench
        .hubspot
        .set_data_hosting_location(ACME, "eu1")
        .expect("a portal");
    bench
        .hubspot
        .set_scopes(GLOBEX_TOKEN, ["oauth", "crm.lists.read"])
        .expect("a token");
    let expected = of(&[FindingKind::DataMoved], &[FindingKind::ScopesDrifted]);
    assert_eq!(told(&bench).await, expected);
    assert_eq!(told(&bench).await, expected);
    bench.clock.advance(Duration::from_secs(11));
    for slug in ["acme", "globex"] {
        let request = hubkeep_proto::credential::v1::VerifyPortalRequest {
            client_slug: slug.to_owned(),
        };
        bench
            .portals(OPERATOR)
            .verify_portal(request)
            .await
            .expect("records it");
    }
    assert_eq!(told(&bench).await, of(&[], &[]));
}

#[tokio::test]
async fn a_token_that_is_dead_old_or_anothers_and_a_day_that_is_used_up_are_told() {
    let bench = bench().await;
    bench.hubspot.revoke_token(ACME_TOKEN).expect("a token");
    bench
        .hubspot
        .inject(FaultRule::new(Fault::AnswerOfPortal { other: ACME }).portal(GLOBEX));
    assert_eq!(
        told(&bench).await,
        of(&[FindingKind::TokenRefused], &[FindingKind::IdentityChanged])
    );
    bench.hubspot.restore_token(ACME_TOKEN).expect("a token");
    bench.hubspot.clear_faults();
    bench.hubspot.consume_daily(GLOBEX, 240_000).expect("a portal");
    assert_eq!(told(&bench).await, of(&[], &[FindingKind::QuotaLow]));
    bench.clock.advance(181 * DAY);
    let old = told(&bench).await;
    assert!(
        old.portals
            .values()
            .all(|kinds| kinds.contains(&FindingKind::TokenOld)),
        "{old:?}"
    );
}

#[tokio::test]
async fn one_portals_trouble_hides_no_other_and_a_suspended_one_is_told_without_asking() {
    let bench = bench().await;
    bench
        .hubspot
        .inject(FaultRule::new(Fault::HtmlBody).portal(GLOBEX));
    let request = SuspendPortalRequest {
        client_slug: "acme".to_owned(),
    };
    bench
        .portals(OPERATOR)
        .suspend_portal(request)
        .await
        .expect("suspends");
    assert_eq!(
        told(&bench).await,
        of(&[FindingKind::Suspended], &[FindingKind::NotExamined])
    );
    assert_eq!(reason(&ask(&bench, &["nobody"]).await), "PORTAL_UNKNOWN");
    assert_eq!(reason(&ask(&bench, &["../x"]).await), "INVALID_FIELD");
    assert_eq!(ask(&bench, &["acme"]).await.expect("answers").len(), 1);
}

#[tokio::test]
async fn the_end_of_the_api_version_is_told_in_time() {
    let bench =
        Bench::start_with(|config| config.hubspot.api_version = hubkeep_hubspot::ApiVersion::V3).await;
    assert_eq!(told(&bench).await.service, []);
    bench.clock.advance(120 * DAY);
    assert_eq!(told(&bench).await.service, [FindingKind::ApiVersionSunset]);
}

#[tokio::test]
async fn what_a_rotation_waits_for_is_told_and_a_token_is_as_old_as_its_last_rotation() {
    let bench = bench().await;
    register(&bench, consumer("billing", &["acme"]))
        .await
        .expect("registers");
    bench.clock.advance(181 * DAY);
    let old = told(&bench).await.portals;
    assert_eq!(old["acme"], [FindingKind::TokenOld]);
    rotate(&bench, to(ACME_SECOND_TOKEN)).await.expect("rotates");
    let new = told(&bench).await.portals;
    assert_eq!(
        new["acme"],
        [FindingKind::OldTokenAlive, FindingKind::ConsumersBehind]
    );
    assert_eq!(new["globex"], [FindingKind::TokenOld]);
}
