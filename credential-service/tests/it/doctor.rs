//! The doctor tells what is not as it should be, portal by portal, and changes nothing.

use std::{collections::BTreeMap, time::Duration};

use hubkeep_proto::{
    audit::v1::Operation,
    credential::v1::{
        CloseRotationRequest, FindingKind, PortalExamined, Rotation, RunDoctorRequest, RunDoctorResponse,
        SuspendPortalRequest, run_doctor_response::Message,
    },
};
use hubspot_sim::{Fault, FaultRule, TokenSpec, fingerprint};
use tonic::Status;

use crate::{
    consumers::{consumer, register},
    harness::*,
    rotation::{cancel, in_time, rotate, rotations, to},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the doctor says: of the service, and of each portal that was looked at.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    service: Vec<FindingKind>,
    portals: BTreeMap<String, Vec<FindingKind>>,
}

async fn ask(bench: &Bench, slugs: &[&str]) -> Result<Vec<RunDoctorResponse>, Status> {
    // What was asked before has left HubSpot's window, which is one of its own clock, and ours.
    let window = Duration::from_secs(11);
    bench.hubspot.advance_time(window);
    bench.clock.advance(window);
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
        crate::import::patiently(&bench, told(&bench)).await,
        of(&[FindingKind::Suspended], &[FindingKind::NotExamined])
    );
    assert_eq!(reason(&ask(&bench, &["../x"]).await), "INVALID_FIELD");
    assert_eq!(ask(&bench, &["acme"]).await.expect("answers").len(), 1);
}

#[tokio::test]
async fn a_slug_that_names_nobody_is_told_and_the_others_are_looked_at() {
    let bench = bench().await;
    let answers = ask(&bench, &["acme", "nobody"]).await.expect("answers");
    let mut found = BTreeMap::new();
    for portal in portals(answers) {
        let kinds: Vec<_> = portal.findings.iter().map(|finding| finding.kind()).collect();
        found.insert(portal.client_slug, (portal.portal_id, kinds));
    }
    assert_eq!(found["acme"], (ACME, vec![]));
    assert_eq!(found["nobody"], (0, vec![FindingKind::Unknown]));
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn healthy_or_not_each_portal_has_its_tokens_ages_the_calls_that_are_left_and_where_its_data_is() {
    let bench = bench().await;
    bench
        .hubspot
        .set_data_hosting_location(ACME, "eu1")
        .expect("a portal");
    bench.hubspot.consume_daily(GLOBEX, 1_000).expect("a portal");
    bench.clock.advance(30 * DAY);
    for portal in portals(ask(&bench, &[]).await.expect("answers")) {
        let [credential] = &portal.credentials[..] else {
            panic!("one credential each: {portal:?}");
        };
        assert_eq!(credential.credential_name, "default");
        let age = credential.token_age.expect("it ages");
        assert_eq!(age.seconds / (24 * 60 * 60), 30);
        let calls = portal.daily_calls.expect("HubSpot counts");
        assert!(
            calls.left < calls.limit && calls.left > calls.limit / 2,
            "{calls:?}"
        );
        let place = if portal.client_slug == "acme" {
            "eu1"
        } else {
            "na1"
        };
        assert_eq!(portal.data_hosting_location, place);
    }
}

#[tokio::test]
async fn a_token_that_was_altered_or_is_gone_is_named_with_what_to_do() {
    for sql in [
        "DELETE FROM sealed_secret WHERE secret_id = 'portal/1001/token/1'",
        "UPDATE sealed_secret SET sealed = (SELECT sealed FROM sealed_secret WHERE secret_id = 'portal/1002/token/1') \
         WHERE secret_id = 'portal/1001/token/1'",
        "DELETE FROM seal_key WHERE owner = 'portal/1001' AND purpose = 'credential'",
    ] {
        let bench = bench().await;
        let database = bench.database().await;
        crate::fleet::run(&database, sql.to_owned()).await;
        // Until then an unwrapped key serves from memory.
        bench.clock.advance(bench.config.keys.cached_for);
        assert_eq!(
            told(&bench).await,
            of(&[FindingKind::TokenUnreadable], &[]),
            "{sql}"
        );
        // It was right that it is to be rotated.
        rotate(&bench, to(ACME_SECOND_TOKEN)).await.expect(sql);
        let mended = told(&bench).await.portals;
        assert!(
            !mended["acme"].contains(&FindingKind::TokenUnreadable),
            "{sql}: {mended:?}"
        );
        database.close().await;
    }
}

fn portals(answers: Vec<RunDoctorResponse>) -> Vec<PortalExamined> {
    let told = answers.into_iter().filter_map(|answer| match answer.message {
        Some(Message::Portal(portal)) => Some(portal),
        _ => None,
    });
    told.collect()
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

/// What is found about acme, in words.
async fn words(bench: &Bench) -> Vec<String> {
    let mut words = Vec::new();
    for response in in_time(bench, ask(bench, &["acme"])).await.expect("answers") {
        if let Some(Message::Portal(portal)) = response.message {
            words.extend(portal.findings.into_iter().map(|finding| finding.message));
        }
    }
    words
}

/// Asks again until nothing is found, and says whether that came.
async fn falls_silent(bench: &Bench) -> bool {
    // Each takes 11 s, and at the latest after an hour HubSpot is asked.
    for _ in 0..600 {
        if words(bench).await.is_empty() {
            return true;
        }
    }
    false
}

/// Puts another token in force, which HubSpot accepts beside the one before.
async fn next(bench: &Bench, token: &str) -> Rotation {
    let spec = TokenSpec::private_app(token);
    bench.hubspot.add_token(ACME, spec).expect("added");
    // What was asked before has left HubSpot's window, which is one of its own clock, and ours.
    let window = Duration::from_secs(11);
    bench.hubspot.advance_time(window);
    bench.clock.advance(window);
    let rotated = in_time(bench, rotate(bench, to(token))).await.expect("rotates");
    rotated.rotation.expect("told")
}

#[tokio::test]
async fn each_token_that_lives_on_out_of_force_is_told_until_hubspot_refuses_it_whatever_became_of_its_rotation()
 {
    let bench = bench().await;
    let told = async |expected: &[(&str, &str)]| {
        let found = words(&bench).await;
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((token, what), found) in expected.iter().zip(&found) {
            assert!(
                found.contains(&fingerprint(token)) && found.contains(what),
                "{found}"
            );
        }
    };
    next(&bench, "pat-na1-second").await;
    next(&bench, "pat-na1-third").await;
    told(&[
        ("pat-na1-second", "the old token"),
        (ACME_TOKEN, "replaced by rotation"),
    ])
    .await;
    bench.hubspot.revoke_token(ACME_TOKEN).expect("revoked");
    bench.hubspot.revoke_token("pat-na1-second").expect("revoked");
    assert!(falls_silent(&bench).await);

    let given_up = next(&bench, "pat-na1-fourth").await;
    let back = in_time(&bench, cancel(&bench, &given_up)).await;
    back.expect("the old token lives");
    told(&[("pat-na1-fourth", "given up")]).await;
    bench.clock.advance(DAY);
    told(&[("pat-na1-fourth", "given up")]).await;
    bench.hubspot.revoke_token("pat-na1-fourth").expect("revoked");
    assert!(falls_silent(&bench).await);

    let request = CloseRotationRequest {
        rotation_id: next(&bench, "pat-na1-fifth").await.rotation_id,
        reason: "nobody waits for it".to_owned(),
    };
    rotations(&bench).close_rotation(request).await.expect("closes");
    told(&[("pat-na1-third", "replaced by rotation")]).await;
    bench.hubspot.revoke_token("pat-na1-third").expect("revoked");
    assert!(falls_silent(&bench).await);
}

#[tokio::test]
async fn a_token_that_is_in_force_again_is_not_told_of() {
    let bench = bench().await;
    let given_up = next(&bench, "pat-na1-second").await;
    cancel(&bench, &given_up).await.expect("the old token lives");
    let rotated = rotate(&bench, to("pat-na1-second")).await.expect("rotates");
    assert!(!rotated.already_rotated);
    let found = words(&bench).await;
    assert!(
        matches!(found.as_slice(), [one] if one.contains(&fingerprint(ACME_TOKEN))),
        "{found:?}"
    );
}
