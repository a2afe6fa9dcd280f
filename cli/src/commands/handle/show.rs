//! What handles are, told.

use clap::{Args, builder::NonEmptyStringValueParser};
use hubkeep_proto::credential::v1::{
    Handle, HandleBudget, HandleBudgetLeft, IntrospectHandleRequest, ListHandlesRequest,
    handle_service_client::HandleServiceClient,
};
use serde_json::{Value, json};

use super::words::{joined, operations};
use crate::{
    channel::Service,
    commands::time::day_and_time,
    errors::Error,
    output::{Output, printable},
    wire_json,
};

/// List live handles, newest first: our own of one portal, or, for operators, those of others.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// The portal's slug.
    #[arg(required_unless_present = "caller")]
    slug: Option<String>,
    /// Of this caller, by the name in its certificate; '*' for every caller of the portal.
    #[arg(long, value_name = "NAME|*", value_parser = NonEmptyStringValueParser::new())]
    caller: Option<String>,
}

/// Handles asked for at once.
const PAGE: i32 = 1_000;

pub(super) async fn introspect(handle: &str, service: &Service, output: &Output) -> Result<(), Error> {
    let request = IntrospectHandleRequest {
        handle: handle.to_owned(),
    };
    let mut client = HandleServiceClient::new(service.connection());
    let answer = client.introspect_handle(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.IntrospectHandleResponse",
            &answer,
        )?);
    }
    let left = answer
        .time_left
        .and_then(|left| std::time::Duration::try_from(left).ok())
        .unwrap_or_default();
    let handle = answer.description.unwrap_or_default();
    let scope = handle.scope.clone().unwrap_or_default();
    let facts = [
        ("handle id", handle.handle_id.clone()),
        ("portal", format!("{} ({})", handle.client_slug, handle.portal_id)),
        ("caller", handle.caller.clone()),
        ("allows", operations(&scope)),
        ("object types", joined(&scope.object_types, "none")),
        ("properties", joined(&scope.properties, "all")),
        ("pipelines", joined(&scope.pipelines, "all")),
        ("owners", joined(&scope.owner_ids, "all")),
        ("may do", budget(handle.budget.as_ref())),
        ("not handed out yet", left_of(answer.budget_left.as_ref())),
        ("redeemed by", handle.audience.clone()),
        ("grant", handle.grant_id.clone()),
        ("narrowed from", joined(&handle.ancestor_ids, "none")),
        ("purpose", handle.purpose_code.clone()),
        ("issued", day_and_time(handle.issue_time.as_ref())),
        ("expires", day_and_time(handle.expire_time.as_ref())),
        ("time left", format!("{} s", left.as_secs())),
    ];
    for (name, value) in facts {
        output.line(&format!("{name:<13} {}", printable(&value)))?;
    }
    Ok(())
}

pub(super) async fn list(args: ListArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let handles = all(args, service).await?;
    if output.is_json() {
        let name = "hubkeep.credential.v1.Handle";
        let handles: Vec<Value> = handles
            .iter()
            .map(|handle| wire_json::of(name, handle))
            .collect::<Result<_, _>>()?;
        return output.document(&json!({ "handles": handles }));
    }
    let row = |handle: &Handle| {
        let scope = handle.scope.clone().unwrap_or_default();
        vec![
            handle.handle_id.clone(),
            handle.client_slug.clone(),
            handle.caller.clone(),
            operations(&scope),
            joined(&scope.object_types, "none"),
            joined(&scope.properties, "all"),
            handle.purpose_code.clone(),
            day_and_time(handle.expire_time.as_ref()),
        ]
    };
    let header = [
        "id",
        "portal",
        "caller",
        "allows",
        "types",
        "properties",
        "purpose",
        "expires",
    ];
    output.table(&header, handles.iter().map(row).collect(), "no live handles")
}

/// Every handle that is asked for, page after page.
async fn all(args: ListArgs, service: &Service) -> Result<Vec<Handle>, Error> {
    let mut client = HandleServiceClient::new(service.connection());
    let mut request = ListHandlesRequest {
        client_slug: args.slug.unwrap_or_default(),
        page_size: PAGE,
        page_token: String::new(),
        caller: args.caller.unwrap_or_default(),
    };
    let mut handles = Vec::new();
    loop {
        let page = client.list_handles(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        handles.extend(page.handles);
        if page.next_page_token.is_empty() {
            return Ok(handles);
        }
        request.page_token = page.next_page_token;
    }
}

/// What of a budget no redeemer was given yet, in words: what one was given may be unused.
fn left_of(left: Option<&HandleBudgetLeft>) -> String {
    let amounts = left.map(|left| {
        [(left.calls, "calls"), (left.records, "records")]
            .into_iter()
            .filter_map(|(left, what)| left.map(|left| format!("{left} {what}")))
            .collect::<Vec<_>>()
    });
    joined(&amounts.unwrap_or_default(), "any number")
}

/// How much a handle may do, in words.
fn budget(budget: Option<&HandleBudget>) -> String {
    let amounts = budget.map(|budget| {
        [(budget.max_calls, "calls"), (budget.max_records, "records")]
            .into_iter()
            .filter(|(most, _)| *most > 0)
            .map(|(most, what)| format!("{most} {what}"))
            .collect::<Vec<_>>()
    });
    joined(&amounts.unwrap_or_default(), "any number")
}
