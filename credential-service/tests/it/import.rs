//! An import answers every row, and a bad row refuses itself only.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use hubkeep_proto::{
    audit::v1::Operation,
    credential::v1::{ImportOutcome, ImportPortalsRequest, ImportPortalsResponse},
};
use hubspot_sim::{Fault, FaultRule, Limits, Policy, PortalSpec, TokenSpec};
use serde_json::json;
use tokio::sync::Notify;

use crate::harness::*;

fn row(row: u32, slug: &str, token: &str, expected: u64) -> ImportPortalsRequest {
    ImportPortalsRequest {
        row,
        client_slug: slug.to_owned(),
        portal_token: token.to_owned(),
        expected_portal_id: expected,
        ..ImportPortalsRequest::default()
    }
}

async fn import(bench: &Bench, rows: Vec<ImportPortalsRequest>) -> Vec<ImportPortalsResponse> {
    let answer = bench
        .portals(OPERATOR)
        .import_portals(stream::iter(rows))
        .await
        .expect("opens");
    let answers: Vec<_> = answer.into_inner().collect().await;
    let mut answers: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.expect("an outcome"))
        .collect();
    answers.sort_by_key(|answer| answer.row);
    answers
}

fn told(answer: &ImportPortalsResponse) -> (u32, ImportOutcome, &'static str) {
    (answer.row, answer.outcome(), answer.reason().wire_name())
}

#[tokio::test]
async fn every_row_gets_its_own_outcome() {
    let bench = Bench::start().await;
    let rows = vec![
        row(1, "acme", ACME_TOKEN, ACME),
        row(2, "Not A Slug", GLOBEX_TOKEN, 0),
        row(3, "globex", ACME_SECOND_TOKEN, GLOBEX),
        row(4, "umbra", REVOKED_TOKEN, 0),
        row(5, "acme", "pat-other", 0),
        row(6, "wayne", "pat-another", ACME),
        row(7, "initech", ACME_TOKEN, 0),
        row(8, "globex-2", GLOBEX_TOKEN, GLOBEX),
    ];
    let answers = import(&bench, rows).await;
    let told: Vec<_> = answers.iter().map(told).collect();
    assert_eq!(
        told,
        [
            (1, ImportOutcome::Onboarded, "UNSPECIFIED"),
            (2, ImportOutcome::Refused, "INVALID_FIELD"),
            (3, ImportOutcome::Refused, "TOKEN_OF_ANOTHER_PORTAL"),
            (4, ImportOutcome::Refused, "TOKEN_REFUSED"),
            (5, ImportOutcome::Refused, "IMPORT_ROW_DUPLICATE"),
            (6, ImportOutcome::Refused, "IMPORT_ROW_DUPLICATE"),
            (7, ImportOutcome::Refused, "IMPORT_ROW_DUPLICATE"),
            // Row 3 named its portal too, and was refused: a bad row refuses itself only.
            (8, ImportOutcome::Onboarded, "UNSPECIFIED"),
        ]
    );
    assert!(
        answers[4..7]
            .iter()
            .all(|answer| answer.message.contains("row 1"))
    );
    assert_eq!((answers[0].portal_id, answers[2].portal_id), (ACME, ACME));
    assert!(answers.iter().all(|answer| !answer.message.contains("pat-")));
}

#[tokio::test]
async fn thousands_of_rows_wait_while_the_first_ones_are_verified() {
    let bench = Bench::start().await;
    let held = bench.hubspot.inject(Fault::HoldUntilReleased);
    let slow = (1..=8).map(|number| row(number, &format!("slow-{number}"), &format!("pat-{number}"), 0));
    let others = (9..=5_000).map(|number| row(number, "Not A Slug", "pat-none", 0));
    let many_sent = Arc::new(Notify::new());
    let sent = Arc::clone(&many_sent);
    let one_by_one = stream::iter(slow.chain(others)).then(move |row| {
        let sent = Arc::clone(&sent);
        async move {
            // Each row goes out in a frame of its own, as when rows come from a file.
            tokio::task::yield_now().await;
            if row.row == 1_000 {
                sent.notify_one();
            }
            row
        }
    });
    let release = async {
        many_sent.notified().await;
        bench.hubspot.until_held(8).await;
        bench.hubspot.release(held);
    };
    let mut client = bench.portals(OPERATOR);
    let import = async {
        let answers = client
            .import_portals(one_by_one)
            .await
            .expect("opens")
            .into_inner();
        answers.map(|answer| answer.expect("an outcome")).count().await
    };
    assert_eq!(tokio::join!(import, release).0, 5_000);
}

#[tokio::test]
async fn importing_the_same_rows_again_onboards_what_is_missing() {
    let bench = Bench::start().await;
    let first = import(&bench, vec![row(1, "acme", ACME_TOKEN, ACME)]).await;
    assert_eq!(told(&first[0]).1, ImportOutcome::Onboarded);
    let rows = vec![
        row(1, "acme", ACME_TOKEN, ACME),
        row(2, "globex", GLOBEX_TOKEN, 0),
    ];
    let second = import(&bench, rows).await;
    let outcomes: Vec<_> = second.iter().map(|answer| answer.outcome()).collect();
    assert_eq!(outcomes, [ImportOutcome::Unchanged, ImportOutcome::Onboarded]);
}

#[tokio::test]
async fn rows_that_race_for_one_portal_end_with_one_of_them() {
    let bench = Bench::start().await;
    // Nobody states the portal, so only HubSpot's answers and the database can tell that it is the same.
    let rows = vec![
        row(1, "acme", ACME_TOKEN, 0),
        row(2, "acme-2", ACME_SECOND_TOKEN, 0),
    ];
    let mut outcomes: Vec<_> = import(&bench, rows)
        .await
        .iter()
        .map(|answer| told(answer).2)
        .collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["PORTAL_ALREADY_ONBOARDED", "UNSPECIFIED"]);
}

#[tokio::test]
async fn an_import_and_each_of_its_rows_leave_an_entry() {
    let bench = Bench::start().await;
    import(
        &bench,
        vec![row(1, "acme", ACME_TOKEN, ACME), row(2, "acme", "pat-other", 0)],
    )
    .await;
    let entries = bench.entries().await;
    let count = |operation: Operation| {
        entries
            .iter()
            .filter(|(_, entry)| entry.operation() == operation)
            .count()
    };
    assert_eq!(
        (count(Operation::PortalImport), count(Operation::PortalOnboard)),
        (1, 2)
    );
}

/// What `work` gives, while time goes on a second whenever HubSpot hears nothing for a while: nothing is too late because
/// HubSpot's answer was under way.
pub(crate) async fn patiently<T>(bench: &Bench, work: impl Future<Output = T>) -> T {
    let passing = async {
        // Long beside an entry that is written or an answer that is under way, all on this machine.
        let mut beats = tokio::time::interval(Duration::from_millis(150));
        // The first one comes at once, when nothing can have happened yet.
        beats.tick().await;
        let mut heard = 0;
        loop {
            beats.tick().await;
            let now = bench.hubspot.journal_len();
            if now == heard {
                crate::oauth::pass(bench, Duration::from_secs(2));
            }
            heard = now;
        }
    };
    tokio::select! {
        done = work => done,
        () = passing => panic!("time came to its end"),
    }
}

fn limited_once(policy: Policy) -> Fault {
    Fault::RateLimited {
        policy,
        headers: true,
        retry_after: Some(2),
    }
}

#[tokio::test]
async fn an_answer_that_is_only_of_the_moment_refuses_no_row() {
    let bench = Bench::start().await;
    let faults = [
        limited_once(Policy::TenSecondlyRolling),
        Fault::Status { status: 503 },
        Fault::CutConnection,
    ];
    let mut rows = Vec::new();
    for (number, fault) in (1_u32..).zip(faults) {
        let (slug, portal) = (format!("client-{number}"), 5_000 + u64::from(number));
        let token = format!("pat-na1-client-{number}");
        let spec = PortalSpec::new(&slug, portal).token(TokenSpec::private_app(&token));
        bench.hubspot.add_portal(spec).expect("is new");
        bench
            .hubspot
            .inject(FaultRule::new(fault).portal(portal).times(2));
        rows.push(row(number, &slug, &token, portal));
    }
    let answers = patiently(&bench, import(&bench, rows)).await;
    let outcomes: Vec<_> = answers.iter().map(ImportPortalsResponse::outcome).collect();
    assert_eq!(outcomes, [ImportOutcome::Onboarded; 3], "{answers:?}");
}

#[tokio::test]
async fn many_credentials_of_one_app_are_onboarded_within_its_limit() {
    let bench = Bench::start().await;
    // 20 of tokens whose app is not known yet, and 4 of the app.
    let limits = Limits {
        burst: 24,
        ..Limits::default()
    };
    bench.hubspot.set_limits(ACME, limits).expect("a portal");
    let mut rows = Vec::new();
    for number in 1..=30 {
        let token = format!("pat-na1-acme-{number}");
        let spec = TokenSpec::private_app(&token).app(5);
        bench.hubspot.add_token(ACME, spec).expect("a portal");
        rows.push(ImportPortalsRequest {
            credential_name: format!("key-{number}"),
            ..row(number, "acme", &token, ACME)
        });
    }
    let answers = patiently(&bench, import(&bench, rows)).await;
    let refused = answers
        .iter()
        .filter(|one| one.outcome() != ImportOutcome::Onboarded);
    assert_eq!(refused.count(), 0, "{answers:?}");
    let calls = bench.hubspot.journal().len();
    assert_eq!(calls, 60, "none was refused and asked again");
}

#[tokio::test]
async fn whatever_hubspot_answers_for_one_row_the_others_are_done() {
    let answer = |status: u16, category: &str| Fault::Answer {
        status,
        body: json!({"status": "error", "message": "pat-in-an-answer", "category": category}),
    };
    let limited = Fault::RateLimited {
        policy: Policy::Daily,
        headers: false,
        retry_after: None,
    };
    let faults = [
        (answer(401, "INVALID_AUTHENTICATION"), "TOKEN_REFUSED"),
        (Fault::Status { status: 403 }, "SCOPE_MISSING"),
        (limited, "HUBSPOT_RATE_LIMITED"),
        (Fault::Migrating { retry_after: 60 }, "PORTAL_MIGRATING"),
        (Fault::Status { status: 500 }, "HUBSPOT_UNAVAILABLE"),
        (Fault::Status { status: 503 }, "HUBSPOT_UNAVAILABLE"),
        (Fault::HtmlBody, "HUBSPOT_UNAVAILABLE"),
        (Fault::CutConnection, "HUBSPOT_UNAVAILABLE"),
        (Fault::CutBody, "HUBSPOT_UNAVAILABLE"),
        (answer(200, "no account"), "HUBSPOT_UNAVAILABLE"),
    ];
    let bench = Bench::start().await;
    let mut rows = vec![row(1, "acme", ACME_TOKEN, ACME)];
    let mut expected = vec![(1, ImportOutcome::Onboarded, "UNSPECIFIED")];
    for (number, (fault, reason)) in (2_u32..).zip(faults) {
        let (slug, portal) = (format!("client-{number}"), 5_000 + u64::from(number));
        let token = format!("pat-na1-client-{number}");
        let spec = PortalSpec::new(&slug, portal).token(TokenSpec::private_app(&token));
        bench.hubspot.add_portal(spec).expect("is new");
        bench.hubspot.inject(FaultRule::new(fault).portal(portal));
        rows.push(row(number, &slug, &token, portal));
        expected.push((number, ImportOutcome::Refused, reason));
    }
    let last = u32::try_from(rows.len()).expect("few") + 1;
    rows.push(row(last, "globex", GLOBEX_TOKEN, GLOBEX));
    expected.push((last, ImportOutcome::Onboarded, "UNSPECIFIED"));

    let answers = patiently(&bench, import(&bench, rows.clone())).await;
    assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(answers.iter().all(|answer| !answer.message.contains("pat-")));
    // When HubSpot is well again, the same file onboards what is missing.
    bench.hubspot.clear_faults();
    let again = patiently(&bench, import(&bench, rows)).await;
    let count = |outcome: ImportOutcome| again.iter().filter(|one| one.outcome() == outcome).count();
    assert_eq!(
        (count(ImportOutcome::Unchanged), count(ImportOutcome::Onboarded)),
        (2, 10)
    );
}
