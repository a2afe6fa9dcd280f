//! The page on which somebody consents: it sends the browser back with a code, which the app turns into tokens once.

use hubspot_sim::{AppSpec, Simulator};
use serde_json::Value;

use crate::caller::{ALPHA, CONTACTS, Caller, world};

const CLIENT: &str = "00000000-0000-4000-8000-0000000000a9";
const SECRET: &str = "secret-of-the-app";
const TOKEN: &str = "/oauth/2026-09/token";
const BACK: &str = "http://localhost:7403/auth/hubspot/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn start(app: AppSpec) -> (Simulator, Caller) {
    let mut world = world().app(app.redirect_uri(BACK).requires(["oauth"]));
    let alpha = world.portal_mut("alpha").expect("it is there");
    *alpha = alpha.clone().user(42, "ann@agency.example");
    let simulator = Simulator::start(world).expect("the simulator starts");
    let nobody = Caller::of(&simulator, "");
    (simulator, nobody)
}

fn page(challenge: &str) -> String {
    format!(
        "/oauth/{ALPHA}/authorize?client_id={CLIENT}&redirect_uri=http%3A%2F%2Flocalhost%3A7403%2Fauth%2Fhubspot%2Fcallback\
         &scope=oauth%20crm.objects.contacts.read&state=st&code_challenge={challenge}&code_challenge_method=S256"
    )
}

/// Consents, and gives what the browser is sent back with.
async fn consent(caller: &Caller, decision: &str) -> Vec<(String, String)> {
    let user = format!("{ALPHA}/42");
    let fields = [("user", user.as_str()), ("decision", decision)];
    let answer = caller.submit(&page(CHALLENGE), &fields).await;
    assert_eq!(answer.status, 302);
    let location = answer.header("location").expect("sent on").to_owned();
    let query = location.strip_prefix(BACK).expect("sent back").to_owned();
    form_urlencoded::parse(query.trim_start_matches('?').as_bytes())
        .into_owned()
        .collect()
}

async fn exchange(caller: &Caller, code: &str, back: &str, verifier: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("redirect_uri", back),
        ("code", code),
        ("code_verifier", verifier),
    ];
    caller.form(TOKEN, &fields).await
}

fn value<'a>(told: &'a [(String, String)], name: &str) -> &'a str {
    let found = told.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

#[tokio::test]
async fn a_code_gives_tokens_once_to_whoever_has_its_verifier() {
    let (hubspot, nobody) = start(AppSpec::new(CLIENT, SECRET, 77).user_level());
    let told = consent(&nobody, "allow").await;
    assert_eq!(value(&told, "state"), "st");
    let code = value(&told, "code");
    for (back, verifier, status) in [
        ("http://localhost:7403/other", VERIFIER, "BAD_REDIRECT_URI"),
        (BACK, "another-verifier", "BAD_CODE_VERIFIER"),
        (BACK, "", "BAD_CODE_VERIFIER"),
    ] {
        let (code, body) = exchange(&nobody, code, back, verifier).await;
        assert_eq!((code, body["status"].as_str()), (400, Some(status)));
    }
    let (status, body) = exchange(&nobody, code, BACK, VERIFIER).await;
    assert_eq!((status, body["hub_id"].as_u64()), (200, Some(ALPHA)), "{body}");
    let access = body["access_token"].as_str().expect("a token").to_owned();
    let by_access = Caller::of(&hubspot, &access);
    assert_eq!(by_access.get(CONTACTS).await.status, 200);
    let (status, body) = exchange(&nobody, code, BACK, VERIFIER).await;
    assert_eq!((status, body["status"].as_str()), (400, Some("BAD_AUTH_CODE")));
    let fields = [
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("token", access.as_str()),
    ];
    let (_, info) = nobody.form(&format!("{TOKEN}/introspect"), &fields).await;
    assert_eq!(info["user"], "ann@agency.example");
    assert_eq!(info["user_id"], 42);
    assert_eq!(info["signed_access_token"]["isUserLevel"], true);
}

#[tokio::test]
async fn whoever_declines_is_sent_back_without_a_code() {
    let (_hubspot, nobody) = start(AppSpec::new(CLIENT, SECRET, 77));
    let told = consent(&nobody, "deny").await;
    assert_eq!(
        (value(&told, "error"), value(&told, "state"), value(&told, "code")),
        ("access_denied", "st", "")
    );
}

#[tokio::test]
async fn the_page_names_what_is_asked_for_and_refuses_what_is_not_the_apps() {
    let (_hubspot, nobody) = start(AppSpec::new(CLIENT, SECRET, 77));
    let shown = nobody.get(&page(CHALLENGE)).await;
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("ann@agency.example") && shown.text.contains("crm.objects.contacts.read"));
    for (what, instead) in [
        (CLIENT, "another"),
        ("callback", "elsewhere"),
        ("scope=oauth%20", "scope="),
        ("S256", "plain"),
    ] {
        let answer = nobody.get(&page(CHALLENGE).replace(what, instead)).await;
        assert_eq!(answer.status, 400, "{what}");
        assert!(answer.header("location").is_none(), "nobody is sent anywhere");
    }
}
