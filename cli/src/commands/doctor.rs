//! `hubkeep doctor`: what is not as it should be in the fleet.

use std::collections::BTreeMap;

use clap::Args;
use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{
    CredentialExamined, Finding, FindingKind, PortalExamined, RunDoctorRequest,
    portal_service_client::PortalServiceClient, run_doctor_response::Message,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::bulk::counted;
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output, printable},
};

/// Look at every portal with HubSpot, within its quota, and tell what is not as it should be. Ends with 7 if anything is.
///
/// Each portal is listed with the age of its tokens, the day's calls that are left, and where HubSpot keeps its data.
///
/// Told are tokens that HubSpot refuses, that are of another portal now, may do more or less than before, or are old;
/// data that moved; a day's calls that run out; portals that are suspended, that a restored backup made old, or whose rows
/// in the vault were altered; and the end of the API version that is spoken. Nothing is changed.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// The portals' slugs; all, if left out.
    slugs: Vec<ClientSlug>,
    /// How old a token may be.
    #[arg(long, value_name = "TIME", default_value = "180days")]
    max_token_age: humantime::Duration,
}

/// Runs `doctor`.
///
/// # Errors
/// If the service refuses or is not reached.
pub async fn run(args: DoctorArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let request = RunDoctorRequest {
        client_slugs: args.slugs.iter().map(ToString::to_string).collect(),
        max_token_age: prost_types::Duration::try_from(*args.max_token_age).ok(),
    };
    let (mut of_service, mut portals) = (Vec::new(), BTreeMap::new());
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} looked at: {pos}") {
        bar.set_style(style);
    }
    let answer = PortalServiceClient::new(service.connection())
        .run_doctor(request)
        .await;
    let mut stream = answer.map_err(|status| service.ended(status))?.into_inner();
    while let Some(response) = stream.message().await.map_err(|status| service.ended(status))? {
        match response.message {
            Some(Message::Service(finding)) => of_service.push(finding),
            Some(Message::Portal(portal)) => {
                bar.inc(1);
                portals.insert((portal.client_slug.clone(), portal.portal_id), portal);
            }
            None => {}
        }
    }
    bar.finish_and_clear();
    tell(&of_service, &portals, output)
}

fn tell(
    of_service: &[Finding],
    portals: &BTreeMap<(String, u64), PortalExamined>,
    output: &Output,
) -> Result<Exit, Error> {
    let ill = portals
        .values()
        .filter(|portal| !portal.findings.is_empty())
        .count();
    let healthy = ill == 0 && of_service.is_empty();
    let exit = if healthy { Exit::Done } else { Exit::Unhealthy };
    if output.is_json() {
        output.document(&json!({
            "service": of_service.iter().map(as_json).collect::<Vec<_>>(),
            "portals": portals.values().map(portal_as_json).collect::<Vec<_>>(),
            "healthy": portals.len().saturating_sub(ill),
            "with_findings": ill,
        }))?;
        return Ok(exit);
    }
    let of_service = of_service.iter().map(|finding| row("(service)", "", finding));
    let of_portals = portals.values().flat_map(|portal| {
        let id = id(portal);
        portal
            .findings
            .iter()
            .map(move |finding| row(&portal.client_slug, &id, finding))
    });
    let looks = portals.values().flat_map(look).collect();
    output.table(&LOOK, looks, "there are no portals")?;
    let header = ["client", "portal", "credential", "finding", "what"];
    output.table(
        &header,
        of_service.chain(of_portals).collect(),
        "nothing is found",
    )?;
    let color = if healthy { GOOD } else { BAD };
    output.line(&format!(
        "{color}{} looked at, {ill} with findings{color:#}",
        counted(portals.len(), "portal")
    ))?;
    Ok(exit)
}

/// The columns of what was looked at: a line for each credential, within 80 columns.
const LOOK: [&str; 6] = ["client", "portal", "credential", "days old", "calls left", "data"];

/// A portal's lines: a portal that could not be looked into has one without a credential.
fn look(portal: &PortalExamined) -> Vec<Vec<String>> {
    let line = |credential: &str, age: String, first: bool| {
        let of_portal = |text: String| if first { text } else { String::new() };
        vec![
            of_portal(portal.client_slug.clone()),
            of_portal(id(portal)),
            credential.to_owned(),
            age,
            of_portal(calls(portal)),
            of_portal(printable(&portal.data_hosting_location)),
        ]
    };
    if portal.credentials.is_empty() {
        return vec![line("", String::new(), true)];
    }
    let lines = portal.credentials.iter().enumerate().map(|(nth, credential)| {
        let age = days(credential).map_or_else(|| "-".to_owned(), |days| days.to_string());
        line(&credential.credential_name, age, nth == 0)
    });
    lines.collect()
}

fn id(portal: &PortalExamined) -> String {
    match portal.portal_id {
        0 => String::new(),
        id => id.to_string(),
    }
}

fn calls(portal: &PortalExamined) -> String {
    let calls = portal.daily_calls.as_ref();
    calls.map_or_else(
        || "-".to_owned(),
        |calls| format!("{}/{}", calls.left, calls.limit),
    )
}

/// How old a token is, in whole days.
fn days(credential: &CredentialExamined) -> Option<i64> {
    let age = credential.token_age.as_ref()?;
    Some(age.seconds / (24 * 60 * 60))
}

fn row(client: &str, portal: &str, finding: &Finding) -> Vec<String> {
    vec![
        client.to_owned(),
        portal.to_owned(),
        finding.credential_name.clone(),
        word(finding.kind()).replace('_', " ").to_lowercase(),
        printable(&finding.message),
    ]
}

fn word(kind: FindingKind) -> &'static str {
    let name = kind.as_str_name();
    name.strip_prefix("FINDING_KIND_").unwrap_or(name)
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "kind": word(finding.kind()),
        "message": finding.message,
        "credential_name": finding.credential_name,
    })
}

fn portal_as_json(portal: &PortalExamined) -> Value {
    json!({
        "client_slug": portal.client_slug,
        "portal_id": portal.portal_id,
        "data_hosting_location": portal.data_hosting_location,
        "daily_calls": portal.daily_calls.as_ref().map(|calls| json!({
            "limit": calls.limit,
            "left": calls.left,
        })),
        "credentials": portal.credentials.iter().map(credential_as_json).collect::<Vec<_>>(),
        "findings": portal.findings.iter().map(as_json).collect::<Vec<_>>(),
    })
}

fn credential_as_json(credential: &CredentialExamined) -> Value {
    let kind = credential.credential_kind().as_str_name();
    json!({
        "credential_name": credential.credential_name,
        "credential_kind": kind.strip_prefix("CREDENTIAL_KIND_").unwrap_or(kind),
        "token_age_days": days(credential),
    })
}
