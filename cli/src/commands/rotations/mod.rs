//! `hubkeep rotations`: where each rotation stands, and what an operator or a consumer does about it.

mod consumer;
mod show;
mod which;

use clap::{Args, Subcommand};
use hubkeep_core::clock::SharedClock;
use hubkeep_proto::credential::v1::{
    CancelRotationRequest, CloseRotationRequest, GetRotationRequest,
    rotation_service_client::RotationServiceClient,
};
use serde_json::{Value, json};

use self::which::{Named, named};
use crate::{channel::Service, errors::Error, exit::Exit, output::Output, wire_json};

/// The checklist of rotations: which old tokens still live, and who still runs on them.
#[derive(Args, Debug)]
pub struct RotationsArgs {
    #[command(subcommand)]
    command: Option<RotationsCommand>,
}

#[derive(Subcommand, Debug)]
enum RotationsCommand {
    /// List rotations that are not over; this is also what `rotations` alone does.
    List {
        /// Only those of this portal.
        #[arg(long, value_name = "SLUG")]
        portal: Option<String>,
        /// Also those that are over.
        #[arg(long)]
        all: bool,
    },
    /// Show one rotation with the tasks of its consumers.
    Show {
        /// The rotation's id, or the slug of the portal whose open rotation it is.
        #[arg(value_name = "SLUG|ID", value_parser = named)]
        rotation: Named,
    },
    /// Put the old token back in force, as long as HubSpot accepts it.
    Cancel {
        /// The rotation's id, or the slug of the portal whose open rotation it is.
        #[arg(value_name = "SLUG|ID", value_parser = named)]
        rotation: Named,
        /// Why; it stays with the rotation.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End the checklist of a rotation that is not done. What is open stays recorded with it.
    Close {
        /// The rotation's id, or the slug of the portal whose open rotation it is.
        #[arg(value_name = "SLUG|ID", value_parser = named)]
        rotation: Named,
        /// Why; it stays with the rotation.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// As a consumer: say which token we run on now.
    Ack(consumer::AckArgs),
    /// As a consumer: print our open tasks, and each new one as it comes.
    Watch,
}

/// Runs `rotations`.
///
/// # Errors
/// If the service refuses or is not reached.
pub async fn run(
    args: RotationsArgs,
    service: &Service,
    clock: &SharedClock,
    output: &Output,
) -> Result<Exit, Error> {
    match args.command {
        None => list(None, false, service, output).await?,
        Some(RotationsCommand::List { portal, all }) => list(portal, all, service, output).await?,
        Some(RotationsCommand::Show { rotation }) => {
            show_one(rotation.id(service).await?, service, output).await?;
        }
        Some(RotationsCommand::Cancel { rotation, reason }) => {
            cancel(rotation.id(service).await?, reason, service, output).await?;
        }
        Some(RotationsCommand::Close { rotation, reason }) => {
            close(rotation.id(service).await?, reason, service, output).await?;
        }
        Some(RotationsCommand::Ack(args)) => consumer::acknowledge(args, service, clock, output).await?,
        Some(RotationsCommand::Watch) => consumer::watch(&service.clone().without_timeout(), output).await?,
    }
    Ok(Exit::Done)
}

async fn list(portal: Option<String>, all: bool, service: &Service, output: &Output) -> Result<(), Error> {
    let rotations = which::all(portal.unwrap_or_default(), all, service).await?;
    if output.is_json() {
        let name = "hubkeep.credential.v1.Rotation";
        let rotations: Result<Vec<Value>, Error> = rotations
            .iter()
            .map(|rotation| wire_json::of(name, rotation))
            .collect();
        return output.document(&json!({ "rotations": rotations? }));
    }
    show::table(&rotations, all, output)
}

async fn show_one(rotation_id: String, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = RotationServiceClient::new(service.connection());
    let answer = client.get_rotation(GetRotationRequest { rotation_id }).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.GetRotationResponse",
            &answer,
        )?);
    }
    show::whole(&answer, output)
}

async fn cancel(
    rotation_id: String,
    reason: String,
    service: &Service,
    output: &Output,
) -> Result<(), Error> {
    let mut client = RotationServiceClient::new(service.connection());
    let answer = client
        .cancel_rotation(CancelRotationRequest { rotation_id, reason })
        .await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.CancelRotationResponse",
            &answer,
        )?);
    }
    show::verdict("rolled back", &answer.rotation.unwrap_or_default(), output)
}

async fn close(rotation_id: String, reason: String, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = RotationServiceClient::new(service.connection());
    let answer = client
        .close_rotation(CloseRotationRequest { rotation_id, reason })
        .await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.CloseRotationResponse",
            &answer,
        )?);
    }
    show::verdict("closed", &answer.rotation.unwrap_or_default(), output)
}
