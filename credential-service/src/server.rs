//! Builds the service, room by room from the bottom to the top, and runs it until it is stopped.

mod error;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use hubkeep_audit_log::{AuditApi, AuditLog, Identity, RefusalRecorder};
pub use hubkeep_core::service::Deps;
use hubkeep_core::{
    database::Database,
    grpc::{self, Chassis},
    random::Random,
    service::{Service, instance_of},
    telemetry, tls,
};
use hubkeep_hubspot::App;
use hubkeep_keys::KeyApi;
use hubkeep_proto::{
    audit::v1::audit_service_server::AuditServiceServer,
    credential::v1::{
        access_service_server::AccessServiceServer, authorization_service_server::AuthorizationServiceServer,
        connection_service_server::ConnectionServiceServer, consumer_service_server::ConsumerServiceServer,
        containment_service_server::ContainmentServiceServer, handle_service_server::HandleServiceServer,
        key_service_server::KeyServiceServer, portal_record_service_server::PortalRecordServiceServer,
        portal_service_server::PortalServiceServer, redemption_service_server::RedemptionServiceServer,
        rotation_service_server::RotationServiceServer, session_service_server::SessionServiceServer,
    },
};
use hubkeep_seal::{Keks, Keyring};
use hubkeep_webhook::Sender;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use error::StartError;

use crate::{
    MIGRATIONS,
    access::{self, Access},
    access_tokens::{self, AccessTokens},
    api::{
        AccessApi, AuthorizationApi, ConnectionApi, ConsumerApi, ContainmentApi, Desk, HandleApi, PortalApi,
        PortalRecordApi, RedemptionApi, RotationApi, SessionApi,
    },
    config::Config,
    connections::{self, Connections},
    fleet::{self, Fleet},
    handles::{self, Handles},
    holders::{Holders, Mirror},
    portals::{self, Portals},
    revocations::Revocations,
    rotation::{self, Background, Rotations},
    secret_store::SecretStore,
    sessions::{self, Sessions},
    store_version::StoreVersion,
    vault::Vault,
};

/// The largest message about a portal: the longest token is far shorter.
const MAX_ROW_BYTES: usize = 64 * 1024;

/// A service that runs.
pub struct Running {
    server: grpc::Running,
    background: Background,
    audit_log: AuditLog,
    database: Database,
    /// Ends the look at the vault's age.
    _watching: DropGuard,
}

/// Starts the service. When this returns, its address answers.
///
/// # Errors
/// If anything that it needs cannot be used; nothing is left running then.
pub async fn start(config: Config, deps: Deps) -> Result<Running, StartError> {
    // Apart, because what is alive while all rooms are built is large, and who starts a service may do so deep down.
    Box::pin(build(config, deps)).await
}

async fn build(config: Config, deps: Deps) -> Result<Running, StartError> {
    let Deps {
        clock,
        random,
        callers,
    } = deps;
    let who_may = config.who_may();
    let identity_of_callers = callers.identity().cloned();
    let keks = Keks::open(&config.keys, &clock).await?;

    let identity = Identity {
        deployment: config.deployment.clone(),
        service: Running::NAME,
        instance: instance_of(&config.instance),
    };
    let audit_log = AuditLog::open(&config.audit, identity, clock.clone(), random.clone()).await?;
    let database = Database::open(&config.database, &[&hubkeep_seal::MIGRATIONS, &MIGRATIONS]).await?;
    let keyring = Keyring::new(
        database.clone(),
        keks,
        config.keys.cached_for,
        clock.clone(),
        random.clone(),
    );
    let hubspot = hubkeep_hubspot::Client::new(&config.hubspot, audit_log.clone(), clock.clone())?;

    let revocations = Revocations::build(database.clone(), clock.clone());
    let holders = Holders::build(database.clone(), revocations.clone(), clock.clone());
    let access = Access::build(access::Deps {
        database: database.clone(),
        keyring: keyring.clone(),
        holders,
        revocations: revocations.clone(),
        log: audit_log.clone(),
        clock: clock.clone(),
    });
    let secrets = SecretStore::build(
        &config.secrets,
        &config.deployment,
        database.clone(),
        clock.clone(),
        random.clone(),
    )
    .await?;
    let vault = Vault::build(keyring.clone(), secrets.clone());
    let versions = StoreVersion::open(database.clone(), audit_log.clone()).await?;
    let access_tokens = AccessTokens::build(access_tokens::Deps {
        database: database.clone(),
        keyring: keyring.clone(),
        vault: vault.clone(),
        hubspot: hubspot.clone(),
        app: config.hubspot.app.as_ref().map(App::open).transpose()?,
        clock: clock.clone(),
    });
    let portals = Portals::build(portals::Deps {
        database: database.clone(),
        keyring: keyring.clone(),
        vault: vault.clone(),
        access_tokens: access_tokens.clone(),
        versions,
        revocations: revocations.clone(),
        hubspot,
        clock: clock.clone(),
        random: random.clone(),
    })
    .await?;
    let rotations = Rotations::build(
        config.rotation.clone(),
        rotation::Deps {
            database: database.clone(),
            keyring: keyring.clone(),
            portals: portals.clone(),
            vault: vault.clone(),
            revocations: revocations.clone(),
            sender: Sender::new(&config.rotation.webhook, clock.clone())?,
            log: audit_log.clone(),
            name: Running::NAME.parse()?,
            clock: clock.clone(),
            random: random.clone(),
        },
    );
    let holders = Holders::build(database.clone(), revocations.clone(), clock.clone());
    let connections = Connections::build(
        config.connections.clone(),
        connections::Deps {
            database: database.clone(),
            keyring: keyring.clone(),
            vault: vault.clone(),
            access_tokens,
            portals: portals.clone(),
            access: access.clone(),
            revocations: revocations.clone(),
            clock: clock.clone(),
            random: random.clone(),
        },
    );
    let handles = Handles::build(
        config.handles.clone(),
        handles::Deps {
            database: database.clone(),
            keyring: keyring.clone(),
            access: access.clone(),
            portals: portals.clone(),
            connections: connections.clone(),
            revocations: revocations.clone(),
            clock: clock.clone(),
            random: random.clone(),
        },
    )
    .await?;

    let sessions = Sessions::build(
        config.sessions.clone(),
        sessions::Deps {
            database: database.clone(),
            keyring: keyring.clone(),
            access: access.clone(),
            handles: handles.clone(),
            revocations: revocations.clone(),
            clock: clock.clone(),
            random: random.clone(),
        },
    )
    .await?;
    let fleet = Fleet::build(fleet::Deps {
        deployment: config.deployment.clone(),
        database: database.clone(),
        keyring: keyring.clone(),
        portals: portals.clone(),
        handles: handles.clone(),
        access: access.clone(),
        holders,
        rotations: rotations.clone(),
        revocations: revocations.clone(),
        log: audit_log.clone(),
        clock: clock.clone(),
        random: random.clone(),
    })
    .await?;

    let refusals = Arc::new(RefusalRecorder::new(
        audit_log.clone(),
        clock.clone(),
        random.clone(),
    ));
    let chassis = Chassis::new(
        config.grpc,
        clock.clone(),
        random.clone(),
        callers,
        who_may,
        refusals,
    );
    let stopping = chassis.stopping();
    let mirror = Mirror::begin(revocations.clone(), chassis.holds()).await?;
    secrets.sweep_until(stopping.clone());
    hubkeep_keys::wipe_until(stopping.clone(), keyring.clone(), clock.clone());
    let keys = KeyApi {
        keyring,
        log: audit_log.clone(),
        clock: clock.clone(),
        random: random.clone(),
        stopping: stopping.clone(),
    };
    let desk = Desk::new(audit_log.clone(), clock.clone(), random.clone());
    let authority = Arc::new(handles.clone());
    let audit = AuditApi::new(
        audit_log.clone(),
        authority,
        clock.clone(),
        random,
        stopping.clone(),
    );
    let stop = CancellationToken::new();
    tokio::spawn(mirror.follow(clock.clone(), stop.clone()));
    tokio::spawn(fleet.clone().watch(stop.clone()));
    let redemption = RedemptionApi::new(
        desk.clone(),
        handles.clone(),
        fleet.clone(),
        revocations.clone(),
        stopping.clone(),
    );
    let consumers = ConsumerApi::new(desk.clone(), rotations.clone(), stopping);
    let rotation_service = RotationServiceServer::new(RotationApi::new(desk.clone(), rotations.clone()))
        .max_decoding_message_size(MAX_ROW_BYTES);
    let portal_records = PortalRecordApi::new(
        desk.clone(),
        audit_log.clone(),
        handles.clone(),
        (portals.clone(), access.clone()),
        clock.clone(),
    );
    let session_service = SessionApi::new(desk.clone(), sessions.clone());
    let authorization_service = AuthorizationApi::new(
        desk.clone(),
        sessions.clone(),
        handles.clone(),
        connections.clone(),
        access.clone(),
    );
    let connection_service = ConnectionApi {
        desk: desk.clone(),
        sessions,
        connections,
        access: access.clone(),
        portals: portals.clone(),
        revocations: revocations.clone(),
    };
    let access_service = AccessApi::new(desk.clone(), access, handles.clone(), portals.clone());
    let containments = ContainmentApi::new(desk.clone(), fleet.clone());
    let portal_service = PortalServiceServer::new(PortalApi::new(desk.clone(), portals, fleet))
        .max_decoding_message_size(MAX_ROW_BYTES);
    let server = chassis
        .serve(portal_service)
        .serve(rotation_service)
        .serve(ConsumerServiceServer::new(consumers))
        .serve(AccessServiceServer::new(access_service))
        .serve(HandleServiceServer::new(HandleApi::new(
            desk,
            handles,
            revocations,
            identity_of_callers,
        )))
        .serve(SessionServiceServer::new(session_service))
        .serve(AuthorizationServiceServer::new(authorization_service))
        .serve(ConnectionServiceServer::new(connection_service))
        .serve(ContainmentServiceServer::new(containments))
        .serve(RedemptionServiceServer::new(redemption))
        .serve(PortalRecordServiceServer::new(portal_records))
        .serve(KeyServiceServer::new(keys))
        .serve(AuditServiceServer::new(audit))
        .start()
        .await?;
    Ok(Running {
        server,
        background: rotations.start(),
        audit_log,
        database,
        _watching: stop.drop_guard(),
    })
}

impl Running {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its audit log.
    pub const fn audit_log(&self) -> &AuditLog {
        &self.audit_log
    }

    /// Takes no new requests, waits for those in flight within the drain time, and closes log and database.
    pub async fn stop(self) {
        self.server.stop().await;
        self.background.stop().await;
        self.audit_log.stop().await;
        self.database.close().await;
    }
}

impl Service for Running {
    const NAME: &'static str = "credential-service";
    const ABOUT: &'static str = "The token vault of Hubkeep, and the issuer of handles";

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
