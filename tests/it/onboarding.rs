//! Portals come in verified or not at all, and one bad row harms no other.

use hubkeep_proto::credential::v1::{ImportOutcome, ImportPortalsResponse};
use hubkeep_tests::{
    Fault, FaultRule, Hubkeep, PortalSpec, Refused, TokenSpec, World, support::portals::row,
};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";
const REVOKED: &str = "pat-na1-00000000-test-0000-0000-revoked00001";
const SECOND_TOKEN: &str = "pat-na1-00000000-test-0000-0000-second000001";

fn world() -> World {
    let mut world = World::of_portals(3);
    let second = TokenSpec::private_app(SECOND_TOKEN).app(99);
    let portal = world.portal_mut(A).expect("there");
    portal.tokens.push(second);
    world.with(PortalSpec::new("umbra", 666).token(TokenSpec::private_app(REVOKED).revoked()))
}

fn told(outcome: &ImportPortalsResponse) -> (ImportOutcome, &'static str) {
    let reason = outcome.reason();
    let name = if reason == Default::default() {
        ""
    } else {
        reason.wire_name()
    };
    (outcome.outcome(), name)
}

async fn slugs(hubkeep: &Hubkeep) -> Vec<String> {
    hubkeep
        .onboarded()
        .await
        .into_iter()
        .map(|portal| portal.client_slug)
        .collect()
}

#[tokio::test]
async fn a_portal_is_recorded_as_hubspot_describes_it() {
    let hubkeep = Hubkeep::start(world()).await;
    let onboarded = hubkeep
        .onboard(A, &hubkeep.token(A), hubkeep.portal_id(A))
        .await
        .expect("onboarded");
    assert!(!onboarded.already_onboarded);
    let portal = onboarded.portal.expect("described");
    assert_eq!(
        (portal.client_slug.as_str(), portal.portal_id),
        (A, hubkeep.portal_id(A))
    );
    assert_eq!(
        (
            portal.data_hosting_location.as_str(),
            portal.company_currency.as_str()
        ),
        ("na1", "USD")
    );
    assert_eq!(portal.time_zone, "US/Eastern");
    assert!(
        portal
            .scopes
            .iter()
            .any(|scope| scope == "crm.objects.contacts.read"),
        "{:?}",
        portal.scopes
    );
    assert_eq!((portal.credential_version, portal.portal_generation), (1, 1));
    assert_eq!(portal.token_fingerprint.len(), 16);
    assert_eq!(hubkeep.onboarded().await, [portal]);
}

#[tokio::test]
async fn a_token_that_is_not_the_portals_own_is_refused_and_nothing_is_stored() {
    let hubkeep = Hubkeep::start(world()).await;
    let (of_a, of_b) = (hubkeep.portal_id(A), hubkeep.portal_id(B));
    let refused = Refused::in_place_of(hubkeep.onboard(A, &hubkeep.token(B), of_a).await);
    assert_eq!(
        refused.said(),
        (Code::FailedPrecondition, "TOKEN_OF_ANOTHER_PORTAL")
    );
    assert_eq!(refused.metadata["expected_portal_id"], of_a.to_string());
    assert_eq!(refused.metadata["actual_portal_id"], of_b.to_string());
    for token in [REVOKED, "pat-na1-00000000-test-0000-0000-nobodys00001"] {
        let refused = Refused::in_place_of(hubkeep.onboard(A, token, 0).await);
        assert_eq!(refused.said(), (Code::FailedPrecondition, "TOKEN_REFUSED"));
    }
    hubkeep.hubspot.inject(
        FaultRule::new(Fault::AnswerOfPortal { other: of_b })
            .path("/account-info")
            .times(1),
    );
    let refused = Refused::in_place_of(hubkeep.onboard(A, &hubkeep.token(A), 0).await);
    assert_eq!(
        refused.said(),
        (Code::FailedPrecondition, "TOKEN_IDENTITY_UNCLEAR")
    );
    assert_eq!(hubkeep.onboarded().await, []);
}

#[tokio::test]
async fn what_cannot_be_a_slug_or_a_token_is_refused_before_hubspot_is_asked() {
    let hubkeep = Hubkeep::start(world()).await;
    let token = hubkeep.token(A);
    for slug in ["", "Acme", "a b", "-", &"x".repeat(64)] {
        let refused = Refused::in_place_of(hubkeep.onboard(slug, &token, 0).await);
        assert_eq!(
            refused.said(),
            (Code::InvalidArgument, "INVALID_FIELD"),
            "{slug:?}"
        );
        assert_eq!(refused.fields, ["client_slug"]);
    }
    for text in [
        "",
        " ",
        "two words",
        "line\nend",
        &"x".repeat(1_025),
        &"x".repeat(10_000),
    ] {
        let refused = Refused::in_place_of(hubkeep.onboard(A, text, 0).await);
        assert_eq!(
            refused.said(),
            (Code::InvalidArgument, "INVALID_FIELD"),
            "{} characters",
            text.len()
        );
        assert_eq!(refused.fields, ["portal_token"]);
    }
    assert!(hubkeep.journal().is_empty());
}

#[tokio::test]
async fn a_slug_and_a_portal_belong_together_for_good() {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard(A, &hubkeep.token(A), 0).await.expect("onboarded");
    let refused = Refused::in_place_of(hubkeep.onboard(A, &hubkeep.token(B), 0).await);
    assert_eq!(refused.said(), (Code::AlreadyExists, "CLIENT_SLUG_TAKEN"));
    let refused = Refused::in_place_of(hubkeep.onboard("other", &hubkeep.token(A), 0).await);
    assert_eq!(refused.said(), (Code::AlreadyExists, "PORTAL_ALREADY_ONBOARDED"));
    assert_eq!(refused.metadata["client_slug"], A);
    let refused = Refused::in_place_of(hubkeep.onboard(A, SECOND_TOKEN, 0).await);
    assert_eq!(refused.said(), (Code::AlreadyExists, "TOKEN_DIFFERS"));
    assert_eq!(slugs(&hubkeep).await, [A]);
}

#[tokio::test]
async fn a_bad_row_refuses_itself_and_no_other() {
    let hubkeep = Hubkeep::start(world()).await;
    let token = |slug| hubkeep.token(slug);
    let rows = vec![
        row(1, A, &token(A), hubkeep.portal_id(A)),
        row(2, B, SECOND_TOKEN, hubkeep.portal_id(B)),
        row(3, "umbra", REVOKED, 666),
        row(4, "No Slug", &token(B), 0),
        row(5, A, &token(B), hubkeep.portal_id(B)),
        row(6, "again", &token(A), 0),
        row(7, "broken", "two words", 0),
        row(8, "client-0003", &token("client-0003"), 0),
    ];
    let outcomes = hubkeep.import(rows).await;
    let numbers: Vec<u32> = outcomes.iter().map(|outcome| outcome.row).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8], "an outcome for each row");
    assert_eq!(told(&outcomes[0]), (ImportOutcome::Onboarded, ""));
    for outcome in &outcomes[1..7] {
        assert_eq!(outcome.outcome(), ImportOutcome::Refused, "{outcome:?}");
        assert!(!outcome.message.is_empty());
        assert!(
            !outcome.message.contains("pat-"),
            "a token is repeated: {}",
            outcome.message
        );
    }
    assert_eq!(told(&outcomes[1]).1, "TOKEN_OF_ANOTHER_PORTAL");
    assert_eq!(told(&outcomes[2]).1, "TOKEN_REFUSED");
    assert_eq!(told(&outcomes[3]).1, "INVALID_FIELD");
    assert_eq!(told(&outcomes[4]).1, "IMPORT_ROW_DUPLICATE");
    assert_eq!(told(&outcomes[5]).1, "IMPORT_ROW_DUPLICATE");
    assert_eq!(told(&outcomes[6]).1, "INVALID_FIELD");
    assert_eq!(told(&outcomes[7]), (ImportOutcome::Onboarded, ""));
    assert_eq!(slugs(&hubkeep).await, [A, "client-0003"]);
}

#[tokio::test]
async fn importing_the_same_rows_again_changes_nothing_and_finishes_what_was_left() {
    let hubkeep = Hubkeep::start(world()).await;
    let rows = |slugs: &[&str]| -> Vec<_> {
        let numbered = (1..).zip(slugs);
        numbered
            .map(|(number, slug)| row(number, slug, &hubkeep.token(slug), hubkeep.portal_id(slug)))
            .collect()
    };
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Status { status: 503 }).portal(hubkeep.portal_id(B)));
    let first = hubkeep.import(rows(&[A, B])).await;
    assert_eq!(told(&first[0]), (ImportOutcome::Onboarded, ""));
    assert_eq!(told(&first[1]), (ImportOutcome::Refused, "HUBSPOT_UNAVAILABLE"));
    hubkeep.hubspot.clear_faults();
    let before = hubkeep.onboarded().await;

    hubkeep.hubspot.clear_journal();
    let again = hubkeep.import(rows(&[A, B, "client-0003"])).await;
    assert_eq!(told(&again[0]), (ImportOutcome::Unchanged, ""));
    assert_eq!(told(&again[1]), (ImportOutcome::Onboarded, ""));
    assert_eq!(told(&again[2]), (ImportOutcome::Onboarded, ""));
    let asked = hubkeep.journal();
    let about_a = asked
        .iter()
        .filter(|entry| entry.portal_id == Some(hubkeep.portal_id(A)));
    assert_eq!(about_a.count(), 0, "what is known is not asked again");
    assert_eq!(hubkeep.onboarded().await[0], before[0]);
    assert_eq!(slugs(&hubkeep).await, [A, B, "client-0003"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_race_for_one_slug_one_wins_and_the_other_is_told() {
    let hubkeep = Hubkeep::start(world()).await;
    let (of_a, of_b) = (hubkeep.token(A), hubkeep.token(B));
    let (first, second) = futures::join!(hubkeep.onboard("one", &of_a, 0), hubkeep.onboard("one", &of_b, 0));
    let (won, lost) = match (first, second) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, Refused::of(&lost)),
        both => panic!("one wins: {both:?}"),
    };
    assert_eq!(lost.said(), (Code::AlreadyExists, "CLIENT_SLUG_TAKEN"));
    assert_eq!(hubkeep.onboarded().await, Vec::from_iter(won.portal));

    let token = hubkeep.token("client-0003");
    let same = (0..2).map(|_| hubkeep.onboard("two", &token, 0));
    let answers = futures::future::join_all(same).await;
    let new = answers
        .iter()
        .flatten()
        .filter(|answer| !answer.already_onboarded)
        .count();
    assert_eq!((answers.iter().flatten().count(), new), (2, 1), "{answers:?}");
}
