//! `hubkeep crm`: calls to HubSpot with a handle.

mod filter;
mod gone;
mod many;
mod own_types;
mod pairs;
mod pipeline;
mod property;
mod read;
mod relate;
mod rows;
mod show;
mod stage;
mod state;
mod stream;
mod write;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hubkeep_core::clock::SharedClock;

use self::filter::Filters;
use super::shown_handle::ShownHandle;
use crate::{channel::Service, errors::Error, exit::Exit, output::Output};

/// Read and write CRM records with a handle.
#[derive(Args, Debug)]
pub struct CrmArgs {
    #[command(subcommand)]
    command: CrmCommand,
}

#[derive(Subcommand, Debug)]
enum CrmCommand {
    /// Read one record.
    Get(GetArgs),
    /// Page through the records of a type.
    List(ListArgs),
    /// Read all records of a type, one JSON document a line. Goes on by itself where it was when a connection breaks.
    Stream(StreamArgs),
    /// Find records by conditions. What was just written may not be found yet.
    Search(SearchArgs),
    /// Create a record.
    Create(write::CreateArgs),
    /// Change properties of a record.
    Update(write::UpdateArgs),
    /// Archive a record.
    Archive(write::ArchiveArgs),
    /// Change the record that has a value of a unique property, or create it.
    Upsert(write::UpsertArgs),
    /// Read, create, change, upsert, archive or associate the records of a file; what became of each row is told.
    #[command(subcommand)]
    Batch(many::BatchCommand),
    /// Make one record of two. It cannot be undone.
    Merge(gone::MergeArgs),
    /// Erase a contact for good, as the GDPR asks for. It cannot be undone, and its addresses are not created again.
    Erase(gone::EraseArgs),
    /// Associate two records.
    Associate(relate::AssociateArgs),
    /// End every association between two records.
    Dissociate(relate::DissociateArgs),
    /// Take labels off two records. Whatever else they are to each other stays.
    Unlabel(relate::UnlabelArgs),
    /// List what a record is associated with, or the labels that there are between two types.
    Associations(relate::AssociationsArgs),
    /// List the properties of a type, or show one.
    Properties(property::PropertiesArgs),
    /// Make, change or archive a property of a type.
    #[command(subcommand)]
    Property(property::PropertyCommand),
    /// List the pipelines of a type with their stages, or show one.
    Pipelines(pipeline::PipelinesArgs),
    /// Make, change or archive a pipeline of a type.
    #[command(subcommand)]
    Pipeline(pipeline::PipelineCommand),
    /// Add, change or archive a stage of a pipeline.
    #[command(subcommand)]
    Stage(stage::StageCommand),
    /// List the types of record that the portal has made for itself, or show one.
    Types(own_types::TypesArgs),
    /// List owners, or read one.
    Owners(OwnersArgs),
}

/// Whose records, of which type, by what right.
#[derive(Args, Debug)]
struct Of {
    /// The portal's slug. It must be the handle's.
    slug: String,
    /// The type: contacts, companies, deals, tickets, notes, a type id or a custom type.
    #[arg(value_name = "TYPE")]
    object_type: String,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    shown: ShownHandle,
}

/// The portal's id, where it is known.
#[derive(Args, Debug)]
pub(super) struct Expected {
    /// The portal's id, if you know it: a handle for another is refused, and nothing is sent.
    #[arg(long = "portal-id", value_name = "ID")]
    portal_id: Option<u64>,
}

impl Expected {
    /// As requests state it.
    pub(super) fn stated(&self) -> u64 {
        self.portal_id.unwrap_or(0)
    }
}

#[derive(Args, Debug)]
struct Page {
    /// Records at once.
    #[arg(long = "page-size", value_name = "N", allow_negative_numbers = true)]
    size: Option<i32>,
    /// Where the last answer left off.
    #[arg(long = "page-token", value_name = "TOKEN")]
    token: Option<String>,
}

impl Page {
    /// The size asked for, or this one, or the service's own. It is the service that says which are allowed.
    fn size(&self, otherwise: Option<i32>) -> i32 {
        self.size.or(otherwise).unwrap_or(0)
    }
}

#[derive(Args, Debug)]
struct GetArgs {
    #[command(flatten)]
    of: Of,
    /// The record's id, or a value of --id-property.
    id: String,
    /// The properties wanted.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    properties: Vec<String>,
    /// A unique property that the id is a value of, for example email.
    #[arg(long, value_name = "NAME")]
    id_property: Option<String>,
    #[command(flatten)]
    beside: Beside,
    /// Look among archived records.
    #[arg(long)]
    archived: bool,
}

/// What is wanted of records beside their properties.
#[derive(Args, Debug)]
struct Beside {
    /// The properties of which all past values are wanted.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    history: Vec<String>,
    /// The types of associated records whose ids are wanted.
    #[arg(long, value_delimiter = ',', value_name = "TYPE,…")]
    associated: Vec<String>,
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    of: Of,
    /// The properties wanted.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    properties: Vec<String>,
    #[command(flatten)]
    beside: Beside,
    #[command(flatten)]
    page: Page,
    /// Follow the pages to the end. In JSON: one page a line.
    #[arg(long)]
    all: bool,
    /// Only archived records.
    #[arg(long)]
    archived: bool,
}

#[derive(Args, Debug)]
struct StreamArgs {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    filters: Filters,
    /// Words looked for in HubSpot's default searchable properties. With these or --where the walk goes by HubSpot's search, also
    /// beyond its 10,000 results; what was changed a moment ago may be missing.
    #[arg(long, value_name = "WORDS", conflicts_with = "archived")]
    query: Option<String>,
    /// The properties wanted.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    properties: Vec<String>,
    #[command(flatten)]
    beside: Beside,
    /// Only archived records.
    #[arg(long)]
    archived: bool,
    /// Records read at once.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    page_size: Option<i32>,
    /// Go on where an earlier run left off: the token that it told at its end.
    #[arg(long, value_name = "TOKEN", conflicts_with = "state")]
    resume: Option<String>,
    /// Keep in this file where to go on, go on there if it exists, and remove it when all is read. It is written after
    /// the records are, so that none is left out: a run that is killed, or whose pipe breaks, may give some once more (the
    /// last page; of what went into a pipe, the last MiB).
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Issue handles for this walk, for this purpose, as often as one ends. Without it --handle is used while it lasts.
    #[arg(long, value_name = "WORD", conflicts_with = "handle")]
    purpose: Option<String>,
}

#[derive(Args, Debug)]
struct SearchArgs {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    filters: Filters,
    /// Words looked for in HubSpot's default searchable properties.
    #[arg(long, value_name = "WORDS")]
    query: Option<String>,
    /// The property to order by.
    #[arg(long, value_name = "NAME")]
    sort: Option<String>,
    /// Largest first.
    #[arg(long, requires = "sort")]
    descending: bool,
    /// The properties wanted.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    properties: Vec<String>,
    #[command(flatten)]
    page: Page,
}

/// What makes a write one that may be asked for again.
#[derive(Args, Debug)]
struct Again {
    /// A UUID of your own making: given again with the same values, the first result is told and nothing is sent.
    #[arg(long, value_name = "UUID")]
    request_id: Option<String>,
}

impl Again {
    /// As requests state it.
    fn stated(self) -> String {
        self.request_id.unwrap_or_default()
    }
}

#[derive(Args, Debug)]
struct OwnersArgs {
    /// The portal's slug. It must be the handle's.
    slug: String,
    /// Read this owner instead of listing all.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Read the owner that this user is instead.
    #[arg(long, value_name = "USER_ID", conflicts_with = "id")]
    user: Option<String>,
    /// Only the owner with this e-mail address.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["id", "user"])]
    email: Option<String>,
    /// Only archived owners.
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    shown: ShownHandle,
}

impl CrmCommand {
    const fn shown(&self) -> &ShownHandle {
        match self {
            Self::Get(args) => &args.of.shown,
            Self::List(args) => &args.of.shown,
            Self::Stream(args) => &args.of.shown,
            Self::Search(args) => &args.of.shown,
            Self::Create(args) => &args.of.shown,
            Self::Update(args) => &args.of.shown,
            Self::Archive(args) => &args.of.shown,
            Self::Upsert(args) => &args.of.shown,
            Self::Batch(command) => command.shown(),
            Self::Merge(args) => &args.of.shown,
            Self::Erase(args) => &args.shown,
            Self::Associate(args) => args.shown(),
            Self::Dissociate(args) => args.shown(),
            Self::Unlabel(args) => args.shown(),
            Self::Associations(args) => args.shown(),
            Self::Properties(args) => &args.of.shown,
            Self::Property(command) => command.shown(),
            Self::Pipelines(args) => &args.of.shown,
            Self::Pipeline(command) => command.shown(),
            Self::Stage(command) => command.shown(),
            Self::Types(args) => &args.shown,
            Self::Owners(args) => &args.shown,
        }
    }
}

/// Runs `crm`.
///
/// # Errors
/// If there is no handle, or the service refuses or is not reached.
pub async fn run(
    args: CrmArgs,
    credential: Service,
    service: Service,
    clock: SharedClock,
    output: &Output,
) -> Result<Exit, Error> {
    if let CrmCommand::Stream(args) = args.command {
        stream::run(args, credential, service, clock, output).await?;
        return Ok(Exit::Done);
    }
    let handle = args.command.shown().clone().required()?;
    let service = &service.with_handle(&handle)?;
    match args.command {
        CrmCommand::Get(args) => read::get(args, service, output).await?,
        CrmCommand::List(args) => read::list(args, service, output).await?,
        // It has its own way to a handle, and has gone it above.
        CrmCommand::Stream(_) => {}
        CrmCommand::Search(args) => read::search(args, service, output).await?,
        CrmCommand::Create(args) => write::create(args, service, output).await?,
        CrmCommand::Update(args) => write::update(args, service, output).await?,
        CrmCommand::Archive(args) => write::archive(args, service, output).await?,
        CrmCommand::Upsert(args) => return write::upsert(args, service, output).await,
        CrmCommand::Batch(command) => return many::run(command, service, output).await,
        CrmCommand::Merge(args) => gone::merge(args, service, output).await?,
        CrmCommand::Erase(args) => gone::erase(args, service, output).await?,
        CrmCommand::Associate(args) => relate::associate(args, service, output).await?,
        CrmCommand::Dissociate(args) => relate::dissociate(args, service, output).await?,
        CrmCommand::Unlabel(args) => return relate::unlabel(args, service, output).await,
        CrmCommand::Associations(args) => relate::associations(args, service, output).await?,
        CrmCommand::Properties(args) => property::list(args, service, output).await?,
        CrmCommand::Property(command) => property::run(command, service, output).await?,
        CrmCommand::Pipelines(args) => pipeline::list(args, service, output).await?,
        CrmCommand::Pipeline(command) => pipeline::run(command, service, output).await?,
        CrmCommand::Stage(command) => stage::run(command, service, output).await?,
        CrmCommand::Types(args) => own_types::list(args, service, output).await?,
        CrmCommand::Owners(args) => read::owners(args, service, output).await?,
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_says_which_page_sizes_are_allowed() {
        let page = |size| Page { size, token: None };
        assert_eq!(page(Some(-1)).size(None), -1);
        assert_eq!(page(None).size(Some(100)), 100);
        assert_eq!(page(None).size(None), 0);
    }
}
