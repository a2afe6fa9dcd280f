//! `hubkeep demo`: all of it in one run. A simulated HubSpot, both services and their audit logs in this process, with
//! real gRPC between them; at the end the simulator's journal is held against the logs.

mod live;
mod narrator;
mod outro;
mod promises;
mod stage;
mod steps;

use clap::Args;
use hubkeep_core::{clock::SystemClock, random::SystemRandom, telemetry};

use self::{live::Live, narrator::Narrator, promises::Promises, stage::Stage};
use crate::{dev::until_told, errors::Error, exit::Exit, output::Output};

/// Show all of it in one run: onboard, issue, call, refuse, audit.
///
/// Everything is temporary and on loopback; HubSpot is simulated. Stays up in the end, with lines to try, until ctrl-c.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// End after the last step. With --json the last line is the summary.
    #[arg(long)]
    once: bool,
    /// Use the usual ports, 7401 to 7404, instead of free ones.
    #[arg(long)]
    fixed_ports: bool,
    /// What is logged on standard error.
    #[arg(long, value_name = "FILTER", env = "HUBKEEP_LOG", default_value = "error")]
    log: String,
}

/// Runs the demo.
///
/// # Errors
/// If anything fails that should not: then the exit code is that of a failure on this side.
pub async fn run(args: DemoArgs, program: &str, output: &Output) -> Result<Exit, Error> {
    telemetry::start(&telemetry::Config {
        filter: args.log.clone(),
        format: telemetry::Format::Text,
        ..telemetry::Config::default()
    });
    let stage = Stage::start(args.fixed_ports, SystemClock::shared(), SystemRandom::shared()).await?;
    let ended = show(&args, &stage, program, output).await.map_err(failed);
    stage.stop().await;
    ended
}

/// Plays the steps and tells how they ended; without `--once`, stays up until told to stop.
async fn show(args: &DemoArgs, stage: &Stage, program: &str, output: &Output) -> Result<Exit, Error> {
    let narrator = Narrator::new(output.clone());
    narrator.opening(stage)?;
    let live = Live::start(stage, output).await?;
    let promises = tokio::select! {
        played = play(stage, &narrator, &live) => played?,
        told = until_told() => {
            told?;
            return Err(Error::Failed("stopped before the end".to_owned()));
        }
    };
    if args.once {
        // The verdict is the last that is said.
        live.stop().await;
        narrator.verdict(&promises)?;
    } else {
        narrator.verdict(&promises)?;
        outro::print(stage, &live, program, output).await?;
        until_told().await?;
    }
    Ok(if promises.are_kept() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// All steps, in order.
async fn play(stage: &Stage, narrator: &Narrator, live: &Live) -> Result<Promises, Error> {
    let mut promises = Promises::default();
    steps::onboard::run(stage, narrator, &mut promises).await?;
    live.catch_up().await;
    let handles = steps::issue::run(stage, narrator).await?;
    live.catch_up().await;
    steps::calls::run(stage, &handles, narrator, &mut promises).await?;
    live.catch_up().await;
    steps::refusals::run(stage, &handles, narrator, &mut promises).await?;
    promises.hold_against_the_logs(stage, live).await?;
    live.catch_up().await;
    Ok(promises)
}

/// Whatever a service refuses here that it should not is a failure of the demo.
fn failed(error: Error) -> Error {
    match error {
        Error::Refused(refusal) => {
            let details = refusal.lines().join("; ");
            Error::Failed(format!(
                "the demo expected no refusal: {} ({details})",
                refusal.message
            ))
        }
        Error::Unreachable { .. } | Error::Handshake { .. } | Error::OutcomeUnknown { .. } => {
            Error::Failed(error.to_string())
        }
        Error::Usage(_) | Error::ImportFile(_) | Error::Output(_) | Error::Failed(_) => error,
    }
}
