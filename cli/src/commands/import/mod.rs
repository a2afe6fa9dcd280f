//! `hubkeep import`: onboards the clients of a CSV file, row by row, while it is read.

pub(super) mod cells;
mod columns;
mod exchange;
mod reader;
mod report;
mod results;
mod rows;

use std::{fs::File, io::Read, path::PathBuf};

use clap::{Args, ValueEnum};
use hubkeep_proto::credential::v1::CredentialKind;
use indicatif::{ProgressBar, ProgressStyle};

pub use self::report::{Report, RowResult};
use self::{
    exchange::Ended,
    reader::Options,
    results::Results,
    rows::{FileFault, Rows},
};
use super::details;
use crate::{channel::Service, errors::Error, exit::Exit, output::Output};

/// Onboard the clients of a CSV file.
///
/// The first line is clientSlug,portalToken,portalId (in any order). portalId may be empty; where it stands, the
/// token must belong to that portal. A bad row refuses itself only. Importing the same file again onboards what is
/// missing. Further columns are credentialName and credentialKind (a second row of the same client with a name of its
/// own is a further credential), and for reports controllerName, controllerContact, dpaReference, purposes, region and
/// tags (lists with ';' between).
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The file.
    file: PathBuf,
    /// What sort of credential the tokens are.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// A TOML file with what reports need to know: a table for each client, by its slug.
    #[arg(long, value_name = "FILE")]
    details: Option<PathBuf>,
    /// Only see what would become of each row: everything is checked with HubSpot, and nothing is stored.
    #[arg(long)]
    dry_run: bool,
    /// Where to write what became of each row, as CSV.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Service keys of the accounts.
    ServiceKey,
    /// Legacy private apps.
    PrivateApp,
    /// Refresh tokens of the deployment's own OAuth app.
    #[value(name = "oauth")]
    OAuth,
}

impl From<Kind> for CredentialKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::ServiceKey => Self::ServiceKey,
            Kind::PrivateApp => Self::PrivateApp,
            Kind::OAuth => Self::Oauth,
        }
    }
}

/// Imports the file and prints what became of each row.
///
/// # Errors
/// If the file cannot be used, or the service refuses the import as a whole.
pub async fn run(args: ImportArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let unusable = |fault: FileFault| Error::ImportFile(format!("{}: {fault}", args.file.display()));
    let file = File::open(&args.file).map_err(|error| unusable(error.into()))?;
    let bytes = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    let rows = Rows::open(file).map_err(unusable)?;
    let details = args.details.as_deref().map(details::read).transpose()?;
    // Made before anything is sent: a place that cannot be written is noticed in time.
    let results = args.results.as_deref().map(Results::create).transpose()?;
    let bar = progress(bytes);
    let mut report = Report::default();
    let options = Options {
        kind: args
            .kind
            .map_or(CredentialKind::Unspecified, CredentialKind::from),
        details: details.unwrap_or_default(),
        dry_run: args.dry_run,
    };
    let ended = exchange::run(rows, options, service, &mut report, &bar).await;
    bar.finish_and_clear();
    if let Some(results) = results {
        results.write(report.rows())?;
    }
    match ended {
        Ok(()) => {
            report.print(output, None)?;
            Ok(report.exit())
        }
        Err(ended) => {
            let error = match ended {
                Ended::File(fault) => unusable(fault),
                Ended::Service(error) => error,
            };
            // Where the service took no row at all, there is nothing to report of rows.
            let refused = matches!(error, Error::Refused(_) | Error::Handshake { .. });
            let taken = report.heard() || !refused;
            // In JSON the error is part of the report, if there is one.
            if taken && report.rows().next().is_some() {
                report.print(output, Some(&error))?;
                if output.is_json() {
                    return Ok(error.exit());
                }
            }
            Err(error)
        }
    }
}

/// Imports rows from anywhere and gives what became of them.
///
/// # Errors
/// If the rows cannot be read, or the service refuses the import as a whole.
pub async fn import_from(input: impl Read + Send + 'static, service: &Service) -> Result<Report, Error> {
    let unusable = |fault: FileFault| Error::ImportFile(fault.to_string());
    let rows = Rows::open(input).map_err(unusable)?;
    let mut report = Report::default();
    let ended = exchange::run(
        rows,
        Options::default(),
        service,
        &mut report,
        &ProgressBar::hidden(),
    )
    .await;
    ended.map(|()| report).map_err(|ended| match ended {
        Ended::File(fault) => unusable(fault),
        Ended::Service(error) => error,
    })
}

/// A bar over the file's bytes. It shows on terminals only.
fn progress(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let template = "importing {bar:32.cyan} {percent:>3}%  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
