//! The command line: `serve`, `config check`, `config print`.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use hubkeep_core::{
    clock::SystemClock,
    config::{self, Environment, InvalidConfig},
    grpc::CallerSource,
    random::SystemRandom,
    telemetry,
};
use hubkeep_seal::{FileKek, FileKekError};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    config::Config,
    server::{self, Deps, StartError},
};

/// The token vault of Hubkeep, and the issuer of handles.
#[derive(Debug, Parser)]
#[command(name = "credential-service", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until SIGTERM or ctrl-c.
    Serve {
        /// The configuration file (TOML). Without it, the defaults and HUBKEEP__… variables stand.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
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
    Check {
        /// The configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the configuration as it is after file and environment. Secrets are never in it.
    Print {
        /// The configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// The command could not be done.
#[derive(Debug, Error)]
enum Error {
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    #[error(
        "outside development callers must prove who they are with certificates, which this version cannot check: \
         run `serve --dev` on a machine of your own"
    )]
    CertificatesNeeded,
    #[error(transparent)]
    Kek(#[from] FileKekError),
    #[error(transparent)]
    Callers(#[from] hubkeep_core::grpc::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the configuration cannot be printed")]
    Print(#[from] toml::ser::Error),
    #[error("the system failed")]
    Io(#[from] std::io::Error),
}

/// Runs the command that the arguments name. 0 is success, 1 a failure, 2 a wrong command line.
pub async fn run(
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
    environment: Environment,
) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing is left to tell somebody whose terminal is gone.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match obey(arguments.command, &environment).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

async fn obey(command: Command, environment: &Environment) -> Result<(), Error> {
    match command {
        Command::Serve { dev: false, .. } => Err(Error::CertificatesNeeded),
        Command::Serve { dev: true, config } => {
            serve_dev(config::load(config.as_deref(), environment)?).await
        }
        Command::Config(ConfigCommand::Check { config }) => {
            config::load::<Config>(config.as_deref(), environment)?;
            say("the configuration is valid");
            Ok(())
        }
        Command::Config(ConfigCommand::Print { config }) => {
            let config: Config = config::load(config.as_deref(), environment)?;
            say(config::print(&config)?.trim_end());
            Ok(())
        }
    }
}

async fn serve_dev(config: Config) -> Result<(), Error> {
    telemetry::start(&config.telemetry);
    tracing::warn!("development mode, NOT for production: callers name themselves and prove nothing");
    let random = SystemRandom::shared();
    if !config.keys.kek_file.exists() {
        FileKek::create(&config.keys.kek_file, &*random)?;
        tracing::warn!(file = %config.keys.kek_file.display(), "made a new key-encryption key");
    }
    let deps = Deps {
        clock: SystemClock::shared(),
        random,
        callers: CallerSource::development()?,
    };
    // Listened for before the address is told: a script may stop the service as soon as it reads it.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let running = server::start(config, deps).await?;
    tracing::info!(address = %running.address(), "listening");
    say(&format!("listening on {}", running.address()));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new requests, those in flight may end");
    running.stop().await;
    Ok(())
}

/// For scripts and people: the line goes out at once, also into a pipe.
#[expect(
    clippy::print_stdout,
    reason = "the command line speaks on standard output, here only"
)]
fn say(line: &str) {
    println!("{line}");
    // A reader that is gone does not stop the service.
    let _ = std::io::stdout().flush();
}

#[expect(
    clippy::print_stderr,
    reason = "the command line tells its errors on standard error, here only"
)]
fn say_error(error: &dyn std::error::Error) {
    let mut line = format!("credential-service: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    eprintln!("{line}");
}
