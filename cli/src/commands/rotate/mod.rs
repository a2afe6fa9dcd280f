//! `hubkeep rotate`: a new token in the place of an old one; for one portal, or for all portals of a CSV file.

mod fleet;

use std::path::{Path, PathBuf};

use clap::Args;
use hubkeep_core::clock::SharedClock;
use hubkeep_proto::credential::v1::{
    RotateCredentialRequest, RotateCredentialResponse, rotation_service_client::RotationServiceClient,
};

use self::fleet::Fleet;
use super::{
    bulk::{self, Files},
    secret_input,
};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{FAINT, GOOD, Output, STRONG},
    wire_json,
};

/// Put a new token in the place of an old one: handles live on.
///
/// Make the new token at HubSpot first, with "Rotate and expire later". For one portal the token comes from standard
/// input or --token-file, never from the command line. A file whose name ends in .csv is a fleet: its first line is
/// clientSlug,portalToken (credentialName may be a third column; in any order); a bad row refuses itself only, and the
/// same file again changes nothing and rotates what is missing.
#[derive(Args, Debug)]
pub struct RotateArgs {
    /// The portal's slug; or a file <name>.csv with the new tokens of many.
    #[arg(value_name = "SLUG|FLEET.csv")]
    target: String,
    /// Which of the portal's credentials [default].
    #[arg(long, value_name = "NAME")]
    credential: Option<String>,
    /// Where the new token stands, instead of standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Accept a token that lacks scopes which the old one has.
    #[arg(long)]
    allow_narrower_scopes: bool,
    /// Where to write what becomes of each row of a fleet, as CSV without tokens. Until the run ends, rows are in
    /// FILE.partial.
    #[arg(long, alias = "result", value_name = "FILE")]
    results: Option<PathBuf>,
}

/// Runs `rotate`.
///
/// # Errors
/// If the token or the file cannot be used, or the service refuses or is not reached.
pub async fn run(
    args: RotateArgs,
    service: &Service,
    clock: SharedClock,
    output: &Output,
) -> Result<Exit, Error> {
    if args.target.ends_with(".csv") {
        return fleet(&args, service, clock, output).await;
    }
    if args.results.is_some() {
        return Err(Error::Usage("--results is for a fleet".to_owned()));
    }
    one(args, service, output).await?;
    Ok(Exit::Done)
}

async fn fleet(
    args: &RotateArgs,
    service: &Service,
    clock: SharedClock,
    output: &Output,
) -> Result<Exit, Error> {
    if args.credential.is_some() || args.token_file.is_some() {
        let why = "--credential and --token-file are for one portal: a fleet has columns for both";
        return Err(Error::Usage(why.to_owned()));
    }
    let fleet = Fleet {
        allow_narrower_scopes: args.allow_narrower_scopes,
    };
    let files = Files {
        rows: Path::new(&args.target),
        also: None,
        results: args.results.as_deref(),
    };
    let service = service.clone().without_timeout();
    bulk::run(fleet, &files, &service, clock, output).await
}

async fn one(args: RotateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let token = secret_input::read(args.token_file.as_deref(), "token")?;
    let request = RotateCredentialRequest {
        client_slug: args.target,
        credential_name: args.credential.unwrap_or_default(),
        portal_token: token.to_string(),
        allow_narrower_scopes: args.allow_narrower_scopes,
    };
    let mut client = RotationServiceClient::new(service.connection());
    let answer = client.rotate_credential(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.RotateCredentialResponse",
            &answer,
        )?);
    }
    tell(&answer, output)
}

fn tell(answer: &RotateCredentialResponse, output: &Output) -> Result<(), Error> {
    let rotation = answer.rotation.clone().unwrap_or_default();
    let verdict = if answer.already_rotated {
        "unchanged"
    } else {
        "switched"
    };
    output.line(&format!(
        "{GOOD}{verdict}{GOOD:#}: {STRONG}{} {}{STRONG:#} is on version {}, token {}",
        rotation.client_slug, rotation.credential_name, rotation.credential_version, rotation.new_fingerprint
    ))?;
    if !rotation.lost_scopes.is_empty() {
        output.line(&format!("lost scopes: {}", rotation.lost_scopes.join(", ")))?;
    }
    let waiting = rotation.consumers_behind + rotation.consumers_overdue;
    output.line(&format!("consumers behind: {waiting}"))?;
    output.note(&format!(
        "{FAINT}the checklist: hubkeep rotations show {}{FAINT:#}",
        rotation.rotation_id
    ))
}
