//! Handles asked for: issued by a grant, or narrowed from another.

use clap::{
    Args,
    builder::{NonEmptyStringValueParser, RangedU64ValueParser},
};
use hubkeep_proto::credential::v1::{
    Handle, HandleBudget, HandleOperation, HandleScope, IssueHandleRequest, NarrowHandleRequest,
    handle_service_client::HandleServiceClient,
};

use super::words::operation;
use crate::{
    channel::Service,
    commands::{shown_handle::ShownHandle, time::day_and_time},
    errors::Error,
    output::{COPY, FAINT, Output, printable},
    wire_json,
};

/// On the wire 0 stands for no limit: whoever writes it means something else.
fn at_least_one() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..)
}

/// What a handle is limited to beside what it allows.
#[derive(Args, Debug)]
struct Limits {
    /// The only properties that may be read, written or filtered by. None named: all, or of a child those of its parent.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = NonEmptyStringValueParser::new())]
    properties: Vec<String>,
    /// Only records in these pipelines, by HubSpot's id.
    #[arg(long, value_delimiter = ',', value_name = "ID,…", value_parser = NonEmptyStringValueParser::new())]
    pipelines: Vec<String>,
    /// Only records of these owners, by HubSpot's id.
    #[arg(long, value_delimiter = ',', value_name = "ID,…", value_parser = NonEmptyStringValueParser::new())]
    owners: Vec<String>,
    /// So many calls in its whole life; 1 makes it one-shot.
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    max_calls: Option<u64>,
    /// So many records in its whole life.
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    max_records: Option<u64>,
}

impl Limits {
    fn apart(self, allow: Vec<HandleOperation>, types: Vec<String>) -> (HandleScope, HandleBudget) {
        let scope = HandleScope {
            operations: allow.into_iter().map(Into::into).collect(),
            object_types: types,
            properties: self.properties,
            pipelines: self.pipelines,
            owner_ids: self.owners,
        };
        let budget = HandleBudget {
            max_calls: self.max_calls.unwrap_or(0),
            max_records: self.max_records.unwrap_or(0),
        };
        (scope, budget)
    }
}

#[derive(Args, Debug)]
pub(super) struct IssueArgs {
    /// The portal's slug.
    slug: String,
    /// What it shall allow: get, list, search, create, update, archive, merge, erase, associate,
    /// read-audit, quota, report, write-schema.
    #[arg(long, value_delimiter = ',', required = true, value_parser = operation, value_name = "OPERATION,…")]
    allow: Vec<HandleOperation>,
    /// On which object types: contacts, companies, owners, …; '*' for all.
    #[arg(long, value_delimiter = ',', value_name = "TYPE,…", value_parser = NonEmptyStringValueParser::new())]
    types: Vec<String>,
    #[command(flatten)]
    limits: Limits,
    /// How long it shall live, 15m at most; 5m, or what the grant allows, unless stated.
    #[arg(long, value_name = "TIME")]
    lifetime: Option<humantime::Duration>,
    /// Why: a short code that stands on every audit entry of its calls.
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// The portal's id: another one is refused.
    #[arg(long, value_name = "ID", value_parser = at_least_one())]
    expect_portal_id: Option<u64>,
    /// The only service that may redeem it; the deployment's crm-service unless stated.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    audience: String,
    /// On whose behalf: an id of our own, which lies sealed with the handle.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    end_user: String,
}

/// Take a child of a handle of ours: never wider, and dead when its parent is revoked. Standard output is the child and
/// nothing else. The parent comes from HUBKEEP_HANDLE, or from standard input with '-'.
#[derive(Args, Debug)]
pub(super) struct NarrowArgs {
    /// '-' to read the parent from standard input.
    #[arg(value_name = "HANDLE|-")]
    text: Option<String>,
    #[command(flatten)]
    shown: ShownHandle,
    /// What it shall allow; as its parent unless stated.
    #[arg(long, value_delimiter = ',', value_parser = operation, value_name = "OPERATION,…")]
    allow: Vec<HandleOperation>,
    /// As its parent, less whatever writes.
    #[arg(long, conflicts_with = "allow")]
    read_only: bool,
    /// On which object types; as its parent unless stated.
    #[arg(long, value_delimiter = ',', value_name = "TYPE,…", value_parser = NonEmptyStringValueParser::new())]
    types: Vec<String>,
    #[command(flatten)]
    limits: Limits,
    /// How long it shall live; no longer than its parent.
    #[arg(long, value_name = "TIME")]
    lifetime: Option<humantime::Duration>,
    /// Why; as its parent unless stated.
    #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true)]
    purpose: String,
}

fn lifetime(time: Option<humantime::Duration>) -> Result<Option<prost_types::Duration>, Error> {
    let wire = time
        .map(|time| prost_types::Duration::try_from(*time))
        .transpose();
    wire.map_err(|_| Error::Usage("--lifetime is out of range".to_owned()))
}

pub(super) async fn issue(args: IssueArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let (scope, budget) = args.limits.apart(args.allow, args.types);
    let request = IssueHandleRequest {
        client_slug: args.slug,
        scope: Some(scope),
        lifetime: lifetime(args.lifetime)?,
        purpose_code: args.purpose,
        budget: Some(budget),
        expected_portal_id: args.expect_portal_id.unwrap_or(0),
        audience: args.audience,
        end_user: args.end_user,
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
    tell(&answer.handle, &answer.description.unwrap_or_default(), output)
}

pub(super) async fn narrow(args: NarrowArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let parent = ShownHandle::or(args.text, args.shown).required()?;
    let (scope, budget) = args.limits.apart(args.allow, args.types);
    let request = NarrowHandleRequest {
        handle: parent.as_str().to_owned(),
        scope: Some(scope),
        read_only: args.read_only,
        budget: Some(budget),
        lifetime: lifetime(args.lifetime)?,
        purpose_code: args.purpose,
    };
    let mut client = HandleServiceClient::new(service.connection());
    let answer = client.narrow_handle(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.NarrowHandleResponse",
            &answer,
        )?);
    }
    tell(&answer.handle, &answer.description.unwrap_or_default(), output)
}

/// The handle alone on standard output, and what it is beside it.
fn tell(text: &str, handle: &Handle, output: &Output) -> Result<(), Error> {
    output.line(&format!("{COPY}{text}{COPY:#}"))?;
    output.note(&format!(
        "{FAINT}for {} (portal {}) until {} UTC, id {}{FAINT:#}",
        printable(&handle.client_slug),
        handle.portal_id,
        day_and_time(handle.expire_time.as_ref()),
        handle.handle_id,
    ))
}
