//! The tools about the connection itself. They give addresses for the user to open: a program that reads for somebody neither
//! connects nor disconnects anything for them.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ElicitRequest, ElicitRequestParams,
    InputRequest, InputRequiredResult, ProtocolVersion,
};
use rmcp::{RoleServer, service::RequestContext};
use serde_json::{Map, Value, json};

use super::{Mcp, Resource, endpoint::Visit, place::Place, results, tools::Own};
use crate::{
    actions::Kind,
    credentials::{Connected, Standing, link_mark},
};

/// What stands for the question whether the user has connected.
const QUESTION: &str = "connect_hubspot";

/// What can be asked of the program beside its call.
pub(super) struct Asked {
    /// Whether it can open an address for the user.
    can_open: bool,
    /// What the user said to that: "accept", "decline" or "cancel".
    said: Option<String>,
}

impl Asked {
    pub(super) fn of(request: &CallToolRequestParams, context: &RequestContext<RoleServer>) -> Self {
        let newest = context.protocol_version();
        let newest = newest.is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
        let can = context.client_capabilities().and_then(|can| can.elicitation);
        let responses = request.input_responses.as_ref();
        let said = responses.and_then(|responses| responses.get(QUESTION));
        let action = said.and_then(|said| said.get("action")).and_then(Value::as_str);
        Self {
            can_open: newest && can.is_some_and(|can| can.url.is_some()),
            said: action.map(str::to_owned),
        }
    }
}

/// The address at which the user connects HubSpot. Only this user can use it.
pub(super) fn address(place: &Place, visit: &Visit) -> String {
    let mark = link_mark(&visit.visitor.user);
    match &visit.resource {
        Resource::Single => place.address(&format!("/auth/hubspot?c={mark}")),
        Resource::Portal(slug) => place.address(&format!("/auth/hubspot?c={mark}&client_slug={slug}")),
    }
}

/// The address at which the user sees and ends connections.
fn account(place: &Place) -> String {
    place.address("/account")
}

/// Has the user connect: by the program, where it can open the address, else by what it tells.
pub(super) fn needed(mcp: &Mcp, visit: &Visit, asked: &Asked, why: &str) -> CallToolResponse {
    let url = address(&mcp.0.place, visit);
    if let (true, None) = (asked.can_open, &asked.said) {
        let question = ElicitRequestParams::UrlElicitationParams {
            meta: None,
            message: format!("{why} Open the page to connect HubSpot."),
            url,
            elicitation_id: String::new(),
        };
        let question = InputRequest::Elicitation(ElicitRequest::new(question));
        return InputRequiredResult::from_input_requests([(QUESTION.to_owned(), question)].into()).into();
    }
    let declined = asked.said.as_deref().is_some_and(|said| said != "accept");
    let told = match declined {
        true => format!("{why} The user did not open the page. It is {url}"),
        false => format!("{why} Ask the user to open this address, and try again then: {url}"),
    };
    results::failed("CONNECTION_REQUIRED", &told).into()
}

/// What one of these tools gives.
pub(super) fn told(mcp: &Mcp, own: Own, visit: &Visit, asked: &Asked) -> CallToolResponse {
    let place = &mcp.0.place;
    let connections: Vec<Value> = visit
        .visitor
        .connections
        .iter()
        .map(|one| shown(place, one))
        .collect();
    match own {
        Own::Connect if visit.visitor.connections.is_empty() && asked.can_open && asked.said.is_none() => {
            needed(mcp, visit, asked, "No HubSpot account is connected.")
        }
        Own::Connect => with_address("To connect HubSpot", &address(place, visit), &connections).into(),
        Own::Disconnect => with_address("To end a connection", &account(place), &connections).into(),
        Own::Status => {
            let fields = mcp.0.actions.fields();
            let of_kind = |kind: Kind| {
                let names: Vec<&str> = fields.of(kind).collect();
                (kind.plural().to_owned(), json!(names))
            };
            let fields: Map<String, Value> = Kind::ALL.into_iter().map(of_kind).collect();
            let status = json!({
                "connect_url": address(place, visit),
                "account_url": account(place),
                "connections": connections,
                "fields": fields,
            });
            CallToolResult::structured(status).into()
        }
    }
}

fn with_address(to: &str, url: &str, connections: &[Value]) -> CallToolResult {
    let mut result = CallToolResult::structured(json!({ "url": url, "connections": connections }));
    result.content = vec![rmcp::model::ContentBlock::text(format!(
        "{to} the user opens this address: {url}\nConnected now: {}",
        Value::from(connections.to_vec())
    ))];
    result
}

fn shown(place: &Place, connected: &Connected) -> Value {
    let state = match connected.standing {
        Standing::Active => "active",
        Standing::ConsentRequired => "consent_required",
    };
    json!({
        "client_slug": connected.client_slug.as_str(),
        "hub_id": connected.portal_id.get(),
        "state": state,
        "level": connected.level,
        "mcp_url": place.resource(&Resource::Portal(connected.client_slug.clone())),
    })
}
