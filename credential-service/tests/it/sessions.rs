//! Sessions: each refresh gives the next pair; a pair that never arrived is given again; and a copy ends everything.

use std::time::Duration;

use hubkeep_audit_log::Cause;
use hubkeep_proto::credential::v1::{
    ContainRequest, GetSessionRequest, HandleHolder, ListSessionsRequest, RefreshSessionRequest,
    RevokeSessionRequest, SessionTokens, containment_service_client::ContainmentServiceClient,
    handle_holder::Holder, revoke_session_request::Target,
};
use tonic::Status;

use crate::{harness::*, office::*};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Office {
    async fn refresh(&self, refresh_token: &str) -> Result<SessionTokens, Status> {
        let request = RefreshSessionRequest {
            refresh_token: refresh_token.to_owned(),
        };
        let given = self.sessions(CRM).refresh_session(request).await?.into_inner();
        Ok(given.tokens.expect("given"))
    }

    async fn shows(&self, session_token: &str) -> String {
        let request = GetSessionRequest {
            session_token: session_token.to_owned(),
        };
        reason(&self.sessions(CRM).get_session(request).await)
    }
}

#[tokio::test]
async fn a_refresh_gives_the_next_pair_for_thirty_days_and_no_longer() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let mut tokens = ann.tokens.clone();
    for _ in 0..29 {
        office.pass(DAY);
        assert_eq!(
            office.shows(&tokens.session_token).await,
            "SESSION_INVALID",
            "over"
        );
        tokens = office.refresh(&tokens.refresh_token).await.expect("refreshed");
        assert_eq!(office.shows(&tokens.session_token).await, "OK");
    }
    office.pass(DAY);
    assert_eq!(
        reason(&office.refresh(&tokens.refresh_token).await),
        "SESSION_INVALID"
    );
    assert_eq!(office.bench.last_entry().await.1.cause(), Cause::SessionExpired);
}

#[tokio::test]
async fn a_refresh_token_that_is_used_again_ends_its_session() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let first = &ann.tokens.refresh_token;
    let second = office.refresh(first).await.expect("refreshed");
    assert_eq!(
        office.shows(&second.session_token).await,
        "OK",
        "used from here on"
    );
    assert_eq!(reason(&office.refresh(first).await), "SESSION_INVALID");
    assert_eq!(office.bench.last_entry().await.1.cause(), Cause::UsedAgain);
    assert_eq!(office.shows(&second.session_token).await, "SESSION_INVALID");
    assert_eq!(
        reason(&office.refresh(&second.refresh_token).await),
        "SESSION_INVALID"
    );
    assert_eq!(office.bench.last_entry().await.1.cause(), Cause::SessionEnded);
}

#[tokio::test]
async fn a_pair_that_never_arrived_is_given_again_once_and_is_good_for_nothing() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let first = &ann.tokens.refresh_token;
    let lost = office.refresh(first).await.expect("refreshed");
    let again = office.refresh(first).await.expect("given again");
    assert_eq!(office.shows(&lost.session_token).await, "SESSION_INVALID");
    assert_eq!(office.shows(&again.session_token).await, "OK");
    let next = office.refresh(&again.refresh_token).await.expect("goes on");
    assert_eq!(office.shows(&next.session_token).await, "OK");
    assert_eq!(
        reason(&office.refresh(&lost.refresh_token).await),
        "SESSION_INVALID",
        "whoever has it has a copy"
    );
    assert_eq!(office.shows(&next.session_token).await, "SESSION_INVALID");
}

#[tokio::test]
async fn a_second_time_nothing_is_given_again() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let first = &ann.tokens.refresh_token;
    office.refresh(first).await.expect("refreshed");
    office.refresh(first).await.expect("given again");
    assert_eq!(reason(&office.refresh(first).await), "SESSION_INVALID");
    assert_eq!(office.bench.last_entry().await.1.cause(), Cause::UsedAgain);
}

#[tokio::test]
async fn a_session_is_ended_by_its_user_or_an_operator_and_by_nobody_else() {
    let office = Office::open().await;
    let (ann, bob) = (office.sign_in(ANN).await, office.sign_in(BOB).await);
    let end = async |caller, session_token: String, target| {
        let request = RevokeSessionRequest {
            session_token,
            target: Some(target),
        };
        office.sessions(caller).revoke_session(request).await
    };
    let anns = Target::SessionId(ann.session.session_id.clone());
    assert_eq!(
        reason(&end(CRM, bob.token(), anns.clone()).await),
        "SESSION_INVALID"
    );
    assert_eq!(
        reason(&end(CRM, bob.token(), Target::User(ann.name())).await),
        "INVALID_FIELD"
    );
    assert_eq!(office.shows(&ann.token()).await, "OK");
    let ended = end(CRM, ann.token(), anns).await.expect("ended").into_inner();
    assert_eq!(ended.ended_sessions, 1);
    assert_eq!(office.shows(&ann.token()).await, "SESSION_INVALID");
    let list = ListSessionsRequest::default();
    let listed = office
        .sessions(OPERATOR)
        .list_sessions(list)
        .await
        .expect("lists");
    let listed: Vec<_> = listed.into_inner().sessions;
    assert_eq!(listed, std::slice::from_ref(&bob.session));
    let ended = end(OPERATOR, String::new(), Target::User(bob.name())).await;
    assert_eq!(ended.expect("ended").into_inner().ended_sessions, 1);
    assert_eq!(office.shows(&bob.token()).await, "SESSION_INVALID");
}

#[tokio::test]
async fn whoever_is_contained_is_signed_in_nowhere() {
    let office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    let request = ContainRequest {
        target: Some(HandleHolder {
            holder: Some(Holder::Caller(ann.name())),
        }),
        reason: "a stolen laptop".to_owned(),
        wait: Some(prost_types::Duration::default()),
    };
    let mut containments = ContainmentServiceClient::new(office.bench.channel_of(OPERATOR));
    office
        .bench
        .as_time_goes(containments.contain(request))
        .await
        .expect("contained");
    assert_eq!(office.shows(&ann.token()).await, "CALLER_CONTAINED");
    assert_eq!(
        reason(&office.refresh(&ann.tokens.refresh_token).await),
        "CALLER_CONTAINED"
    );
}
