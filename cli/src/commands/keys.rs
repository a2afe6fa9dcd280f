//! `hubkeep keys`: the keys that wrap all other keys, in both services: what state they are in, and their rotation.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hubkeep_proto::credential::v1::{
    GetKeyStatusRequest, GetKeyStatusResponse, KekState, RotateKekRequest, RotateKekResponse,
    key_service_client::KeyServiceClient,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::bulk::counted;
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output, STRONG, printable},
    wire_json,
};

/// The keys that wrap all other keys: show them, and bring everything to the current one.
#[derive(Args, Debug)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Subcommand, Debug)]
enum KeysCommand {
    /// Show the versions of the key-encryption key, and how many keys each has wrapped.
    Status {
        #[command(flatten)]
        which: Which,
        /// Let each version wrap a key and unwrap it again. A version that cannot makes the command end with 4.
        #[arg(long)]
        probe: bool,
    },
    /// Wrap every key anew that an older version has wrapped. Begun again, it goes on where it was.
    Rotate {
        #[command(flatten)]
        which: Which,
        /// Do nothing unless this version is the current one.
        #[arg(long, value_name = "VERSION")]
        to: Option<u32>,
    },
}

#[derive(Args, Debug)]
struct Which {
    /// Only this service's keys; without it, those of both, one after the other.
    #[arg(long, value_enum)]
    of: Option<Of>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// Those under which tokens and handles lie.
    CredentialService,
    /// Those under which ids of records stand in the audit log.
    CrmService,
}

/// Runs `keys`.
///
/// # Errors
/// If a service refuses, or is not reached.
pub async fn run(args: KeysArgs, credential: Service, crm: Service, output: &Output) -> Result<Exit, Error> {
    let mut exit = Exit::Done;
    let which = match &args.command {
        KeysCommand::Status { which, .. } | KeysCommand::Rotate { which, .. } => which.of,
    };
    for (of, service) in [(Of::CredentialService, credential), (Of::CrmService, crm)] {
        if which.is_some_and(|which| which != of) {
            continue;
        }
        let ended = match &args.command {
            KeysCommand::Status { probe, .. } => status(*probe, &service, output).await?,
            KeysCommand::Rotate { to, .. } => rotate(*to, &service.without_timeout(), output).await?,
        };
        if ended != Exit::Done {
            exit = ended;
        }
    }
    Ok(exit)
}

async fn status(probe: bool, service: &Service, output: &Output) -> Result<Exit, Error> {
    let mut client = KeyServiceClient::new(service.connection());
    let answer = client.get_key_status(GetKeyStatusRequest { probe }).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        let status = wire_json::of("hubkeep.credential.v1.GetKeyStatusResponse", &answer)?;
        output.json_line(&json!({ "service": service.name(), "status": status }))?;
    } else {
        print(&answer, service.name(), output)?;
    }
    let bad = answer.versions.iter().any(|version| match version.state() {
        KekState::Failed => true,
        KekState::NotConfigured => version.key_count > 0,
        KekState::Unspecified | KekState::Configured | KekState::Usable => false,
    });
    Ok(if bad { Exit::Refused } else { Exit::Done })
}

fn print(status: &GetKeyStatusResponse, service: &str, output: &Output) -> Result<(), Error> {
    let cached_for = status.cached_for.and_then(|time| Duration::try_from(time).ok());
    let cached_for = humantime::format_duration(cached_for.unwrap_or_default());
    output.line(&format!(
        "{STRONG}{service}{STRONG:#}: version {} wraps, {} and later are accepted; {} keys in memory, each for \
         {cached_for}",
        status.current_version, status.oldest_accepted_version, status.cached_count
    ))?;
    let rows = status.versions.iter().map(|version| {
        let state = match version.state() {
            KekState::Unspecified => "–".to_owned(),
            KekState::NotConfigured => "not configured".to_owned(),
            KekState::Configured => "configured".to_owned(),
            KekState::Usable => "usable".to_owned(),
            KekState::Failed => format!("failed: {}", version.problem),
        };
        vec![
            version.version.to_string(),
            version.key_count.to_string(),
            printable(&version.kek_id),
            printable(&state),
        ]
    });
    output.table(&["version", "keys", "key", "state"], rows.collect(), "no keys")
}

async fn rotate(to: Option<u32>, service: &Service, output: &Output) -> Result<Exit, Error> {
    let mut client = KeyServiceClient::new(service.connection());
    let request = RotateKekRequest {
        to_version: to.unwrap_or(0),
    };
    let opened = client.rotate_kek(request).await;
    let mut told = opened.map_err(|status| service.ended(status))?.into_inner();
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} keys")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message(service.name());
    let mut last = RotateKekResponse::default();
    loop {
        let progress = told.message().await;
        let Some(progress) = progress.map_err(|status| {
            bar.finish_and_clear();
            service.ended(status)
        })?
        else {
            break;
        };
        bar.set_length(progress.total_count);
        bar.set_position(progress.rewrapped_count.saturating_add(progress.elsewhere_count));
        last = progress;
    }
    bar.finish_and_clear();
    if !last.done {
        return Err(Error::Failed(format!(
            "{} ended before it said how: ask `hubkeep keys status`, and rotate again",
            service.name()
        )));
    }
    tell(&last, service.name(), output)?;
    Ok(if last.remaining_count == 0 {
        Exit::Done
    } else {
        Exit::RowsRefused
    })
}

fn tell(last: &RotateKekResponse, service: &str, output: &Output) -> Result<(), Error> {
    if output.is_json() {
        let ended = wire_json::of("hubkeep.credential.v1.RotateKekResponse", last)?;
        return output.json_line(&json!({ "service": service, "rotation": ended }));
    }
    let keys = counted(usize::try_from(last.rewrapped_count).unwrap_or(usize::MAX), "key");
    let elsewhere = match last.elsewhere_count {
        0 => String::new(),
        others => format!(" ({others} more by others meanwhile)"),
    };
    let done = format!("{keys} brought to version {}{elsewhere}", last.to_version);
    if last.remaining_count == 0 {
        return output.line(&format!(
            "{STRONG}{service}{STRONG:#}: {GOOD}{done}; no key names an older one{GOOD:#}"
        ));
    }
    output.line(&format!(
        "{STRONG}{service}{STRONG:#}: {done}; {BAD}{} remain{BAD:#}, of which {} cannot be unwrapped: the service's log \
         names them",
        last.remaining_count, last.failed_count
    ))
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::credential::v1::KekVersion;

    use super::*;

    #[test]
    fn the_status_has_a_line_for_each_version_and_says_which_failed() {
        let status = GetKeyStatusResponse {
            current_version: 2,
            oldest_accepted_version: 1,
            cached_for: Some(prost_types::Duration {
                seconds: 900,
                nanos: 0,
            }),
            cached_count: 7,
            versions: vec![
                KekVersion {
                    version: 1,
                    kek_id: "file/aa".to_owned(),
                    key_count: 1_000,
                    state: KekState::Failed.into(),
                    problem: "denied".to_owned(),
                },
                KekVersion {
                    version: 2,
                    kek_id: "file/bb".to_owned(),
                    key_count: 3,
                    state: KekState::Usable.into(),
                    problem: String::new(),
                },
            ],
        };
        let (output, answers, _) = Output::on_paper(false);
        print(&status, "crm-service", &output).expect("written");
        let text = answers.text();
        for part in [
            "crm-service",
            "15m",
            "1000",
            "file/aa",
            "failed: denied",
            "usable",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_rotation_that_left_keys_behind_says_so() {
        let (output, answers, _) = Output::on_paper(false);
        let last = RotateKekResponse {
            to_version: 2,
            rewrapped_count: 8,
            failed_count: 2,
            remaining_count: 2,
            done: true,
            ..RotateKekResponse::default()
        };
        tell(&last, "credential-service", &output).expect("written");
        assert!(answers.text().contains("2 remain"), "{}", answers.text());
        assert!(answers.text().contains("8 keys brought"), "{}", answers.text());
    }

    #[test]
    fn what_another_rotation_did_meanwhile_is_not_counted_as_ours() {
        let (output, answers, _) = Output::on_paper(false);
        let last = RotateKekResponse {
            to_version: 2,
            rewrapped_count: 1,
            elsewhere_count: 804,
            done: true,
            ..RotateKekResponse::default()
        };
        tell(&last, "credential-service", &output).expect("written");
        let text = answers.text();
        assert!(
            text.contains("1 key brought to version 2 (804 more by others meanwhile)"),
            "{text}"
        );
    }
}
