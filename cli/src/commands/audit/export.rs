//! `hubkeep audit export`: one log as a bundle that anybody can verify, its leaves read page by page and written as they
//! come; or entries as a file for other programs.

use std::{fs, io, path::PathBuf};

use clap::Args;
use hubkeep_proto::audit::v1::GetCheckpointResponse;
use serde_json::json;

use super::{
    super::shown_handle::ShownHandle,
    exporting::Exporting,
    file::{self, Kind},
    folder::{beside, held},
    which::Which,
};
use crate::{bundle, channel::Service, errors::Error, exit::Exit, output::Output};

#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// What to write: a bundle of a portal's whole log, which anybody can verify; or the entries that are asked for, as lines
    /// of JSON by OCSF 1.8.0, as CSV or as Parquet.
    #[arg(long, value_enum, default_value = "bundle", value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    which: Which,
    /// Which service's log.
    #[arg(long, value_enum, default_value = "crm-service", value_name = "SERVICE")]
    pub(super) from: Source,
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

/// A service that has a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Source {
    /// What was done with tokens and handles.
    CredentialService,
    /// Calls to HubSpot.
    CrmService,
}

pub(super) async fn run(args: ExportArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let handle = args.shown.clone().get()?;
    let service = match &handle {
        Some(handle) => service.clone().with_handle(handle)?,
        None => service.clone(),
    };
    let kind = match args.format {
        Format::Bundle => return bundle_of(args, service, handle.is_some(), output).await,
        Format::Ocsf => Kind::Ocsf,
        Format::Csv => Kind::Csv,
        #[cfg(feature = "parquet")]
        Format::Parquet => Kind::Parquet,
    };
    if !args.held.is_empty() {
        return Err(Error::Usage("--held is for a bundle".to_owned()));
    }
    let filter = args.which.into_filter();
    file::run(kind, filter, &args.to, &service, output).await
}

async fn bundle_of(
    args: ExportArgs,
    service: Service,
    by_handle: bool,
    output: &Output,
) -> Result<Exit, Error> {
    let held = held(&args.held)?;
    let mut exporting = Exporting::of(service, args.which.portal_alone()?, by_handle);
    let cannot_be_made =
        |error: io::Error| Error::Usage(format!("{} cannot be made: {error}", args.to.display()));
    if args.to.exists() {
        return Err(cannot_be_made(io::ErrorKind::AlreadyExists.into()));
    }
    let unfinished = loop {
        let unfinished = beside(&args.to).map_err(cannot_be_made)?;
        let given = exporting.checkpoint().await?;
        let begun = begins(&given);
        match exporting.write(unfinished.path(), given, &held).await {
            Ok(()) => break unfinished,
            // More was pruned while it was read.
            Err(_) if begins(&exporting.checkpoint().await?) > begun => {}
            Err(error) => return Err(error),
        }
    };
    // What was written is read once more, as whoever gets it will.
    let found = bundle::verify(unfinished.path(), None, &args.held, &[])
        .map_err(|wrong| Error::Failed(format!("what the service gave makes no good bundle: {wrong}")))?;
    fs::rename(unfinished.path(), &args.to).map_err(cannot_be_made)?;
    if output.is_json() {
        output.document(&json!({"folder": args.to, "log": found.log, "size": found.size}))?;
    } else {
        let folder = args.to.display();
        output.line(&format!("{} entries of {} in {folder}", found.size, found.log))?;
    }
    Ok(Exit::Done)
}

/// The index of the first entry that is there.
fn begins(given: &GetCheckpointResponse) -> u64 {
    given
        .beginning
        .as_ref()
        .map_or(0, |beginning| beginning.first_index)
}
