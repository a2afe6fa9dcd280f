//! The operator's command: `hubkeep`.
//!
//! | module | holds |
//! |---|---|
//! | [`args`] | the command line |
//! | [`commands`] | one module for each command that speaks to running services |
//! | `dev`, `demo` | both services and a simulated HubSpot in this process (feature `dev`) |
//! | [`channel`], [`login`] | connections: addresses, who we are, the handle |
//! | [`certs`] | a CA, and certificates from it |
//! | [`bundle`] | evidence bundles: what they consist of, and whether they are what was signed |
//! | [`events`] | audit events in the formats of other programs |
//! | [`output`], `tables`, [`wire_json`] | what is printed |
//! | [`errors`], [`exit`] | what can go wrong, and how the command ends |

pub mod args;
pub mod bundle;
pub mod certs;
pub mod channel;
pub mod commands;
#[cfg(feature = "dev")]
pub mod demo;
#[cfg(feature = "dev")]
pub mod dev;
pub mod errors;
pub mod events;
pub mod exit;
pub mod login;
pub mod output;
mod stop;
mod tables;
pub mod wire_json;
mod wording;

use std::ffi::OsString;

use args::{Cli, Command, Global};
use channel::{CREDENTIAL_SERVICE, CRM_SERVICE, Service};
use errors::Error;
use exit::Exit;
use hubkeep_core::{clock::SystemClock, random::SystemRandom};
use login::Login;
use output::Output;

/// Reads a command line and runs it. The first of `line` is how the command was called.
pub fn main(line: Vec<OsString>) -> Exit {
    let program = line
        .first()
        .map_or("hubkeep".into(), |first| first.to_string_lossy().into_owned());
    let json = line.iter().any(|word| word == "--json");
    match args::parse(line) {
        Ok(cli) => run(cli, &program),
        // Help and version are no errors; and whoever asked for JSON gets errors as JSON from the first one on.
        Err(error) if json && error.use_stderr() => {
            let told = error.render().to_string();
            let error = Error::Usage(told.trim().trim_start_matches("error: ").to_owned());
            Output::standard(true).error(&error).ok();
            error.exit()
        }
        Err(error) => {
            error.print().ok();
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            }
        }
    }
}

/// Runs a command to its end. `program` is how it was called; lines to copy begin with it.
pub fn run(cli: Cli, program: &str) -> Exit {
    let output = Output::standard(cli.global.json);
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::from)
        .and_then(|runtime| {
            let ended = runtime.block_on(dispatch(cli, program, &output));
            // A thread that waits for a file, which may be a pipe, holds nobody up.
            runtime.shutdown_background();
            ended
        });
    match ended {
        Ok(exit) => exit,
        Err(error) if error.is_closed_output() => Exit::Failed,
        Err(error) => {
            // If even this cannot be written, the exit code still tells.
            output.error(&error).ok();
            error.exit()
        }
    }
}

#[cfg_attr(
    not(feature = "dev"),
    expect(unused_variables, reason = "only dev and demo print lines to copy")
)]
async fn dispatch(cli: Cli, program: &str, output: &Output) -> Result<Exit, Error> {
    let global = &cli.global;
    match cli.command {
        Command::Import(args) => {
            let clock = SystemClock::shared();
            commands::import::run(args, &credential(global)?.without_timeout(), clock, output).await
        }
        Command::Portals(args) => commands::portals::run(args, &credential(global)?, output).await,
        Command::Rotate(args) => {
            let clock = SystemClock::shared();
            commands::rotate::run(args, &credential(global)?, clock, output).await
        }
        Command::Rotations(args) => {
            let clock = SystemClock::shared();
            commands::rotations::run(args, &credential(global)?, &clock, output).await
        }
        Command::Consumers(args) => commands::consumers::run(args, &credential(global)?, output).await,
        Command::Doctor(args) => {
            commands::doctor::run(args, &credential(global)?.without_timeout(), output).await
        }
        Command::Grants(args) => commands::grants::run(args, &credential(global)?, output).await,
        Command::People(args) => commands::people::run(args, &credential(global)?, output).await,
        Command::Handle(args) => commands::handle::run(args, &credential(global)?, output).await,
        Command::Contain(args) => commands::contain::run(args, &credential(global)?, output).await,
        Command::Crm(args) => {
            let clock = SystemClock::shared();
            commands::crm::run(args, credential(global)?, crm(global)?, clock, output).await
        }
        Command::Quota(args) => commands::quota::run(args, crm(global)?, output).await,
        Command::Writes(args) => commands::writes::run(args, crm(global)?, output).await,
        Command::Report(args) => commands::report::run(args, crm(global)?, output).await,
        Command::Alerts(args) => commands::alerts::run(args, crm(global)?, output).await,
        Command::Keys(args) => commands::keys::run(args, credential(global)?, crm(global)?, output).await,
        Command::Audit(args) if args.is_offline() => commands::audit::run_offline(args, output),
        Command::Audit(args) => {
            let clock = SystemClock::shared();
            commands::audit::run(args, &credential(global)?, &crm(global)?, clock, output).await
        }
        Command::Certs(args) => {
            commands::certs::run(args, &SystemClock::shared(), &SystemRandom::shared(), output)
        }
        #[cfg(feature = "dev")]
        Command::Dev(args) => dev::run(args, program, output).await,
        #[cfg(feature = "dev")]
        Command::Demo(args) => demo::run(args, program, output).await,
    }
}

fn credential(global: &Global) -> Result<Service, Error> {
    let service = Service::at(CREDENTIAL_SERVICE, &global.credential_service, &login(global))?;
    Ok(service.with_timeout(global.timeout.into()))
}

fn crm(global: &Global) -> Result<Service, Error> {
    let service = Service::at(CRM_SERVICE, &global.crm_service, &login(global))?;
    Ok(service.with_timeout(global.timeout.into()))
}

fn login(global: &Global) -> Login {
    Login {
        stated: global.caller.clone(),
        cert: global.cert.clone(),
        key: global.key.clone(),
        ca: global.ca.clone(),
        now: SystemClock::shared().now(),
    }
}
