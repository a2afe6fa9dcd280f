//! What every service is: something with a configuration that starts, listens and stops; and the command line that
//! all of them have.

mod command;
mod health;
mod instance;
mod memory;
mod serve;

use std::{future::Future, net::SocketAddr, path::PathBuf};

pub use command::run;
pub use instance::{check_instance, instance_of};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    clock::SharedClock,
    config::{Fault, Validate},
    grpc::{self, CallerSource},
    id::ClientSlug,
    random::{Random, SharedRandom},
    telemetry, tls,
};

/// What a service takes from the world around it.
#[derive(Clone, Debug)]
pub struct Deps {
    /// The time it works by.
    pub clock: SharedClock,
    /// Where its chance comes from.
    pub random: SharedRandom,
    /// How it learns who asks.
    pub callers: CallerSource,
}

/// A service that runs.
pub trait Service: Send + Sized {
    /// Its name, as its binary and its logs have it.
    const NAME: &'static str;
    /// What it does, in one sentence.
    const ABOUT: &'static str;

    /// What it is configured with.
    type Config: Default + Serialize + DeserializeOwned + Validate + Send;
    /// Why it could not start.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The part of the configuration that says what is logged.
    fn telemetry(config: &Self::Config) -> &telemetry::Config;

    /// The part of the configuration that says where it listens.
    fn grpc(config: &Self::Config) -> &grpc::Config;

    /// The part of the configuration that names the certificates, where there are any.
    fn tls(config: &Self::Config) -> Option<&tls::Config>;

    /// Makes a version of the key that a service needs before it starts with that version, the current one unless
    /// another is named, and says in which file. Never overwrites one.
    ///
    /// # Errors
    /// If it is there already, or cannot be made.
    fn make_key(
        config: &Self::Config,
        version: Option<u32>,
        random: &dyn Random,
    ) -> Result<PathBuf, Self::Error>;

    /// Makes that key where there is none.
    ///
    /// # Errors
    /// If it cannot be made, or the one that is there cannot be used.
    fn furnish(config: &Self::Config, version: Option<u32>, random: &dyn Random) -> Result<(), Self::Error>;

    /// Starts it. When this returns, its address answers.
    ///
    /// # Errors
    /// If anything it stands on is not there.
    fn start(config: Self::Config, deps: Deps) -> impl Future<Output = Result<Self, Self::Error>> + Send;

    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// Takes no new requests, and lets those in flight end.
    fn stop(self) -> impl Future<Output = ()> + Send;
}

/// Notes a deployment's name that could not begin the name of a log.
pub fn check_deployment(name: &str, faults: &mut Vec<Fault>) {
    if name.parse::<ClientSlug>().is_err() {
        let problem =
            "must be 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit".to_owned();
        faults.push(Fault {
            key: "deployment".to_owned(),
            problem,
        });
    }
}
