//! `hubkeep handle`: issues, explains, ends and lists handles.

use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use hubkeep_proto::credential::v1::{
    Handle, HandleOperation, HandleScope, IntrospectHandleRequest, IssueHandleRequest, ListHandlesRequest,
    handle_service_client::HandleServiceClient,
};
use serde_json::{Value, json};

use super::{revoke, shown_handle::ShownHandle, time::day_and_time};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{COPY, FAINT, Output, printable},
    wire_json,
};

/// Handles asked for at once.
const PAGE: i32 = 1_000;

/// Issue, explain, revoke and list handles.
#[derive(Args, Debug)]
pub struct HandleArgs {
    #[command(subcommand)]
    command: HandleCommand,
}

#[derive(Subcommand, Debug)]
enum HandleCommand {
    /// Issue a handle to ourselves. Standard output is the handle and nothing else.
    Issue(IssueArgs),
    /// Say what a handle allows and how long it lives.
    Introspect {
        /// The handle, or '-' to read it from standard input.
        #[arg(value_name = "HANDLE|-")]
        text: Option<String>,
        #[command(flatten)]
        shown: ShownHandle,
    },
    Revoke(revoke::RevokeArgs),
    /// List our own live handles of one portal, newest first.
    List {
        /// The portal's slug.
        slug: String,
    },
}

#[derive(Args, Debug)]
struct IssueArgs {
    /// The portal's slug.
    slug: String,
    /// What it shall allow: get, list, search, create, update, archive, read-audit, quota.
    #[arg(long, value_delimiter = ',', required = true, value_parser = operation, value_name = "OPERATION,…")]
    allow: Vec<HandleOperation>,
    /// On which object types: contacts, companies, owners, …; '*' for all.
    #[arg(long, value_delimiter = ',', value_name = "TYPE,…", value_parser = NonEmptyStringValueParser::new())]
    types: Vec<String>,
    /// The only properties that may be read, written or filtered by; all if none is named.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = NonEmptyStringValueParser::new())]
    properties: Vec<String>,
    /// How long it shall live, 15m at most.
    #[arg(long, default_value = "300s", value_name = "TIME")]
    lifetime: humantime::Duration,
    /// Why: a short code that stands on every audit entry of its calls.
    #[arg(long, value_name = "CODE")]
    purpose: String,
}

/// Runs `handle`.
///
/// # Errors
/// If the service refuses or is not reached.
pub async fn run(args: HandleArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        HandleCommand::Issue(args) => issue(args, service, output).await?,
        HandleCommand::Introspect { text, shown } => {
            introspect(ShownHandle::or(text, shown).required()?.as_str(), service, output).await?;
        }
        HandleCommand::Revoke(args) => return revoke::run(args, service, output).await,
        HandleCommand::List { slug } => list(slug, service, output).await?,
    }
    Ok(Exit::Done)
}

async fn issue(args: IssueArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let lifetime = prost_types::Duration::try_from(*args.lifetime)
        .map_err(|_| Error::Usage("--lifetime is out of range".to_owned()))?;
    let request = IssueHandleRequest {
        client_slug: args.slug,
        scope: Some(HandleScope {
            operations: args.allow.into_iter().map(Into::into).collect(),
            object_types: args.types,
            properties: args.properties,
            ..HandleScope::default()
        }),
        lifetime: Some(lifetime),
        purpose_code: args.purpose,
        ..IssueHandleRequest::default()
    };
    let mut client = HandleServiceClient::new(service.connection());
    let answer = client.issue_handle(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.IssueHandleResponse",
            &answer,
        )?);
    }
    output.line(&format!("{COPY}{}{COPY:#}", answer.handle))?;
    let handle = answer.description.unwrap_or_default();
    output.note(&format!(
        "{FAINT}for {} (portal {}) until {} UTC, id {}{FAINT:#}",
        printable(&handle.client_slug),
        handle.portal_id,
        day_and_time(handle.expire_time.as_ref()),
        handle.handle_id,
    ))
}

async fn introspect(handle: &str, service: &Service, output: &Output) -> Result<(), Error> {
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

async fn list(slug: String, service: &Service, output: &Output) -> Result<(), Error> {
    let handles = all(slug, service).await?;
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
            operations(&scope),
            joined(&scope.object_types, "none"),
            joined(&scope.properties, "all"),
            handle.purpose_code.clone(),
            day_and_time(handle.expire_time.as_ref()),
        ]
    };
    let header = ["id", "allows", "types", "properties", "purpose", "expires"];
    output.table(
        &header,
        handles.iter().map(row).collect(),
        "no live handles of ours",
    )
}

/// Every live handle of ours, page after page.
async fn all(slug: String, service: &Service) -> Result<Vec<Handle>, Error> {
    let mut client = HandleServiceClient::new(service.connection());
    let mut request = ListHandlesRequest {
        client_slug: slug,
        page_size: PAGE,
        page_token: String::new(),
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

/// What may stand in `--allow`, by its word.
const OPERATIONS: [(&str, HandleOperation); 8] = [
    ("get", HandleOperation::Get),
    ("list", HandleOperation::List),
    ("search", HandleOperation::Search),
    ("create", HandleOperation::Create),
    ("update", HandleOperation::Update),
    ("archive", HandleOperation::Archive),
    ("read-audit", HandleOperation::ReadAudit),
    ("quota", HandleOperation::Quota),
];

pub(super) fn operation(text: &str) -> Result<HandleOperation, String> {
    let found = OPERATIONS.iter().find(|(word, _)| *word == text);
    found.map(|(_, operation)| *operation).ok_or_else(|| {
        let words: Vec<&str> = OPERATIONS.iter().map(|(word, _)| *word).collect();
        format!("expected one of {}", words.join(", "))
    })
}

pub(super) fn operations(scope: &HandleScope) -> String {
    let word = |operation: HandleOperation| {
        let found = OPERATIONS.iter().find(|(_, known)| *known == operation);
        found.map_or("?", |(word, _)| *word).to_owned()
    };
    joined(&scope.operations().map(word).collect::<Vec<_>>(), "nothing")
}

pub(super) fn joined(words: &[String], if_empty: &str) -> String {
    if words.is_empty() {
        if_empty.to_owned()
    } else {
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_wire_has_its_word() {
        for number in 1..=8 {
            let known = HandleOperation::try_from(number).expect("on the wire");
            let (word, _) = OPERATIONS
                .iter()
                .find(|(_, one)| *one == known)
                .expect("has a word");
            assert_eq!(operation(word), Ok(known));
        }
        assert!(
            HandleOperation::try_from(9).is_err(),
            "a new operation needs a word"
        );
        assert!(operation("delete").expect_err("unknown").contains("read-audit"));
    }
}
