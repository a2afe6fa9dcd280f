//! `hubkeep consumers`: who runs on tokens of portals, and must hear of rotations.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hubkeep_proto::credential::v1::{
    Consumer, ListConsumersRequest, RegisterConsumerRequest, RemoveConsumerRequest,
    rotation_service_client::RotationServiceClient,
};
use serde_json::{Value, json};

use super::{bulk::counted, secret_input, time::day_and_time};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{COPY, GOOD, Output},
    wire_json,
};

/// Consumers asked for at once.
const PAGE: i32 = 1_000;

/// Register, list and remove those who run on tokens of portals.
#[derive(Args, Debug)]
pub struct ConsumersArgs {
    #[command(subcommand)]
    command: Option<ConsumersCommand>,
}

#[derive(Subcommand, Debug)]
enum ConsumersCommand {
    /// Register a consumer; it gets a task for each rotation from now on.
    Add(AddArgs),
    /// List all consumers; this is also what `consumers` alone does.
    List,
    /// Remove a consumer. Its open tasks are dropped, which needs a reason.
    Remove {
        /// The consumer's name.
        name: String,
        /// Why its open tasks need not be done; it stays with them.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Args, Debug)]
struct AddArgs {
    /// The name by which it calls, as its certificate states it.
    name: String,
    /// The portals whose rotations concern it, by slug; '*' for all.
    #[arg(
        long,
        value_delimiter = ',',
        required_unless_present = "tags",
        value_name = "SLUG,…"
    )]
    portals: Vec<String>,
    /// Further portals: each that has one of these tags at the moment of its rotation.
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
    /// Where it is told, by signed POST (Standard Webhooks). Without it, it watches.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Where the secret of the signatures stands (whsec_…). Without it one is made, and shown once.
    #[arg(long, value_name = "FILE", requires = "webhook")]
    secret_file: Option<PathBuf>,
    /// How long it has to acknowledge a rotation.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    deadline: humantime::Duration,
}

/// Runs `consumers`.
///
/// # Errors
/// If the service refuses or is not reached.
pub async fn run(args: ConsumersArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        None | Some(ConsumersCommand::List) => list(service, output).await?,
        Some(ConsumersCommand::Add(args)) => add(args, service, output).await?,
        Some(ConsumersCommand::Remove { name, reason }) => {
            remove(name, reason.unwrap_or_default(), service, output).await?;
        }
    }
    Ok(Exit::Done)
}

async fn add(args: AddArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let deadline = prost_types::Duration::try_from(*args.deadline)
        .map_err(|_| Error::Usage("--deadline is out of range".to_owned()))?;
    let secret = match &args.secret_file {
        Some(file) => secret_input::read(Some(file), "secret")?.to_string(),
        None => String::new(),
    };
    let request = RegisterConsumerRequest {
        consumer_name: args.name,
        client_slugs: args.portals,
        webhook_url: args.webhook.unwrap_or_default(),
        webhook_secret: secret,
        deadline: Some(deadline),
        tags: args.tags,
    };
    let mut client = RotationServiceClient::new(service.connection());
    let answer = client.register_consumer(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.RegisterConsumerResponse",
            &answer,
        )?);
    }
    let consumer = answer.consumer.unwrap_or_default();
    output.line(&format!("{GOOD}registered{GOOD:#}: {}", consumer.consumer_name))?;
    if !answer.made_webhook_secret.is_empty() {
        output.line(&format!("{COPY}{}{COPY:#}", answer.made_webhook_secret))?;
        output.note("the secret of its webhook is shown this once")?;
    }
    Ok(())
}

async fn list(service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = RotationServiceClient::new(service.connection());
    let mut request = ListConsumersRequest {
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut consumers: Vec<Consumer> = Vec::new();
    loop {
        let page = client.list_consumers(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        consumers.extend(page.consumers);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output.is_json() {
        let name = "hubkeep.credential.v1.Consumer";
        let consumers: Result<Vec<Value>, Error> = consumers
            .iter()
            .map(|consumer| wire_json::of(name, consumer))
            .collect();
        return output.document(&json!({ "consumers": consumers? }));
    }
    let header = ["consumer", "portals", "tags", "told by", "deadline", "registered"];
    output.table(&header, consumers.iter().map(row).collect(), "no consumers yet")
}

fn row(consumer: &Consumer) -> Vec<String> {
    let deadline = consumer
        .deadline
        .and_then(|wire| std::time::Duration::try_from(wire).ok());
    vec![
        consumer.consumer_name.clone(),
        consumer.client_slugs.join(" "),
        consumer.tags.join(", "),
        match consumer.webhook_url.as_str() {
            "" => "watching".to_owned(),
            url => url.to_owned(),
        },
        deadline.map_or_else(
            || "–".to_owned(),
            |time| humantime::format_duration(time).to_string(),
        ),
        day_and_time(consumer.register_time.as_ref()),
    ]
}

async fn remove(
    consumer_name: String,
    reason: String,
    service: &Service,
    output: &Output,
) -> Result<(), Error> {
    let mut client = RotationServiceClient::new(service.connection());
    let answer = client
        .remove_consumer(RemoveConsumerRequest {
            consumer_name,
            reason,
        })
        .await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.RemoveConsumerResponse",
            &answer,
        )?);
    }
    output.line(&format!(
        "{GOOD}removed{GOOD:#}; dropped with it: {}",
        counted(answer.removed_tasks.try_into().unwrap_or(usize::MAX), "open task")
    ))
}
