//! What can go wrong with a consent: it is taken back, the app is refused, HubSpot fails or lies, somebody alters rows.

use std::time::Duration;

use hubkeep_core::clock::SystemClock;
use hubkeep_proto::{
    audit::v1::Operation,
    credential::v1::{FindingKind, RunDoctorRequest, VerifyPortalRequest, run_doctor_response::Message},
};
use hubspot_sim::{Fault, FaultRule};
use serde_json::json;

use crate::{harness::*, oauth::*, rotation::rotate, rotation::to};

fn at_exchange(fault: Fault) -> FaultRule {
    FaultRule::new(fault).path(TOKEN_PATH)
}

async fn verify(bench: &Bench) -> String {
    let client_slug = "acme".to_owned();
    reason(
        &bench
            .portals(OPERATOR)
            .verify_portal(VerifyPortalRequest { client_slug })
            .await,
    )
}

async fn findings(bench: &Bench) -> Vec<FindingKind> {
    bench.clock.advance(Duration::from_secs(11));
    let asked = bench
        .portals(OPERATOR)
        .run_doctor(RunDoctorRequest::default())
        .await;
    let mut stream = asked.expect("begins").into_inner();
    let mut kinds = Vec::new();
    while let Some(told) = stream.message().await.expect("told") {
        if let Some(Message::Portal(portal)) = told.message {
            kinds.extend(portal.findings.iter().map(|finding| finding.kind()));
        }
    }
    kinds
}

#[tokio::test]
async fn an_uninstalled_app_is_asked_for_once_and_then_everybody_is_told_to_connect_it_again() {
    let bench = connected().await;
    assert_eq!(findings(&bench).await, []);
    bench.hubspot.uninstall_app(ACME_CONSENT).expect("installed");
    assert_eq!(findings(&bench).await, [FindingKind::TokenRefused]);
    assert!(
        !credential(&bench).await.consent_required,
        "who merely looks changes nothing"
    );

    pass(&bench, 31 * MINUTE);
    for _ in 0..5 {
        let refused = redeem_anew(&bench).await;
        assert_eq!(reason(&refused), "CONSENT_REQUIRED");
        assert!(
            refused
                .expect_err("refused")
                .message()
                .contains("connect the app")
        );
        pass(&bench, 2 * MINUTE);
    }
    assert_eq!(exchanges(&bench).len(), 2, "the import, and one refusal");
    assert!(credential(&bench).await.consent_required);
    assert_eq!(findings(&bench).await, [FindingKind::TokenRefused]);

    // The client connects the app again.
    rotate(&bench, to(ACME_SECOND_CONSENT)).await.expect("rotates");
    redeem_anew(&bench).await.expect("redeems");
    assert!(!credential(&bench).await.consent_required);
    assert!(!findings(&bench).await.contains(&FindingKind::TokenRefused));
}

#[tokio::test]
async fn a_refusal_that_was_a_mistake_of_hubspots_ends_when_an_operator_verifies_the_portal() {
    let bench = connected().await;
    let body = json!({"error": "invalid_grant", "status": "BAD_REFRESH_TOKEN", "message": "x"});
    bench
        .hubspot
        .inject(at_exchange(Fault::Answer { status: 400, body }).times(1));
    pass(&bench, 31 * MINUTE);
    assert_eq!(reason(&redeem_anew(&bench).await), "CONSENT_REQUIRED");
    assert_eq!(reason(&redeem_anew(&bench).await), "CONSENT_REQUIRED");
    assert_eq!(verify(&bench).await, "OK");
    redeem_anew(&bench).await.expect("redeems");
}

/// Waits until it is written down that HubSpot gave nothing.
async fn until_failed(bench: &Bench) {
    let database = bench.database().await;
    let noted = async {
        while sqlx::query_scalar::<_, i64>("SELECT failures FROM access_token")
            .fetch_one(database.pool())
            .await
            .expect("read")
            == 0
        {
            tokio::task::yield_now().await;
        }
    };
    let in_time = SystemClock::shared()
        .timeout(Duration::from_secs(20), noted)
        .await;
    in_time.expect("the failure is noted");
}

#[tokio::test]
async fn while_hubspot_fails_the_old_token_serves_to_its_end_and_hubspot_is_left_alone_between_tries() {
    let bench = connected().await;
    let old = redeem_anew(&bench).await.expect("redeems").token_fingerprint;
    bench.hubspot.inject(at_exchange(Fault::HtmlBody));
    pass(&bench, 26 * MINUTE);
    let meanwhile = redeem_anew(&bench).await.expect("the old one");
    assert_eq!(meanwhile.token_fingerprint, old);
    until_failed(&bench).await;
    pass(&bench, 5 * MINUTE);
    for _ in 0..10 {
        assert_eq!(reason(&redeem_anew(&bench).await), "HUBSPOT_UNAVAILABLE");
    }
    let asked = exchanges(&bench).len();
    assert_eq!(asked, 3, "the import, and a try in each of the two times");
    bench.hubspot.clear_faults();
    pass(&bench, MINUTE);
    let new = redeem_anew(&bench).await.expect("a new one");
    assert_ne!(new.token_fingerprint, old);
}

#[tokio::test]
async fn while_hubspot_hangs_nobody_waits_for_it_who_has_a_token() {
    let bench = connected().await;
    let hold = bench.hubspot.inject(at_exchange(Fault::HoldUntilReleased));
    pass(&bench, 26 * MINUTE);
    for _ in 0..3 {
        redeem_anew(&bench).await.expect("the old one");
    }
    bench.hubspot.until_held(1).await;
    bench.hubspot.release(hold);
    assert_eq!(exchanges(&bench).len(), 2, "one question is under way for all");
}

#[tokio::test]
async fn a_hubspot_that_hangs_is_given_up_and_that_is_said() {
    let bench = connected().await;
    bench.hubspot.inject(at_exchange(Fault::HoldUntilReleased));
    pass(&bench, 31 * MINUTE);
    let handle = bench.issue(SYNC, "acme").await.expect("issues").handle;
    let given_up = async {
        bench.hubspot.until_held(1).await;
        bench.clock.advance(Duration::from_secs(21));
    };
    let (refused, ()) = tokio::join!(bench.redeem(&handle, SYNC), given_up);
    assert_eq!(reason(&refused), "HUBSPOT_UNAVAILABLE");
    bench.hubspot.clear_faults();
}

#[tokio::test]
async fn an_app_whose_secret_is_wrong_condemns_no_portal() {
    let mut bench = connected().await;
    with_secret_of_another(&mut bench).await;
    pass(&bench, 31 * MINUTE);
    let refused = redeem_anew(&bench).await;
    assert_eq!(reason(&refused), "APP_REFUSED");
    assert!(!credential(&bench).await.consent_required);
    assert_eq!(findings(&bench).await, [FindingKind::NotExamined]);
    let refused = connect_app(&bench, "globex", GLOBEX_CONSENT, GLOBEX).await;
    assert_eq!(reason(&refused), "APP_REFUSED");
}

async fn with_secret_of_another(bench: &mut Bench) {
    let file = bench.config.hubspot.app.as_mut().expect("set");
    file.client_secret_file.set_file_name("wrong-secret");
    let path = file.client_secret_file.clone();
    bench
        .restart(|_| {
            std::fs::write(&path, "wrong").expect("written");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o400);
            std::fs::set_permissions(&path, mode).expect("set");
        })
        .await;
}

#[tokio::test]
async fn without_an_app_a_refresh_token_is_refused_with_what_is_missing() {
    let bench = Bench::start().await;
    let refused = connect_app(&bench, "acme", ACME_CONSENT, ACME).await;
    assert_eq!(reason(&refused), "APP_NOT_CONFIGURED");
    assert!(refused.expect_err("refused").message().contains("hubspot.app"));
    assert_eq!(bench.hubspot.journal_len(), 0);
}

#[tokio::test]
async fn without_the_secret_of_its_app_the_service_does_not_start() {
    let mut bench = connected().await;
    bench.stop().await;
    let app = bench.config.hubspot.app.as_mut().expect("set");
    app.client_secret_file.set_file_name("nowhere");
    assert!(bench.try_start().await.is_err());
}

#[tokio::test]
async fn what_cannot_be_exchanged_is_not_onboarded_and_says_why() {
    let bench = bench().await;
    let answer = |body| Fault::Answer { status: 200, body };
    let given = |portal: u64, lives: i64| json!({"access_token": "x", "refresh_token": "y", "expires_in": lives, "hub_id": portal, "scopes": []});
    let table = [
        (ACME_CONSENT, GLOBEX, None, "TOKEN_OF_ANOTHER_PORTAL"),
        ("na1-nobody-gave-this", ACME, None, "CONSENT_REQUIRED"),
        (ACME_TOKEN, ACME, None, "CONSENT_REQUIRED"),
        ("", ACME, None, "INVALID_FIELD"),
        ("two words", ACME, None, "INVALID_FIELD"),
        (ACME_CONSENT, ACME, Some(Fault::HtmlBody), "HUBSPOT_UNAVAILABLE"),
        (
            ACME_CONSENT,
            ACME,
            Some(Fault::Status { status: 503 }),
            "HUBSPOT_UNAVAILABLE",
        ),
        (
            ACME_CONSENT,
            ACME,
            Some(Fault::CutConnection),
            "HUBSPOT_UNAVAILABLE",
        ),
        (ACME_CONSENT, ACME, Some(Fault::CutBody), "HUBSPOT_UNAVAILABLE"),
        (
            ACME_CONSENT,
            ACME,
            Some(answer(json!("what"))),
            "HUBSPOT_UNAVAILABLE",
        ),
        (
            ACME_CONSENT,
            ACME,
            Some(answer(given(ACME, 0))),
            "HUBSPOT_UNAVAILABLE",
        ),
        (
            ACME_CONSENT,
            ACME,
            Some(answer(given(0, 1_800))),
            "HUBSPOT_UNAVAILABLE",
        ),
        // HubSpot says something that its own account details do not bear out.
        (
            ACME_CONSENT,
            ACME,
            Some(answer(given(ACME, 1_800))),
            "TOKEN_REFUSED",
        ),
        (
            ACME_CONSENT,
            ACME,
            Some(Fault::Status { status: 403 }),
            "APP_REFUSED",
        ),
    ];
    for (token, expected, fault, why) in table {
        bench.clock.advance(Duration::from_secs(11));
        let said = format!("{token:?} {fault:?}");
        if let Some(fault) = fault {
            bench.hubspot.inject(at_exchange(fault).times(1));
        }
        let refused = connect_app(&bench, "acme", token, expected).await;
        assert_eq!(reason(&refused), why, "{said}");
        assert!(
            token.is_empty() || !refused.expect_err("refused").message().contains(token),
            "{said}"
        );
    }
    connect_app(&bench, "acme", ACME_CONSENT, ACME)
        .await
        .expect("nothing was left of it");
}

#[tokio::test]
async fn a_consent_that_gives_another_portals_token_all_at_once_is_not_served() {
    let bench = connected().await;
    let body = json!({"access_token": "x", "expires_in": 1_800, "hub_id": GLOBEX, "scopes": []});
    bench
        .hubspot
        .inject(at_exchange(Fault::Answer { status: 200, body }).times(1));
    pass(&bench, 31 * MINUTE);
    assert_eq!(reason(&redeem_anew(&bench).await), "TOKEN_OF_ANOTHER_PORTAL");
}

#[tokio::test]
async fn every_exchange_is_on_the_log_of_its_portal_before_and_after() {
    let bench = connected().await;
    pass(&bench, 31 * MINUTE);
    redeem_anew(&bench).await.expect("redeems");
    let entries = bench.entries().await;
    let own: Vec<_> = entries
        .iter()
        .filter(|(log, entry)| {
            entry.operation() == Operation::AccessTokenRefresh && log.ends_with(&format!("/{ACME}"))
        })
        .collect();
    assert_eq!(own.len(), 2, "an intent and an outcome: {own:?}");
    let text = format!("{entries:?}");
    assert!(!text.contains(ACME_CONSENT) && !text.contains(APP_SECRET));
}

#[tokio::test]
async fn an_access_token_moved_to_another_portal_or_another_time_does_not_open() {
    for sql in [
        "UPDATE access_token SET sealed = (SELECT sealed FROM access_token WHERE portal_id = 1002) WHERE portal_id = 1001",
        "UPDATE access_token SET sequence = sequence + 1 WHERE portal_id = 1001",
        "UPDATE access_token SET sealed = (SELECT sealed FROM sealed_secret WHERE secret_id = 'portal/1001/token/1') \
         WHERE portal_id = 1001",
    ] {
        let bench = connected().await;
        connect_app(&bench, "globex", GLOBEX_CONSENT, GLOBEX)
            .await
            .expect("onboards");
        let database = bench.database().await;
        let done = sqlx::query(sql).execute(database.pool()).await.expect("altered");
        assert_eq!(done.rows_affected(), 1, "{sql}");
        assert_eq!(reason(&redeem_anew(&bench).await), "TOKEN_UNREADABLE", "{sql}");
    }
}
