//! What stands out in the log is found once, told until it was taken, and never in the way of a call.

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;
use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::grpc::{AUDITOR, FLEET, Roles};
use hubkeep_crm_service::notify;
use hubkeep_proto::crm::v1::{
    Alert, AlertKind, AlertReceivers, AlertSeverity, AlertState, PutRuleRequest, WatchAlertsResponse,
};
use hubkeep_tests::{
    Fault, FaultRule, Hubkeep, Limits, Refused, Service, Setup, World, eventually,
    support::{
        alerts::{Inbox, alerts_at, secret_file},
        crm_process::CrmProcess,
        portals::OPERATOR,
    },
};
use tonic::{Code, Streaming};

const A: &str = "client-0001";
const B: &str = "client-0002";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn over_two() -> Setup {
    Hubkeep::over(World::of_portals(2).limits(&Limits::unlimited()))
}

async fn started(setup: Setup) -> Hubkeep {
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

/// So many reads of contacts by this caller, all at once.
async fn read(hubkeep: &Hubkeep, slug: &str, caller: &str, times: usize) {
    let handle = hubkeep.handle(slug).for_caller(caller).issue().await;
    let crm = hubkeep.crm_as(caller).with(&handle);
    for answer in join_all((0..times).map(|_| crm.get("contacts", "101"))).await {
        answer.expect("read");
    }
}

/// A call with a handle of another portal: the last thing in the log, and known to be found.
async fn strays(hubkeep: &Hubkeep, caller: &str) {
    let handle = hubkeep.handle(A).for_caller(caller).issue().await;
    let crm = hubkeep.crm_as(caller).with(&handle).naming(B);
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "PORTAL_MISMATCH"));
    let found = async || {
        let all = hubkeep.alerts(AlertKind::WrongPortal).await;
        all.iter().any(|alert| alert.subject == caller)
    };
    eventually!(found().await);
}

fn subjects(alerts: &[Alert]) -> Vec<(&str, &str, u64)> {
    alerts
        .iter()
        .map(|alert| (alert.client_slug.as_str(), alert.subject.as_str(), alert.count))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_single_failures_are_no_news_a_share_of_them_fires_and_is_resolved_by_successes() {
    let setup = over_two().crm(|config| {
        config.alerts.hubspot_failures.enabled = false;
        config.alerts.hubspot_failure_share.enabled = true;
    });
    let hubkeep = started(setup).await;
    let share = async || hubkeep.alerts(AlertKind::HubspotFailureShare).await;
    let failing = FaultRule::new(Fault::Status { status: 503 }).path("/crm/");
    read(&hubkeep, A, "sync", 19).await;
    hubkeep.hubspot.inject(failing.clone().times(2));
    read(&hubkeep, A, "sync", 1).await;
    strays(&hubkeep, "one").await;
    assert_eq!(subjects(&share().await), [], "2 of 22");
    hubkeep.hubspot.inject(failing.times(2));
    read(&hubkeep, A, "sync", 1).await;
    strays(&hubkeep, "two").await;
    let alerts = share().await;
    assert_eq!(subjects(&alerts), [(A, "", 14)], "3 of 23, in a hundred");
    assert_eq!((alerts[0].threshold, alerts[0].state()), (10, AlertState::Firing));
    read(&hubkeep, A, "sync", 20).await;
    eventually!(share().await[0].state() == AlertState::Resolved);
    assert_eq!(hubkeep.alerts(AlertKind::HubspotFailures).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_hubspot_fires_once_and_is_resolved_when_its_window_is_over() {
    let setup = over_two().crm(|config| config.alerts.hubspot_failures.window = Duration::from_secs(4));
    let hubkeep = started(setup).await;
    let mut watch = hubkeep.watch_alerts(OPERATOR, 0).await.expect("an operator");
    let failing = FaultRule::new(Fault::Status { status: 503 })
        .path("/crm/")
        .times(2);
    hubkeep.hubspot.inject(failing);
    read(&hubkeep, A, "sync", 1).await;
    strays(&hubkeep, "stray").await;
    let alerts = hubkeep.alerts(AlertKind::HubspotFailures).await;
    assert_eq!(subjects(&alerts), [(A, "", 1)], "two failures, one alert");
    let first = next_of(&mut watch, AlertKind::HubspotFailures).await;
    let alert = first.alert.expect("one");
    assert_eq!(
        (alert.state(), alert.portal_id),
        (AlertState::Firing, hubkeep.portal_id(A))
    );
    assert!(!alert.call_id.is_empty() && alert.position > 0);
    let second = next_of(&mut watch, AlertKind::HubspotFailures).await;
    let resolved = second.alert.expect("one");
    assert_eq!(
        (resolved.alert_id, resolved.state()),
        (alert.alert_id, AlertState::Resolved)
    );
    assert!(second.change > first.change);
    let mut again = hubkeep
        .watch_alerts(OPERATOR, first.change)
        .await
        .expect("an operator");
    let seen = next_of(&mut again, AlertKind::HubspotFailures).await;
    assert_eq!(
        seen.change, second.change,
        "a watcher that comes back misses nothing"
    );
    let mut new = hubkeep.watch_alerts(OPERATOR, 0).await.expect("an operator");
    let fires = new
        .message()
        .await
        .expect("open")
        .expect("one")
        .alert
        .expect("one");
    assert_eq!(
        fires.kind(),
        AlertKind::WrongPortal,
        "what is over is not told to a new one"
    );
}

async fn next_of(watch: &mut Streaming<WatchAlertsResponse>, kind: AlertKind) -> WatchAlertsResponse {
    loop {
        let told = watch.message().await.expect("open").expect("it goes on");
        if told.alert.as_ref().expect("one").kind() == kind {
            return told;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_one_reads_of_contacts_by_one_caller_fire_and_a_hundred_or_two_callers_do_not() {
    let hubkeep = started(over_two()).await;
    read(&hubkeep, A, "sync", 100).await;
    read(&hubkeep, B, "one", 60).await;
    read(&hubkeep, B, "other", 60).await;
    strays(&hubkeep, "stray").await;
    let alerts = hubkeep.alerts(AlertKind::ContactReads).await;
    assert_eq!(subjects(&alerts), []);
    read(&hubkeep, A, "sync", 1).await;
    strays(&hubkeep, "another").await;
    let alerts = hubkeep.alerts(AlertKind::ContactReads).await;
    assert_eq!(subjects(&alerts), [(A, "sync", 101)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_of_another_portal_fires_at_the_portal_of_the_handle() {
    let hubkeep = started(over_two()).await;
    strays(&hubkeep, "sync").await;
    let alerts = hubkeep.alerts(AlertKind::WrongPortal).await;
    assert_eq!(subjects(&alerts), [(A, "sync", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_put_for_a_portal_holds_there_and_is_on_record() {
    let hubkeep = started(over_two()).await;
    let ten = PutRuleRequest {
        client_slug: A.to_owned(),
        expected_portal_id: hubkeep.portal_id(A),
        kind: AlertKind::ContactReads.into(),
        threshold: Some(10),
        severity: AlertSeverity::Critical.into(),
        ..PutRuleRequest::default()
    };
    let rule = hubkeep.put_rule(OPERATOR, ten.clone()).await.expect("put");
    assert_eq!((rule.threshold, rule.put_by.as_str()), (10, OPERATOR));
    assert_eq!(rule.window.expect("kept").seconds, 60, "what is left out stays");
    read(&hubkeep, A, "sync", 11).await;
    read(&hubkeep, B, "sync", 11).await;
    strays(&hubkeep, "stray").await;
    let alerts = hubkeep.alerts(AlertKind::ContactReads).await;
    assert_eq!(subjects(&alerts), [(A, "sync", 11)]);
    assert_eq!(alerts.first().expect("one").severity(), AlertSeverity::Critical);

    let of_a = hubkeep.alert_rules(OPERATOR, A).await.expect("listed");
    assert_eq!(of_a.len(), 7, "one of each kind");
    assert_eq!(hubkeep.alert_rules(OPERATOR, "").await.expect("listed").len(), 9);
    let reset = PutRuleRequest {
        client_slug: A.to_owned(),
        kind: AlertKind::ContactReads.into(),
        reset: true,
        ..PutRuleRequest::default()
    };
    let rule = hubkeep.put_rule(OPERATOR, reset).await.expect("taken back");
    assert_eq!((rule.threshold, rule.client_slug.as_str()), (100, ""));
    let mut entries = hubkeep.entries(Service::Crm, Phase::Admin).await;
    entries.retain(|entry| entry.operation() == Operation::AlertRulePut);
    let said: Vec<_> = entries
        .iter()
        .map(|entry| (entry.client_slug.as_str(), entry.subject.as_str()))
        .collect();
    let put = "contact-reads: more than 10 in 1m, critical";
    assert_eq!(said, [(A, put), (A, "contact-reads: as the deployment's")]);

    for (wrong, said, field) in [
        (
            PutRuleRequest {
                client_slug: "nobody".to_owned(),
                expected_portal_id: 0,
                ..ten.clone()
            },
            (Code::NotFound, "PORTAL_UNKNOWN"),
            None,
        ),
        (
            PutRuleRequest {
                expected_portal_id: 7,
                ..ten.clone()
            },
            (Code::PermissionDenied, "PORTAL_MISMATCH"),
            None,
        ),
        (
            PutRuleRequest {
                threshold: Some(100_001),
                ..ten.clone()
            },
            (Code::InvalidArgument, "INVALID_FIELD"),
            Some("threshold"),
        ),
        (
            PutRuleRequest {
                kind: 99,
                ..ten.clone()
            },
            (Code::InvalidArgument, "INVALID_FIELD"),
            Some("kind"),
        ),
        (
            PutRuleRequest {
                reset: true,
                ..ten.clone()
            },
            (Code::InvalidArgument, "INVALID_FIELD"),
            Some("reset"),
        ),
        (
            PutRuleRequest {
                send_to: Some(AlertReceivers { receivers: vec![0] }),
                ..ten
            },
            (Code::InvalidArgument, "INVALID_FIELD"),
            Some("send_to"),
        ),
    ] {
        let refused = Refused::in_place_of(hubkeep.put_rule(OPERATOR, wrong).await);
        assert_eq!(refused.said(), said);
        assert_eq!(refused.fields.first().map(String::as_str), field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_read_and_do_not_put_and_strangers_do_neither() {
    let roles = || Roles::new([(FLEET, &["operator/ann"][..]), (AUDITOR, &["operator/*"][..])]);
    let hubkeep = started(over_two().crm(move |config| config.roles = roles())).await;
    let put = PutRuleRequest {
        client_slug: A.to_owned(),
        kind: AlertKind::WrongPortal.into(),
        enabled: Some(false),
        ..PutRuleRequest::default()
    };
    hubkeep.put_rule("operator/ann", put.clone()).await.expect("put");
    hubkeep.alert_rules("operator/bob", A).await.expect("an auditor");
    let refused = Refused::in_place_of(hubkeep.put_rule("operator/bob", put.clone()).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
    assert_eq!(refused.metadata["caller"], "operator/bob");
    for refused in [
        Refused::in_place_of(hubkeep.put_rule("sync", put).await),
        Refused::in_place_of(hubkeep.alert_rules("sync", A).await),
        Refused::in_place_of(hubkeep.watch_alerts("sync", 0).await),
        Refused::in_place_of(alerts_at(hubkeep.channel(Service::Crm), "sync").await),
    ] {
        assert_eq!(refused.said(), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
    }
    let refused = Refused::in_place_of(hubkeep.watch_alerts("operator/bob", 1_000_000).await);
    assert_eq!(refused.fields, ["after_change"]);
    let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    let puts = denied
        .iter()
        .filter(|entry| entry.operation() == Operation::AlertRulePut);
    assert_eq!(puts.filter(|entry| entry.caller == "operator/bob").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_neither_misses_an_alert_nor_finds_it_again() {
    let mut crm = CrmProcess::start(World::of_portals(2).limits(&Limits::unlimited())).await;
    let mut expected = Vec::new();
    for round in 0..3 {
        // Whoever is refused right before the end is found by the next process at the latest.
        for place in 0..4 {
            let caller = format!("sync-{round}-{place}");
            let handle = crm.hubkeep.handle(A).for_caller(&caller).issue().await;
            let refused = crm.crm(&handle).naming(B).get("contacts", "101").await;
            assert_eq!(Refused::in_place_of(refused).reason, "PORTAL_MISMATCH");
            expected.push(caller);
        }
        crm.process.end();
        crm.again();
    }
    let listed = async || {
        let alerts = alerts_at(crm.channel(), OPERATOR).await.expect("listed");
        let mut callers: Vec<String> = alerts.into_iter().map(|alert| alert.subject).collect();
        callers.sort();
        callers
    };
    eventually!(listed().await.len() >= expected.len());
    assert_eq!(listed().await, expected, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_are_down_hold_up_nothing_and_are_told_later() {
    // Both fail more often than one delivery tries.
    let webhook = Inbox::new(Some(SECRET), [StatusCode::SERVICE_UNAVAILABLE; 3]);
    let slack = Inbox::new(None, [StatusCode::BAD_GATEWAY; 3]);
    let folder = tempfile::tempdir().expect("a folder");
    let secret = secret_file(folder.path(), "webhook", SECRET);
    let url_file = secret_file(folder.path(), "slack", &slack.open().await);
    let url = webhook.open().await;
    let setup = over_two().crm(move |config| {
        config.notify.webhook = Some(notify::Webhook {
            url,
            secret_file: secret,
        });
        config.notify.slack = Some(notify::Slack { url_file });
        config.notify.delivery.attempts = 2;
        config.notify.delivery.first_wait = Duration::from_millis(5);
        config.alerts.wrong_portal.window = Duration::from_secs(2);
    });
    let hubkeep = started(setup).await;
    strays(&hubkeep, "sync").await;
    eventually!(webhook.tries() >= 2 && slack.tries() >= 2);
    assert!(
        webhook.taken().is_empty() && slack.taken().is_empty(),
        "they are down"
    );
    read(&hubkeep, A, "sync", 20).await;
    // Found while nobody can be told.
    strays(&hubkeep, "another").await;
    let bound = Duration::from_secs(40);
    eventually!(bound, webhook.taken().len() >= 4 && slack.taken().len() >= 4);
    let taken = webhook.taken();
    let kinds_of = |caller: &str| -> Vec<String> {
        let of = taken.iter().filter(|(_, body)| body["data"]["subject"] == caller);
        of.map(|(_, body)| body["type"].as_str().expect("text").to_owned())
            .collect()
    };
    for caller in ["sync", "another"] {
        assert_eq!(
            kinds_of(caller),
            ["alert.firing", "alert.resolved"],
            "in order, each once"
        );
    }
    let (_, body) = taken.first().expect("one");
    assert_eq!(
        (&body["data"]["client_slug"], &body["data"]["kind"]),
        (&A.into(), &"wrong-portal".into())
    );
    let texts: Vec<String> = slack
        .taken()
        .iter()
        .map(|(_, body)| body["text"].as_str().expect("text").to_owned())
        .collect();
    assert!(
        texts
            .iter()
            .any(|text| text.contains("[HIGH] wrong-portal at client-0001") && text.contains("by sync")),
        "{texts:?}"
    );
    let told = async || {
        let mut entries = hubkeep.entries(Service::Crm, Phase::Admin).await;
        entries.retain(|entry| entry.operation() == Operation::AlertTell);
        entries.len()
    };
    eventually!(told().await >= 8);
}
