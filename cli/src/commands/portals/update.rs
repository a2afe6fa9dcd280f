//! `hubkeep portals update`: what reports need to know of clients.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{
    PortalDetails, UpdatePortalRequest, portal_service_client::PortalServiceClient,
};
use serde_json::{Value, json};

use super::{super::details, show::as_json};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output},
    wording,
};

/// Replace what reports need to know of clients by what a TOML file says: a table for each client, by its slug.
///
/// A table may have controller_name, controller_contact, controller_representative, controller_data_protection_officer,
/// dpa_reference, dpa_date, instructions_reference, purposes, data_subjects, region and tags. What it leaves out is not known any more. A client that is refused stands in no other's way; the command ends with 3 then.
#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    /// Only this client's; every client that has a table, if left out.
    slug: Option<ClientSlug>,
    /// The file.
    #[arg(long, value_name = "FILE")]
    details: PathBuf,
}

pub(super) async fn run(args: UpdateArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let mut known = details::read(&args.details)?;
    if let Some(slug) = &args.slug {
        known.retain(|client, _| client == slug);
    }
    if known.is_empty() {
        let table = args
            .slug
            .map_or_else(|| "no table".to_owned(), |slug| format!("no table [{slug}]"));
        return Err(Error::Usage(format!("{} has {table}", args.details.display())));
    }
    let mut told = Told::default();
    let ended = each(known, service, output, &mut told).await;
    told.print(output, ended.as_ref().err())?;
    match ended {
        // In JSON the error is part of the document.
        Err(error) if output.is_json() => Ok(error.exit()),
        ended => ended.map(|()| told.exit()),
    }
}

/// Updates one after another. A client that is refused stands in nobody's way; a service that is not reached does.
async fn each(
    known: BTreeMap<ClientSlug, PortalDetails>,
    service: &Service,
    output: &Output,
    told: &mut Told,
) -> Result<(), Error> {
    for (slug, details) in known {
        let request = UpdatePortalRequest {
            client_slug: slug.to_string(),
            details: Some(details),
        };
        let answer = PortalServiceClient::new(service.connection())
            .update_portal(request)
            .await;
        match answer.map_err(|status| service.ended(status)) {
            Ok(answer) => {
                let portal = answer.into_inner().portal.unwrap_or_default();
                told.updated.push(as_json(&portal)?);
                if !output.is_json() {
                    output.line(&format!("{slug} is updated"))?;
                }
            }
            Err(error) if is_of_one_client(&error) => {
                if !output.is_json() {
                    let refusal = error.refusal();
                    let (reason, message) = (refusal.reason, wording::typed(&refusal.message));
                    output.line(&format!("{BAD}{slug} is refused{BAD:#}: {reason}: {message}"))?;
                }
                told.refused
                    .push(json!({ "client_slug": slug.as_str(), "error": error.refusal() }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the next client may be taken all the same: not where the caller itself is refused.
fn is_of_one_client(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => {
            !["PERMISSION_DENIED", "UNAUTHENTICATED", "UNAVAILABLE"].contains(&refusal.code.as_str())
        }
        _ => false,
    }
}

/// What became of the clients.
#[derive(Default)]
struct Told {
    updated: Vec<Value>,
    refused: Vec<Value>,
}

impl Told {
    fn exit(&self) -> Exit {
        if self.refused.is_empty() {
            Exit::Done
        } else {
            Exit::RowsRefused
        }
    }

    fn print(&self, output: &Output, cut_short: Option<&Error>) -> Result<(), Error> {
        if output.is_json() {
            let mut document = json!({ "portals": self.updated, "refused": self.refused });
            if let (Some(document), Some(error)) = (document.as_object_mut(), cut_short) {
                document.insert("error".to_owned(), json!(error.refusal()));
            }
            return output.document(&document);
        }
        let (updated, refused) = (self.updated.len(), self.refused.len());
        if updated + refused == 0 {
            return Ok(());
        }
        let red = if refused == 0 { GOOD } else { BAD };
        output.line(&format!(
            "{GOOD}{updated} updated{GOOD:#}, {red}{refused} refused{red:#}"
        ))
    }
}
