//! `hubkeep audit retention`, `hold` and `release`: how far back the logs reach, and which of them must not be pruned.

use clap::Args;
use hubkeep_proto::audit::v1::{
    Beginning, GetRetentionRequest, HoldLogRequest, LogRetention, ReleaseLogRequest,
    audit_service_client::AuditServiceClient,
};

use super::From;
use crate::{
    channel::Service, commands::time::day_and_time, errors::Error, exit::Exit, output::Output, wire_json,
};

/// Logs in one answer.
const PAGE: i32 = 500;

#[derive(Args, Debug)]
pub(super) struct RetentionArgs {
    /// Only this portal's logs, by its slug.
    #[arg(value_name = "SLUG")]
    portal: Option<String>,
    /// Of which service.
    #[arg(long, value_enum, default_value = "both", value_name = "SERVICE")]
    pub(super) from: From,
}

#[derive(Args, Debug)]
pub(super) struct HoldArgs {
    /// The portal, by its slug.
    #[arg(value_name = "SLUG")]
    portal: String,
    /// Why: kept on the log.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Of which service.
    #[arg(long, value_enum, default_value = "both", value_name = "SERVICE")]
    pub(super) from: From,
}

/// What a remark says of a log of which entries are gone.
pub(super) fn begins(beginning: &Beginning) -> String {
    format!(
        "{} begins with index {}: what was made until {} was older than entries are kept",
        beginning.log,
        beginning.first_index,
        day_and_time(beginning.newest_pruned_time.as_ref())
    )
}

/// How far back logs reach.
pub(super) async fn show(args: RetentionArgs, services: &[Service], output: &Output) -> Result<Exit, Error> {
    let (mut rows, mut kept) = (Vec::new(), Vec::new());
    for service in services {
        let mut request = GetRetentionRequest {
            client_slug: args.portal.clone().unwrap_or_default(),
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut client = AuditServiceClient::new(service.connection());
        loop {
            let page = client.get_retention(request.clone()).await;
            let page = page.map_err(|status| service.ended(status))?.into_inner();
            rows.extend(page.logs);
            if page.next_page_token.is_empty() {
                kept.push(format!(
                    "{}: entries are kept {}",
                    service.name(),
                    lasting(&page.keep)
                ));
                break;
            }
            request.page_token = page.next_page_token;
        }
    }
    print(rows, output)?;
    for kept in kept {
        output.note(&kept)?;
    }
    Ok(Exit::Done)
}

/// "for 25 months", "for ever".
fn lasting(keep: &str) -> String {
    match keep.starts_with("for ") {
        true => keep.to_owned(),
        false => format!("for {keep}"),
    }
}

/// Lets nothing of a portal's logs be pruned.
pub(super) async fn hold(args: HoldArgs, services: &[Service], output: &Output) -> Result<Exit, Error> {
    let mut held = Vec::new();
    for service in services {
        let request = HoldLogRequest {
            client_slug: args.portal.clone(),
            log: String::new(),
            reason: args.reason.clone(),
        };
        let mut client = AuditServiceClient::new(service.connection());
        let answer = client.hold_log(request).await;
        held.extend(answer.map_err(|status| service.ended(status))?.into_inner().log);
    }
    print(held, output)?;
    Ok(Exit::Done)
}

/// Ends that.
pub(super) async fn release(args: HoldArgs, services: &[Service], output: &Output) -> Result<Exit, Error> {
    let mut released = Vec::new();
    for service in services {
        let request = ReleaseLogRequest {
            client_slug: args.portal.clone(),
            log: String::new(),
            reason: args.reason.clone(),
        };
        let mut client = AuditServiceClient::new(service.connection());
        let answer = client.release_log(request).await;
        released.extend(answer.map_err(|status| service.ended(status))?.into_inner().log);
    }
    print(released, output)?;
    Ok(Exit::Done)
}

fn print(logs: Vec<LogRetention>, output: &Output) -> Result<(), Error> {
    if output.is_json() {
        for log in &logs {
            output.json_line(&wire_json::of("hubkeep.audit.v1.LogRetention", log)?)?;
        }
        return Ok(());
    }
    let header = ["LOG", "ENTRIES", "FROM INDEX", "FROM", "NEXT PRUNING", "HELD"];
    output.table(&header, logs.iter().map(row).collect(), "no logs")
}

fn row(log: &LogRetention) -> Vec<String> {
    let held = log.hold.as_ref().map_or_else(String::new, |hold| {
        let since = day_and_time(hold.hold_time.as_ref());
        format!("{} ({}, {since})", hold.reason, hold.operator)
    });
    vec![
        log.log.clone(),
        log.size.to_string(),
        log.first_index.to_string(),
        day_and_time(log.first_time.as_ref()),
        day_and_time(log.next_time.as_ref()),
        held,
    ]
}
