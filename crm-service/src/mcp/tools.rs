//! The tools: every action by its name with "hubspot_" before it, and three about the connection itself.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::actions::{Action, Actions};

/// What a tool's name begins with.
const PREFIX: &str = "hubspot_";

/// The tools about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Connect,
    Disconnect,
    Status,
}

impl Own {
    const ALL: [Self; 3] = [Self::Connect, Self::Disconnect, Self::Status];

    const fn name(self) -> &'static str {
        match self {
            Self::Connect => "hubspot_connect",
            Self::Disconnect => "hubspot_disconnect",
            Self::Status => "hubspot_status",
        }
    }

    /// The tool of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }

    fn tool(self) -> Tool {
        let (title, description) = match self {
            Self::Connect => (
                "Connect HubSpot",
                "Gives the address at which the user connects a HubSpot account. Show it to the user; it works for nobody else.",
            ),
            Self::Disconnect => (
                "Disconnect HubSpot",
                "Gives the address at which the user ends a connection to HubSpot. Nothing is ended by the call itself.",
            ),
            Self::Status => (
                "HubSpot status",
                "Says which HubSpot accounts are connected, and which fields of records can be read.",
            ),
        };
        let annotations = ToolAnnotations::with_title(title)
            .read_only(true)
            .open_world(false);
        let input = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        Tool::new(self.name(), description, object(&input))
            .with_raw_output_schema(object(&self.output()))
            .with_annotations(annotations)
    }

    fn output(self) -> Value {
        let text = json!({ "type": "string" });
        let connection = json!({
            "type": "object",
            "properties": {
                "client_slug": text,
                "hub_id": { "type": "integer" },
                "state": { "enum": ["active", "consent_required"] },
                "level": { "enum": ["user", "account", "unknown"] },
                "mcp_url": text,
            },
        });
        let connections = match self {
            Self::Status => json!({ "type": "array", "items": connection }),
            Self::Connect | Self::Disconnect => json!({ "type": "array" }),
        };
        let names = json!({ "type": "array", "items": text });
        match self {
            Self::Connect | Self::Disconnect => json!({
                "type": "object",
                "properties": { "url": text, "connections": connections },
                "required": ["url", "connections"],
            }),
            Self::Status => json!({
                "type": "object",
                "properties": {
                    "connect_url": text,
                    "account_url": text,
                    "connections": connections,
                    "fields": { "type": "object", "additionalProperties": names },
                },
                "required": ["connect_url", "account_url", "connections", "fields"],
            }),
        }
    }
}

/// All of them, as they are listed.
pub(super) fn all(actions: &Actions) -> Vec<Tool> {
    let own = Own::ALL.into_iter().map(Own::tool);
    own.chain(actions.catalogue().iter().map(of_action)).collect()
}

/// The action behind a tool.
pub(super) fn action<'a>(actions: &'a Actions, tool: &str) -> Option<&'a Action> {
    actions.named(tool.strip_prefix(PREFIX)?)
}

fn of_action(action: &Action) -> Tool {
    let annotations = ToolAnnotations::with_title(&*action.title).read_only(true);
    Tool::new(
        format!("{PREFIX}{}", action.name),
        action.description.clone(),
        object(&action.input),
    )
    .with_raw_output_schema(object(&action.output))
    .with_annotations(annotations)
}

fn object(schema: &Value) -> Arc<JsonObject> {
    Arc::new(schema.as_object().cloned().unwrap_or_default())
}
