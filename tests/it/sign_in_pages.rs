//! Somebody signs in, connects HubSpot, and has a program read for them, all in their own browser: what was begun in another, or was sent
//! by somebody else, does nothing.

use hubkeep_tests::support::{
    programs::Program,
    signing_in::{ANN, BOB, Office, PORTAL, hidden, link},
};
use serde_json::json;

const SESSION: &str = "__Host-hubkeep-session";
const REFRESH: &str = "__Host-hubkeep-refresh";

#[tokio::test(flavor = "multi_thread")]
async fn somebody_comes_from_a_program_over_consent_and_sign_in_to_contacts() {
    let office = Office::open().await;
    let refused = office
        .outside()
        .send("POST", "/mcp", &[], "{}")
        .await
        .expect("an answer");
    assert_eq!(refused.status, 401);
    let mut tab = office.tab();
    let client_id = office.consent(&mut tab).await;
    let back = office.sign_in(&mut tab, ANN, "/oauth/continue").await;
    assert_eq!(back.exactly("location"), Some("/oauth/continue"), "{}", back.body);
    let sent_away = tab.get("/oauth/continue").await;
    let tokens = office.tokens(&sent_away, &client_id).await;
    let access = tokens["access_token"].as_str().expect("a token");
    let program = Program::with(office.outside(), access, "/mcp");

    let needed = program.call("hubspot_list_contacts", json!({})).await;
    assert!(
        needed.failed() && needed.text().contains("CONNECTION_REQUIRED"),
        "{}",
        needed.text()
    );
    let text = needed.text();
    let at = text.find(&office.origin()).expect("an address");
    let address = text[at..].split_whitespace().next().expect("an address");
    let address = address.strip_prefix(&office.origin()).expect("ours").to_owned();
    assert!(address.starts_with("/auth/hubspot?c="), "{address}");

    let done = office.connect(&mut tab, &address, ANN.2).await.shown();
    assert!(
        done.says("HubSpot connected") && done.says(ANN.1) && done.says("Account-level"),
        "{}",
        done.body
    );
    let listed = program.call("hubspot_list_contacts", json!({})).await;
    assert_eq!(listed.structured()["portal"]["client_slug"], json!(PORTAL));

    let account = tab.get("/account").await.shown();
    for text in ["An editor", PORTAL, "This browser", "Account-level"] {
        assert!(account.says(text), "{text}: {}", account.body);
    }
    let policy = account.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'") && !account.says("<script"),
        "{policy}"
    );
    let form = [("word", hidden(&account, "word")), ("client_id", client_id)];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(tab.post("/account/forbid", &form).await.status, 303);
    let page = program.ask("tools/list", json!({})).await;
    assert_eq!(page.status, 401, "a program that was ended reads nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_once_in_the_browser_that_began_it() {
    let office = Office::open().await;
    office.is_at_provider(ANN, "agency.example");
    let mut tab = office.tab();
    let to = tab.get("/auth/google").await;
    let to = to.exactly("location").expect("sent on").to_owned();
    for part in [
        "code_challenge_method=S256",
        "nonce=",
        "state=",
        "hd=agency.example",
    ] {
        assert!(to.contains(part), "{to}");
    }
    let back = office.at_provider(&to).await;
    let mut other = office.tab();
    let strange = other.get(&back).await;
    assert_eq!((strange.status, strange.cookie(SESSION)), (400, None));
    other.get("/auth/google").await;
    let strange = other.get(&back).await;
    assert_eq!(
        (strange.status, strange.cookie(SESSION)),
        (400, None),
        "its own state is another"
    );
    let mut held = tab.clone();
    let done = tab.get(&back).await;
    assert_eq!(done.exactly("location"), Some("/auth/done"), "{}", done.body);
    let page = tab.get("/auth/done").await.shown();
    for text in [
        "Google connected",
        "Also connect HubSpot?",
        "Connect HubSpot",
        "Skip for now",
        ANN.1,
    ] {
        assert!(page.says(text), "{text}: {}", page.body);
    }
    let again = held.get(&back).await;
    assert_eq!(
        (again.status, again.cookie(SESSION)),
        (400, None),
        "a state is good once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_away_from_our_pages_and_nobody_of_another_organisation_comes_in() {
    let office = Office::open().await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example",
        "/account%0D%0Ax:y",
    ] {
        let mut tab = office.tab();
        let page = office
            .sign_in(&mut tab, ANN, &format!("/auth/google?next={next}"))
            .await;
        assert_eq!(page.exactly("location"), Some("/auth/done"), "{next}");
        let chosen = office.tab().get(&format!("/auth/sign-in?next={next}")).await;
        assert_eq!(chosen.exactly("location"), Some("/auth/google"), "{next}");
    }
    let mut tab = office.tab();
    office.is_at_provider(ANN, "evil.example");
    let to = tab.get("/auth/google").await;
    let back = office.at_provider(to.exactly("location").expect("sent on")).await;
    let page = tab.get(&back).await;
    assert_eq!((page.status, page.cookie(SESSION)), (403, None), "{}", page.body);
    let first = tab.get("/account").await;
    assert_eq!(first.exactly("location"), Some("/auth/sign-in?next=%2Faccount"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_connects_by_the_link_or_the_state_of_somebody_else() {
    let office = Office::open().await;
    let mut ann = office.signed_in(ANN).await;
    let mut bob = office.signed_in(BOB).await;
    let page = ann.get("/auth/done").await.shown();
    let anns = link(&page, "/auth/hubspot?c=");
    let refused = bob.get(&anns).await;
    assert_eq!((refused.status, refused.header("location")), (403, None));
    assert!(refused.says("for somebody else"), "{}", refused.body);
    let unmarked = bob.get("/auth/hubspot").await.shown();
    assert_ne!(link(&unmarked, "/auth/hubspot?c="), anns);

    let to = ann.get(&anns).await;
    let to = to.exactly("location").expect("sent on").to_owned();
    let back = office.at_hubspot(&to, ANN.2, "allow").await;
    let strange = bob.get(&back).await;
    assert_eq!(strange.status, 403);
    assert!(strange.says("not begun in this browser"), "{}", strange.body);
    ann.get(&back).await.shown();
    let declined = ann.get(&anns).await;
    let to = declined.exactly("location").expect("sent on").to_owned();
    let back = office.at_hubspot(&to, ANN.2, "deny").await;
    assert_eq!(ann.get(&back).await.status, 403);
    assert!(!bob.get("/account").await.shown().says(PORTAL));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_ended_from_our_own_page_only_and_the_sign_in_stays() {
    let office = Office::open().await;
    let mut tab = office.signed_in(ANN).await;
    let page = tab.get("/auth/done").await.shown();
    let connected = office
        .connect(&mut tab, &link(&page, "/auth/hubspot?c="), ANN.2)
        .await;
    connected.shown();
    let account = tab.get("/account").await.shown();
    let (word, id) = (hidden(&account, "word"), hidden(&account, "connection_id"));
    let form = [("word", word.as_str()), ("connection_id", id.as_str())];
    for origin in ["https://evil.example", "null"] {
        let page = tab.post_from(origin, "/auth/hubspot/disconnect", &form).await;
        assert_eq!(page.status, 403, "{origin}");
    }
    let unworded = [("word", "made-up"), ("connection_id", id.as_str())];
    assert_eq!(tab.post("/auth/hubspot/disconnect", &unworded).await.status, 403);
    assert_eq!(tab.get("/auth/hubspot/disconnect").await.status, 405);
    assert!(
        tab.get("/account").await.says(PORTAL),
        "nothing has ended it so far"
    );

    let ended = tab.post("/auth/hubspot/disconnect", &form).await.shown();
    assert!(
        ended.says("still signed in") && ended.says("accept it until"),
        "{}",
        ended.body
    );
    let account = tab.get("/account").await.shown();
    assert!(
        account.says("not connected HubSpot") && account.says(ANN.1),
        "{}",
        account.body
    );
    let out = tab.post("/account/sign-out", &[("word", &word)]).await.shown();
    assert!(
        out.says("signed out") && tab.cookies.is_empty(),
        "{:?}",
        tab.cookies
    );
    assert_eq!(tab.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_renewed_once_however_many_requests_need_it() {
    let office = Office::open().await;
    let mut tab = office.signed_in(ANN).await;
    tab.cookies.remove(SESSION);
    let renewals = (0..8).map(|_| {
        let mut tab = tab.clone();
        async move {
            tab.get("/account").await.shown();
            (tab.cookies[SESSION].clone(), tab.cookies[REFRESH].clone())
        }
    });
    let mut renewed = futures::future::join_all(renewals).await;
    renewed.dedup();
    assert_eq!(renewed.len(), 1, "all of them have the same tokens");
    assert_ne!(renewed[0].1, tab.cookies[REFRESH]);
    let on = tab.get("/auth/sign-in?next=/oauth/continue").await;
    assert_eq!(
        on.exactly("location"),
        Some("/oauth/continue"),
        "nobody is asked again"
    );
}
