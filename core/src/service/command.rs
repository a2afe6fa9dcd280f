//! The command line: `serve`, `config check`, `config print`.

use std::{error::Error as StdError, ffi::OsString, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use thiserror::Error;

use super::{Deps, Service};
use crate::{
    clock::SystemClock,
    config::{self, Environment, InvalidConfig},
    grpc::{self, CallerSource},
    random::SystemRandom,
    telemetry,
};

#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until SIGTERM or ctrl-c.
    Serve {
        #[command(flatten)]
        file: ConfigFile,
        /// For development: callers name themselves, on loopback only, and a missing key file is made.
        #[arg(long)]
        dev: bool,
    },
    /// Look at the configuration without running anything.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// List every fault, or say that there is none.
    Check(ConfigFile),
    /// Print the configuration as it is after file and environment. Secrets are never in it.
    Print(ConfigFile),
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file (TOML). Without it, the defaults and HUBKEEP__… variables stand.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The command could not be done.
#[derive(Debug, Error)]
enum Error {
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    #[error(
        "outside development callers must prove who they are with certificates, which this version cannot check: run \
         `serve --dev` on a machine of your own"
    )]
    CertificatesNeeded,
    #[error(transparent)]
    Callers(#[from] grpc::Error),
    #[error("the service cannot start")]
    Start(#[source] Box<dyn StdError + Send + Sync>),
    #[error("the configuration cannot be printed")]
    Print(#[from] toml::ser::Error),
}

/// Runs the command that the arguments name. 0 is success, 1 a failure, 2 a wrong command line.
pub async fn run<S: Service>(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
) -> ExitCode {
    let parser = Arguments::command().name(S::NAME).about(S::ABOUT);
    let parsed = parser.try_get_matches_from(arguments);
    match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => match obey::<S>(arguments.command, &environment).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(S::NAME, &error);
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            // Nothing is left to tell somebody whose terminal is gone.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

async fn obey<S: Service>(command: Command, environment: &Environment) -> Result<(), Error> {
    let load = |file: ConfigFile| config::load::<S::Config>(file.config.as_deref(), environment);
    match command {
        Command::Serve { dev: false, .. } => Err(Error::CertificatesNeeded),
        Command::Serve { dev: true, file } => serve_dev::<S>(load(file)?).await,
        Command::Config(ConfigCommand::Check(file)) => {
            load(file)?;
            say("the configuration is valid");
            Ok(())
        }
        Command::Config(ConfigCommand::Print(file)) => {
            say(config::print(&load(file)?)?.trim_end());
            Ok(())
        }
    }
}

async fn serve_dev<S: Service>(config: S::Config) -> Result<(), Error> {
    telemetry::start(S::telemetry(&config));
    tracing::warn!("development mode, NOT for production: callers name themselves and prove nothing");
    let failed = |error: S::Error| Error::Start(Box::new(error));
    let deps = Deps {
        clock: SystemClock::shared(),
        random: SystemRandom::shared(),
        callers: CallerSource::development()?,
    };
    S::furnish(&config, &*deps.random).map_err(failed)?;
    // Listened for before the address is told: a script may stop the service as soon as it reads it.
    let stop = grpc::stop_signal();
    let running = S::start(config, deps).await.map_err(failed)?;
    say(&format!("listening on {}", running.address()));
    stop.await;
    tracing::info!("stopping: no new requests, those in flight may end; a second signal ends them too");
    tokio::select! {
        () = running.stop() => {}
        () = grpc::stop_signal() => tracing::warn!("stopped before all was done"),
    }
    Ok(())
}

/// For scripts and people: the line goes out at once, also into a pipe.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that is gone does not stop the service.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn complain(name: &str, error: &dyn StdError) {
    let mut line = format!("{name}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    let _ = writeln!(std::io::stderr(), "{line}");
}
