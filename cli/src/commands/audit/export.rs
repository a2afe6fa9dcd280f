//! `hubkeep audit export`: one log as a bundle that anybody can verify, its leaves read page by page and written as they
//! come; or entries as a file for other programs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use hubkeep_proto::{
    audit::v1::{
        self as wire, EventFilter, GetCheckpointRequest, GetCheckpointResponse, GetProofRequest,
        ListEventsRequest, audit_service_client::AuditServiceClient, get_proof_request::Of,
    },
    error::v1::ErrorReason,
};
use serde_json::json;
use tonic::{Code, Response, Status};

use super::{
    super::shown_handle::ShownHandle,
    file::{self, Kind},
    folder::{beside, held, write_json},
    which::Which,
};
use crate::{
    bundle::{self, CHECKPOINT, Consistency, HEAD, Head, KEYS, LEAVES, LeafWriter, PRUNED, Pruned, README},
    channel::{Connection, Service},
    errors::{Error, Refusal},
    exit::Exit,
    output::Output,
};

/// Leaves in one answer: well below the 4 MiB that one may have.
const PAGE: i32 = 500;
const README_TEXT: &str = include_str!("bundle.md");

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
    /// A checkpoint of the log of heads that somebody kept from before: a proof is put into the bundle that the heads only add
    /// to it.
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
    let mut exporting = Exporting {
        client: AuditServiceClient::new(service.connection()),
        service,
        portal: args.which.portal_alone()?,
        by_handle,
    };
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

struct Exporting {
    service: Service,
    client: AuditServiceClient<Connection>,
    portal: String,
    by_handle: bool,
}

/// How reading the leaves ended.
enum Read {
    All,
    /// The entry with this index did not come: it has another slug.
    Gap(u64),
}

impl Exporting {
    /// The newest checkpoint of the portal's log.
    async fn checkpoint(&mut self) -> Result<GetCheckpointResponse, Error> {
        if self.by_handle {
            match self.checkpoint_of(String::new()).await {
                // Whoever may read every log reads as such, whatever handle comes with it, and names the log.
                Err(status) if status.code() == Code::InvalidArgument => self.by_handle = false,
                given => return given.map_err(|status| self.service.ended(status)),
            }
        }
        let log = self.log().await?;
        let given = self.checkpoint_of(log).await;
        given.map_err(|status| self.service.ended(status))
    }

    async fn checkpoint_of(&mut self, log: String) -> Result<GetCheckpointResponse, Status> {
        let request = GetCheckpointRequest {
            client_slug: self.portal.clone(),
            log,
            size: 0,
        };
        let given = self.client.get_checkpoint(request).await;
        given.map(Response::into_inner)
    }

    /// The name of the portal's log: entries about it in the service's own log are not in it.
    async fn log(&mut self) -> Result<String, Error> {
        let mut page_token = String::new();
        loop {
            let request = self.page(String::new(), self.portal.clone(), page_token);
            let (events, next) = self.list(request).await?;
            let own = events.into_iter().find(|event| !event.log.ends_with("/system"));
            match own {
                Some(event) => return Ok(event.log),
                None if next.is_empty() => {
                    return Err(not_found(format!(
                        "the log of {} has no entry of a portal {}",
                        self.service.name(),
                        self.portal
                    )));
                }
                None => page_token = next,
            }
        }
    }

    fn page(&self, log: String, client_slug: String, page_token: String) -> ListEventsRequest {
        ListEventsRequest {
            filter: Some(EventFilter {
                client_slug,
                log,
                ..EventFilter::default()
            }),
            page_size: PAGE,
            page_token,
            leaves: true,
            ..ListEventsRequest::default()
        }
    }

    async fn list(&mut self, request: ListEventsRequest) -> Result<(Vec<wire::Event>, String), Error> {
        let listed = self.client.list_events(request).await;
        let listed = listed.map_err(|status| self.service.ended(status))?.into_inner();
        Ok((listed.events, listed.next_page_token))
    }

    async fn write(
        &mut self,
        folder: &Path,
        given: GetCheckpointResponse,
        held: &[(String, u64)],
    ) -> Result<(), Error> {
        let checkpoint = given.checkpoint.unwrap_or_default();
        fs::write(folder.join(README), README_TEXT)?;
        fs::write(folder.join(KEYS), given.verifier_keys.join("\n") + "\n")?;
        fs::write(folder.join(CHECKPOINT), &checkpoint.note)?;
        let mut named: Vec<u64> = held
            .iter()
            .filter(|(log, _)| *log == checkpoint.log)
            .map(|(_, size)| *size)
            .collect();
        if let Some(head) = given.head {
            let line = String::from_utf8_lossy(&head.line).into_owned();
            named.extend(line.lines().nth(1).and_then(|size| size.parse::<u64>().ok()));
            let head = self.head(head, held).await?;
            write_json(&folder.join(HEAD), &head)?;
        }
        let Some(beginning) = given.beginning else {
            return self.leaves(folder, &checkpoint, 0).await;
        };
        let first_index = beginning.first_index;
        named.retain(|size| (1..first_index).contains(size));
        let pruned = Pruned {
            first_index,
            hashes: encoded(&given.pruned_hashes),
            consistency: self.grown(&checkpoint, named).await?,
        };
        write_json(&folder.join(PRUNED), &pruned)?;
        self.leaves(folder, &checkpoint, first_index).await
    }

    /// Proofs that a log only adds to its checkpoints of these sizes.
    async fn grown(
        &mut self,
        checkpoint: &wire::Checkpoint,
        old: Vec<u64>,
    ) -> Result<Vec<Consistency>, Error> {
        let mut consistency = Vec::new();
        for old_size in old {
            let request = GetProofRequest {
                client_slug: if self.by_handle {
                    self.portal.clone()
                } else {
                    String::new()
                },
                log: checkpoint.log.clone(),
                size: checkpoint.size,
                of: Some(Of::OldSize(old_size)),
            };
            let given = self.client.get_proof(request).await;
            let given = given.map_err(|status| self.service.ended(status))?.into_inner();
            consistency.push(Consistency {
                sizes: [old_size, checkpoint.size],
                hashes: encoded(&given.hashes),
            });
        }
        Ok(consistency)
    }

    async fn head(&mut self, head: wire::Head, held: &[(String, u64)]) -> Result<Head, Error> {
        let checkpoint = head.checkpoint.unwrap_or_default();
        let old = held
            .iter()
            .filter(|(log, size)| *log == checkpoint.log && (1..checkpoint.size).contains(size));
        let old = old.map(|(_, size)| *size).collect();
        let consistency = self.grown(&checkpoint, old).await?;
        Ok(Head {
            checkpoint: checkpoint.note,
            leaf: STANDARD.encode(&head.leaf),
            leaf_index: head.leaf_index,
            leaf_proof: encoded(&head.leaf_proof),
            line: String::from_utf8_lossy(&head.line).into_owned(),
            line_index: head.line_index,
            line_proof: encoded(&head.line_proof),
            consistency,
        })
    }

    /// Writes every leaf that the checkpoint covers.
    async fn leaves(
        &mut self,
        folder: &Path,
        checkpoint: &wire::Checkpoint,
        first: u64,
    ) -> Result<(), Error> {
        let path = folder.join(LEAVES);
        let slug = self.portal.clone();
        let Read::Gap(index) = self.read(&path, checkpoint, (first, slug)).await? else {
            return Ok(());
        };
        let other = format!(
            "the entry with index {index} of {} has another slug",
            checkpoint.log
        );
        if self.by_handle {
            return Err(Error::Failed(format!("{other}: an auditor can export this log")));
        }
        // By the name of the log alone everything that the service has recorded is looked through: slower, and whole.
        match self.read(&path, checkpoint, (first, String::new())).await? {
            Read::All => Ok(()),
            Read::Gap(index) => Err(Error::Failed(format!(
                "the service does not give the entry with index {index} of {}, which its checkpoint covers",
                checkpoint.log
            ))),
        }
    }

    async fn read(
        &mut self,
        path: &Path,
        checkpoint: &wire::Checkpoint,
        (first, client_slug): (u64, String),
    ) -> Result<Read, Error> {
        let mut writer = LeafWriter::create(path)?;
        let (mut next_index, mut page_token) = (first, String::new());
        while next_index < checkpoint.size {
            let request = self.page(checkpoint.log.clone(), client_slug.clone(), page_token);
            let (events, next) = self.list(request).await?;
            for event in events
                .into_iter()
                .take_while(|event| event.index < checkpoint.size)
            {
                // Pruned since the checkpoint was asked for, or of another slug.
                if event.index != next_index {
                    return Ok(Read::Gap(next_index));
                }
                writer.write(&event.leaf)?;
                next_index = next_index.saturating_add(1);
            }
            if next.is_empty() && next_index < checkpoint.size {
                return Ok(Read::Gap(next_index));
            }
            page_token = next;
        }
        writer.finish()?;
        Ok(Read::All)
    }
}

/// What the service would say if it were asked for a log by the portal's slug.
fn not_found(message: String) -> Error {
    Error::Refused(Box::new(Refusal {
        code: "NOT_FOUND".to_owned(),
        reason: ErrorReason::PortalUnknown.wire_name().to_owned(),
        message,
        ..Refusal::default()
    }))
}

fn encoded(hashes: &[Vec<u8>]) -> Vec<String> {
    hashes.iter().map(|hash| STANDARD.encode(hash)).collect()
}
