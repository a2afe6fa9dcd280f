//! `hubkeep grants`: who may have which handles.

mod file;
mod put;
mod replay;
mod show;

use clap::{Args, Subcommand};
use hubkeep_proto::credential::v1::{
    DeleteGrantRequest, Grant, ListGrantsRequest, access_service_client::AccessServiceClient,
};
use serde_json::{Value, json};

use self::{put::PutArgs, replay::ReplayArgs};
use super::bulk::counted;
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{GOOD, Output},
    wire_json,
};

/// Grants asked for at once.
const PAGE: i32 = 1_000;
/// The message's full name.
const GRANT: &str = "hubkeep.credential.v1.Grant";

/// Say who may have which handles. Nobody may have any unless a grant says so.
#[derive(Args, Debug)]
pub struct GrantsArgs {
    #[command(subcommand)]
    command: Option<GrantsCommand>,
}

#[derive(Subcommand, Debug)]
enum GrantsCommand {
    /// List grants; this is also what `grants` alone does.
    List(Which),
    /// Show one grant whole.
    Show {
        /// Its id.
        id: String,
    },
    Put(Box<PutArgs>),
    /// Take a grant away. The handles that were issued under it end at once.
    Delete {
        /// Its id.
        id: String,
    },
    Replay(ReplayArgs),
}

/// Which grants are listed.
#[derive(Args, Clone, Debug, Default)]
struct Which {
    /// Only those that this caller has, by its name or as a person.
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// Only those for this portal.
    #[arg(long, value_name = "SLUG")]
    portal: Option<String>,
}

/// Runs `grants`.
///
/// # Errors
/// If the service refuses or is not reached, or a file cannot be used.
pub async fn run(args: GrantsArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        None => list(Which::default(), service, output).await?,
        Some(GrantsCommand::List(which)) => list(which, service, output).await?,
        Some(GrantsCommand::Show { id }) => {
            let all = all(Which::default(), service).await?;
            let grant = all.into_iter().find(|grant| grant.grant_id == id);
            let grant = grant.ok_or_else(|| Error::Usage(format!("there is no grant {id}")))?;
            show::whole(&grant, output)?;
        }
        Some(GrantsCommand::Put(args)) => return put::run(*args, service, output).await,
        Some(GrantsCommand::Delete { id }) => delete(id, service, output).await?,
        Some(GrantsCommand::Replay(args)) => replay::run(args, service, output).await?,
    }
    Ok(Exit::Done)
}

async fn list(which: Which, service: &Service, output: &Output) -> Result<(), Error> {
    let grants = all(which, service).await?;
    if output.is_json() {
        let grants: Result<Vec<Value>, Error> =
            grants.iter().map(|grant| wire_json::of(GRANT, grant)).collect();
        return output.document(&json!({ "grants": grants? }));
    }
    show::table(&grants, output)
}

/// Every grant, page after page.
async fn all(which: Which, service: &Service) -> Result<Vec<Grant>, Error> {
    let mut client = AccessServiceClient::new(service.connection());
    let mut request = ListGrantsRequest {
        page_size: PAGE,
        page_token: String::new(),
        caller: which.caller.unwrap_or_default(),
        client_slug: which.portal.unwrap_or_default(),
    };
    let mut grants = Vec::new();
    loop {
        let page = client.list_grants(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        grants.extend(page.grants);
        if page.next_page_token.is_empty() {
            return Ok(grants);
        }
        request.page_token = page.next_page_token;
    }
}

async fn delete(grant_id: String, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = AccessServiceClient::new(service.connection());
    let answer = client.delete_grant(DeleteGrantRequest { grant_id }).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.DeleteGrantResponse",
            &answer,
        )?);
    }
    output.line(&format!(
        "{GOOD}deleted{GOOD:#}: {} ended (revocation {})",
        handles(answer.ended_handles),
        answer.revocation_seq
    ))
}

/// "2 handles".
fn handles(count: u32) -> String {
    counted(count.try_into().unwrap_or(usize::MAX), "handle")
}
