//! crm-service as a process of its own, with everything around it in this one.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use hubspot_sim::World;
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};

use super::{
    crm::Crm,
    handles::Handle,
    hubkeep::Hubkeep,
    processes::{Process, crm_service_binary, crm_service_config, serve},
    refusal::Refused,
};

/// What a caller allows for a call when nothing else is said.
const PATIENCE: Duration = Duration::from_secs(20);

/// crm-service as a process, and a Hubkeep without one.
pub struct CrmProcess {
    /// The rest: credential-service and the simulator, in this process. All portals are onboarded.
    pub hubkeep: Hubkeep,
    /// The process.
    pub process: Process,
    address: String,
    config: PathBuf,
}

impl CrmProcess {
    /// Over this world.
    pub async fn start(world: World) -> Self {
        Self::with(world, &[]).await
    }

    /// With these variables of configuration.
    pub async fn with(world: World, variables: &[(&str, &str)]) -> Self {
        let hubkeep = Hubkeep::over(world).without_crm().start().await;
        hubkeep.onboard_all().await;
        let config = crm_service_config(
            hubkeep.folder(),
            &hubkeep.credential_address(),
            &hubkeep.hubspot.base_url(),
        );
        hubkeep.hubspot.clear_journal();
        let (process, address) = serving(&config, variables);
        Self {
            hubkeep,
            process,
            address,
            config,
        }
    }

    /// Another process in its place, over the same files, at another address.
    pub fn again(&mut self) {
        self.again_with(&[]);
    }

    /// The same, with these variables of configuration.
    pub fn again_with(&mut self, variables: &[(&str, &str)]) {
        (self.process, self.address) = serving(&self.config, variables);
    }

    /// A new connection to it, which opens when it is used.
    pub fn channel(&self) -> Channel {
        channel(&self.address)
    }

    /// A caller over a connection of its own.
    pub fn crm(&self, handle: &Handle) -> Crm {
        Crm::of(self.channel(), &handle.caller)
            .with(handle)
            .within(PATIENCE)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        let address = self.address.trim_start_matches("http://");
        address.parse().expect("an address")
    }

    /// What a watcher of its health hears; the first word, that it serves, is heard already.
    pub async fn watch_health(&self) -> HealthWatch {
        let mut health = HealthClient::new(self.channel());
        let watched = health.watch(HealthCheckRequest::default()).await;
        let mut watch = HealthWatch(watched.expect("it may be watched").into_inner());
        assert_eq!(watch.next().await, Ok(ServingStatus::Serving));
        watch
    }

    /// The file of its audit log.
    pub fn log(&self) -> PathBuf {
        let folder: &Path = self.hubkeep.folder();
        folder.join("crm-service-audit.db")
    }
}

fn serving(config: &Path, variables: &[(&str, &str)]) -> (Process, String) {
    let mut command = serve(crm_service_binary(), config);
    Process::listening("crm-service", command.envs(variables.iter().copied()))
}

/// A connection to this address, which opens when it is used.
pub fn channel(address: &str) -> Channel {
    let endpoint = Endpoint::from_shared(address.to_owned()).expect("an address");
    endpoint.connect_lazy()
}

/// A watch of a server's health.
#[derive(Debug)]
pub struct HealthWatch(Streaming<HealthCheckResponse>);

impl HealthWatch {
    /// The next word.
    ///
    /// # Errors
    /// With the reason for which it ended.
    pub async fn next(&mut self) -> Result<ServingStatus, String> {
        match self.0.message().await {
            Ok(Some(word)) => Ok(word.status()),
            Ok(None) => Err("it ended without a word".to_owned()),
            Err(status) => Err(Refused::of(&status).reason),
        }
    }

    /// Hears that the server will serve no more, and then that it stops.
    pub async fn hears_the_stop(&mut self) {
        assert_eq!(self.next().await, Ok(ServingStatus::NotServing));
        assert_eq!(self.next().await, Err("STOPPING".to_owned()));
    }
}
