//! Runs a service until the process is asked to stop: with certificates, or in development.

use std::error::Error as StdError;

use thiserror::Error as ThisError;

use super::{Deps, Service, command::say, memory};
use crate::{
    clock::{SharedClock, SystemClock},
    config::InvalidConfig,
    grpc::{self, CallerSource},
    random::SystemRandom,
    telemetry::{
        self, Telemetry,
        metrics::{self, MetricsError},
        traces::TracesError,
    },
    tls::Identity,
};

/// A service that could not be run.
#[derive(Debug, ThisError)]
pub(super) enum Error {
    #[error(
        "outside development callers and services prove who they are: make certificates with `hubkeep certs init` and \
         `hubkeep certs issue NAME --host HOST`, and name them under [tls] as certificate_file, key_file and ca_file \
         (on a machine of your own, `serve --dev` goes without)"
    )]
    CertificatesNeeded,
    #[error(
        "--dev is for callers without certificates, and the configuration names some: leave out one of both"
    )]
    CertificatesInDevelopment,
    #[error(transparent)]
    Certificates(#[from] InvalidConfig),
    #[error(transparent)]
    Callers(#[from] grpc::Error),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    #[error(transparent)]
    Traces(#[from] TracesError),
    #[error("the service cannot start")]
    Start(#[source] Box<dyn StdError + Send + Sync>),
}

/// Serves whoever has a certificate.
pub(super) async fn with_certificates<S: Service>(
    config: S::Config,
    clock: SharedClock,
) -> Result<(), Error> {
    let files = S::tls(&config).ok_or(Error::CertificatesNeeded)?;
    let telemetry = begin::<S>(&config)?;
    let identity = Identity::load(files, &clock)?;
    let days_left = identity.not_after().since(clock.now()).as_secs() / 86_400;
    tracing::info!(name = %identity.name(), days_left, "the certificate and its CA are in order");
    let ended = until_stopped::<S>(config, CallerSource::Certified(identity), clock).await;
    telemetry.finish().await;
    ended
}

/// Serves whoever can reach loopback, and makes the key that is missing.
pub(super) async fn in_development<S: Service>(config: S::Config) -> Result<(), Error> {
    if S::tls(&config).is_some() {
        return Err(Error::CertificatesInDevelopment);
    }
    let telemetry = begin::<S>(&config)?;
    tracing::warn!("development mode, NOT for production: callers name themselves and prove nothing");
    S::furnish(&config, None, &*SystemRandom::shared()).map_err(failed::<S>)?;
    let ended = until_stopped::<S>(config, CallerSource::development()?, SystemClock::shared()).await;
    telemetry.finish().await;
    ended
}

/// Before the first key is read.
fn begin<S: Service>(config: &S::Config) -> Result<Telemetry, Error> {
    let started = telemetry::start_service(S::telemetry(config), S::NAME)?;
    memory::keep_out_of_files();
    Ok(started)
}

async fn until_stopped<S: Service>(
    config: S::Config,
    callers: CallerSource,
    clock: SharedClock,
) -> Result<(), Error> {
    let deps = Deps {
        clock,
        random: SystemRandom::shared(),
        callers,
    };
    if let Some(listen) = S::telemetry(&config).metrics_listen {
        let numbers = metrics::open(listen).await?;
        tokio::spawn(numbers);
        tracing::info!(%listen, "metrics are told");
    }
    // Listened for before the address is told: a script may stop the service as soon as it reads it.
    let stop = grpc::stop_signal();
    let running = S::start(config, deps).await.map_err(failed::<S>)?;
    say(&format!("listening on {}", running.address()));
    stop.await;
    tracing::info!("stopping: no new requests, those in flight may end; a second signal ends them too");
    tokio::select! {
        () = running.stop() => {}
        () = grpc::stop_signal() => tracing::warn!("stopped before all was done"),
    }
    Ok(())
}

fn failed<S: Service>(error: S::Error) -> Error {
    Error::Start(Box::new(error))
}
