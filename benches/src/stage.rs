//! What is measured: a simulated HubSpot without limits, and both services, each part on its own.

mod again;

use std::net::SocketAddr;

use hubkeep_audit_log::Position;
use hubkeep_core::{
    database,
    grpc::{CALLER_HEADER, CallerSource},
    service::Deps,
};
use hubkeep_credential_service as credential_service;
use hubkeep_crm_service as crm_service;
use hubkeep_proto::credential::v1::{
    Grant, HandleOperation, HandleScope, ImportOutcome, ImportPortalsRequest, IssueHandleRequest,
    PortalSelection, PutGrantRequest, access_service_client::AccessServiceClient, grant::Holder,
    handle_service_client::HandleServiceClient, portal_service_client::PortalServiceClient,
};
use hubspot_sim::{Limits, PortalSpec, Simulator, World};
use tempfile::TempDir;
use tonic::{
    Request,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};
use url::Url;

use crate::{
    Failure,
    figures::{ON_POSTGRES, ON_SQLITE, Thousand},
    parts::Place,
    servants::Servants,
    settings::{credential_config, crm_config, free_port},
};

/// Who onboards portals.
pub(crate) const OPERATOR: &str = "operator/bench";
/// Who holds handles and calls.
pub(crate) const CALLER: &str = "bench";
/// The first contact of every portal of the simulator.
pub(crate) const CONTACT: &str = "101";

/// Where the services keep what they keep.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keeping {
    /// In files.
    Sqlite,
    /// In databases of a PostgreSQL that this process starts.
    Postgres,
}

impl Keeping {
    /// Everywhere that this machine has, and what a thousand portals are called there.
    pub(crate) fn all() -> Vec<(Self, Thousand)> {
        let mut all = vec![(Self::Sqlite, ON_SQLITE)];
        if hubkeep_test_postgres::is_installed() {
            all.push((Self::Postgres, ON_POSTGRES));
        }
        all
    }
}

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    world: World,
    services: Services,
    /// Removed with everything in it at the end.
    _folder: TempDir,
}

enum Services {
    /// In this process.
    Here(Box<Here>),
    /// Each in a process of its own.
    Apart(Servants),
}

struct Here {
    credential: credential_service::server::Running,
    crm: crm_service::server::Running,
    credential_config: credential_service::config::Config,
    crm_config: crm_service::config::Config,
}

impl Stage {
    /// Starts everything in this process, over a HubSpot of so many portals, none of them onboarded yet.
    ///
    /// # Errors
    /// If anything does not start.
    pub(crate) async fn start(place: &Place, portals: u32, keeping: Keeping) -> Result<Self, Failure> {
        Self::start_with(place, portals, keeping, |_| {}).await
    }

    /// The same with a crm-service that is set otherwise.
    ///
    /// # Errors
    /// If anything does not start.
    pub(crate) async fn start_with(
        place: &Place,
        portals: u32,
        keeping: Keeping,
        change: impl FnOnce(&mut crm_service::config::Config),
    ) -> Result<Self, Failure> {
        let (folder, world, simulator, hubspot) = hubspot(place, portals)?;
        let mut config = credential_config(place, folder.path(), &hubspot)?;
        keeping.put(&mut config.database, &mut config.audit);
        let credential_config = config.clone();
        let credential = credential_service::server::start(config, deps(place)?).await?;
        let mut config = crm_config(place, folder.path(), &hubspot, credential.address())?;
        keeping.put(&mut config.database, &mut config.audit);
        change(&mut config);
        let crm_config = config.clone();
        let crm = crm_service::server::start(config, deps(place)?).await?;
        Ok(Self {
            simulator,
            world,
            services: Services::Here(Box::new(Here {
                credential,
                crm,
                credential_config,
                crm_config,
            })),
            _folder: folder,
        })
    }

    /// The same with each service in a process of its own, with files.
    ///
    /// # Errors
    /// If anything does not start, or the programs are not built.
    pub(crate) async fn start_apart(place: &Place, portals: u32) -> Result<Self, Failure> {
        let (folder, world, simulator, hubspot) = hubspot(place, portals)?;
        let mut credential = credential_config(place, folder.path(), &hubspot)?;
        credential.grpc.listen = free_port()?;
        let mut crm = crm_config(place, folder.path(), &hubspot, credential.grpc.listen)?;
        crm.grpc.listen = free_port()?;
        let servants = Servants::start(place, folder.path(), &credential, &crm).await?;
        Ok(Self {
            simulator,
            world,
            services: Services::Apart(servants),
            _folder: folder,
        })
    }

    /// The portals of HubSpot.
    pub(crate) fn portals(&self) -> &[PortalSpec] {
        &self.world.portals
    }

    /// The newest position in the audit log of credential-service.
    ///
    /// # Errors
    /// If the log is not in this process, or cannot be read.
    pub(crate) async fn end_of_credential_log(&self) -> Result<Position, Failure> {
        match &self.services {
            Services::Here(here) => Ok(here.credential.audit_log().end().await?),
            Services::Apart(_) => Err("the log is in another process".into()),
        }
    }

    /// The services' processes, where they have their own.
    pub(crate) const fn apart(&self) -> Option<&Servants> {
        match &self.services {
            Services::Here(_) => None,
            Services::Apart(servants) => Some(servants),
        }
    }

    /// The address of credential-service.
    pub(crate) fn credential_address(&self) -> SocketAddr {
        match &self.services {
            Services::Here(here) => here.credential.address(),
            Services::Apart(servants) => servants.credential.address,
        }
    }

    /// A connection to credential-service.
    pub(crate) async fn to_credential(&self) -> Result<Channel, Failure> {
        connect(self.credential_address()).await
    }

    /// A connection to crm-service.
    pub(crate) async fn to_crm(&self) -> Result<Channel, Failure> {
        let address = match &self.services {
            Services::Here(here) => here.crm.address(),
            Services::Apart(servants) => servants.crm.address,
        };
        connect(address).await
    }

    /// Starts one more crm-service over the same databases.
    ///
    /// # Errors
    /// If it does not start, or the services are not in this process.
    pub(crate) async fn one_more_crm(&self, place: &Place) -> Result<crm_service::server::Running, Failure> {
        let Services::Here(here) = &self.services else {
            return Err("the service is another process".into());
        };
        Ok(crm_service::server::start(here.crm_config.clone(), deps(place)?).await?)
    }

    /// Starts so many more crm-services over the same databases; gives them, and a connection to each of all.
    ///
    /// # Errors
    /// As [`Stage::one_more_crm`].
    pub(crate) async fn more_crms(
        &self,
        place: &Place,
        more: usize,
    ) -> Result<(Vec<crm_service::server::Running>, Vec<Channel>), Failure> {
        let (mut others, mut ways) = (Vec::new(), vec![self.to_crm().await?]);
        for _ in 0..more {
            let other = self.one_more_crm(place).await?;
            ways.push(connect(other.address()).await?);
            others.push(other);
        }
        Ok((others, ways))
    }

    /// Onboards every portal, in one import, and lets everybody have handles.
    ///
    /// # Errors
    /// If one is refused.
    pub(crate) async fn onboard_all(&self) -> Result<(), Failure> {
        let rows = (1..)
            .zip(self.portals())
            .map(|(row, portal)| ImportPortalsRequest {
                row,
                client_slug: portal.slug.clone(),
                portal_token: portal.first_token().unwrap_or_default().to_owned(),
                expected_portal_id: portal.portal_id,
                ..ImportPortalsRequest::default()
            });
        let rows: Vec<_> = rows.collect();
        let request = PutGrantRequest {
            grant: Some(for_everybody()),
            validate_only: false,
        };
        let mut client = AccessServiceClient::new(self.to_credential().await?);
        client.put_grant(named(OPERATOR, request)?).await?;
        let mut client = PortalServiceClient::new(self.to_credential().await?);
        let rows = named(OPERATOR, futures::stream::iter(rows))?;
        let mut outcomes = client.import_portals(rows).await?.into_inner();
        while let Some(outcome) = outcomes.message().await? {
            if outcome.outcome() != ImportOutcome::Onboarded {
                return Err(format!("a row was refused: {outcome:?}").into());
            }
        }
        Ok(())
    }

    /// A handle for each portal, in their order.
    ///
    /// # Errors
    /// If one is refused.
    pub(crate) async fn handles(&self) -> Result<Vec<String>, Failure> {
        let mut client = HandleServiceClient::new(self.to_credential().await?);
        let mut handles = Vec::new();
        for portal in self.portals() {
            let request = named(CALLER, wish(&portal.slug))?;
            handles.push(client.issue_handle(request).await?.into_inner().handle);
        }
        Ok(handles)
    }

    /// Ends everything as it ends in production.
    pub(crate) async fn stop(self) {
        match self.services {
            Services::Here(here) => {
                here.crm.stop().await;
                here.credential.stop().await;
            }
            Services::Apart(servants) => servants.stop(),
        }
        self.simulator.stop().await;
    }
}

impl Keeping {
    /// Says so in the two sections of a configuration that name files.
    fn put(self, database: &mut database::Config, audit: &mut hubkeep_audit_log::Config) {
        let Self::Postgres = self else { return };
        let fresh = hubkeep_test_postgres::fresh("bench");
        database.url = fresh.url;
        database.password_file = Some(fresh.password_file);
        let fresh = hubkeep_test_postgres::fresh("bench_audit");
        *audit = hubkeep_audit_log::Config::postgres(fresh.url, Some(fresh.password_file));
    }
}

/// What a service is started with.
fn deps(place: &Place) -> Result<Deps, Failure> {
    Ok(Deps {
        clock: place.clock.clone(),
        random: place.random.clone(),
        callers: CallerSource::development()?,
    })
}

/// A folder, and a HubSpot of so many portals without limits, running.
fn hubspot(place: &Place, portals: u32) -> Result<(TempDir, World, Simulator, Url), Failure> {
    let world = World::of_portals(portals).limits(&Limits::unlimited());
    let simulator = Simulator::start(world.clone())?;
    let address = Url::parse(&simulator.base_url())?;
    Ok((place.temporary()?, world, simulator, address))
}

/// What everybody may have here: everything that is wished for.
fn for_everybody() -> Grant {
    Grant {
        grant_id: "everybody".to_owned(),
        holder: Some(Holder::Caller("*".to_owned())),
        portals: Some(PortalSelection {
            all: true,
            ..PortalSelection::default()
        }),
        scope: Some(HandleScope {
            operations: (HandleOperation::Get.into()..=HandleOperation::Associate.into()).collect(),
            object_types: vec!["*".to_owned()],
            ..HandleScope::default()
        }),
        ..Grant::default()
    }
}

/// A request for a handle that allows to read contacts.
pub(crate) fn wish(client_slug: &str) -> IssueHandleRequest {
    IssueHandleRequest {
        client_slug: client_slug.to_owned(),
        scope: Some(HandleScope {
            operations: vec![HandleOperation::Get.into()],
            object_types: vec!["contacts".to_owned()],
            properties: Vec::new(),
            ..HandleScope::default()
        }),
        lifetime: None,
        purpose_code: "bench".to_owned(),
        ..IssueHandleRequest::default()
    }
}

/// A request that says who asks.
pub(crate) fn named<T>(caller: &str, message: T) -> Result<Request<T>, Failure> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert(CALLER_HEADER, MetadataValue::try_from(caller)?);
    Ok(request)
}

/// A connection to a server on loopback.
pub(crate) async fn connect(address: SocketAddr) -> Result<Channel, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    Ok(endpoint.tcp_nodelay(true).connect().await?)
}
