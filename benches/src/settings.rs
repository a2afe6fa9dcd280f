//! How the services are set for what is measured.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use hubkeep_core::{database, grpc};
use hubkeep_credential_service as credential_service;
use hubkeep_crm_service as crm_service;
use hubkeep_seal::FileKek;
use url::Url;

use crate::{Failure, parts::Place};

/// The configuration of a credential-service with files in this folder.
pub(crate) fn credential_config(
    place: &Place,
    folder: &Path,
    hubspot: &Url,
) -> Result<credential_service::config::Config, Failure> {
    let mut config = credential_service::config::Config {
        grpc: any_port(),
        database: database::Config::sqlite(&folder.join("credential-service.db")),
        audit: hubkeep_audit_log::Config::sqlite(&folder.join("credential-service-audit.db")),
        ..credential_service::config::Config::default()
    };
    config.keys.kek_file = folder.join("credential-service.kek");
    FileKek::create(&config.keys.kek_file, &*place.random)?;
    config.hubspot.api_base = hubspot.clone();
    Ok(config)
}

/// The configuration of a crm-service with files in this folder, for a credential-service at this address.
pub(crate) fn crm_config(
    place: &Place,
    folder: &Path,
    hubspot: &Url,
    credentials: SocketAddr,
) -> Result<crm_service::config::Config, Failure> {
    let mut config = crm_service::config::Config {
        grpc: any_port(),
        database: database::Config::sqlite(&folder.join("crm-service.db")),
        audit: hubkeep_audit_log::Config::sqlite(&folder.join("crm-service-audit.db")),
        // What a call costs is measured call by call.
        coalesce: crm_service::call::CoalesceConfig {
            window: Duration::ZERO,
        },
        ..crm_service::config::Config::default()
    };
    config.keys.kek_file = folder.join("crm-service.kek");
    FileKek::create(&config.keys.kek_file, &*place.random)?;
    config.hubspot.api_base = hubspot.clone();
    config.credentials.url = Url::parse(&format!("http://{credentials}"))?;
    Ok(config)
}

/// An address that nobody listens on now.
pub(crate) fn free_port() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

fn any_port() -> grpc::Config {
    grpc::Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..grpc::Config::default()
    }
}
