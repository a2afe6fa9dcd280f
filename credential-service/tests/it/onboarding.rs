//! A portal is onboarded when HubSpot itself has said whose the token is, and not otherwise.

use hubkeep_proto::{
    audit::v1::{Operation, Phase, Result as CallResult},
    credential::v1::{
        AccountType, GetPortalRequest, ListPortalsRequest, OnboardPortalRequest, PortalDetails,
        UpdatePortalRequest, VerifyPortalRequest,
    },
};

use hubspot_sim::{Fault, FaultRule};

use crate::harness::*;

#[tokio::test]
async fn a_portal_is_onboarded_with_what_hubspot_says_of_it() {
    let bench = Bench::start().await;
    let answer = bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let portal = answer.portal.expect("a portal");
    assert_eq!((portal.portal_id, portal.client_slug.as_str()), (ACME, "acme"));
    assert_eq!(portal.account_type, i32::from(AccountType::Standard));
    assert_eq!(
        (
            portal.data_hosting_location.as_str(),
            portal.company_currency.as_str()
        ),
        ("na1", "USD")
    );
    assert!(portal.scopes.contains(&"crm.objects.contacts.read".to_owned()));
    assert_eq!((portal.credential_version, portal.portal_generation), (1, 1));
    assert_eq!(portal.token_fingerprint, hubspot_sim::fingerprint(ACME_TOKEN));
    assert!(!answer.already_onboarded);

    let got = bench
        .portals(OPERATOR)
        .get_portal(GetPortalRequest {
            client_slug: "acme".to_owned(),
        })
        .await;
    assert_eq!(got.expect("found").into_inner().portal.expect("a portal"), portal);
}

#[tokio::test]
async fn onboarding_the_same_again_changes_nothing_and_asks_hubspot_nothing() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let asked = bench.hubspot.journal().len();
    let again = bench.onboard("acme", ACME_TOKEN, 0).await.expect("unchanged");
    assert!(again.already_onboarded);
    assert_eq!(bench.hubspot.journal().len(), asked);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_nothing_is_stored() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    for (slug, token, expected, refusal) in [
        ("acme", GLOBEX_TOKEN, GLOBEX, "CLIENT_SLUG_TAKEN"),
        ("acme", GLOBEX_TOKEN, 0, "CLIENT_SLUG_TAKEN"),
        ("acme", ACME_SECOND_TOKEN, ACME, "TOKEN_DIFFERS"),
        ("acme", ACME_SECOND_TOKEN, 0, "TOKEN_DIFFERS"),
        ("other", ACME_TOKEN, ACME, "PORTAL_ALREADY_ONBOARDED"),
        ("other", ACME_TOKEN, 0, "PORTAL_ALREADY_ONBOARDED"),
        ("globex", GLOBEX_TOKEN, 9_999, "TOKEN_OF_ANOTHER_PORTAL"),
        ("umbra", REVOKED_TOKEN, 0, "TOKEN_REFUSED"),
        ("umbra", "pat-na1-never-was", 0, "TOKEN_REFUSED"),
        ("Globex", GLOBEX_TOKEN, 0, "INVALID_FIELD"),
        ("globex", "two words", 0, "INVALID_FIELD"),
        ("globex", "", 0, "INVALID_FIELD"),
        ("globex", GLOBEX_TOKEN, u64::MAX, "INVALID_FIELD"),
    ] {
        let refused = bench.onboard(slug, token, expected).await;
        assert_eq!(reason(&refused), refusal, "{slug} {expected}");
        let said = format!("{:?}", refused.expect_err("refused"));
        assert!(token.is_empty() || !said.contains(token), "{said}");
    }
    let all = bench
        .portals(OPERATOR)
        .list_portals(ListPortalsRequest::default())
        .await
        .expect("lists");
    assert_eq!(all.into_inner().portals.len(), 1);
}

#[tokio::test]
async fn a_token_whose_answers_name_two_portals_is_refused() {
    let bench = Bench::start().await;
    // The first question is answered for another portal, the second truly.
    bench
        .hubspot
        .inject(FaultRule::new(Fault::AnswerOfPortal { other: GLOBEX }).times(1));
    let refused = bench.onboard("acme", ACME_TOKEN, 0).await;
    assert_eq!(reason(&refused), "TOKEN_IDENTITY_UNCLEAR");
}

#[tokio::test]
async fn calls_to_hubspot_go_to_the_system_log_until_the_portal_is_proven() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let mut entries = bench.entries().await;
    entries.retain(|(_, entry)| entry.operation() != Operation::GrantPut);
    let lines: Vec<_> = entries
        .iter()
        .map(|(log, entry)| {
            (
                log.rsplit('/').next().expect("a name"),
                entry.phase(),
                entry.operation(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("system", Phase::Intent, Operation::AccountRead),
            ("system", Phase::Outcome, Operation::AccountRead),
            ("system", Phase::Intent, Operation::TokenRead),
            ("system", Phase::Outcome, Operation::TokenRead),
            ("1001", Phase::Admin, Operation::PortalOnboard),
        ]
    );
    assert!(
        entries
            .iter()
            .all(|(_, entry)| entry.client_slug == "acme" && entry.caller == OPERATOR)
    );
    assert!(
        entries
            .iter()
            .all(|(_, entry)| entry.call_id == entries[0].1.call_id)
    );
}

#[tokio::test]
async fn a_refused_onboarding_is_on_the_log() {
    let bench = Bench::start().await;
    bench
        .onboard("umbra", REVOKED_TOKEN, 0)
        .await
        .expect_err("refused");
    let (log, entry) = bench.last_entry().await;
    assert!(log.ends_with("/system"));
    assert_eq!(
        (entry.phase(), entry.result()),
        (Phase::Admin, CallResult::Refused)
    );
    assert_eq!(entry.reason().wire_name(), "TOKEN_REFUSED");
    assert_eq!(entry.client_slug, "umbra");
}

#[tokio::test]
async fn verifying_records_what_changed_and_in_the_portals_own_log() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let verify = || {
        let request = VerifyPortalRequest {
            client_slug: "acme".to_owned(),
        };
        async { bench.portals(OPERATOR).verify_portal(request).await }
    };
    let same = verify().await.expect("verifies").into_inner();
    assert!(same.changed_fields.is_empty());

    let scopes = vec!["oauth".to_owned()];
    bench
        .hubspot
        .set_scopes(ACME_TOKEN, scopes.clone())
        .expect("a known token");
    // The token has been asked about four times in this window; the next two need room.
    bench.clock.advance(std::time::Duration::from_secs(11));
    let changed = verify().await.expect("verifies").into_inner();
    assert_eq!(changed.changed_fields, ["scopes"]);
    assert_eq!(changed.portal.expect("a portal").scopes, scopes);

    let entries = bench.entries().await;
    let of_verify = entries
        .iter()
        .filter(|(_, entry)| entry.grpc_method.ends_with("/VerifyPortal"));
    assert!(of_verify.clone().count() == 10 && of_verify.into_iter().all(|(log, _)| log.ends_with("/1001")));
}

#[tokio::test]
async fn a_token_that_moved_to_another_portal_fails_verification_and_changes_nothing() {
    let bench = Bench::start().await;
    let before = bench
        .onboard("acme", ACME_TOKEN, ACME)
        .await
        .expect("onboards")
        .portal;
    bench.hubspot.inject(Fault::AnswerOfPortal { other: GLOBEX });
    let request = VerifyPortalRequest {
        client_slug: "acme".to_owned(),
    };
    let refused = bench.portals(OPERATOR).verify_portal(request).await;
    assert_eq!(reason(&refused), "TOKEN_OF_ANOTHER_PORTAL");
    let (log, entry) = bench.last_entry().await;
    assert!(log.ends_with("/1001") && entry.operation() == Operation::PortalVerify);
    let after = bench
        .portals(OPERATOR)
        .get_portal(GetPortalRequest {
            client_slug: "acme".to_owned(),
        })
        .await;
    assert_eq!(after.expect("found").into_inner().portal, before);
}

#[tokio::test]
async fn the_list_of_portals_comes_in_pages() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let page = |page_token: String| {
        let mut portals = bench.portals(OPERATOR);
        async move {
            portals
                .list_portals(ListPortalsRequest {
                    page_size: 1,
                    page_token,
                })
                .await
        }
    };
    let first = page(String::new()).await.expect("a page").into_inner();
    let second = page(first.next_page_token).await.expect("a page").into_inner();
    assert_eq!(
        (
            first.portals[0].client_slug.as_str(),
            second.portals[0].client_slug.as_str()
        ),
        ("acme", "globex")
    );
    let third = page(second.next_page_token).await.expect("a page").into_inner();
    assert!(third.portals.is_empty() && third.next_page_token.is_empty());
    assert_eq!(reason(&page("nonsense".to_owned()).await), "PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn what_reports_need_is_kept_sealed_with_the_portal_and_replaced_as_a_whole() {
    let bench = Bench::start().await;
    let details = PortalDetails {
        controller_name: "ACME Canary GmbH".to_owned(),
        controller_contact: "canary@acme.example".to_owned(),
        dpa_reference: "DPA 2026-17".to_owned(),
        purposes: vec!["nightly sync".to_owned()],
        region: "DE".to_owned(),
        tags: vec!["gold".to_owned()],
        dpa_date: "2026-01-15".to_owned(),
        instructions_reference: "annex 1".to_owned(),
        data_subjects: vec!["customers".to_owned()],
        controller_representative: "none: established in the Union".to_owned(),
        controller_data_protection_officer: "Canary Counsel".to_owned(),
    };
    let request = OnboardPortalRequest {
        client_slug: "acme".to_owned(),
        portal_token: ACME_TOKEN.to_owned(),
        details: Some(details.clone()),
        ..OnboardPortalRequest::default()
    };
    bench
        .portals(OPERATOR)
        .onboard_portal(request)
        .await
        .expect("onboards");
    assert_eq!(known_of_acme(&bench).await, details);
    assert!(found_in_files(bench.folder.path(), "canary@acme.example").is_empty());

    let other = PortalDetails {
        region: "AT".to_owned(),
        ..PortalDetails::default()
    };
    let update = async |slug: &str, details: PortalDetails| {
        let request = UpdatePortalRequest {
            client_slug: slug.to_owned(),
            details: Some(details),
        };
        bench.portals(OPERATOR).update_portal(request).await
    };
    update("acme", other.clone()).await.expect("updates");
    assert_eq!(known_of_acme(&bench).await, other);
    let too_long = PortalDetails {
        region: "x".repeat(257),
        ..PortalDetails::default()
    };
    assert_eq!(reason(&update("acme", too_long).await), "INVALID_FIELD");
    assert_eq!(reason(&update("nobody", other.clone()).await), "PORTAL_UNKNOWN");
    assert_eq!(known_of_acme(&bench).await, other);
}

async fn known_of_acme(bench: &Bench) -> PortalDetails {
    let request = GetPortalRequest {
        client_slug: "acme".to_owned(),
    };
    let got = bench.portals(OPERATOR).get_portal(request).await.expect("found");
    got.into_inner()
        .portal
        .expect("a portal")
        .details
        .expect("details")
}

#[tokio::test]
async fn what_is_only_checked_is_verified_with_hubspot_and_not_stored() {
    let bench = Bench::start().await;
    let check = async |slug: &str, token: &str, expected: u64| {
        let request = OnboardPortalRequest {
            client_slug: slug.to_owned(),
            portal_token: token.to_owned(),
            expected_portal_id: expected,
            validate_only: true,
            ..OnboardPortalRequest::default()
        };
        bench.portals(OPERATOR).onboard_portal(request).await
    };
    let would = check("acme", ACME_TOKEN, ACME)
        .await
        .expect("would be onboarded")
        .into_inner();
    assert_eq!(
        (would.already_onboarded, would.portal.expect("a portal").portal_id),
        (false, ACME)
    );
    let (log, entry) = bench.last_entry().await;
    assert!(log.ends_with("/system") && entry.operation() == Operation::PortalCheck);
    assert_eq!(
        reason(&check("acme", ACME_TOKEN, 7).await),
        "TOKEN_OF_ANOTHER_PORTAL"
    );
    assert_eq!(reason(&check("umbra", REVOKED_TOKEN, 0).await), "TOKEN_REFUSED");
    let all = bench
        .portals(OPERATOR)
        .list_portals(ListPortalsRequest::default())
        .await;
    assert!(all.expect("lists").into_inner().portals.is_empty());
}
