//! `hubkeep portals`: which portals there are, whether what is known of one is still true, and what is done with one as a
//! whole.

mod show;
mod update;
mod whole;

use clap::{Args, Subcommand};
use hubkeep_proto::credential::v1::{
    GetPortalRequest, ListPortalsRequest, Portal, VerifyPortalRequest,
    portal_service_client::PortalServiceClient,
};
use serde_json::{Value, json};

use show::{HEADER, MAY_GO, as_json, details, facts, row};
use update::UpdateArgs;
use whole::EraseArgs;

use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{GOOD, Output, STRONG, printable},
    wire_json,
};

/// Portals asked for at once.
const PAGE: i32 = 1_000;

/// List portals; show, verify, update, suspend, resume or erase one.
#[derive(Args, Debug)]
pub struct PortalsArgs {
    #[command(subcommand)]
    command: Option<PortalsCommand>,
}

#[derive(Subcommand, Debug)]
enum PortalsCommand {
    /// List all portals; this is also what `portals` alone does.
    List,
    /// Show everything that is known of one.
    Show {
        /// The portal's slug.
        slug: String,
    },
    /// Serve a portal no more until it is resumed: every handle of it dies. Its tokens are kept.
    Suspend {
        /// The portal's slug.
        slug: String,
    },
    /// Serve a portal again, to new handles.
    Resume {
        /// The portal's slug.
        slug: String,
    },
    Update(UpdateArgs),
    Erase(EraseArgs),
    /// Ask HubSpot again whose the stored token is and what it may do.
    Verify {
        /// The portal's slug.
        slug: String,
    },
}

/// Runs `portals`.
///
/// # Errors
/// If the service refuses or is not reached.
pub async fn run(args: PortalsArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        None | Some(PortalsCommand::List) => list(service, output).await?,
        Some(PortalsCommand::Show { slug }) => show_one(slug, service, output).await?,
        Some(PortalsCommand::Suspend { slug }) => whole::suspend(slug, service, output).await?,
        Some(PortalsCommand::Resume { slug }) => whole::resume(slug, service, output).await?,
        Some(PortalsCommand::Update(args)) => return update::run(args, service, output).await,
        Some(PortalsCommand::Erase(args)) => whole::erase(args, service, output).await?,
        Some(PortalsCommand::Verify { slug }) => verify(slug, service, output).await?,
    }
    Ok(Exit::Done)
}

async fn list(service: &Service, output: &Output) -> Result<(), Error> {
    let portals = all(service).await?;
    if output.is_json() {
        let portals: Vec<Value> = portals.iter().map(as_json).collect::<Result<_, _>>()?;
        return output.document(&json!({ "portals": portals }));
    }
    output.table_without(
        &MAY_GO,
        &HEADER,
        portals.iter().map(row).collect(),
        "no portals yet: hubkeep import clients.csv",
    )
}

/// Every portal, page after page.
async fn all(service: &Service) -> Result<Vec<Portal>, Error> {
    let mut client = PortalServiceClient::new(service.connection());
    let mut request = ListPortalsRequest {
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut portals = Vec::new();
    loop {
        let page = client.list_portals(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        portals.extend(page.portals);
        if page.next_page_token.is_empty() {
            return Ok(portals);
        }
        request.page_token = page.next_page_token;
    }
}

async fn show_one(slug: String, service: &Service, output: &Output) -> Result<(), Error> {
    let request = GetPortalRequest { client_slug: slug };
    let answer = PortalServiceClient::new(service.connection())
        .get_portal(request)
        .await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.GetPortalResponse",
            &answer,
        )?);
    }
    let portal = answer.portal.unwrap_or_default();
    for (name, value) in facts(&portal).into_iter().chain(details(&portal)) {
        output.line(&format!("{name:<22} {STRONG}{}{STRONG:#}", printable(&value)))?;
    }
    Ok(())
}

async fn verify(slug: String, service: &Service, output: &Output) -> Result<(), Error> {
    let request = VerifyPortalRequest { client_slug: slug };
    let mut client = PortalServiceClient::new(service.connection());
    let answer = client.verify_portal(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.VerifyPortalResponse",
            &answer,
        )?);
    }
    let portal = answer.portal.unwrap_or_default();
    for (name, value) in facts(&portal) {
        let changed = answer.changed_fields.iter().any(|field| field == name);
        let mark = if changed { "  (changed)" } else { "" };
        output.line(&format!(
            "{name:<22} {STRONG}{}{STRONG:#}{mark}",
            printable(&value)
        ))?;
    }
    let verdict = match answer.changed_fields.as_slice() {
        [] => "verified: nothing has changed".to_owned(),
        fields => format!("verified: {} changed", fields.join(", ")),
    };
    output.line(&format!("{GOOD}{verdict}{GOOD:#}"))
}
