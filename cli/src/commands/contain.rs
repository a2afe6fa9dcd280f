//! `hubkeep contain`: stops a portal, a caller, a person or a handle's family, and says when that has arrived everywhere.

use clap::{Args, Subcommand};
use hubkeep_proto::credential::v1::{
    ContainRequest, Containment, HandleHolder, LiftContainmentRequest, ListContainmentsRequest,
    containment_service_client::ContainmentServiceClient, handle_holder::Holder,
};
use serde_json::{Value, json};

use super::{
    revoke::{exit, tell, wait},
    time::day_and_time,
};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{GOOD, HALT, Output, printable},
    wire_json,
};

/// Containments asked for at once.
const PAGE: i32 = 1_000;

/// Stop a portal, a caller, a person or a handle's family at once and everywhere, until it is lifted.
#[derive(Args, Debug)]
pub struct ContainArgs {
    #[command(subcommand)]
    command: ContainCommand,
}

#[derive(Subcommand, Debug)]
enum ContainCommand {
    /// A portal: nobody makes a call for it, or gets a handle for it.
    Portal(WhatArgs),
    /// A caller, by the name in its certificate.
    Caller(WhatArgs),
    /// Every caller that is this person.
    Person(WhatArgs),
    /// A handle with its family, by its public id. It never lives again, so there is nothing to lift.
    Handle(WhatArgs),
    /// List what is contained, the newest first.
    List,
    /// Lift a containment. Handles that it ended stay dead.
    Lift {
        #[command(subcommand)]
        what: LiftCommand,
    },
}

#[derive(Subcommand, Debug)]
enum LiftCommand {
    /// Of a portal.
    Portal(LiftArgs),
    /// Of a caller.
    Caller(LiftArgs),
    /// Of a person.
    Person(LiftArgs),
}

#[derive(Args, Debug)]
struct WhatArgs {
    /// Its name: a slug, a caller's or a person's name, or a handle's public id.
    name: String,
    /// Why: it stands on the audit log, so no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Wait this long at most until every crm-service has stopped; 10s at most.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    wait: humantime::Duration,
}

#[derive(Args, Debug)]
struct LiftArgs {
    /// Its name.
    name: String,
    /// Why: it stands on the audit log, so no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Runs `contain`.
///
/// # Errors
/// If the service refuses or is not reached.
pub async fn run(args: ContainArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        ContainCommand::Portal(args) => contain(Holder::ClientSlug, args, service, output).await,
        ContainCommand::Caller(args) => contain(Holder::Caller, args, service, output).await,
        ContainCommand::Person(args) => contain(Holder::PersonId, args, service, output).await,
        ContainCommand::Handle(args) => contain(Holder::HandleId, args, service, output).await,
        ContainCommand::List => list(service, output).await,
        ContainCommand::Lift { what } => match what {
            LiftCommand::Portal(args) => lift(Holder::ClientSlug, args, service, output).await,
            LiftCommand::Caller(args) => lift(Holder::Caller, args, service, output).await,
            LiftCommand::Person(args) => lift(Holder::PersonId, args, service, output).await,
        },
    }
}

fn target(holder: Holder) -> Option<HandleHolder> {
    Some(HandleHolder { holder: Some(holder) })
}

async fn contain(
    of: fn(String) -> Holder,
    args: WhatArgs,
    service: &Service,
    output: &Output,
) -> Result<Exit, Error> {
    let request = ContainRequest {
        target: target(of(args.name)),
        reason: args.reason,
        wait: wait(Some(args.wait))?,
    };
    let mut client = ContainmentServiceClient::new(service.connection());
    let answer = client.contain(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        output.document(&wire_json::of("hubkeep.credential.v1.ContainResponse", &answer)?)?;
        return Ok(exit(answer.reach.as_ref()));
    }
    let containment = answer.containment.unwrap_or_default();
    output.line(&format!(
        "{HALT}contained{HALT:#} {} since {} UTC (revocation {})",
        printable(&named(&containment)),
        day_and_time(containment.contain_time.as_ref()),
        answer.revocation_seq,
    ))?;
    if !answer.known {
        output.note(&format!(
            "{HALT}nothing names it{HALT:#}: no grant, no person, no rule or role, no handle of the last 24 h; it is contained all the same, but \
             look for a typo, and lift what was not meant"
        ))?;
    }
    tell(answer.reach.as_ref(), output)
}

async fn lift(
    of: fn(String) -> Holder,
    args: LiftArgs,
    service: &Service,
    output: &Output,
) -> Result<Exit, Error> {
    let request = LiftContainmentRequest {
        target: target(of(args.name)),
        reason: args.reason,
    };
    let mut client = ContainmentServiceClient::new(service.connection());
    let answer = client.lift_containment(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        output.document(&wire_json::of(
            "hubkeep.credential.v1.LiftContainmentResponse",
            &answer,
        )?)?;
    } else {
        output.line(&format!(
            "{GOOD}lifted{GOOD:#}: new handles may be taken; those that it ended stay dead"
        ))?;
    }
    Ok(Exit::Done)
}

async fn list(service: &Service, output: &Output) -> Result<Exit, Error> {
    let all = all(service).await?;
    if output.is_json() {
        let name = "hubkeep.credential.v1.Containment";
        let all: Vec<Value> = all
            .iter()
            .map(|one| wire_json::of(name, one))
            .collect::<Result<_, _>>()?;
        output.document(&json!({ "containments": all }))?;
        return Ok(Exit::Done);
    }
    let row = |one: &Containment| {
        vec![
            named(one),
            day_and_time(one.contain_time.as_ref()),
            one.contained_by.clone(),
            one.reason.clone(),
        ]
    };
    let header = ["what", "since", "by", "why"];
    output.table(&header, all.iter().map(row).collect(), "nothing is contained")?;
    Ok(Exit::Done)
}

/// Everything that is contained, page after page.
async fn all(service: &Service) -> Result<Vec<Containment>, Error> {
    let mut client = ContainmentServiceClient::new(service.connection());
    let mut request = ListContainmentsRequest {
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut all = Vec::new();
    loop {
        let page = client.list_containments(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        all.extend(page.containments);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

/// What is contained, in words.
fn named(containment: &Containment) -> String {
    let holder = containment.target.clone().and_then(|target| target.holder);
    match holder {
        Some(Holder::ClientSlug(slug)) => format!("portal {slug}"),
        Some(Holder::Caller(name)) => format!("caller {name}"),
        Some(Holder::PersonId(id)) => format!("person {id}"),
        Some(Holder::HandleId(id)) => format!("handle {id}"),
        Some(Holder::ConnectionId(id)) => format!("connection {id}"),
        None => "nothing".to_owned(),
    }
}
