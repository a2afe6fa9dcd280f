//! People's programs, as far as tests need them: MCP and OAuth by HTTP, each header said.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::browser::{Browser, Page};

/// The newest revision, and the one before.
pub const NEWEST: &str = "2026-07-28";
/// The one before, with its handshake.
pub const BEFORE: &str = "2025-11-25";

/// A program that has a token.
#[derive(Clone, Debug)]
pub struct Program {
    browser: Browser,
    token: String,
    path: String,
    capabilities: Value,
}

/// What a tool gave.
#[derive(Clone, Debug)]
pub struct ToolResult(pub Value);

impl ToolResult {
    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.0["isError"] == json!(true)
    }

    /// Every text in it.
    pub fn text(&self) -> String {
        let blocks = self.0["content"].as_array().expect("content").iter();
        blocks
            .filter_map(|block| block["text"].as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// What its output schema describes.
    pub fn structured(&self) -> &Value {
        assert!(!self.failed(), "{}", self.text());
        &self.0["structuredContent"]
    }
}

impl Program {
    /// A program that asks at this path.
    pub fn with(browser: Browser, token: &str, path: &str) -> Self {
        Self {
            browser,
            token: token.to_owned(),
            path: path.to_owned(),
            capabilities: json!({}),
        }
    }

    /// The same, which can open addresses for its user.
    #[must_use]
    pub fn that_opens(mut self) -> Self {
        self.capabilities = json!({ "elicitation": { "url": {} } });
        self
    }

    /// A request as the newest revision has it.
    pub fn message(&self, method: &str, params: Value) -> Value {
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": NEWEST,
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
        });
        json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
    }

    /// Sends a message with these headers beside those that are always sent.
    pub async fn send(&self, headers: &[(&str, &str)], message: &Value) -> Page {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        all.extend_from_slice(headers);
        let body = message.to_string();
        let sent = self.browser.send("POST", &self.path, &all, &body);
        sent.await.expect("an answer")
    }

    /// Asks for something, as the newest revision has it.
    pub async fn ask(&self, method: &str, params: Value) -> Page {
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let mut headers = vec![("mcp-protocol-version", NEWEST), ("mcp-method", method)];
        if !name.is_empty() {
            headers.push(("mcp-name", &name));
        }
        self.send(&headers, &self.message(method, params)).await
    }

    /// Calls a tool.
    pub async fn call(&self, tool: &str, arguments: Value) -> ToolResult {
        let page = self
            .ask("tools/call", json!({ "name": tool, "arguments": arguments }))
            .await;
        assert_eq!(page.status, 200, "{}", page.body);
        let answer = page.json();
        assert!(answer["error"].is_null(), "{answer}");
        ToolResult(answer["result"].clone())
    }
}

/// What a program keeps to itself, and what it shows of it.
pub fn pkce() -> (String, String) {
    let verifier = "correct-horse-battery-staple-correct-horse-battery".to_owned();
    let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
    (verifier, URL_SAFE_NO_PAD.encode(hash))
}

/// A form or a query.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish()
}

impl Browser {
    /// Sends a form.
    pub async fn submit(&self, path: &str, headers: &[(&str, &str)], pairs: &[(&str, &str)]) -> Page {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        let body = form(pairs);
        let sent = self.send("POST", path, &all, &body);
        sent.await.expect("an answer")
    }

    /// Registers a program; gives what it is told.
    pub async fn register(&self, body: &Value) -> Page {
        let headers = [("content-type", "application/json")];
        let body = body.to_string();
        let sent = self.send("POST", "/oauth/register", &headers, &body);
        sent.await.expect("an answer")
    }
}
