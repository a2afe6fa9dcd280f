//! OAuth: a refresh token gives access tokens, until somebody takes the consent back.

use std::time::Duration;

use hubspot_sim::{AppSpec, InstallSpec, Limits, Simulator, fingerprint};
use serde_json::Value;

use crate::caller::{ALPHA, CONTACTS, Caller, world};

const CLIENT: &str = "00000000-0000-4000-8000-0000000000a9";
const SECRET: &str = "secret-of-the-app";
const REFRESH: &str = "na1-0000-refresh-of-alpha";
const TOKEN: &str = "/oauth/2026-09/token";

fn start() -> (Simulator, Caller) {
    let mut world = world().app(AppSpec::new(CLIENT, SECRET, 77));
    let alpha = world.portal_mut("alpha").expect("it is there");
    alpha.installs.push(InstallSpec::new(CLIENT, REFRESH));
    let simulator = Simulator::start(world).expect("the simulator starts");
    let nobody = Caller::of(&simulator, "");
    (simulator, nobody)
}

async fn ask(
    caller: &Caller,
    path: &str,
    name: &str,
    token: &str,
    client: &str,
    secret: &str,
) -> (u16, Value) {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("client_secret", secret),
        (name, token),
    ];
    caller.form(path, &fields).await
}

async fn refresh(caller: &Caller) -> Value {
    let (status, body) = ask(caller, TOKEN, "refresh_token", REFRESH, CLIENT, SECRET).await;
    assert_eq!(status, 200, "{body}");
    body
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_access_token_of_a_refresh_token_calls_for_30_minutes() {
    let (hubspot, nobody) = start();
    let body = refresh(&nobody).await;
    assert_eq!(
        (body["hub_id"].as_u64(), body["expires_in"].as_u64()),
        (Some(ALPHA), Some(1_800))
    );
    assert_eq!(text(&body, "refresh_token"), REFRESH);
    let access = text(&body, "access_token");
    assert!(access.len() >= 128, "opaque, and longer than a private token");
    let caller = Caller::of(&hubspot, &access);
    let answer = caller.get(CONTACTS).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-hubspot-ratelimit-max"), Some("110"));
    assert_eq!(answer.header("x-hubspot-ratelimit-daily"), None);

    hubspot.advance_time(Duration::from_secs(1_801));
    let answer = caller.get(CONTACTS).await;
    assert_eq!(
        (answer.status, text(&answer.json, "category")),
        (401, "EXPIRED_AUTHENTICATION".to_owned())
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_rfc_6749_and_of_hubspot() {
    let (hubspot, nobody) = start();
    for (client, secret, token, error, status) in [
        ("nobody", SECRET, REFRESH, "invalid_client", "BAD_CLIENT_ID"),
        (CLIENT, "wrong", REFRESH, "invalid_client", "BAD_CLIENT_SECRET"),
        (
            CLIENT,
            SECRET,
            "na1-nothing",
            "invalid_grant",
            "BAD_REFRESH_TOKEN",
        ),
    ] {
        let (code, body) = ask(&nobody, TOKEN, "refresh_token", token, client, secret).await;
        let said = (code, text(&body, "error"), text(&body, "status"));
        assert_eq!(said, (400, error.to_owned(), status.to_owned()));
    }
    hubspot.uninstall_app(REFRESH).expect("it is installed");
    let (code, body) = ask(&nobody, TOKEN, "refresh_token", REFRESH, CLIENT, SECRET).await;
    assert_eq!((code, text(&body, "error")), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_revocation_leaves_access_tokens_and_an_uninstallation_does_not() {
    let (hubspot, nobody) = start();
    let access = text(&refresh(&nobody).await, "access_token");
    let active = async |token: &str| {
        let path = format!("{TOKEN}/introspect");
        let (_, body) = ask(&nobody, &path, "token", token, CLIENT, SECRET).await;
        body["active"].as_bool()
    };
    assert_eq!(
        (active(&access).await, active(REFRESH).await),
        (Some(true), Some(true))
    );
    let path = format!("{TOKEN}/revoke");
    assert_eq!(ask(&nobody, &path, "token", REFRESH, CLIENT, SECRET).await.0, 200);
    assert_eq!(
        (active(&access).await, active(REFRESH).await),
        (Some(true), Some(false))
    );
    assert_eq!(Caller::of(&hubspot, &access).get(CONTACTS).await.status, 200);
    hubspot.uninstall_app(REFRESH).expect("it was installed");
    assert_eq!(Caller::of(&hubspot, &access).get(CONTACTS).await.status, 401);
}

#[tokio::test]
async fn a_refresh_token_may_be_replaced_at_each_use() {
    let (hubspot, nobody) = start();
    hubspot.rotate_refresh_tokens(true);
    let new = text(&refresh(&nobody).await, "refresh_token");
    assert_ne!(new, REFRESH);
    assert_eq!(
        ask(&nobody, TOKEN, "refresh_token", REFRESH, CLIENT, SECRET)
            .await
            .0,
        400
    );
    assert_eq!(
        ask(&nobody, TOKEN, "refresh_token", &new, CLIENT, SECRET).await.0,
        200
    );
}

#[tokio::test]
async fn the_journal_shows_forms_without_their_secrets() {
    let (hubspot, nobody) = start();
    refresh(&nobody).await;
    let entry = hubspot.journal().pop().expect("it was written down");
    let body = entry.body.expect("a form");
    assert_eq!(
        text(&body, "refresh_token"),
        format!("sha256:{}", fingerprint(REFRESH))
    );
    assert!(!body.to_string().contains(SECRET));
}

#[tokio::test]
async fn an_oauth_app_has_a_window_of_its_own_and_no_day() {
    let (hubspot, nobody) = start();
    let limits = Limits {
        burst: 1,
        oauth_burst: 3,
        daily: 1,
        ..Limits::default()
    };
    hubspot.set_limits(ALPHA, limits).expect("it is there");
    let caller = Caller::of(&hubspot, &text(&refresh(&nobody).await, "access_token"));
    for left in ["2", "1", "0"] {
        let answer = caller.get(CONTACTS).await;
        assert_eq!(answer.header("x-hubspot-ratelimit-remaining"), Some(left));
    }
    assert_eq!(caller.get(CONTACTS).await.status, 429);
}
