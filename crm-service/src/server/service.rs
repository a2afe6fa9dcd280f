//! The service as the chassis of all services runs it.

use std::{net::SocketAddr, path::PathBuf};

use hubkeep_core::{
    grpc,
    random::Random,
    service::{Deps, Service},
    telemetry, tls,
};

use super::{Running, StartError, start};
use crate::config::Config;

impl Service for Running {
    const NAME: &'static str = "crm-service";
    const ABOUT: &'static str =
        "Calls HubSpot for callers with handles, and records every call before it is made";

    type Config = Config;
    type Error = StartError;

    fn telemetry(config: &Config) -> &telemetry::Config {
        &config.telemetry
    }

    fn grpc(config: &Config) -> &grpc::Config {
        &config.grpc
    }

    fn tls(config: &Config) -> Option<&tls::Config> {
        config.tls.as_ref()
    }

    fn make_key(config: &Config, version: Option<u32>, random: &dyn Random) -> Result<PathBuf, StartError> {
        Ok(hubkeep_seal::create_file(&config.keys, version, random)?)
    }

    fn furnish(config: &Config, version: Option<u32>, random: &dyn Random) -> Result<(), StartError> {
        Ok(hubkeep_seal::create_file_if_missing(
            &config.keys,
            version,
            random,
        )?)
    }

    async fn start(config: Config, deps: Deps) -> Result<Self, StartError> {
        start(config, deps).await
    }

    fn address(&self) -> SocketAddr {
        self.address()
    }

    async fn stop(self) {
        self.stop().await;
    }
}
