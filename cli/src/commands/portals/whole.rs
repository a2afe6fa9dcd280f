//! `hubkeep portals suspend|resume|erase`: what is done with a portal as a whole.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use hubkeep_proto::credential::v1::{
    ErasePortalRequest, Portal, ResumePortalRequest, SuspendPortalRequest,
    portal_service_client::PortalServiceClient,
};

use super::show::state;
use crate::{
    channel::Service,
    errors::Error,
    output::{GOOD, Output},
    wire_json,
};

/// Erase a portal for good: its keys are destroyed in both services, and with them its tokens, in backups too.
#[derive(Args, Debug)]
pub(super) struct EraseArgs {
    /// The portal's slug.
    slug: String,
    /// The portal's id, to confirm that it is this one.
    #[arg(long, value_name = "ID")]
    portal_id: u64,
    /// Where the certificate of erasure goes: a signed note that names both services. A file that is there is not
    /// overwritten.
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
}

pub(super) async fn suspend(slug: String, service: &Service, output: &Output) -> Result<(), Error> {
    let request = SuspendPortalRequest { client_slug: slug };
    let answer = PortalServiceClient::new(service.connection())
        .suspend_portal(request)
        .await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.SuspendPortalResponse",
            &answer,
        )?);
    }
    told(&answer.portal.unwrap_or_default(), output)
}

pub(super) async fn resume(slug: String, service: &Service, output: &Output) -> Result<(), Error> {
    let request = ResumePortalRequest { client_slug: slug };
    let answer = PortalServiceClient::new(service.connection())
        .resume_portal(request)
        .await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.ResumePortalResponse",
            &answer,
        )?);
    }
    told(&answer.portal.unwrap_or_default(), output)
}

pub(super) async fn erase(args: EraseArgs, service: &Service, output: &Output) -> Result<(), Error> {
    // Made before anything is erased: a certificate that cannot be kept is noticed in time.
    let mut file = new_file(&args.certificate)?;
    let request = ErasePortalRequest {
        client_slug: args.slug,
        expected_portal_id: args.portal_id,
    };
    let answer = PortalServiceClient::new(service.connection())
        .erase_portal(request)
        .await;
    let answer = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            // Nothing is in it, and asking again must be able to make it.
            std::fs::remove_file(&args.certificate).ok();
            return Err(service.ended(status));
        }
    };
    file.write_all(answer.certificate.as_bytes())?;
    file.sync_all()?;
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.ErasePortalResponse",
            &answer,
        )?);
    }
    told(&answer.portal.unwrap_or_default(), output)?;
    output.line(&format!("certificate: {}", args.certificate.display()))?;
    output.line(&format!("verified with: {}", answer.verifier_key))
}

fn new_file(path: &Path) -> Result<std::fs::File, Error> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.map_err(|error| {
        Error::Usage(format!(
            "the certificate cannot go to {}: {error}",
            path.display()
        ))
    })
}

fn told(portal: &Portal, output: &Output) -> Result<(), Error> {
    output.line(&format!(
        "{GOOD}{} is {}{GOOD:#} (generation {}, store version {})",
        portal.client_slug,
        state(portal.state()),
        portal.portal_generation,
        portal.store_version
    ))
}
