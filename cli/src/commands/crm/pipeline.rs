//! Pipelines and their stages: what there are, made, changed and archived.

use clap::{Args, Subcommand};
use hubkeep_proto::crm::v1::{
    ArchivePipelineRequest, CreatePipelineRequest, GetPipelineRequest, ListPipelinesRequest, Pipeline,
    PipelineStage, PipelineStageToCreate, UpdatePipelineRequest, schema_service_client::SchemaServiceClient,
};

use super::{Again, Of, show};
use crate::{
    channel::Service,
    commands::{confirm, shown_handle::ShownHandle},
    errors::Error,
    output::{GOOD, Output, STRONG, printable},
    wire_json,
};

#[derive(Args, Debug)]
pub(super) struct PipelinesArgs {
    #[command(flatten)]
    pub(super) of: Of,
    /// Only this one, by HubSpot's id of it.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

#[derive(Subcommand, Debug)]
pub(super) enum PipelineCommand {
    /// Make a pipeline with its stages.
    Create(CreateArgs),
    /// Change a pipeline, but for its stages; what is left out stays as it is.
    Update(UpdateArgs),
    /// Archive a pipeline. HubSpot refuses it while records are in it.
    Archive(ArchiveArgs),
}

#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    of: Of,
    /// What people see.
    label: String,
    /// A stage, in their order; repeat it for all. Behind its label what HubSpot must know of it beside:
    /// "Won;probability=1.0" of deals, "Closed;ticketState=CLOSED" of tickets.
    #[arg(long, value_name = "LABEL[;NAME=VALUE…]", value_parser = stage, required = true)]
    stage: Vec<PipelineStageToCreate>,
    /// Its place among the others of its type, from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    place: i32,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    of: Of,
    /// HubSpot's id of it.
    id: String,
    /// What people see.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Its place among the others of its type, from 0.
    #[arg(long, value_name = "N")]
    place: Option<i32>,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct ArchiveArgs {
    #[command(flatten)]
    of: Of,
    /// HubSpot's id of it.
    id: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    again: Again,
}

impl PipelineCommand {
    pub(super) const fn shown(&self) -> &ShownHandle {
        match self {
            Self::Create(args) => &args.of.shown,
            Self::Update(args) => &args.of.shown,
            Self::Archive(args) => &args.of.shown,
        }
    }
}

/// Lists pipelines with their stages, or shows one.
pub(super) async fn list(args: PipelinesArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = SchemaServiceClient::new(service.connection());
    let expected_portal_id = args.of.expected.stated();
    let (client_slug, object_type) = (args.of.slug, args.of.object_type);
    if let Some(pipeline_id) = args.id {
        let request = GetPipelineRequest {
            client_slug,
            object_type,
            pipeline_id,
            expected_portal_id,
        };
        let answer = client.get_pipeline(request).await;
        let answer = answer.map_err(|status| service.ended(status))?.into_inner();
        if output.is_json() {
            return output.document(&wire_json::of("hubkeep.crm.v1.GetPipelineResponse", &answer)?);
        }
        one(&answer.pipeline.unwrap_or_default(), output)?;
        return show::reply(answer.reply.as_ref(), output);
    }
    let request = ListPipelinesRequest {
        client_slug,
        object_type,
        expected_portal_id,
    };
    let answer = client.list_pipelines(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.ListPipelinesResponse", &answer)?);
    }
    if answer.pipelines.is_empty() {
        output.line("no pipelines")?;
    }
    for pipeline in &answer.pipelines {
        one(pipeline, output)?;
    }
    show::reply(answer.reply.as_ref(), output)
}

/// Runs `crm pipeline`.
///
/// # Errors
/// If the service refuses or is not reached.
pub(super) async fn run(command: PipelineCommand, service: &Service, output: &Output) -> Result<(), Error> {
    match command {
        PipelineCommand::Create(args) => create(args, service, output).await,
        PipelineCommand::Update(args) => update(args, service, output).await,
        PipelineCommand::Archive(args) => archive(args, service, output).await,
    }
}

async fn create(args: CreateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = CreatePipelineRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        label: args.label,
        display_order: args.place,
        stages: args.stage,
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.create_pipeline(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.CreatePipelineResponse", &answer)?);
    }
    one(&answer.pipeline.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

async fn update(args: UpdateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = UpdatePipelineRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        pipeline_id: args.id,
        label: args.label,
        display_order: args.place,
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.update_pipeline(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.UpdatePipelineResponse", &answer)?);
    }
    one(&answer.pipeline.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

async fn archive(args: ArchiveArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let (id, slug) = (printable(&args.id), printable(&args.of.slug));
    let question = format!("Archiving the pipeline {id} of {slug} cannot be undone here.");
    confirm::sure(&question, args.yes, output)?;
    let request = ArchivePipelineRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        pipeline_id: args.id,
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.archive_pipeline(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.ArchivePipelineResponse", &answer)?);
    }
    output.line(&format!("{GOOD}archived{GOOD:#} {id}"))?;
    show::reply(answer.reply.as_ref(), output)
}

fn one(pipeline: &Pipeline, output: &Output) -> Result<(), Error> {
    let archived = if pipeline.archived { "  archived" } else { "" };
    let (id, label) = (printable(&pipeline.pipeline_id), printable(&pipeline.label));
    output.line(&format!("{STRONG}{id}{STRONG:#}  {label}{archived}"))?;
    pipeline
        .stages
        .iter()
        .try_for_each(|stage| one_stage(stage, output))
}

/// A stage, on a line of its own.
pub(super) fn one_stage(stage: &PipelineStage, output: &Output) -> Result<(), Error> {
    let archived = if stage.archived { "  archived" } else { "" };
    let (id, label) = (printable(&stage.stage_id), printable(&stage.label));
    let known = stage.metadata.iter();
    let known = known.map(|(name, value)| format!("  {}={}", printable(name), printable(value)));
    output.line(&format!("  {id}  {label}{}{archived}", known.collect::<String>()))
}

/// "Won;probability=1.0".
pub(super) fn stage(text: &str) -> Result<PipelineStageToCreate, String> {
    let mut parts = text.split(';');
    let label = parts.next().unwrap_or_default().trim().to_owned();
    if label.is_empty() {
        return Err("expected LABEL, or LABEL;NAME=VALUE, for example Won;probability=1.0".to_owned());
    }
    let metadata = parts.map(known).collect::<Result<_, _>>()?;
    Ok(PipelineStageToCreate { label, metadata })
}

/// "probability=1.0".
pub(super) fn known(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected NAME=VALUE, for example probability=1.0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_a_label_and_what_hubspot_must_know_of_it() {
        let read = stage("Won; probability = 1.0").expect("reads");
        assert_eq!(read.label, "Won");
        assert_eq!(read.metadata["probability"], "1.0");
        assert!(stage("Won").expect("reads").metadata.is_empty());
        assert!(stage("").is_err() && stage(";a=b").is_err() && stage("Won;probability").is_err());
    }

    #[test]
    fn a_pipeline_is_told_with_its_stages() {
        let (output, answers, _) = Output::on_paper(false);
        let won = PipelineStage {
            stage_id: "w".to_owned(),
            label: "Won".to_owned(),
            metadata: [("probability".to_owned(), "1.0".to_owned())].into(),
            ..PipelineStage::default()
        };
        let pipeline = Pipeline {
            pipeline_id: "7".to_owned(),
            label: "Sales".to_owned(),
            stages: vec![won],
            archived: true,
            ..Pipeline::default()
        };
        one(&pipeline, &output).expect("written");
        let text = answers.text();
        for part in ["Sales  archived", "w  Won  probability=1.0"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
