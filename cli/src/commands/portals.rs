//! `hubkeep portals`: which portals there are, and whether what is known of one is still true.

use clap::{Args, Subcommand};
use hubkeep_proto::credential::v1::{
    AccountType, CredentialKind, ListPortalsRequest, Portal, VerifyPortalRequest,
    portal_service_client::PortalServiceClient,
};
use serde_json::{Value, json};

use super::time::day_and_time;
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{GOOD, Output, STRONG, printable},
    wire_json,
};

/// Portals asked for at once.
const PAGE: i32 = 1_000;

/// List portals, or verify one with HubSpot.
#[derive(Args, Debug)]
pub struct PortalsArgs {
    #[command(subcommand)]
    command: Option<PortalsCommand>,
}

#[derive(Subcommand, Debug)]
enum PortalsCommand {
    /// List all portals; this is also what `portals` alone does.
    List,
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
    let header = [
        "client",
        "portal",
        "type",
        "data",
        "time zone",
        "money",
        "kind",
        "scopes",
        "token",
        "verified",
    ];
    output.table(
        &header,
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

/// The portal under the names of its `.proto` fields, so that `changed_fields` finds them.
fn facts(portal: &Portal) -> Vec<(&'static str, String)> {
    vec![
        ("client_slug", portal.client_slug.clone()),
        ("portal_id", portal.portal_id.to_string()),
        ("account_type", account_type(portal.account_type()).to_owned()),
        ("data_hosting_location", portal.data_hosting_location.clone()),
        ("time_zone", portal.time_zone.clone()),
        ("company_currency", portal.company_currency.clone()),
        ("credential_kind", kind(portal.credential_kind()).to_owned()),
        ("credential_version", portal.credential_version.to_string()),
        ("token_fingerprint", portal.token_fingerprint.clone()),
        ("scopes", portal.scopes.join(", ")),
        ("verify_time", day_and_time(portal.verify_time.as_ref())),
    ]
}

fn row(portal: &Portal) -> Vec<String> {
    vec![
        portal.client_slug.clone(),
        portal.portal_id.to_string(),
        account_type(portal.account_type()).to_owned(),
        portal.data_hosting_location.clone(),
        portal.time_zone.clone(),
        portal.company_currency.clone(),
        kind(portal.credential_kind()).to_owned(),
        portal.scopes.len().to_string(),
        portal.token_fingerprint.clone(),
        day_and_time(portal.verify_time.as_ref()),
    ]
}

fn as_json(portal: &Portal) -> Result<Value, Error> {
    wire_json::of("hubkeep.credential.v1.Portal", portal)
}

const fn account_type(kind: AccountType) -> &'static str {
    match kind {
        AccountType::Unspecified => "–",
        AccountType::Standard => "standard",
        AccountType::DeveloperTest => "test",
        AccountType::Sandbox => "sandbox",
        AccountType::AppDeveloper => "app developer",
    }
}

const fn kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Unspecified => "–",
        CredentialKind::ServiceKey => "service key",
        CredentialKind::PrivateApp => "private app",
    }
}
