//! What a hostile page, program or network brings to the MCP endpoint comes to nothing.

use hubkeep_proto::credential::v1::ConnectionState;
use hubkeep_tests::{
    World, reason,
    support::{
        limited::{Limited, Wish},
        people::ANN,
        programs::Program,
    },
};
use serde_json::json;

const A: &str = "client-0001";
const READ: [&str; 1] = ["crm.read"];

async fn set_up() -> (Limited, String) {
    let hubkeep = Limited::with_people(World::of_portals(2)).await;
    hubkeep.connect(&[A], ConnectionState::Active);
    let token = hubkeep.access_token(A, "/mcp", &READ);
    (hubkeep, token)
}

fn at(hubkeep: &Limited, token: &str, path: &str) -> Program {
    Program::with(hubkeep.outside(), token, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_at_its_own_resource_only() {
    let (hubkeep, token) = set_up().await;
    let of_a = hubkeep.access_token(A, "/mcp/client-0001", &READ);
    for (token, path) in [
        (&token, "/mcp/client-0001"),
        (&of_a, "/mcp"),
        (&of_a, "/mcp/client-0002"),
    ] {
        let page = at(&hubkeep, token, path).ask("tools/list", json!({})).await;
        assert_eq!(page.status, 401, "{path}");
        let challenge = page.exactly("www-authenticate").expect("a challenge");
        assert!(
            challenge.starts_with("Bearer error=\"invalid_token\""),
            "{challenge}"
        );
    }
    assert!(hubkeep.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_of_a_service_is_no_token_here() {
    let (hubkeep, _) = set_up().await;
    let (handle, _) = hubkeep.give(A, &Wish::default(), "sync", "");
    let service = hubkeep.caller_with(&handle, A, "sync");
    service.get("contacts", "101").await.expect("good over gRPC");
    let sent = hubkeep.sent().len();
    let page = at(&hubkeep, &handle, "/mcp").ask("tools/list", json!({})).await;
    assert_eq!((page.status, hubkeep.sent().len()), (401, sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_program_is_no_handle_over_grpc() {
    let (hubkeep, token) = set_up().await;
    for caller in ["sync", ANN] {
        let refused = hubkeep
            .caller_with(&token, A, caller)
            .get("contacts", "101")
            .await;
        assert_eq!(
            reason(&refused.expect_err("refused")),
            "HANDLE_INVALID",
            "{caller}"
        );
    }
    assert!(hubkeep.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_refused_in_every_form() {
    let (hubkeep, token) = set_up().await;
    let outside = hubkeep.outside();
    let base = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    let (cut, basic) = (format!("Bearer {}", &token[..50]), format!("Basic {token}"));
    let (bearer, twice) = (
        format!("Bearer {token}"),
        format!("Bearer {token}, Bearer {token}"),
    );
    for wrong in [cut.as_str(), &basic, &twice, "Bearer", "Bearer x", &token] {
        let headers = [&base[..], &[("authorization", wrong)]].concat();
        let page = outside
            .send("POST", "/mcp", &headers, "{}")
            .await
            .expect("an answer");
        assert_eq!(page.status, 401, "{wrong}");
    }
    let headers = [
        &base[..],
        &[
            ("authorization", bearer.as_str()),
            ("authorization", bearer.as_str()),
        ],
    ]
    .concat();
    let page = outside
        .send("POST", "/mcp", &headers, "{}")
        .await
        .expect("an answer");
    assert_eq!(page.status, 401, "of two none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_query_is_refused_also_beside_one_in_the_head() {
    let (hubkeep, token) = set_up().await;
    for query in [
        format!("access_token={token}"),
        format!("token={token}"),
        format!("x={token}"),
    ] {
        let program = at(&hubkeep, &token, &format!("/mcp?{query}"));
        let page = program.ask("tools/list", json!({})).await;
        assert_eq!(page.status, 400, "{query}");
        assert!(
            !page.exact.contains(&token) && !page.body.contains(&token),
            "and not repeated"
        );
    }
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    let path = format!("/mcp?access_token={token}");
    let page = hubkeep
        .outside()
        .send("POST", &path, &headers, "{}")
        .await
        .expect("an answer");
    assert_eq!(page.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_scope_is_told_which_it_lacks() {
    let (hubkeep, _) = set_up().await;
    let token = hubkeep.access_token(A, "/mcp", &[]);
    let page = at(&hubkeep, &token, "/mcp").ask("tools/list", json!({})).await;
    assert_eq!(page.status, 403);
    let challenge = page.exactly("www-authenticate").expect("a challenge");
    assert!(
        challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\"crm.read\""),
        "{challenge}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_gets_no_answer() {
    let (hubkeep, token) = set_up().await;
    let program = at(&hubkeep, &token, "/mcp");
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost",
        "http://127.0.0.1:1",
        "",
        "file://",
    ] {
        let headers = [
            ("origin", origin),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/list"),
        ];
        let page = program
            .send(&headers, &program.message("tools/list", json!({})))
            .await;
        assert_eq!(page.status, 403, "{origin:?}");
        assert_eq!(page.header("access-control-allow-origin"), None, "{origin:?}");
        let asked = hubkeep
            .outside()
            .request("OPTIONS", "/mcp", &[("origin", origin)])
            .await;
        assert_eq!(asked.expect("an answer").status, 403, "{origin:?}");
    }
    let own = hubkeep.issuer();
    let headers = [
        ("origin", own.as_str()),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/list"),
    ];
    let page = program
        .send(&headers, &program.message("tools/list", json!({})))
        .await;
    assert_eq!(page.status, 200, "our own pages may");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_another_name_nothing_is_answered() {
    let (hubkeep, token) = set_up().await;
    let program = at(&hubkeep, &token, "/mcp");
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:80",
        "[::2]",
        "",
    ] {
        let headers = [
            ("host", host),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/list"),
        ];
        let page = program
            .send(&headers, &program.message("tools/list", json!({})))
            .await;
        assert!([400, 403].contains(&page.status), "{host:?}: {}", page.status);
        for path in [
            "/.well-known/oauth-authorization-server",
            "/oauth/authorize",
            "/oauth/page.css",
        ] {
            let page = hubkeep.outside().get_with(path, &[("host", host)]).await;
            assert!([400, 403].contains(&page.status), "{host:?} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_says_whose_a_token_is_nothing_is_done() {
    let (hubkeep, token) = set_up().await;
    let program = at(&hubkeep, &token, "/mcp");
    program.call("hubspot_list_contacts", json!({})).await;
    let sent = hubkeep.sent().len();
    hubkeep.silence(true);
    let page = program.ask("tools/list", json!({})).await;
    assert_eq!(page.status, 503);
    assert!(page.header("retry-after").is_some() && page.header("www-authenticate").is_none());
    hubkeep.silence(false);
    assert_eq!(program.ask("tools/list", json!({})).await.status, 200);
    assert_eq!(hubkeep.sent().len(), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_no_message_is_refused() {
    let (hubkeep, token) = set_up().await;
    let program = at(&hubkeep, &token, "/mcp");
    let large = json!({ "query": "x".repeat(300_000) });
    let page = program
        .ask(
            "tools/call",
            json!({ "name": "hubspot_search_contacts", "arguments": large }),
        )
        .await;
    assert_eq!(page.status, 413);
    for other in [json!([]), json!("x"), json!({ "jsonrpc": "2.0" }), json!(null)] {
        let page = program.send(&[], &other).await;
        assert!((400..500).contains(&page.status), "{other}: {}", page.status);
    }
}
