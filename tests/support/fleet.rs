//! Several replicas of both services over databases that they share, behind one address for each service.

use std::{collections::VecDeque, net::SocketAddr};

use hubkeep_audit_log::{AuditLog, Event, Filter, Position};
use hubkeep_core::{clock::SystemClock, grpc::CallerSource, random::SystemRandom, service::Deps};
use hubkeep_credential_service as credential_service;
use hubkeep_crm_service as crm_service;
use hubkeep_proto::credential::v1::{OnboardPortalRequest, portal_service_client::PortalServiceClient};
use hubspot_sim::{Simulator, World};
use tempfile::TempDir;
use tonic::transport::Channel;
use url::Url;

use super::{
    balancer::Balancer,
    crm::Crm,
    doors::Door,
    grants,
    handles::{HandleWish, named},
    hubkeep::{Place, Service},
    keeping::Keeping,
    portals::OPERATOR,
};

const PAGE: usize = 5_000;

/// One service: what its replicas share, and those that run, the oldest first.
struct Side<Config, Running> {
    config: Config,
    balancer: Balancer,
    replicas: VecDeque<Running>,
}

/// Both services, in several replicas.
pub struct Fleet {
    /// The simulator: faults, records, the journal.
    pub hubspot: Simulator,
    world: World,
    credential: Side<credential_service::config::Config, credential_service::server::Running>,
    crm: Side<crm_service::config::Config, crm_service::server::Running>,
    _folder: TempDir,
}

impl Fleet {
    /// So many replicas of each service, over this world. No portal is onboarded yet.
    pub async fn start(world: World, replicas: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let hubspot = Simulator::start(world.clone()).expect("the simulator starts");
        let place = Place::of(&hubspot, folder.path());

        let mut config = place.credential();
        Keeping::fresh_on_postgres().put(&mut config.database, &mut config.audit);
        let credential = Side::new(config).await;
        let url = Url::parse(&format!("http://{}", credential.balancer.address())).expect("valid");
        let mut config = place.crm(&url);
        Keeping::fresh_on_postgres().put(&mut config.database, &mut config.audit);
        let crm = Side::new(config).await;
        let mut fleet = Self {
            hubspot,
            world,
            credential,
            crm,
            _folder: folder,
        };
        for service in [Service::Credential, Service::Crm] {
            for _ in 0..replicas {
                fleet.add(service).await;
            }
        }
        grants::for_everybody(&Door::to(fleet.address(Service::Credential), None)).await;
        fleet
    }

    /// Starts one more replica.
    pub async fn add(&mut self, service: Service) {
        match service {
            Service::Credential => {
                let started = credential_service::server::start(self.credential.config.clone(), deps()).await;
                let replica = started.expect("credential-service starts");
                self.credential.balancer.add(replica.address());
                self.credential.replicas.push_back(replica);
            }
            Service::Crm => {
                let started = crm_service::server::start(self.crm.config.clone(), deps()).await;
                let replica = started.expect("crm-service starts");
                self.crm.balancer.add(replica.address());
                self.crm.replicas.push_back(replica);
            }
        }
    }

    /// Stops the oldest replica as a deployment does: it gets no new connections, and ends what it has begun.
    pub async fn retire(&mut self, service: Service) {
        match service {
            Service::Credential => {
                let replica = self.credential.replicas.pop_front().expect("one runs");
                self.credential.balancer.remove(replica.address());
                replica.stop().await;
            }
            Service::Crm => {
                let replica = self.crm.replicas.pop_front().expect("one runs");
                self.crm.balancer.remove(replica.address());
                replica.stop().await;
            }
        }
    }

    /// A new connection to a service: the next replica answers on it, as long as it is there.
    pub fn channel(&self, service: Service) -> Channel {
        Door::to(self.address(service), None).plain()
    }

    /// The one address of a service.
    pub fn address(&self, service: Service) -> SocketAddr {
        match service {
            Service::Credential => self.credential.balancer.address(),
            Service::Crm => self.crm.balancer.address(),
        }
    }

    /// Onboards every portal of the world.
    pub async fn onboard_all(&self) {
        for portal in &self.world.portals {
            let request = OnboardPortalRequest {
                client_slug: portal.slug.clone(),
                portal_token: portal.first_token().expect("it has a token").to_owned(),
                expected_portal_id: portal.portal_id,
                ..OnboardPortalRequest::default()
            };
            let mut portals = PortalServiceClient::new(self.channel(Service::Credential));
            let onboarded = portals.onboard_portal(named(OPERATOR, request)).await;
            onboarded.expect("onboarded");
        }
    }

    /// A handle for this portal, to be described before it is issued.
    pub fn handle(&self, client_slug: &str) -> HandleWish {
        HandleWish::of(Door::to(self.address(Service::Credential), None), client_slug)
    }

    /// CRM calls by this caller, on a connection of its own.
    pub fn crm_as(&self, caller: &str) -> Crm {
        Crm::of(self.channel(Service::Crm), caller)
    }

    /// CRM calls by this caller that all go to one replica, the oldest being the first.
    pub fn crm_through(&self, replica: usize, caller: &str) -> Crm {
        let address = self.crm.replicas[replica].address();
        Crm::of(Door::to(address, None).plain(), caller)
    }

    /// The log of a service, as its newest replica reads it.
    pub fn audit_log(&self, service: Service) -> &AuditLog {
        match service {
            Service::Credential => self.credential.replicas.back().expect("one runs").audit_log(),
            Service::Crm => self.crm.replicas.back().expect("one runs").audit_log(),
        }
    }

    /// Everything that the replicas of a service have recorded.
    pub async fn audit_events(&self, service: Service) -> Vec<Event> {
        let log = self.audit_log(service);
        let mut events = Vec::<Event>::new();
        loop {
            let after = Position(events.last().map_or(0, |event| event.position));
            let mut page = log.list(&Filter::all(), after, PAGE).await.expect("read");
            if page.is_empty() {
                return events;
            }
            events.append(&mut page);
        }
    }
}

impl<Config, Running> Side<Config, Running> {
    async fn new(config: Config) -> Self {
        Self {
            config,
            balancer: Balancer::open().await,
            replicas: VecDeque::new(),
        }
    }
}

fn deps() -> Deps {
    Deps {
        clock: SystemClock::shared(),
        random: SystemRandom::shared(),
        callers: CallerSource::development().expect("valid"),
    }
}
