//! Both services in this process, each with its own key, database and log, reached over gRPC like any others.

use std::net::SocketAddr;

use hubkeep_core::{
    clock::SharedClock,
    database,
    grpc::{self, CallerSource},
    random::SharedRandom,
};
use hubkeep_credential_service as credential_service;
use hubkeep_crm_service as crm_service;
use url::Url;

use super::data::DataDir;
use crate::{
    channel::{CREDENTIAL_SERVICE, CRM_SERVICE},
    errors::Error,
};

/// How the deployment is called in the names of the logs.
const DEPLOYMENT: &str = "dev";

/// Where the services listen on loopback; 0 for any free port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) credential: u16,
    pub(crate) crm: u16,
    /// Of the audit viewer, which is crm-service's.
    pub(crate) viewer: u16,
}

/// Both services, running.
pub(crate) struct Services {
    credential: credential_service::server::Running,
    crm: crm_service::server::Running,
}

impl Services {
    /// Starts credential-service, then crm-service, which calls it. When this returns, both answer.
    ///
    /// # Errors
    /// If either cannot start.
    pub(crate) async fn start(
        data: &DataDir,
        hubspot: &Url,
        ports: Ports,
        clock: &SharedClock,
        random: &SharedRandom,
    ) -> Result<Self, Error> {
        let callers = || CallerSource::development().map_err(|error| cannot_start("a service", &error));
        let deps = credential_service::server::Deps {
            clock: clock.clone(),
            random: random.clone(),
            callers: callers()?,
        };
        let config = credential_config(data, hubspot, ports.credential);
        let credential = credential_service::server::start(config, deps)
            .await
            .map_err(|error| cannot_start(CREDENTIAL_SERVICE, &error))?;
        let deps = crm_service::server::Deps {
            clock: clock.clone(),
            random: random.clone(),
            callers: callers()?,
        };
        let config = crm_config(data, hubspot, ports, url(&http(credential.address()))?);
        let crm = crm_service::server::start(config, deps)
            .await
            .map_err(|error| cannot_start(CRM_SERVICE, &error))?;
        Ok(Self { credential, crm })
    }

    pub(crate) fn credential_address(&self) -> String {
        http(self.credential.address())
    }

    pub(crate) fn crm_address(&self) -> String {
        http(self.crm.address())
    }

    /// The list of the audit viewer.
    pub(crate) fn viewer_address(&self) -> String {
        let address = self.crm.web_address();
        address.map_or_else(String::new, |address| format!("{}/audit", http(address)))
    }

    /// Takes no new calls and lets those in flight end: first crm-service, which still needs the other.
    pub(crate) async fn stop(self) {
        self.crm.stop().await;
        self.credential.stop().await;
    }
}

fn credential_config(data: &DataDir, hubspot: &Url, port: u16) -> credential_service::config::Config {
    let mut config = credential_service::config::Config {
        deployment: DEPLOYMENT.to_owned(),
        grpc: listening_on(port),
        database: database::Config::sqlite(&data.database(CREDENTIAL_SERVICE)),
        audit: hubkeep_audit_log::Config::sqlite(&data.audit_log(CREDENTIAL_SERVICE)),
        ..credential_service::config::Config::default()
    };
    config.keys.kek_file = data.key_file(CREDENTIAL_SERVICE);
    config.hubspot.api_base = hubspot.clone();
    config
}

fn crm_config(data: &DataDir, hubspot: &Url, ports: Ports, credentials: Url) -> crm_service::config::Config {
    let mut config = crm_service::config::Config {
        deployment: DEPLOYMENT.to_owned(),
        grpc: listening_on(ports.crm),
        database: database::Config::sqlite(&data.database(CRM_SERVICE)),
        audit: hubkeep_audit_log::Config::sqlite(&data.audit_log(CRM_SERVICE)),
        ..crm_service::config::Config::default()
    };
    config.keys.kek_file = data.key_file(CRM_SERVICE);
    config.hubspot.api_base = hubspot.clone();
    config.credentials.url = credentials;
    config.web.listen = Some(listening_on(ports.viewer).listen);
    config
}

fn listening_on(port: u16) -> grpc::Config {
    grpc::Config {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        ..grpc::Config::default()
    }
}

fn http(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// An address as a URL.
///
/// # Errors
/// If it is none.
pub(crate) fn url(address: &str) -> Result<Url, Error> {
    Url::parse(address).map_err(|error| Error::Failed(format!("{address} is no address: {error}")))
}

/// The error and its causes in one sentence.
fn cannot_start(what: &str, error: &dyn std::error::Error) -> Error {
    let mut line = format!("{what} cannot start: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    Error::Failed(line)
}
