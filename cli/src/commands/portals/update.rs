//! `hubkeep portals update`: what reports need to know of clients.

use std::path::PathBuf;

use clap::Args;
use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{UpdatePortalRequest, portal_service_client::PortalServiceClient};
use serde_json::json;

use super::{super::details, show::as_json};
use crate::{channel::Service, errors::Error, output::Output};

/// Replace what reports need to know of clients by what a TOML file says: a table for each client, by its slug.
///
/// A table may have controller_name, controller_contact, dpa_reference, purposes, region and tags. What it leaves out is
/// not known any more.
#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    /// Only this client's; every client that has a table, if left out.
    slug: Option<ClientSlug>,
    /// The file.
    #[arg(long, value_name = "FILE")]
    details: PathBuf,
}

pub(super) async fn run(args: UpdateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let mut known = details::read(&args.details)?;
    if let Some(slug) = &args.slug {
        known.retain(|client, _| client == slug);
    }
    if known.is_empty() {
        return Err(Error::Usage(format!(
            "{} says nothing of it",
            args.details.display()
        )));
    }
    let mut updated = Vec::new();
    for (slug, details) in known {
        let request = UpdatePortalRequest {
            client_slug: slug.to_string(),
            details: Some(details),
        };
        let answer = PortalServiceClient::new(service.connection())
            .update_portal(request)
            .await;
        let answer = answer.map_err(|status| service.ended(status))?.into_inner();
        updated.push(as_json(&answer.portal.unwrap_or_default())?);
        if !output.is_json() {
            output.line(&format!("{slug} is updated"))?;
        }
    }
    if output.is_json() {
        output.document(&json!({ "portals": updated }))?;
    }
    Ok(())
}
