//! The command line of the service.

use std::{ffi::OsString, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use hubkeep_core::{
    clock::SystemClock,
    config::{self, Environment},
    grpc::CallerSource,
    random::SystemRandom,
    telemetry,
};

use crate::{
    config::Config,
    server::{self, Deps},
};

/// Calls HubSpot for callers with handles, and records every call before it is made.
#[derive(Parser)]
#[command(name = "crm-service", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    Serve {
        /// The configuration, in TOML.
        #[arg(long)]
        config: Option<PathBuf>,
        /// For development only: callers say who they are, and the service listens on loopback only.
        #[arg(long)]
        dev: bool,
    },
    /// Check or print the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Tell every fault of the configuration.
    Check {
        /// The configuration, in TOML.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Print the configuration as it is understood, with defaults and environment.
    Print {
        /// The configuration, in TOML.
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

/// Runs the command. The environment is the one that the process was started with.
pub fn run(args: impl IntoIterator<Item = OsString>, environment: Environment) -> ExitCode {
    let args = Args::try_parse_from(args).unwrap_or_else(|error| error.exit());
    let done = match args.command {
        Command::Serve { config, dev } => load(config, &environment).and_then(|config| serve(config, dev)),
        Command::Config(ConfigCommand::Check { config }) => {
            load(config, &environment).map(|_| say("the configuration is valid"))
        }
        Command::Config(ConfigCommand::Print { config }) => {
            load(config, &environment).and_then(|config| print(&config))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

fn load(file: Option<PathBuf>, environment: &Environment) -> Result<Config, String> {
    config::load(file.as_deref(), environment).map_err(|error| error.to_string())
}

fn print(config: &Config) -> Result<(), String> {
    let text = config::print(config).map_err(|error| error.to_string())?;
    say(text.trim_end());
    Ok(())
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn serve(config: Config, dev: bool) -> Result<(), String> {
    if !dev {
        return Err(
            "callers cannot prove who they are without certificates: start with --dev, on loopback, for \
                    development only"
                .to_owned(),
        );
    }
    telemetry::start(&config.telemetry);
    tracing::warn!("development mode: callers say who they are; not for production");
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let callers = CallerSource::development().map_err(|error| error.to_string())?;
        let deps = Deps {
            clock: SystemClock::shared(),
            random: SystemRandom::shared(),
            callers,
        };
        let running = server::start(config, deps).await.map_err(|error| chain(&error))?;
        say(&format!("listening on {}", running.address()));
        hubkeep_core::grpc::stop_signal().await;
        running.stop().await;
        Ok(())
    })
}

/// The error and all that caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
