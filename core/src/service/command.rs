//! The command line: `serve`, `health`, `keys create`, `config check`, `config print`.

use std::{error::Error as StdError, ffi::OsString, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use thiserror::Error;

use super::{Service, health, serve};
use crate::{
    clock::SystemClock,
    config::{self, Environment, InvalidConfig},
    random::SystemRandom,
};

#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until SIGTERM or ctrl-c. Without --dev it needs certificates, named under [tls].
    Serve {
        #[command(flatten)]
        file: ConfigFile,
        /// For development: callers name themselves, on loopback only, and a missing key file is made.
        #[arg(long)]
        dev: bool,
    },
    /// Ask the service that runs here with this configuration whether it serves: 0 if so, else 1 and the reason.
    Health(ConfigFile),
    /// Make what the service keeps its keys with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Look at the configuration without running anything.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key file that the configuration names under [keys], once, before the first start with it: 32 random
    /// bytes, mode 0400. Keep a copy in another place than the database's: nothing opens without it.
    Create {
        #[command(flatten)]
        file: ConfigFile,
        /// The version to make; without it, the current one.
        #[arg(long, value_name = "NUMBER")]
        version: Option<u32>,
        /// Succeed also if there is one already that can be used.
        #[arg(long)]
        if_missing: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// List every fault, or say that there is none. The files that the configuration names are read by `serve` only.
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
    #[error(transparent)]
    Serve(#[from] serve::Error),
    #[error("the key could not be made")]
    Key(#[source] Box<dyn StdError + Send + Sync>),
    #[error("not healthy")]
    Health(#[from] health::Error),
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
        Command::Health(file) => {
            let (config, clock) = (load(file)?, SystemClock::shared());
            Ok(health::ask(S::grpc(&config).listen, S::tls(&config), &clock).await?)
        }
        Command::Serve { dev, file } => {
            let config = load(file)?;
            if dev {
                serve::in_development::<S>(config).await?;
            } else {
                serve::with_certificates::<S>(config, SystemClock::shared()).await?;
            }
            Ok(())
        }
        Command::Keys(KeysCommand::Create {
            file,
            version,
            if_missing,
        }) => {
            let (config, random) = (load(file)?, SystemRandom::shared());
            let failed = |error: S::Error| Error::Key(Box::new(error));
            if if_missing {
                S::furnish(&config, version, &*random).map_err(failed)?;
                say("the key is there");
            } else {
                let file = S::make_key(&config, version, &*random).map_err(failed)?;
                say(&format!(
                    "made {}: keep a copy apart from the database",
                    file.display()
                ));
            }
            Ok(())
        }
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

/// For scripts and people: the line goes out at once, also into a pipe.
pub(super) fn say(line: &str) {
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
