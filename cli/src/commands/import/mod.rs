//! `hubkeep import`: onboards the clients of a CSV file, row by row, while it is read.

mod client;
mod columns;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod work;

use std::{io::Read, path::PathBuf};

use clap::{Args, ValueEnum};
use hubkeep_core::clock::SharedClock;
use hubkeep_proto::credential::v1::CredentialKind;

use self::work::Import;
pub use super::bulk::{Report, RowResult};
use super::{
    bulk::{self, Files},
    details,
};
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
    /// Where to write what becomes of each row, as CSV without tokens. Until the run ends, rows are in FILE.partial.
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

/// Imports the file and tells what became of each row.
///
/// # Errors
/// If the file cannot be used, or the service refuses the import as a whole.
pub async fn run(
    args: ImportArgs,
    service: &Service,
    clock: SharedClock,
    output: &Output,
) -> Result<Exit, Error> {
    let kind = args.kind.map(CredentialKind::from);
    let details = args.details.as_deref().map(details::read).transpose()?;
    let mut import = Import::new(kind.unwrap_or(CredentialKind::Unspecified));
    import.details = details.unwrap_or_default();
    import.dry_run = args.dry_run;
    let files = Files {
        rows: &args.file,
        also: args.details.as_deref().map(|details| ("--details", details)),
        results: args.results.as_deref(),
    };
    bulk::run(import, &files, service, clock, output).await
}

/// Imports rows from anywhere and gives what became of them.
///
/// # Errors
/// If the rows cannot be read, or the service refuses the import as a whole.
pub async fn import_from(input: impl Read + Send + 'static, service: &Service) -> Result<Report, Error> {
    bulk::of(Import::new(CredentialKind::Unspecified), input, service).await
}
