//! One log read from its service, page by page, and written as a bundle as it comes.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hubkeep_proto::{
    audit::v1::{
        self as wire, EventFilter, GetCheckpointRequest, GetCheckpointResponse, GetProofRequest,
        ListEventsRequest, audit_service_client::AuditServiceClient, get_proof_request::Of,
    },
    error::v1::ErrorReason,
};
use tonic::{Code, Response, Status};

use super::folder::write_json;
use crate::{
    bundle::{
        CHECKPOINT, Consistency, HEAD, Head, KEYS, LEAVES, LeafWriter, Line, Named, PRUNED, Pruned, README,
    },
    channel::{Connection, Service},
    errors::{Error, Refusal},
};

/// Leaves in one answer: well below the 4 MiB that one may have.
const PAGE: i32 = 500;
const README_TEXT: &str = include_str!("bundle.md");

pub(super) struct Exporting {
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
    pub(super) fn of(service: Service, portal: String, by_handle: bool) -> Self {
        Self {
            client: AuditServiceClient::new(service.connection()),
            service,
            portal,
            by_handle,
        }
    }

    /// The newest checkpoint of the portal's log.
    pub(super) async fn checkpoint(&mut self) -> Result<GetCheckpointResponse, Error> {
        if self.by_handle {
            match self.checkpoint_of(String::new(), 0).await {
                // Whoever may read every log reads as such, whatever handle comes with it, and names the log.
                Err(status) if status.code() == Code::InvalidArgument => self.by_handle = false,
                given => return given.map_err(|status| self.service.ended(status)),
            }
        }
        let log = self.log().await?;
        let given = self.checkpoint_of(log, 0).await;
        given.map_err(|status| self.service.ended(status))
    }

    async fn checkpoint_of(&mut self, log: String, heads_size: u64) -> Result<GetCheckpointResponse, Status> {
        let request = GetCheckpointRequest {
            client_slug: self.portal.clone(),
            log,
            size: 0,
            heads_size,
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

    /// Writes the bundle that a checkpoint stands for into a folder.
    pub(super) async fn write(
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
            let head = self.head(&checkpoint.log, head, held).await?;
            named.extend(
                head.named
                    .iter()
                    .flat_map(|told| sizes(&told.lines, &checkpoint.log)),
            );
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

    async fn head(&mut self, log: &str, head: wire::Head, held: &[(String, u64)]) -> Result<Head, Error> {
        let checkpoint = head.checkpoint.unwrap_or_default();
        let held = held
            .iter()
            .filter(|(name, size)| *name == checkpoint.log && (1..=checkpoint.size).contains(size));
        let held: Vec<u64> = held.map(|(_, size)| *size).collect();
        let mut named = Vec::new();
        for size in &held {
            named.push(self.named(log, *size).await?);
        }
        let old = held.into_iter().filter(|size| *size < checkpoint.size).collect();
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
            named,
        })
    }

    /// What heads of this size say of the log.
    async fn named(&mut self, log: &str, size: u64) -> Result<Named, Error> {
        let given = self.checkpoint_of(log.to_owned(), size).await;
        let given = given.map_err(|status| self.service.ended(status))?;
        let told = given.named.ok_or_else(|| {
            let name = self.service.name();
            Error::Failed(format!(
                "{name} does not say what heads named: it is of an older version than this command"
            ))
        })?;
        if told.lines.is_empty() {
            return Err(Error::Failed(format!(
                "the {size} heads that you hold do not name {log}: it began later. Hold a later checkpoint of the heads against it; \
                 that it was not there, an auditor can export"
            )));
        }
        Ok(Named {
            size,
            leaf: STANDARD.encode(&told.leaf),
            leaf_proof: encoded(&told.leaf_proof),
            lines: told.lines.into_iter().map(line).collect(),
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

fn line(line: wire::NamedLine) -> Line {
    Line {
        line: String::from_utf8_lossy(&line.line).into_owned(),
        index: line.index,
        proof: encoded(&line.proof),
    }
}

/// The sizes that lines say a log had.
fn sizes(lines: &[Line], log: &str) -> Vec<u64> {
    let size = |line: &Line| {
        let mut told = line.line.lines();
        told.next().filter(|name| *name == log)?;
        told.next()?.parse().ok()
    };
    lines.iter().filter_map(size).collect()
}
