//! What a consumer does: watches its tasks, and acknowledges them.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use hubkeep_core::{clock::SharedClock, secret::PortalToken};
use hubkeep_proto::{
    credential::v1::{
        AcknowledgeRotationRequest, RotationNotice, WatchRotationsRequest,
        consumer_service_client::ConsumerServiceClient,
    },
    error::v1::ErrorReason,
};

use super::which::{Named, named};
use crate::{
    channel::Service,
    commands::{secret_input, time::day_and_time},
    errors::Error,
    output::{GOOD, Output, STRONG},
    wire_json,
};

/// After so long without a task, all open ones have been told.
const SILENCE: Duration = Duration::from_secs(3);

/// What is acknowledged.
#[derive(Args, Debug)]
pub(super) struct AckArgs {
    /// The rotation's id, or the slug of its portal.
    #[arg(value_name = "SLUG|ID", value_parser = named)]
    rotation: Named,
    /// The vault's store version that we have; without it, the one at which our token was put in force.
    #[arg(long, value_name = "NUMBER")]
    store_version: Option<u64>,
    /// The first 16 hexadecimal digits of the SHA-256 of the token that we run on.
    #[arg(long, value_name = "HEX", conflicts_with = "token_file")]
    fingerprint: Option<String>,
    /// Where that token stands, to take its fingerprint here; else standard input. The token is not sent.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

pub(super) async fn acknowledge(
    args: AckArgs,
    service: &Service,
    clock: &SharedClock,
    output: &Output,
) -> Result<(), Error> {
    let token_fingerprint = match args.fingerprint {
        Some(fingerprint) => fingerprint,
        None => {
            let token = secret_input::read(args.token_file.as_deref(), "token")?;
            PortalToken::new(token.to_string()).fingerprint().to_string()
        }
    };
    let (rotation_id, store_version) = match (args.rotation, args.store_version) {
        (Named::Id(id), Some(version)) => (id, version),
        (named, version) => {
            let task = open_task(&named, &token_fingerprint, service, clock).await?;
            (task.rotation_id, version.unwrap_or(task.store_version))
        }
    };
    let request = AcknowledgeRotationRequest {
        rotation_id,
        token_fingerprint,
        store_version,
    };
    let mut client = ConsumerServiceClient::new(service.connection());
    let answer = client.acknowledge_rotation(request).await;
    let answer = answer.map_err(|status| for_a_consumer(service.ended(status), store_version))?;
    let answer = answer.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.AcknowledgeRotationResponse",
            &answer,
        )?);
    }
    let task = answer.task.unwrap_or_default();
    output.line(&format!("{GOOD}acknowledged{GOOD:#}: {}", task.rotation_id))
}

/// Our open task of this rotation that wants this token. A consumer cannot list rotations, but is told its own tasks.
async fn open_task(
    named: &Named,
    fingerprint: &str,
    service: &Service,
    clock: &SharedClock,
) -> Result<RotationNotice, Error> {
    let mut client = ConsumerServiceClient::new(service.connection());
    let opened = client.watch_rotations(WatchRotationsRequest {}).await;
    let mut tasks = opened.map_err(|status| service.ended(status))?.into_inner();
    // The open tasks come at once; what would come later is not open yet.
    while let Some(told) = clock.timeout(SILENCE, tasks.message()).await {
        let told = told.map_err(|status| service.ended(status))?;
        let Some(notice) = told.map(|told| told.notice.unwrap_or_default()) else {
            break;
        };
        if named.is_of(&notice) && notice.token_fingerprint == fingerprint {
            return Ok(notice);
        }
    }
    Err(Error::Usage(
        "no task of ours is open for that rotation and this token: hubkeep rotations watch prints those that are".to_owned(),
    ))
}

/// What the service says, in words that help a consumer.
fn for_a_consumer(error: Error, store_version: u64) -> Error {
    let Error::Refused(mut refusal) = error else {
        return error;
    };
    if refusal.reason == ErrorReason::RotationUnknown.wire_name() {
        refusal.message = "that rotation has no task of ours: hubkeep rotations watch prints ours".to_owned();
    }
    let expected = refusal.metadata.get("expected_store_version");
    let expected = expected.and_then(|version| version.parse::<u64>().ok());
    if let Some(expected) = expected.filter(|expected| *expected < store_version) {
        refusal.message = format!(
            "the vault has not come to store version {store_version}: the token was put in force at {expected}; say \
             the version that was read with it"
        );
    }
    Error::Refused(refusal)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::errors::Refusal;

    fn refused(reason: ErrorReason, expected: &str) -> Error {
        Error::Refused(Box::new(Refusal {
            code: "FAILED_PRECONDITION".to_owned(),
            reason: reason.wire_name().to_owned(),
            message: "read the store anew".to_owned(),
            metadata: BTreeMap::from([("expected_store_version".to_owned(), expected.to_owned())]),
            retry_after_ms: None,
            request_id: String::new(),
            fields: Vec::new(),
        }))
    }

    #[test]
    fn a_consumer_is_told_what_a_consumer_can_do() {
        let newer = for_a_consumer(refused(ErrorReason::StoreVersionMismatch, "7"), 9).to_string();
        assert!(newer.contains("has not come to store version 9"), "{newer}");
        let older = for_a_consumer(refused(ErrorReason::StoreVersionMismatch, "7"), 6).to_string();
        assert_eq!(older, "read the store anew");
        let unknown = for_a_consumer(refused(ErrorReason::RotationUnknown, ""), 6).to_string();
        assert!(unknown.contains("rotations watch"), "{unknown}");
    }
}
