//! `hubkeep dev`: both services in this process on loopback, with a simulated HubSpot or the real one. For development
//! only: callers name themselves, and the keys lie beside the data.

mod data;
pub(crate) mod grants;
mod sample;
pub(crate) mod services;

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use hubkeep_core::{clock::SystemClock, random::SystemRandom, telemetry};
use hubspot_sim::{Simulator, World};
use serde_json::json;
use url::Url;

pub(crate) use self::data::DataDir;
use self::services::{Ports, Services};
pub(crate) use crate::stop::until_told;
use crate::{
    errors::Error,
    exit::Exit,
    output::{BAD, COPY, FAINT, Output, STRONG},
};

/// Run both services in this process, for development.
///
/// Listens on loopback only. Callers are not verified and the keys lie beside the data: not for production. HubSpot is
/// simulated unless --hubspot names one.
#[derive(Args, Debug)]
pub struct DevArgs {
    /// The address of a HubSpot instead of the simulated one: https://api.hubapi.com
    #[arg(long, value_name = "URL", env = "HUBKEEP_DEV_HUBSPOT")]
    hubspot: Option<Url>,
    /// Where databases, logs and keys are kept.
    #[arg(
        long,
        value_name = "DIR",
        env = "HUBKEEP_DEV_DATA_DIR",
        default_value = "hubkeep-data"
    )]
    data_dir: PathBuf,
    /// The port of credential-service; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 7401)]
    credential_port: u16,
    /// The port of crm-service; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 7402)]
    crm_port: u16,
    /// The port of the simulated HubSpot; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 7403, conflicts_with = "hubspot")]
    hubspot_port: u16,
    /// The port of the audit viewer, for a browser; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 7404)]
    viewer_port: u16,
    /// What is logged on standard error: "info", "hubkeep_crm_service=debug".
    #[arg(long, value_name = "FILTER", env = "HUBKEEP_LOG", default_value = "info")]
    log: String,
}

/// Runs both services until ctrl-c or SIGTERM, then lets what is in flight end.
///
/// # Errors
/// If a port is taken, or the data directory cannot be used.
pub async fn run(args: DevArgs, program: &str, output: &Output) -> Result<Exit, Error> {
    telemetry::start(&telemetry::Config {
        filter: args.log.clone(),
        format: telemetry::Format::Text,
        ..telemetry::Config::default()
    });
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    let data = DataDir::open(&args.data_dir, &*random)?;
    data.serve_only(args.hubspot.as_ref().map_or("the simulator", Url::as_str))?;
    let hubspot = HubSpot::open(&args, &data)?;
    let ports = Ports {
        credential: args.credential_port,
        crm: args.crm_port,
        viewer: args.viewer_port,
    };
    let services = Services::start(&data, hubspot.address(), ports, &clock, &random).await?;
    let operator = grants::by_operator(&services.credential_address(), &clock)?;
    let open = grants::for_everybody_at_first(&operator).await?;
    announce(&services, &hubspot, &data, open, program, output)?;
    until_told().await?;
    output.note("stopping: what is in flight may end; once more ends it too")?;
    tokio::select! {
        () = services.stop() => {}
        told_again = until_told() => told_again?,
    }
    hubspot.stop().await;
    Ok(Exit::Done)
}

/// The HubSpot that is called.
enum HubSpot {
    Real(Url),
    Simulated {
        simulator: Simulator,
        address: Url,
        sample: PathBuf,
    },
}

impl HubSpot {
    fn open(args: &DevArgs, data: &DataDir) -> Result<Self, Error> {
        if let Some(address) = &args.hubspot {
            return Ok(Self::Real(address.clone()));
        }
        let sample = data.sample_csv();
        sample::write(&World::demo(), &sample)?;
        let listen = SocketAddr::from(([127, 0, 0, 1], args.hubspot_port));
        let simulator = Simulator::start_on(World::demo(), listen).map_err(|error| {
            Error::Failed(format!(
                "the simulated HubSpot cannot listen on {listen}: {error}"
            ))
        })?;
        let address = services::url(&simulator.base_url())?;
        Ok(Self::Simulated {
            simulator,
            address,
            sample,
        })
    }

    const fn address(&self) -> &Url {
        match self {
            Self::Real(address) | Self::Simulated { address, .. } => address,
        }
    }

    /// A slug for lines to copy: one that there is, or a word that must be replaced.
    const fn a_slug(&self) -> &'static str {
        match self {
            Self::Real(_) => "SLUG",
            Self::Simulated { .. } => "acme",
        }
    }

    async fn stop(self) {
        if let Self::Simulated { simulator, .. } = self {
            simulator.stop().await;
        }
    }
}

fn announce(
    services: &Services,
    hubspot: &HubSpot,
    data: &DataDir,
    open: bool,
    program: &str,
    output: &Output,
) -> Result<(), Error> {
    let (credential, crm) = (services.credential_address(), services.crm_address());
    let (kind, file) = match hubspot {
        HubSpot::Real(_) => ("", PathBuf::from("clients.csv")),
        HubSpot::Simulated { sample, .. } => (" (simulated)", sample.clone()),
    };
    if output.is_json() {
        return output.json_line(&json!({
            "credential_service": credential,
            "crm_service": crm,
            "audit_viewer": services.viewer_address(),
            "hubspot": hubspot.address(),
            "data_dir": data.path(),
            "import_file": file,
            "grant": open.then_some(grants::EVERYBODY),
        }));
    }
    output.line(&format!(
        "{BAD}for development only{BAD:#}: callers are not verified, and the keys lie beside the data"
    ))?;
    for (name, value) in [
        ("credential-service", credential.clone()),
        ("crm-service", crm.clone()),
        (
            "HubSpot",
            format!("{}{kind}", hubspot.address().as_str().trim_end_matches('/')),
        ),
        ("audit viewer", services.viewer_address()),
        ("data", data.path().display().to_string()),
        (
            "handles",
            if open {
                format!("for everybody, by the grant {}", grants::EVERYBODY)
            } else {
                format!("for whom there are grants: {program} grants")
            },
        ),
    ] {
        output.line(&format!("  {FAINT}{name:<20}{FAINT:#}{STRONG}{value}{STRONG:#}"))?;
    }
    output.line("in another terminal:")?;
    let next = NextSteps {
        credential: &credential,
        crm: &crm,
        file: &file.display().to_string(),
        slug: hubspot.a_slug(),
        program,
    };
    for line in next.lines() {
        output.line(&format!("  {COPY}{line}{COPY:#}"))?;
    }
    output.line(&format!("{FAINT}ctrl-c stops{FAINT:#}"))
}

/// What lines to copy are made of.
struct NextSteps<'a> {
    credential: &'a str,
    crm: &'a str,
    file: &'a str,
    slug: &'a str,
    program: &'a str,
}

impl NextSteps<'_> {
    /// The lines; the addresses stand in them only where they are not the usual ones.
    fn lines(&self) -> Vec<String> {
        let Self {
            credential,
            crm,
            file,
            slug,
            program,
        } = self;
        let mut lines = Vec::new();
        if *credential != "http://127.0.0.1:7401" {
            lines.push(format!("export HUBKEEP_CREDENTIAL_SERVICE={credential}"));
        }
        if *crm != "http://127.0.0.1:7402" {
            lines.push(format!("export HUBKEEP_CRM_SERVICE={crm}"));
        }
        let issue =
            format!("{program} handle issue {slug} --allow get,list --types contacts --purpose try-out");
        lines.extend([
            format!("{program} import {file}"),
            format!("export HUBKEEP_HANDLE=$({issue})"),
            format!("{program} crm list {slug} contacts"),
            format!("{program} audit tail"),
        ]);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(credential: &str, crm: &str) -> Vec<String> {
        let next = NextSteps {
            credential,
            crm,
            file: "a.csv",
            slug: "acme",
            program: "hubkeep",
        };
        next.lines()
    }

    #[test]
    fn addresses_stand_in_the_lines_to_copy_only_where_they_are_not_the_usual_ones() {
        let usual = lines("http://127.0.0.1:7401", "http://127.0.0.1:7402");
        assert_eq!(usual[0], "hubkeep import a.csv");
        let other = lines("http://127.0.0.1:1", "http://127.0.0.1:2");
        assert_eq!(other[0], "export HUBKEEP_CREDENTIAL_SERVICE=http://127.0.0.1:1");
        assert_eq!(other[1], "export HUBKEEP_CRM_SERVICE=http://127.0.0.1:2");
    }
}
