//! Programs register themselves, or are known by a document at an https address: never by one that only our own machines reach.

use hubkeep_tests::{
    World,
    support::{
        limited::Limited,
        programs::{form, pkce},
    },
};
use serde_json::json;

async fn set_up() -> Limited {
    Limited::with_people(World::of_portals(1)).await
}

/// What Cursor sends, as of September 2026.
fn cursor() -> serde_json::Value {
    json!({
        "client_name": "Cursor",
        "redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "http://localhost:8787/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
        ],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_that_sends_an_address_of_its_own_scheme_along_is_taken_with_the_others() {
    let hubkeep = set_up().await;
    let page = hubkeep.outside().register(&cursor()).await;
    assert_eq!(page.status, 201, "{}", page.body);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let told = page.json();
    assert_eq!(
        told["redirect_uris"],
        json!([
            "http://localhost:8787/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback"
        ])
    );
    assert_eq!(told["token_endpoint_auth_method"], json!("none"));
    assert!(told["client_secret"].is_null());
    assert_eq!(told["client_name"], json!("Cursor"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_without_an_address_to_return_to_is_refused() {
    let hubkeep = set_up().await;
    for (body, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (
            json!({ "redirect_uris": ["cursor://x/y", "http://10.0.0.1/", "https://a@b.example/"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": "https://client.example/" }),
            "invalid_client_metadata",
        ),
        (json!([]), "invalid_client_metadata"),
        (
            json!({ "client_name": "x".repeat(20_000) }),
            "invalid_client_metadata",
        ),
    ] {
        let page = hubkeep.outside().register(&body).await;
        assert_eq!(
            (page.status, &page.json()["error"]),
            (400, &json!(error)),
            "{}",
            page.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_registrations_from_one_address_is_held_back() {
    let hubkeep = set_up().await;
    for _ in 0..10 {
        assert_eq!(hubkeep.outside().register(&cursor()).await.status, 201);
    }
    for _ in 0..5 {
        let page = hubkeep.outside().register(&cursor()).await;
        assert_eq!(page.status, 429);
        assert!(page.header("retry-after").is_some());
    }
    // What a caller writes into the head of its address does not count where no proxy is.
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let page = hubkeep
        .outside()
        .send("POST", "/oauth/register", &headers, &cursor().to_string())
        .await;
    assert_eq!(page.expect("an answer").status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_clients_do_not_register_none_does_and_it_is_not_offered() {
    let hubkeep = Limited::changed(World::of_portals(1), |config| {
        config.mcp.listen = Some(([127, 0, 0, 1], 0).into());
        config.mcp.registration = false;
    })
    .await;
    assert_eq!(hubkeep.outside().register(&cursor()).await.status, 403);
    let told = hubkeep
        .outside()
        .get("/.well-known/oauth-authorization-server")
        .await
        .json();
    assert!(told["registration_endpoint"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_never_read_from_where_only_our_machines_reach() {
    let hubkeep = Limited::changed(World::of_portals(1), |config| {
        config.mcp.listen = Some(([127, 0, 0, 1], 0).into());
        config.mcp.registrations_per_minute = 1_000;
    })
    .await;
    let (_, challenge) = pkce();
    let port = hubkeep
        .issuer()
        .rsplit_once(':')
        .map(|(_, port)| port.to_owned())
        .expect("a port");
    for client_id in [
        "https://localhost/client.json".to_owned(),
        format!("https://localhost:{port}/client.json"),
        format!("https://127.0.0.1:{port}/client.json"),
        "https://127.0.0.1/client.json".to_owned(),
        "https://127.1/client.json".to_owned(),
        "https://2130706433/client.json".to_owned(),
        "https://[::1]/client.json".to_owned(),
        "https://[::ffff:10.0.0.1]/client.json".to_owned(),
        "https://10.0.0.1/client.json".to_owned(),
        "https://192.168.1.1/client.json".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "http://client.example/client.json".to_owned(),
        "https://client.example".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &client_id),
            ("redirect_uri", "http://localhost/callback"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        let page = hubkeep.outside().get(&format!("/oauth/authorize?{query}")).await;
        assert_eq!(
            (page.status, page.header("location")),
            (400, None),
            "{client_id}: {}",
            page.body
        );
        assert!(!page.says("<form") && page.says("role=\"alert\""), "{client_id}");
    }
}
