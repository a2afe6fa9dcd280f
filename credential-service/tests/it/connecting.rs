//! Connecting HubSpot: only what was begun, by whoever began it, once, for the portal that was asked for, as themselves.

use std::time::Duration;

use hubkeep_audit_log::Cause;
use hubkeep_proto::credential::v1::{
    Connection, ConnectionLevel, ConnectionState, DisconnectRequest, DisconnectResponse,
    GetConnectionRequest, GetSessionRequest, ListConnectionsRequest, OidcSubject, Person, PutPersonRequest,
};
use hubspot_sim::{Fault, FaultRule};
use tonic::Status;

use crate::{
    grants::{access_of, delete},
    harness::*,
    office::*,
};

const MINUTE: Duration = Duration::from_secs(60);

impl Office {
    async fn connection(&self, who: &SignedIn, id: &str) -> Result<Connection, Status> {
        let request = GetConnectionRequest {
            session_token: who.token(),
            connection_id: id.to_owned(),
        };
        let found = self.connections(CRM).get_connection(request).await?.into_inner();
        Ok(found.connection.expect("told"))
    }

    async fn disconnect(&self, who: &SignedIn, id: &str) -> Result<DisconnectResponse, Status> {
        let request = DisconnectRequest {
            session_token: who.token(),
            connection_id: id.to_owned(),
            wait: None,
        };
        Ok(self.connections(CRM).disconnect(request).await?.into_inner())
    }

    async fn listed(&self, who: &SignedIn) -> Vec<Connection> {
        let request = ListConnectionsRequest {
            session_token: who.token(),
            ..ListConnectionsRequest::default()
        };
        let listed = self.connections(CRM).list_connections(request).await;
        listed.expect("lists").into_inner().connections
    }
}

#[tokio::test]
async fn a_connection_says_whose_it_is_of_which_portal_and_how_far_it_reaches() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let started = office.start(&ann, "acme").await.expect("started");
    let url = &started.authorize_url;
    assert!(url.contains(&format!("/oauth/{ACME}/authorize?")), "{url}");
    assert!(
        url.contains("scope=oauth&optional_scope=crm.objects.contacts.read%20"),
        "{url}"
    );
    assert!(url.contains("code_challenge_method=S256"), "{url}");
    let made = office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    assert_eq!((made.client_slug.as_str(), made.portal_id), ("acme", ACME));
    assert_eq!(
        (made.hubspot_user_id, made.hubspot_email.as_str()),
        (ANN_AT_HUBSPOT, ANN.1)
    );
    assert_eq!(made.level(), ConnectionLevel::Account, "the app is no user's");
    assert_eq!(made.state(), ConnectionState::Active);
    assert_eq!(office.listed(&ann).await, std::slice::from_ref(&made));
    let bob = office.sign_in(BOB).await;
    assert!(office.listed(&bob).await.is_empty());
    let others = office.connection(&bob, &made.connection_id).await;
    assert_eq!(reason(&others), "CONNECTION_UNKNOWN");
    let others = office.disconnect(&bob, &made.connection_id).await;
    assert_eq!(reason(&others), "CONNECTION_UNKNOWN");
}

#[tokio::test]
async fn a_link_that_somebody_else_began_connects_nothing() {
    let office = Office::open().await;
    let (ann, bob) = (office.sign_in(ANN).await, office.sign_in(BOB).await);
    let started = office.start(&ann, "acme").await.expect("started");
    let code = office
        .consent(&started.authorize_url, ACME, BOB_AT_HUBSPOT, "allow")
        .await;
    let before = office.bench.hubspot.journal().len();
    let opened = office.complete(&bob, &started.state, &code).await;
    assert_eq!(reason(&opened), "CONNECTION_STATE_INVALID");
    assert_eq!(office.bench.last_entry().await.1.cause(), Cause::StateOfAnother);
    assert_eq!(
        office.bench.hubspot.journal().len(),
        before,
        "HubSpot was not asked"
    );
    let again = office.complete(&ann, &started.state, &code).await;
    assert_eq!(reason(&again), "CONNECTION_STATE_INVALID", "a state is good once");
    assert_eq!(office.bench.last_entry().await.1.cause(), Cause::StateUnknown);
}

#[tokio::test]
async fn a_state_is_good_once_and_for_ten_minutes() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let started = office.start(&ann, "acme").await.expect("started");
    let code = office
        .consent(&started.authorize_url, ACME, ANN_AT_HUBSPOT, "allow")
        .await;
    office
        .complete(&ann, &started.state, &code)
        .await
        .expect("connects");
    let again = office.complete(&ann, &started.state, &code).await;
    assert_eq!(reason(&again), "CONNECTION_STATE_INVALID");
    let late = office.start(&ann, "acme").await.expect("started");
    office.pass(11 * MINUTE);
    let opened = office.complete(&ann, &late.state, &code).await;
    assert_eq!(reason(&opened), "CONNECTION_STATE_INVALID");
    let used = office.start(&ann, "acme").await.expect("started");
    let opened = office.complete(&ann, &used.state, &code).await;
    assert_eq!(
        reason(&opened),
        "HUBSPOT_CODE_REFUSED",
        "HubSpot's own code is good once too"
    );
    let declined = office.start(&ann, "acme").await.expect("started");
    let code = office
        .consent(&declined.authorize_url, ACME, ANN_AT_HUBSPOT, "deny")
        .await;
    let opened = office.complete(&ann, &declined.state, &code).await;
    assert_eq!(reason(&opened), "CONSENT_DECLINED");
}

#[tokio::test]
async fn a_hubspot_account_of_somebody_else_is_given_back() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let opened = office.connect_acme(&ann, BOB_AT_HUBSPOT).await;
    assert_eq!(reason(&opened), "HUBSPOT_USER_DIFFERS");
    assert_eq!(office.revoked_at_hubspot(), 1);
    assert!(office.listed(&ann).await.is_empty());
    let person = Person {
        person_id: "ann".to_owned(),
        oidc_subjects: vec![OidcSubject {
            issuer: ISSUER.to_owned(),
            subject: ANN.0.to_owned(),
        }],
        hubspot_emails: vec!["BOB@agency.example".to_owned()],
        ..Person::default()
    };
    let request = PutPersonRequest { person: Some(person) };
    access_of(&office.bench).put_person(request).await.expect("put");
    let made = office
        .connect_acme(&ann, BOB_AT_HUBSPOT)
        .await
        .expect("an operator says so");
    assert_eq!(made.hubspot_email, BOB.1);
}

#[tokio::test]
async fn a_portal_that_the_user_may_not_have_is_given_back() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let started = office.start(&ann, "").await.expect("started");
    let code = office
        .consent(&started.authorize_url, GLOBEX, ANN_AT_HUBSPOT, "allow")
        .await;
    let opened = office.complete(&ann, &started.state, &code).await;
    assert_eq!(reason(&opened), "PORTAL_NOT_OFFERED", "nobody has onboarded it");
    let started = office.start(&ann, "acme").await.expect("started");
    let any = started
        .authorize_url
        .replace(&format!("/oauth/{ACME}/"), "/oauth/");
    let code = office.consent(&any, GLOBEX, ANN_AT_HUBSPOT, "allow").await;
    let opened = office.complete(&ann, &started.state, &code).await;
    assert_eq!(reason(&opened), "TOKEN_OF_ANOTHER_PORTAL");
    let started = office.start(&ann, "").await.expect("started");
    let code = office
        .consent(&started.authorize_url, ACME, ANN_AT_HUBSPOT, "allow")
        .await;
    delete(&office.bench, "people").await.expect("deleted");
    let opened = office.complete(&ann, &started.state, &code).await;
    assert_eq!(reason(&opened), "PORTAL_NOT_OFFERED", "no grant");
    assert_eq!(reason(&office.start(&ann, "acme").await), "GRANT_MISSING");
    assert_eq!(reason(&office.start(&ann, "nobodys").await), "GRANT_MISSING");
    assert_eq!(office.revoked_at_hubspot(), 3);
    assert!(office.listed(&ann).await.is_empty());
}

#[tokio::test]
async fn a_disconnect_ends_handles_here_and_the_refresh_token_at_hubspot_and_keeps_the_session() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let made = office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let token = office.client_tokens(&ann, ALL).await.access_token;
    office.redeem(&token, ALL).await.expect("redeems");
    let rule = FaultRule::new(Fault::Status { status: 500 }).path("/oauth/2026-09/token/revoke");
    office.bench.hubspot.inject(rule);
    let ended = office.disconnect(&ann, &made.connection_id).await.expect("ended");
    let stands = ended.connection.expect("told").state();
    assert_eq!(
        stands,
        ConnectionState::Disconnecting,
        "HubSpot could not be told"
    );
    assert!(ended.revocation_seq > 0 && ended.access_token_end_time.is_some());
    assert_eq!(reason(&office.redeem(&token, ALL).await), "HANDLE_INVALID");
    assert!(office.listed(&ann).await.is_empty());
    office.bench.hubspot.clear_faults();
    let ended = office.disconnect(&ann, &made.connection_id).await.expect("told");
    assert_eq!(
        ended.connection.expect("told").state(),
        ConnectionState::Disconnected
    );
    assert_eq!(office.revoked_at_hubspot(), 1);
    let again = office
        .disconnect(&ann, &made.connection_id)
        .await
        .expect("nothing more");
    assert_eq!((again.revocation_seq, office.revoked_at_hubspot()), (0, 1));
    let request = GetSessionRequest {
        session_token: ann.token(),
    };
    office
        .sessions(CRM)
        .get_session(request)
        .await
        .expect("the session goes on");
    let next = office.client_tokens(&ann, ALL).await.access_token;
    assert_eq!(reason(&office.redeem(&next, ALL).await), "CONNECTION_REQUIRED");
}

#[tokio::test]
async fn a_connection_takes_the_place_of_the_one_before() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let first = office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let token = office.client_tokens(&ann, ALL).await.access_token;
    office.redeem(&token, ALL).await.expect("redeems");
    office.pass(MINUTE);
    let second = office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    assert_eq!(office.listed(&ann).await, std::slice::from_ref(&second));
    assert_eq!(office.revoked_at_hubspot(), 1, "the first one's");
    let before = office.connection(&ann, &first.connection_id).await.expect("told");
    assert_eq!(before.state(), ConnectionState::Disconnected);
    assert_eq!(reason(&office.redeem(&token, ALL).await), "HANDLE_INVALID");
    let next = office.client_tokens(&ann, ALL).await.access_token;
    office.redeem(&next, ALL).await.expect("redeems");
}

#[tokio::test]
async fn a_consent_that_is_lost_must_be_given_again_and_a_refused_app_loses_none() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let made = office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let world = &office.bench.hubspot;
    world.add_app(hubspot_sim::AppSpec::new(APP, "another-secret", 77));
    office.pass(31 * MINUTE);
    let fresh = async || {
        let again = office.sign_in(ANN).await;
        office.client_tokens(&again, ALL).await.access_token
    };
    assert_eq!(reason(&office.redeem(&fresh().await, ALL).await), "APP_REFUSED");
    world.add_app(hubspot_sim::AppSpec::new(APP, APP_SECRET, 77));
    office.pass(2 * MINUTE);
    office.redeem(&fresh().await, ALL).await.expect("it lives");
    let given = world.refresh_tokens(ACME);
    let of_ann = given
        .iter()
        .find(|token| **token != ACME_CONSENT && **token != ACME_SECOND_CONSENT);
    world.uninstall_app(of_ann.expect("hers")).expect("uninstalled");
    office.pass(31 * MINUTE);
    assert_eq!(
        reason(&office.redeem(&fresh().await, ALL).await),
        "CONSENT_REQUIRED"
    );
    let again = office.sign_in(ANN).await;
    let stands = office
        .connection(&again, &made.connection_id)
        .await
        .expect("told");
    assert_eq!(stands.state(), ConnectionState::ConsentRequired);
}
