//! Many records from a file: what became of each is told, row by row.

mod associations;
mod told;

use clap::{Args, Subcommand};
use hubkeep_proto::crm::v1::{
    BatchArchiveObjectsRequest, BatchCreateObjectsRequest, BatchReadObjectsRequest,
    BatchUpdateObjectsRequest, ObjectResult, ObjectToCreate, ObjectToUpdate, UpsertObjectsRequest,
    object_service_client::ObjectServiceClient,
};
use tonic::Status;

use self::told::{Told, line};
use super::{
    Again, Of,
    rows::{FileArgs, Row, Wants},
};
use crate::{
    channel::{Connection, Service},
    commands::shown_handle::ShownHandle,
    errors::Error,
    exit::Exit,
    output::Output,
};

/// The most records of one request.
const MOST: usize = 1_000;

#[derive(Subcommand, Debug)]
pub(super) enum BatchCommand {
    /// Read the records of a file.
    Read(ReadArgs),
    /// Create a record for each row.
    Create(CreateArgs),
    /// Change the records of a file.
    Update(UpdateArgs),
    /// Change the records of a file, and create those that are not there. The column "id" holds values of --id-property.
    Upsert(UpsertArgs),
    /// Archive the records of a file.
    Archive(ArchiveArgs),
    /// Associate the pairs of records of a file. Labels that are there already are kept.
    Associate(associations::WriteArgs),
    /// End every association between the pairs of records of a file.
    Dissociate(associations::WriteArgs),
    /// Take the labels of a file off its pairs of records. Whatever else they are to each other stays.
    Unlabel(associations::WriteArgs),
    /// Read everything that the records of a file are associated with.
    Associations(associations::AssociationsArgs),
}

#[derive(Args, Debug)]
pub(super) struct ReadArgs {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    file: FileArgs,
    /// The properties wanted.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    properties: Vec<String>,
    /// A unique property that the ids are values of, for example email.
    #[arg(long, value_name = "NAME")]
    id_property: Option<String>,
    /// Look among archived records.
    #[arg(long)]
    archived: bool,
}

#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    file: FileArgs,
    /// A unique property that the ids are values of.
    #[arg(long, value_name = "NAME")]
    id_property: Option<String>,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct UpsertArgs {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    file: FileArgs,
    /// The unique property that decides which record is which, for example email.
    #[arg(long, value_name = "NAME")]
    id_property: String,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct ArchiveArgs {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    again: Again,
}

impl BatchCommand {
    pub(super) const fn shown(&self) -> &ShownHandle {
        match self {
            Self::Read(args) => &args.of.shown,
            Self::Create(args) => &args.of.shown,
            Self::Update(args) => &args.of.shown,
            Self::Upsert(args) => &args.of.shown,
            Self::Archive(args) => &args.of.shown,
            Self::Associate(args) => &args.of.shown,
            Self::Dissociate(args) => &args.of.shown,
            Self::Unlabel(args) => &args.of.shown,
            Self::Associations(args) => &args.of.shown,
        }
    }
}

/// What is done with each record.
enum Work {
    Read {
        properties: Vec<String>,
        id_property: String,
        archived: bool,
    },
    Create,
    Update {
        id_property: String,
    },
    Upsert {
        id_property: String,
    },
    Archive,
}

impl Work {
    const fn wants(&self) -> Wants {
        match self {
            Self::Read { .. } | Self::Archive => Wants::Ids,
            Self::Create => Wants::Values,
            Self::Update { .. } | Self::Upsert { .. } => Wants::Both,
        }
    }

    const fn writes(&self) -> bool {
        !matches!(self, Self::Read { .. })
    }

    /// What is said of a record that it was done with.
    const fn done(&self, created: bool) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Create => "created",
            Self::Upsert { .. } if created => "created",
            Self::Update { .. } | Self::Upsert { .. } => "updated",
            Self::Archive => "archived",
        }
    }
}

/// Runs `crm batch`.
///
/// # Errors
/// If the file cannot be used, or the service refuses a whole request or is not reached.
pub(super) async fn run(command: BatchCommand, service: &Service, output: &Output) -> Result<Exit, Error> {
    let (of, file, again, work) = match command {
        BatchCommand::Read(args) => {
            let work = Work::Read {
                properties: args.properties,
                id_property: args.id_property.unwrap_or_default(),
                archived: args.archived,
            };
            (args.of, args.file, String::new(), work)
        }
        BatchCommand::Create(args) => (args.of, args.file, args.again.stated(), Work::Create),
        BatchCommand::Update(args) => {
            let id_property = args.id_property.unwrap_or_default();
            (
                args.of,
                args.file,
                args.again.stated(),
                Work::Update { id_property },
            )
        }
        BatchCommand::Upsert(args) => {
            let id_property = args.id_property;
            (
                args.of,
                args.file,
                args.again.stated(),
                Work::Upsert { id_property },
            )
        }
        BatchCommand::Archive(args) => (args.of, args.file, args.again.stated(), Work::Archive),
        BatchCommand::Associate(args) => return associations::associate(args, service, output).await,
        BatchCommand::Dissociate(args) => return associations::dissociate(args, service, output).await,
        BatchCommand::Unlabel(args) => return associations::unlabel(args, service, output).await,
        BatchCommand::Associations(args) => return associations::associations(args, service, output).await,
    };
    let rows = file.read(work.wants())?;
    in_one_request(&again, rows.len())?;
    let run = Run {
        service,
        of,
        request_id: again,
        work,
    };
    run.carry_out(&rows, output).await
}

/// A request id is for one request.
fn in_one_request(request_id: &str, rows: usize) -> Result<(), Error> {
    if request_id.is_empty() || rows <= MOST {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "--request-id is for one request, which holds {MOST} rows, and the file holds {rows}: split it"
    )))
}

/// Says from which row on nothing was done, where something was done before.
fn stopped(first: Option<usize>, output: &Output) -> Result<(), Error> {
    match first {
        Some(first) if first > 1 => output.note(&format!("rows from {first} on were not done")),
        _ => Ok(()),
    }
}

struct Run<'a> {
    service: &'a Service,
    of: Of,
    request_id: String,
    work: Work,
}

impl Run<'_> {
    /// Request by request; when one is refused whole, none is made after it, and what came before is told all the same.
    async fn carry_out(&self, rows: &[Row], output: &Output) -> Result<Exit, Error> {
        let mut client = ObjectServiceClient::new(self.service.connection());
        let mut told = Told::default();
        for some in rows.chunks(MOST) {
            let results = match self.send(&mut client, some).await {
                Ok(results) => results,
                Err(status) => {
                    told.show(&self.work, output)?;
                    stopped(some.first().map(|row| row.number), output)?;
                    return Err(match self.work.writes() {
                        true => self.service.write_ended(status),
                        false => self.service.ended(status),
                    });
                }
            };
            told::whole(self.service, results.len(), some.len())?;
            for (row, result) in some.iter().zip(results) {
                if output.is_json() {
                    output.json_line(&line(row, &result)?)?;
                }
                told.rows.push((row.clone(), result));
            }
        }
        if !output.is_json() {
            told.show(&self.work, output)?;
        }
        Ok(told.exit())
    }

    async fn send(
        &self,
        client: &mut ObjectServiceClient<Connection>,
        rows: &[Row],
    ) -> Result<Vec<ObjectResult>, Status> {
        let (client_slug, object_type) = (self.of.slug.clone(), self.of.object_type.clone());
        let expected_portal_id = self.of.expected.stated();
        let request_id = self.request_id.clone();
        let ids = || rows.iter().map(|row| row.id.clone()).collect();
        let changes = || {
            let change = |row: &Row| ObjectToUpdate {
                object_id: row.id.clone(),
                properties: row.values.clone(),
            };
            rows.iter().map(change).collect()
        };
        Ok(match &self.work {
            Work::Read {
                properties,
                id_property,
                archived,
            } => {
                let request = BatchReadObjectsRequest {
                    client_slug,
                    object_type,
                    object_ids: ids(),
                    properties: properties.clone(),
                    id_property: id_property.clone(),
                    archived: *archived,
                    expected_portal_id,
                    ..BatchReadObjectsRequest::default()
                };
                client.batch_read_objects(request).await?.into_inner().results
            }
            Work::Create => {
                let new = |row: &Row| ObjectToCreate {
                    properties: row.values.clone(),
                    ..ObjectToCreate::default()
                };
                let request = BatchCreateObjectsRequest {
                    client_slug,
                    object_type,
                    inputs: rows.iter().map(new).collect(),
                    expected_portal_id,
                    request_id,
                };
                client.batch_create_objects(request).await?.into_inner().results
            }
            Work::Update { id_property } => {
                let request = BatchUpdateObjectsRequest {
                    client_slug,
                    object_type,
                    inputs: changes(),
                    id_property: id_property.clone(),
                    expected_portal_id,
                    request_id,
                };
                client.batch_update_objects(request).await?.into_inner().results
            }
            Work::Upsert { id_property } => {
                let request = UpsertObjectsRequest {
                    client_slug,
                    object_type,
                    id_property: id_property.clone(),
                    inputs: changes(),
                    expected_portal_id,
                    request_id,
                };
                client.upsert_objects(request).await?.into_inner().results
            }
            Work::Archive => {
                let request = BatchArchiveObjectsRequest {
                    client_slug,
                    object_type,
                    object_ids: ids(),
                    expected_portal_id,
                    request_id,
                };
                client.batch_archive_objects(request).await?.into_inner().results
            }
        })
    }
}
