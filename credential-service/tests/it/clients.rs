//! Clients of people who have signed in: a code gives tokens once, to whoever it was asked for by, and they read only what their
//! user has connected.

use std::time::Duration;

use hubkeep_audit_log::Cause;
use hubkeep_proto::credential::v1::{
    HandleHolder, HandleOperation, IntrospectHandleRequest, IntrospectTokenRequest,
    ListAuthorizationsRequest, NarrowHandleRequest, RevokeAuthorizationRequest, RevokeHandlesRequest,
    RevokeTokenRequest, containment_service_client::ContainmentServiceClient, handle_holder::Holder,
};
use hubspot_sim::fingerprint;

use crate::{harness::*, office::*};

const ACME_ONLY: &str = "https://h.example/mcp/acme";

#[tokio::test]
async fn an_access_token_opens_the_connection_of_its_user_and_reads_only() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let tokens = office.client_tokens(&ann, ALL).await;
    let nothing = office.redeem(&tokens.access_token, ALL).await;
    assert_eq!(reason(&nothing), "CONNECTION_REQUIRED");
    let made = office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let redeemed = office.redeem(&tokens.access_token, ALL).await.expect("redeems");
    let handle = redeemed.description.expect("told");
    assert_eq!((handle.client_slug.as_str(), handle.portal_id), ("acme", ACME));
    assert_eq!(handle.connection_id, made.connection_id);
    assert_eq!((handle.resource.as_str(), handle.caller), (ALL, ann.name()));
    let reads = [
        HandleOperation::Get,
        HandleOperation::List,
        HandleOperation::Search,
    ];
    let reads = reads.map(i32::from).to_vec();
    assert_eq!(handle.scope.expect("told").operations, reads);
    assert!(
        redeemed.portal_token.starts_with("Csim"),
        "an access token of OAuth"
    );
    assert_eq!(redeemed.token_fingerprint, fingerprint(&redeemed.portal_token));
    assert_eq!(redeemed.app, "connections", "not the app of the portal's own key");
    assert!(redeemed.token_time_left.is_some() && redeemed.credential_version > 1_000_000_000_000);
    let (log, entry) = office.bench.last_entry().await;
    assert!(
        log.ends_with(&format!("/{ACME}")) && entry.actor_ref == ann.name(),
        "{log}"
    );
}

#[tokio::test]
async fn an_access_token_works_at_its_resource_and_for_no_caller() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let token = office.client_tokens(&ann, ALL).await.access_token;
    let elsewhere = office.redeem(&token, ACME_ONLY).await;
    assert_eq!(reason(&elsewhere), "HANDLE_INVALID");
    assert_eq!(
        office.bench.last_entry().await.1.cause(),
        Cause::HandleOfAnotherAudience
    );
    office.redeem(&token, ALL).await.expect("redeems");
    for caller in [SYNC, CRM, OPERATOR] {
        assert_eq!(
            reason(&office.bench.redeem(&token, caller).await),
            "HANDLE_INVALID"
        );
        let request = IntrospectHandleRequest {
            handle: token.clone(),
        };
        let told = office.bench.handles(caller).introspect_handle(request).await;
        assert_eq!(reason(&told), "HANDLE_INVALID", "{caller}");
        let request = NarrowHandleRequest {
            handle: token.clone(),
            ..NarrowHandleRequest::default()
        };
        let child = office.bench.handles(caller).narrow_handle(request).await;
        assert_eq!(reason(&child), "HANDLE_INVALID", "{caller}");
    }
    let own = office.bench.issue(SYNC, "acme").await.expect("issues").handle;
    assert_eq!(
        reason(&office.redeem(&own, ALL).await),
        "HANDLE_INVALID",
        "a caller's own"
    );
    office.pass(Duration::from_secs(901));
    assert_eq!(reason(&office.redeem(&token, ALL).await), "HANDLE_INVALID");
}

#[tokio::test]
async fn a_code_is_good_once_for_whoever_asked_for_it() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let code = office.authorize(&ann, ALL).await;
    let wrong = [
        office
            .exchange(&code, |one| one.client_id = "another".to_owned())
            .await,
        office
            .exchange(&code, |one| {
                one.redirect_uri = "http://localhost/elsewhere".to_owned()
            })
            .await,
        office
            .exchange(&code, |one| one.code_verifier = "x".repeat(43))
            .await,
    ];
    for refused in wrong {
        assert_eq!(reason(&refused), "CLIENT_GRANT_INVALID");
    }
    let elsewhere = office
        .exchange(&code, |one| one.resource = ACME_ONLY.to_owned())
        .await;
    assert_eq!(reason(&elsewhere), "RESOURCE_MISMATCH");
    let slash = |one: &mut hubkeep_proto::credential::v1::ExchangeCodeRequest| {
        one.resource = format!("{ALL}/");
    };
    let tokens = office.exchange(&code, slash).await.expect("given");
    assert_eq!(tokens.resource, ALL);
    assert_eq!(
        reason(&office.exchange(&code, |_| {}).await),
        "CLIENT_GRANT_INVALID"
    );
    assert_eq!(office.bench.last_entry().await.1.cause(), Cause::UsedAgain);
    let dead = office.redeem(&tokens.access_token, ALL).await;
    assert_eq!(reason(&dead), "HANDLE_INVALID", "what it gave is ended");
    assert_eq!(
        reason(&office.refresh_tokens(&tokens.refresh_token).await),
        "CLIENT_GRANT_INVALID"
    );
    let late = office.authorize(&ann, ALL).await;
    office.pass(Duration::from_secs(61));
    assert_eq!(
        reason(&office.exchange(&late, |_| {}).await),
        "CLIENT_GRANT_INVALID"
    );
}

#[tokio::test]
async fn a_refresh_token_of_a_client_that_is_used_again_ends_all_of_them() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let first = office.client_tokens(&ann, ALL).await;
    let lost = office.refresh_tokens(&first.refresh_token).await.expect("given");
    let second = office
        .refresh_tokens(&first.refresh_token)
        .await
        .expect("given again");
    assert_eq!(
        reason(&office.redeem(&lost.access_token, ALL).await),
        "HANDLE_INVALID"
    );
    office.redeem(&second.access_token, ALL).await.expect("redeems");
    assert_eq!(
        reason(&office.refresh_tokens(&first.refresh_token).await),
        "CLIENT_GRANT_INVALID"
    );
    assert_eq!(
        reason(&office.redeem(&second.access_token, ALL).await),
        "HANDLE_INVALID"
    );
    assert_eq!(
        reason(&office.refresh_tokens(&second.refresh_token).await),
        "CLIENT_GRANT_INVALID"
    );
}

#[tokio::test]
async fn of_two_connections_none_is_chosen() {
    let office = Office::open().await;
    office
        .bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let ann = office.sign_in(ANN).await;
    office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let before = office.client_tokens(&ann, ALL).await.access_token;
    office.redeem(&before, ALL).await.expect("one is connected");
    let started = office.start(&ann, "globex").await.expect("started");
    let code = office
        .consent(&started.authorize_url, GLOBEX, ANN_AT_HUBSPOT, "allow")
        .await;
    office
        .complete(&ann, &started.state, &code)
        .await
        .expect("connects");
    let after = office.client_tokens(&ann, ALL).await.access_token;
    assert_eq!(reason(&office.redeem(&after, ALL).await), "CONNECTION_AMBIGUOUS");
    let stays = office
        .redeem(&before, ALL)
        .await
        .expect("what it was for, it stays for");
    assert_eq!(stays.description.expect("told").client_slug, "acme");
    let named = office.client_tokens(&ann, ACME_ONLY).await.access_token;
    let redeemed = office.redeem(&named, ACME_ONLY).await.expect("redeems");
    assert_eq!(redeemed.description.expect("told").client_slug, "acme");
    let request = IntrospectTokenRequest {
        access_token: after,
        resource: ALL.to_owned(),
    };
    let told = office.clients(CRM).introspect_token(request).await.expect("told");
    assert_eq!(told.into_inner().connections.len(), 2);
}

#[tokio::test]
async fn what_a_client_was_given_is_listed_and_ended_by_its_user() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let one = office.client_tokens(&ann, ALL).await;
    let two = office.client_tokens(&ann, ALL).await;
    office.redeem(&one.access_token, ALL).await.expect("redeems");
    let request = RevokeTokenRequest {
        token: two.access_token.clone(),
        client_id: "another".to_owned(),
    };
    let refused = office.clients(CRM).revoke_token(request.clone()).await;
    assert_eq!(reason(&refused), "CLIENT_GRANT_INVALID");
    let request = RevokeTokenRequest {
        client_id: EDITOR.to_owned(),
        ..request
    };
    office.clients(CRM).revoke_token(request).await.expect("ended");
    assert_eq!(
        reason(&office.redeem(&two.access_token, ALL).await),
        "HANDLE_INVALID"
    );
    let list = ListAuthorizationsRequest {
        session_token: ann.token(),
        ..ListAuthorizationsRequest::default()
    };
    let listed = office
        .clients(CRM)
        .list_authorizations(list.clone())
        .await
        .expect("lists");
    let listed = listed.into_inner().authorizations;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].client_id.as_str(), listed[0].live_families),
        (EDITOR, 1)
    );
    let request = RevokeAuthorizationRequest {
        session_token: ann.token(),
        client_id: EDITOR.to_owned(),
        ..RevokeAuthorizationRequest::default()
    };
    let ended = office
        .clients(CRM)
        .revoke_authorization(request)
        .await
        .expect("ended");
    let ended = ended.into_inner();
    assert!(ended.ended_families == 1 && ended.revocation_seq > 0, "{ended:?}");
    assert_eq!(
        reason(&office.redeem(&one.access_token, ALL).await),
        "HANDLE_INVALID"
    );
    let listed = office
        .clients(CRM)
        .list_authorizations(list)
        .await
        .expect("lists");
    assert!(listed.into_inner().authorizations.is_empty());
}

#[tokio::test]
async fn the_handles_of_a_connection_can_be_ended_and_the_connection_serves_on() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let made = office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let token = office.client_tokens(&ann, ALL).await.access_token;
    office.redeem(&token, ALL).await.expect("redeems");
    let request = RevokeHandlesRequest {
        target: Some(HandleHolder {
            holder: Some(Holder::ConnectionId(made.connection_id)),
        }),
        wait: None,
    };
    let mut containments = ContainmentServiceClient::new(office.bench.channel_of(OPERATOR));
    containments.revoke_handles(request).await.expect("ended");
    assert_eq!(reason(&office.redeem(&token, ALL).await), "HANDLE_INVALID");
    let next = office.client_tokens(&ann, ALL).await.access_token;
    office.redeem(&next, ALL).await.expect("redeems");
}
