//! `hubkeep audit export`: the logs of a portal as bundles that anybody can verify, their leaves read page by page and written
//! as they come; or entries as a file for other programs.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use clap::Args;
use hubkeep_proto::{audit::v1::GetCheckpointResponse, error::v1::ErrorReason};
use serde_json::{Value, json};

use super::{
    super::shown_handle::ShownHandle,
    From,
    exporting::Exporting,
    file::{self, Kind},
    folder::{beside, held},
    which::Which,
};
use crate::{
    bundle::{self, Verified},
    channel::Service,
    errors::Error,
    exit::Exit,
    output::Output,
};

#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// What to write: bundles of a portal's whole logs, which anybody can verify; or the entries that are asked for, as lines
    /// of JSON by OCSF 1.8.0, as CSV or as Parquet.
    #[arg(long, value_enum, default_value = "bundle", value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    which: Which,
    /// Whose log. Of both a folder has a bundle each, named after the service; a file has first the entries of
    /// credential-service, then those of crm-service.
    #[arg(long, value_enum, default_value = "both", value_name = "SERVICE")]
    pub(super) from: From,
    /// What to make: a folder for a bundle, else a file, or - for standard output. There must be none of its name.
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// A checkpoint of the log of heads that somebody kept from before, such as an anchored one: proofs are put into the bundle that
    /// the heads only add to it, and how the log stood in it.
    #[arg(long, value_name = "FILE")]
    held: Vec<PathBuf>,
    #[command(flatten)]
    shown: ShownHandle,
}

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Leaves, checkpoint and proofs.
    Bundle,
    /// OCSF 1.8.0, API Activity, one line of JSON for each entry.
    Ocsf,
    /// One row for each entry.
    Csv,
    /// The same as a Parquet file.
    #[cfg(feature = "parquet")]
    Parquet,
}

pub(super) async fn run(args: ExportArgs, services: Vec<Service>, output: &Output) -> Result<Exit, Error> {
    let handle = args.shown.clone().get()?;
    let services: Vec<Service> = match &handle {
        Some(handle) => services
            .into_iter()
            .map(|service| service.with_handle(handle))
            .collect::<Result<_, _>>()?,
        None => services,
    };
    let kind = match args.format {
        Format::Bundle => return bundles_of(args, services, handle.is_some(), output).await,
        Format::Ocsf => Kind::Ocsf,
        Format::Csv => Kind::Csv,
        #[cfg(feature = "parquet")]
        Format::Parquet => Kind::Parquet,
    };
    if !args.held.is_empty() {
        return Err(Error::Usage("--held is for a bundle".to_owned()));
    }
    let filter = args.which.into_filter();
    file::run(kind, filter, &args.to, &services, output).await
}

/// Writes one bundle, or one for each service into a folder of both: all of it, or nothing.
async fn bundles_of(
    args: ExportArgs,
    services: Vec<Service>,
    by_handle: bool,
    output: &Output,
) -> Result<Exit, Error> {
    let held = held(&args.held)?;
    let portal = args.which.portal_alone()?;
    let cannot_be_made =
        |error: io::Error| Error::Usage(format!("{} cannot be made: {error}", args.to.display()));
    if args.to.exists() {
        return Err(cannot_be_made(ErrorKind::AlreadyExists.into()));
    }
    let whole = beside(&args.to).map_err(cannot_be_made)?;
    let (mut left_out, joined) = (Vec::new(), services.len() > 1);
    for service in &services {
        let folder = match joined {
            true => whole.path().join(service.name()),
            false => whole.path().to_owned(),
        };
        let mut exporting = Exporting::of(service.clone(), portal.clone(), by_handle);
        match bundle_into(&folder, &mut exporting, &held).await {
            Err(error) if joined && is_without_entries(&error) => left_out.push(error),
            written => written?,
        }
    }
    if left_out.len() == services.len()
        && let Some(error) = left_out.pop()
    {
        return Err(error);
    }
    // What was written is read once more, as whoever gets it will.
    let found = bundle::verify_all(whole.path(), None, &args.held, &[])
        .map_err(|wrong| Error::Failed(format!("what the services gave makes no good bundle: {wrong}")))?;
    fs::rename(whole.path(), &args.to).map_err(cannot_be_made)?;
    for error in &left_out {
        output.note(&format!("nothing of it is in the folder: {error}"))?;
    }
    told(&args.to, &found, output)?;
    Ok(Exit::Done)
}

/// Writes the bundle of one log, anew where more of the log was pruned while it was read.
async fn bundle_into(folder: &Path, exporting: &mut Exporting, held: &[(String, u64)]) -> Result<(), Error> {
    loop {
        let given = exporting.checkpoint().await?;
        let begun = begins(&given);
        fs::create_dir_all(folder)?;
        match exporting.write(folder, given, held).await {
            Err(_) if begins(&exporting.checkpoint().await?) > begun => fs::remove_dir_all(folder)?,
            written => return written,
        }
    }
}

/// Whether a service has nothing of the portal.
fn is_without_entries(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.reason == ErrorReason::PortalUnknown.wire_name())
}

fn told(folder: &Path, found: &[Verified], output: &Output) -> Result<(), Error> {
    if output.is_json() {
        let logs = found
            .iter()
            .map(|found| json!({"log": found.log, "size": found.size}));
        return output.document(&json!({"folder": folder, "logs": logs.collect::<Vec<Value>>()}));
    }
    for found in found {
        output.line(&format!(
            "{} entries of {} in {}",
            found.size,
            found.log,
            folder.display()
        ))?;
    }
    Ok(())
}

/// The index of the first entry that is there.
fn begins(given: &GetCheckpointResponse) -> u64 {
    given
        .beginning
        .as_ref()
        .map_or(0, |beginning| beginning.first_index)
}
