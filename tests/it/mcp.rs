//! The MCP endpoint speaks the newest revision and those before it, lets nobody in without a token for this very resource, and says where
//! to get one.

use hubkeep_proto::credential::v1::ConnectionState;
use hubkeep_tests::{
    World,
    support::{
        limited::Limited,
        programs::{BEFORE, NEWEST, Program},
    },
};
use serde_json::{Value, json};

const A: &str = "client-0001";
const READ: [&str; 1] = ["crm.read"];

async fn set_up() -> (Limited, Program) {
    let hubkeep = Limited::with_people(World::of_portals(2)).await;
    hubkeep.connect(&[A], ConnectionState::Active);
    let token = hubkeep.access_token(A, "/mcp", &READ);
    let program = Program::with(hubkeep.outside(), &token, "/mcp");
    (hubkeep, program)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_a_program_is_told_where_to_get_one() {
    let (hubkeep, _) = set_up().await;
    let outside = hubkeep.outside();
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    for (path, metadata) in [
        ("/mcp", "/.well-known/oauth-protected-resource/mcp"),
        (
            "/mcp/client-0001",
            "/.well-known/oauth-protected-resource/mcp/client-0001",
        ),
    ] {
        let page = outside
            .send("POST", path, &headers, "{}")
            .await
            .expect("an answer");
        assert_eq!(page.status, 401);
        let challenge = page.exactly("www-authenticate").expect("a challenge").to_owned();
        let at = format!("resource_metadata=\"{}{metadata}\"", hubkeep.issuer());
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains(&at),
            "{challenge}"
        );
        assert!(
            challenge.contains("scope=\"crm.read\"") && !challenge.contains("error"),
            "{challenge}"
        );

        let told = outside.get(metadata).await.shown().json();
        assert_eq!(told["resource"], json!(format!("{}{path}", hubkeep.issuer())));
        assert_eq!(told["authorization_servers"], json!([hubkeep.issuer()]));
        assert_eq!(told["scopes_supported"], json!(["crm.read"]));
    }
    let root = outside
        .get("/.well-known/oauth-protected-resource")
        .await
        .shown()
        .json();
    assert_eq!(root["resource"], json!(format!("{}/mcp", hubkeep.issuer())));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_revision_is_spoken_without_a_handshake() {
    let (_hubkeep, program) = set_up().await;
    let discovered = program.ask("server/discover", json!({})).await;
    assert_eq!(discovered.status, 200, "{}", discovered.body);
    let versions = discovered.json()["result"]["supportedVersions"].clone();
    assert!(
        versions.as_array().expect("a list").contains(&json!(NEWEST)),
        "{versions}"
    );
    let listed = program.ask("tools/list", json!({})).await;
    assert_eq!((listed.status, listed.header("mcp-session-id")), (200, None));
    assert_eq!(listed.header("content-type"), Some("application/json"));
    assert_eq!(
        listed.json()["result"]["tools"].as_array().map(Vec::len),
        Some(16)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_revision_before_is_spoken_with_its_handshake_and_without_a_session() {
    let (_hubkeep, program) = set_up().await;
    let hello = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": { "protocolVersion": BEFORE, "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } },
    });
    let page = program.send(&[], &hello).await;
    assert_eq!(
        (page.status, page.header("mcp-session-id")),
        (200, None),
        "{}",
        page.body
    );
    let result = page.json()["result"].clone();
    assert_eq!(result["protocolVersion"], json!(BEFORE));
    assert_eq!(result["serverInfo"]["name"], json!("hubkeep"));
    let before = [("mcp-protocol-version", BEFORE)];
    let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(program.send(&before, &begun).await.status, 202);
    let call = json!({
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": { "name": "hubspot_get_contact", "arguments": { "id": 101 } },
    });
    let page = program.send(&before, &call).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(
        page.json()["result"]["structuredContent"]["record"]["id"],
        json!("101")
    );
    assert!(page.json()["result"].get("resultType").is_none(), "it knows none");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_head_says_must_be_what_the_body_says() {
    let (_hubkeep, program) = set_up().await;
    let message = program.message("tools/list", json!({}));
    let version = ("mcp-protocol-version", NEWEST);
    for headers in [
        vec![version],
        vec![version, ("mcp-method", "tools/call")],
        vec![("mcp-protocol-version", BEFORE), ("mcp-method", "tools/list")],
        vec![("mcp-method", "tools/list")],
    ] {
        let page = program.send(&headers, &message).await;
        assert_eq!(page.status, 400, "{headers:?}: {}", page.body);
        assert_eq!(
            page.json()["error"]["code"],
            json!(-32020),
            "{headers:?}: {}",
            page.body
        );
    }
    let call = json!({ "name": "hubspot_status", "arguments": {} });
    let message = program.message("tools/call", call);
    let other = [
        version,
        ("mcp-method", "tools/call"),
        ("mcp-name", "hubspot_connect"),
    ];
    assert_eq!(
        program.send(&other, &message).await.json()["error"]["code"],
        json!(-32020)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_nobody_speaks_is_answered_with_those_that_are() {
    let (_hubkeep, program) = set_up().await;
    let mut message = program.message("tools/list", json!({}));
    message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let headers = [
        ("mcp-protocol-version", "2099-01-01"),
        ("mcp-method", "tools/list"),
    ];
    let page = program.send(&headers, &message).await;
    assert_eq!(page.status, 400, "{}", page.body);
    let answer = page.json();
    assert_eq!(
        (&answer["error"]["code"], &answer["id"]),
        (&json!(-32022), &json!(7))
    );
    let supported = answer["error"]["data"]["supported"]
        .as_array()
        .expect("a list")
        .clone();
    assert!(
        supported.contains(&json!(NEWEST)) && supported.contains(&json!(BEFORE)),
        "{supported:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_or_a_tool_that_there_is_not_is_said_to_be_none() {
    let (_hubkeep, program) = set_up().await;
    let page = program.ask("resources/none", json!({})).await;
    assert_eq!(
        (page.status, &page.json()["error"]["code"]),
        (404, &json!(-32601)),
        "{}",
        page.body
    );
    let call = json!({ "name": "hubspot_delete_everything", "arguments": {} });
    let page = program.ask("tools/call", call).await;
    assert_eq!(page.json()["error"]["code"], json!(-32602), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_post_is_answered() {
    let (hubkeep, _) = set_up().await;
    for path in ["/mcp", "/mcp/client-0001"] {
        for method in ["GET", "DELETE", "PUT"] {
            let page = hubkeep
                .outside()
                .request(method, path, &[])
                .await
                .expect("an answer");
            assert_eq!(page.status, 405, "{method} {path}");
            assert!(page.header("allow").is_some_and(|allow| allow.contains("post")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_tools_is_short_and_each_says_what_goes_in_and_comes_out() {
    let (_hubkeep, program) = set_up().await;
    let page = program.ask("tools/list", json!({})).await;
    assert!(page.body.len() < 15_000, "{} bytes", page.body.len());
    let tools = page.json()["result"]["tools"].as_array().expect("a list").clone();
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    let mut expected = vec!["hubspot_connect", "hubspot_disconnect", "hubspot_status"];
    for kind in ["contacts", "companies", "deals", "tickets"] {
        let one = match kind {
            "companies" => "company",
            other => other.trim_end_matches('s'),
        };
        let of_kind = [
            format!("hubspot_list_{kind}"),
            format!("hubspot_get_{one}"),
            format!("hubspot_search_{kind}"),
        ];
        expected.extend(of_kind.map(|name| &*name.leak()));
    }
    expected.push("hubspot_list_owners");
    assert_eq!(names, expected);
    for tool in &tools {
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], json!("object"), "{tool}");
            jsonschema::validator_for(&tool[schema]).expect("a schema");
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], json!(false));
        assert_eq!(tool["annotations"]["readOnlyHint"], json!(true), "{tool}");
        assert!(
            tool["description"].as_str().is_some_and(|text| text.len() > 20),
            "{tool}"
        );
    }
    assert!(page.json()["result"]["nextCursor"] == Value::Null, "all at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_known_origin_may_ask_and_is_told_so_beforehand() {
    let hubkeep = Limited::changed(World::of_portals(1), |config| {
        config.mcp.listen = Some(([127, 0, 0, 1], 0).into());
        config.mcp.origins = vec!["http://localhost:6274".to_owned()];
    })
    .await;
    let outside = hubkeep.outside();
    let origin = [("origin", "http://localhost:6274")];
    let asked = outside
        .request("OPTIONS", "/mcp", &origin)
        .await
        .expect("an answer");
    assert_eq!(asked.status, 204);
    assert_eq!(
        asked.header("access-control-allow-origin"),
        Some("http://localhost:6274")
    );
    for header in [
        "authorization",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "content-type",
    ] {
        assert!(
            asked
                .header("access-control-allow-headers")
                .is_some_and(|all| all.contains(header)),
            "{header}"
        );
    }
    let refused = outside
        .send("POST", "/mcp", &origin, "{}")
        .await
        .expect("an answer");
    assert_eq!(refused.status, 401, "a token is needed all the same");
    assert!(
        refused
            .header("access-control-expose-headers")
            .is_some_and(|all| all.contains("www-authenticate"))
    );
    for path in [
        "/.well-known/oauth-authorization-server",
        "/oauth/token",
        "/oauth/register",
    ] {
        let any = [("origin", "https://anybody.example")];
        let asked = outside.request("OPTIONS", path, &any).await.expect("an answer");
        assert_eq!(asked.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(asked.header("access-control-allow-credentials"), None, "{path}");
    }
}
