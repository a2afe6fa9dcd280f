//! What a consumer does: watches its tasks, and acknowledges them.

use std::path::PathBuf;

use clap::Args;
use hubkeep_core::secret::PortalToken;
use hubkeep_proto::credential::v1::{
    AcknowledgeRotationRequest, WatchRotationsRequest, consumer_service_client::ConsumerServiceClient,
};

use crate::{
    channel::Service,
    commands::{secret_input, time::day_and_time},
    errors::Error,
    output::{GOOD, Output, STRONG},
    wire_json,
};

/// What is acknowledged.
#[derive(Args, Debug)]
pub(super) struct AckArgs {
    /// The rotation's id.
    id: String,
    /// The vault's store version that we have.
    #[arg(long, value_name = "NUMBER")]
    store_version: u64,
    /// The first 16 hexadecimal digits of the SHA-256 of the token that we run on.
    #[arg(long, value_name = "HEX", conflicts_with = "token_file")]
    fingerprint: Option<String>,
    /// Where that token stands, to take its fingerprint here; else standard input. The token is not sent.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

pub(super) async fn acknowledge(args: AckArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let token_fingerprint = match args.fingerprint {
        Some(fingerprint) => fingerprint,
        None => {
            let token = secret_input::read(args.token_file.as_deref(), "token")?;
            PortalToken::new(token.to_string()).fingerprint().to_string()
        }
    };
    let request = AcknowledgeRotationRequest {
        rotation_id: args.id,
        token_fingerprint,
        store_version: args.store_version,
    };
    let mut client = ConsumerServiceClient::new(service.connection());
    let answer = client.acknowledge_rotation(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.AcknowledgeRotationResponse",
            &answer,
        )?);
    }
    let task = answer.task.unwrap_or_default();
    output.line(&format!("{GOOD}acknowledged{GOOD:#}: {}", task.rotation_id))
}

pub(super) async fn watch(service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = ConsumerServiceClient::new(service.connection());
    let opened = client.watch_rotations(WatchRotationsRequest {}).await;
    let mut tasks = opened.map_err(|status| service.ended(status))?.into_inner();
    while let Some(told) = tasks.message().await.map_err(|status| service.ended(status))? {
        if output.is_json() {
            output.json_line(&wire_json::of(
                "hubkeep.credential.v1.WatchRotationsResponse",
                &told,
            )?)?;
            continue;
        }
        let notice = told.notice.unwrap_or_default();
        let what = if notice.rolled_back {
            "rolled back"
        } else {
            "switched"
        };
        output.line(&format!(
            "{STRONG}{}{STRONG:#} {} {what} to token {} at store version {}, due {}: hubkeep rotations ack {}",
            notice.client_slug,
            notice.credential_name,
            notice.token_fingerprint,
            notice.store_version,
            day_and_time(notice.due_time.as_ref()),
            notice.rotation_id
        ))?;
    }
    Ok(())
}
