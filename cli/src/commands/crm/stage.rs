//! Stages of a pipeline: added, changed and archived.

use clap::{Args, Subcommand};
use hubkeep_proto::crm::v1::{
    ArchivePipelineStageRequest, CreatePipelineStageRequest, PipelineStageToCreate,
    UpdatePipelineStageRequest, schema_service_client::SchemaServiceClient,
};

use super::{
    Again, Of,
    pipeline::{known, one_stage, stage},
    show,
};
use crate::{
    channel::Service,
    commands::{confirm, shown_handle::ShownHandle},
    errors::Error,
    output::{GOOD, Output, printable},
    wire_json,
};

#[derive(Subcommand, Debug)]
pub(super) enum StageCommand {
    /// Add a stage to a pipeline.
    Create(CreateArgs),
    /// Change a stage; what is left out stays as it is.
    Update(UpdateArgs),
    /// Archive a stage. HubSpot refuses it while records are in it.
    Archive(ArchiveArgs),
}

#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    of: Of,
    /// HubSpot's id of the pipeline.
    pipeline: String,
    /// What people see, and behind it what HubSpot must know of it beside: "Won;probability=1.0".
    #[arg(value_name = "LABEL[;NAME=VALUE…]", value_parser = stage)]
    stage: PipelineStageToCreate,
    /// Its place among the others of its pipeline, from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    place: i32,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    of: Of,
    /// HubSpot's id of the pipeline.
    pipeline: String,
    /// HubSpot's id of the stage.
    id: String,
    /// What people see.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Its place among the others of its pipeline, from 0.
    #[arg(long, value_name = "N")]
    place: Option<i32>,
    /// What HubSpot is to know of it beside; repeat it for all. What is not named is forgotten.
    #[arg(long, value_name = "NAME=VALUE", value_parser = known)]
    metadata: Vec<(String, String)>,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct ArchiveArgs {
    #[command(flatten)]
    of: Of,
    /// HubSpot's id of the pipeline.
    pipeline: String,
    /// HubSpot's id of the stage.
    id: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    again: Again,
}

impl StageCommand {
    pub(super) const fn shown(&self) -> &ShownHandle {
        match self {
            Self::Create(args) => &args.of.shown,
            Self::Update(args) => &args.of.shown,
            Self::Archive(args) => &args.of.shown,
        }
    }
}

/// Runs `crm stage`.
///
/// # Errors
/// If the service refuses or is not reached.
pub(super) async fn run(command: StageCommand, service: &Service, output: &Output) -> Result<(), Error> {
    match command {
        StageCommand::Create(args) => create(args, service, output).await,
        StageCommand::Update(args) => update(args, service, output).await,
        StageCommand::Archive(args) => archive(args, service, output).await,
    }
}

async fn create(args: CreateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = CreatePipelineStageRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        pipeline_id: args.pipeline,
        stage: Some(args.stage),
        display_order: args.place,
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.create_pipeline_stage(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        let name = "hubkeep.crm.v1.CreatePipelineStageResponse";
        return output.document(&wire_json::of(name, &answer)?);
    }
    one_stage(&answer.stage.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

async fn update(args: UpdateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = UpdatePipelineStageRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        pipeline_id: args.pipeline,
        stage_id: args.id,
        label: args.label,
        display_order: args.place,
        metadata: args.metadata.into_iter().collect(),
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.update_pipeline_stage(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        let name = "hubkeep.crm.v1.UpdatePipelineStageResponse";
        return output.document(&wire_json::of(name, &answer)?);
    }
    one_stage(&answer.stage.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

async fn archive(args: ArchiveArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let (id, pipeline) = (printable(&args.id), printable(&args.pipeline));
    let slug = printable(&args.of.slug);
    let question =
        format!("Archiving the stage {id} of the pipeline {pipeline} of {slug} cannot be undone here.");
    confirm::sure(&question, args.yes, output)?;
    let request = ArchivePipelineStageRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        pipeline_id: args.pipeline,
        stage_id: args.id,
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.archive_pipeline_stage(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        let name = "hubkeep.crm.v1.ArchivePipelineStageResponse";
        return output.document(&wire_json::of(name, &answer)?);
    }
    output.line(&format!("{GOOD}archived{GOOD:#} {id}"))?;
    show::reply(answer.reply.as_ref(), output)
}
