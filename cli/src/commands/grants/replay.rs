//! `hubkeep grants replay`: which handles of the last day other grants would not have allowed.

use std::path::PathBuf;

use clap::Args;
use hubkeep_proto::credential::v1::{
    ReplayGrantsRequest, ReplayedRefusal, access_service_client::AccessServiceClient,
};

use super::file;
use crate::{
    channel::Service,
    commands::time::day_and_time,
    errors::Error,
    output::{GOOD, HALT, Output},
    wire_json,
};

/// Say which handles of the last day would not have been issued, had the grants been others. Changes nothing.
#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    /// Grants as they would be, in a file as for `grants put --file`: each beside the others, or in the place of the one
    /// with its id.
    #[arg(long, value_name = "FILE", required_unless_present = "without")]
    file: Option<PathBuf>,
    /// Grants that would be gone, by id.
    #[arg(long, value_delimiter = ',', value_name = "ID,…")]
    without: Vec<String>,
    /// How far to look back, 24h at most.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: humantime::Duration,
}

pub(super) async fn run(args: ReplayArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let since = prost_types::Duration::try_from(*args.since)
        .map_err(|_| Error::Usage("--since is out of range".to_owned()))?;
    let request = ReplayGrantsRequest {
        grants: args
            .file
            .as_deref()
            .map(file::read)
            .transpose()?
            .unwrap_or_default(),
        without_grant_ids: args.without,
        since: Some(since),
    };
    let answer = AccessServiceClient::new(service.connection())
        .replay_grants(request)
        .await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.ReplayGrantsResponse",
            &answer,
        )?);
    }
    let refused: u64 = answer.refusals.iter().map(|refusal| refusal.count).sum();
    let issued = answer.issued;
    if refused == 0 {
        return output.line(&format!(
            "{GOOD}all {issued} handles would have been issued{GOOD:#}"
        ));
    }
    output.line(&format!(
        "{HALT}{refused} of {issued} handles would not have been issued{HALT:#}"
    ))?;
    let header = ["caller", "portal", "count", "lacking", "issued under", "last"];
    let rows = answer.refusals.iter().map(row).collect();
    output.table_without(&["issued under", "last"], &header, rows, "")
}

fn row(refusal: &ReplayedRefusal) -> Vec<String> {
    vec![
        refusal.caller.clone(),
        refusal.client_slug.clone(),
        refusal.count.to_string(),
        refusal.lacking.clone(),
        match refusal.grant_id.as_str() {
            "" => "–".to_owned(),
            grant_id => grant_id.to_owned(),
        },
        day_and_time(refusal.last_issue_time.as_ref()),
    ]
}
