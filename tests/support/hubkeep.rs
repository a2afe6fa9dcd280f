//! Both services and the simulator in one process, on free ports, with files of their own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hubkeep_audit_log::AuditLog;
use hubkeep_core::{
    clock::{SharedClock, SystemClock},
    config::{Environment, load},
    grpc::CallerSource,
    random::SystemRandom,
    tls::{self, Identity},
};
use hubkeep_credential_service as credential_service;
use hubkeep_crm_service as crm_service;
use hubkeep_seal::FileKek;
use hubspot_sim::{JournalEntry, Simulator, World};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};
use url::Url;

use super::{
    certificates::Certificates, chaos::Proxy, crm::Crm, doors::Door, grants, handles::HandleWish,
    keeping::Keeping,
};

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The vault.
    Credential,
    /// The one that calls HubSpot.
    Crm,
}

impl Service {
    /// Its name, in files and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential-service",
            Self::Crm => "crm-service",
        }
    }
}

type ChangeCredential = Box<dyn FnOnce(&mut credential_service::config::Config) + Send>;
type ChangeCrm = Box<dyn FnOnce(&mut crm_service::config::Config) + Send>;

/// A Hubkeep before it is started.
pub struct Setup {
    world: World,
    clock: SharedClock,
    between: Option<Proxy>,
    credential: Vec<ChangeCredential>,
    crm: Vec<ChangeCrm>,
    without_crm: bool,
    without_grants: bool,
    certified: bool,
}

impl Setup {
    /// By this clock, instead of the machine's.
    #[must_use]
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// crm-service reaches credential-service through this proxy.
    #[must_use]
    pub fn between_services(mut self, proxy: Proxy) -> Self {
        self.between = Some(proxy);
        self
    }

    /// Changes the configuration of credential-service.
    #[must_use]
    pub fn credential(
        mut self,
        change: impl FnOnce(&mut credential_service::config::Config) + Send + 'static,
    ) -> Self {
        self.credential.push(Box::new(change));
        self
    }

    /// Changes the configuration of crm-service.
    #[must_use]
    pub fn crm(mut self, change: impl FnOnce(&mut crm_service::config::Config) + Send + 'static) -> Self {
        self.crm.push(Box::new(change));
        self
    }

    /// Both services keep their data and their logs on PostgreSQL.
    #[must_use]
    pub fn postgres(self) -> Self {
        self.credential(|config| Keeping::fresh_on_postgres().put(&mut config.database, &mut config.audit))
            .crm(|config| Keeping::fresh_on_postgres().put(&mut config.database, &mut config.audit))
    }

    /// Leaves crm-service to the test, which runs it as a process of its own.
    #[must_use]
    pub const fn without_crm(mut self) -> Self {
        self.without_crm = true;
        self
    }

    /// Leaves it to the test who may have handles. Else everybody may have every one.
    #[must_use]
    pub const fn without_grants(mut self) -> Self {
        self.without_grants = true;
        self
    }

    /// Every caller has a certificate, and both services have one: nobody says who they are.
    #[must_use]
    pub const fn certificates(mut self) -> Self {
        self.certified = true;
        self
    }

    /// Starts everything.
    pub async fn start(self) -> Hubkeep {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let hubspot = Simulator::start(self.world.clone()).expect("the simulator starts");
        let place = Place::of(&hubspot, folder.path());
        let certificates = self
            .certified
            .then(|| Arc::new(Certificates::new(folder.path(), self.clock.now())));
        let tls_of = |service: Service| certificates.as_ref().map(|all| all.service(service.name()));

        let mut config = place.credential();
        config.tls = tls_of(Service::Credential);
        self.credential.into_iter().for_each(|change| change(&mut config));
        let deps = credential_service::server::Deps {
            clock: self.clock.clone(),
            random: SystemRandom::shared(),
            callers: callers(config.tls.as_ref(), &self.clock),
        };
        let credential = Box::pin(credential_service::server::start(config, deps)).await;
        let credential = credential.expect("credential-service starts");
        if let Some(proxy) = &self.between {
            proxy.lead_to(credential.address());
        }
        let seen_at = self.between.as_ref().map_or(credential.address(), Proxy::address);
        let scheme = if self.certified { "https" } else { "http" };
        let credential_url = Url::parse(&format!("{scheme}://{seen_at}")).expect("valid");

        let crm = if self.without_crm {
            None
        } else {
            let mut config = place.crm(&credential_url);
            config.tls = tls_of(Service::Crm);
            self.crm.into_iter().for_each(|change| change(&mut config));
            let deps = crm_service::server::Deps {
                clock: self.clock.clone(),
                random: SystemRandom::shared(),
                callers: callers(config.tls.as_ref(), &self.clock),
            };
            let crm = Box::pin(crm_service::server::start(config, deps)).await;
            Some(crm.expect("crm-service starts"))
        };
        let door = |address: SocketAddr| Door::to(address, certificates.clone());
        let to_credential = door(credential.address());
        if !self.without_grants {
            grants::for_everybody(&to_credential).await;
        }
        Hubkeep {
            to_credential,
            to_crm: crm.as_ref().map(|crm| door(crm.address())),
            certificates: certificates.clone(),
            world: self.world,
            hubspot,
            credential,
            crm,
            proxy: self.between,
            folder,
        }
    }
}

/// How a service learns who calls it.
pub(super) fn callers(tls: Option<&tls::Config>, clock: &SharedClock) -> CallerSource {
    match tls {
        None => CallerSource::development().expect("valid"),
        Some(files) => CallerSource::Certified(Identity::load(files, clock).expect("in order")),
    }
}

/// Where everything of one Hubkeep is.
pub(super) struct Place<'a> {
    folder: &'a Path,
    api_base: Url,
}

/// How long entries may take to become durable, where a test is not about just that: machines that run tests are busy.
const PATIENT: Duration = Duration::from_secs(20);

impl<'a> Place<'a> {
    pub(super) fn of(hubspot: &Simulator, folder: &'a Path) -> Self {
        let api_base = Url::parse(&hubspot.base_url()).expect("valid");
        Self { folder, api_base }
    }

    pub(super) fn credential(&self) -> credential_service::config::Config {
        let mut config: credential_service::config::Config =
            load(None, &Environment::new()).expect("the default is valid");
        config.deployment = "test".to_owned();
        config.grpc.listen.set_port(0);
        config.database.url = sqlite(self.folder, Service::Credential, "");
        config.audit.url = sqlite(self.folder, Service::Credential, "-audit");
        config.audit.intent_deadline = PATIENT;
        config.keys.kek_file = key_file(self.folder, Service::Credential);
        config.hubspot.api_base = self.api_base.clone();
        config
    }

    pub(super) fn crm(&self, credential_service: &Url) -> crm_service::config::Config {
        let mut config: crm_service::config::Config =
            load(None, &Environment::new()).expect("the default is valid");
        config.deployment = "test".to_owned();
        config.grpc.listen.set_port(0);
        config.database.url = sqlite(self.folder, Service::Crm, "");
        config.audit.url = sqlite(self.folder, Service::Crm, "-audit");
        config.audit.intent_deadline = PATIENT;
        config.keys.kek_file = key_file(self.folder, Service::Crm);
        config.credentials.url = credential_service.clone();
        config.hubspot.api_base = self.api_base.clone();
        // Where calls are counted, each is made by itself.
        config.coalesce.window = Duration::ZERO;
        config
    }
}

fn sqlite(folder: &Path, service: Service, kind: &str) -> String {
    format!("sqlite://{}/{}{kind}.db", folder.display(), service.name())
}

/// A new key-encryption key.
fn key_file(folder: &Path, service: Service) -> PathBuf {
    let file = folder.join(format!("{}.kek", service.name()));
    FileKek::create(&file, &*SystemRandom::shared()).expect("a new key file");
    file
}

/// Both services and the simulator, running. Dropping it stops everything.
pub struct Hubkeep {
    /// The simulator: faults, records, the journal.
    pub hubspot: Simulator,
    world: World,
    to_credential: Door,
    to_crm: Option<Door>,
    certificates: Option<Arc<Certificates>>,
    credential: credential_service::server::Running,
    pub(super) crm: Option<crm_service::server::Running>,
    proxy: Option<Proxy>,
    folder: TempDir,
}

impl Hubkeep {
    /// A Hubkeep over this world, to be changed before its start.
    pub fn over(world: World) -> Setup {
        Setup {
            world,
            clock: SystemClock::shared(),
            between: None,
            credential: Vec::new(),
            crm: Vec::new(),
            without_crm: false,
            without_grants: false,
            certified: false,
        }
    }

    /// A Hubkeep over this world, running. No portal is onboarded yet.
    pub async fn start(world: World) -> Self {
        Self::over(world).start().await
    }

    /// The world as it was at the start.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The proxy between the services.
    pub fn between_services(&self) -> &Proxy {
        self.proxy.as_ref().expect("it was set up with one")
    }

    /// The folder in which both services keep everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of a service's audit log.
    pub fn audit_file(&self, service: Service) -> PathBuf {
        self.folder().join(format!("{}-audit.db", service.name()))
    }

    /// The audit log of a service, in process.
    pub fn audit_log(&self, service: Service) -> &AuditLog {
        match service {
            Service::Credential => self.credential.audit_log(),
            Service::Crm => self.crm.as_ref().expect("it runs here").audit_log(),
        }
    }

    /// How callers reach a service.
    pub fn door(&self, service: Service) -> &Door {
        match service {
            Service::Credential => &self.to_credential,
            Service::Crm => self.to_crm.as_ref().expect("it runs here"),
        }
    }

    /// A connection to a service, without a certificate.
    pub fn channel(&self, service: Service) -> Channel {
        self.door(service).plain()
    }

    /// The CA, and who has a certificate from it.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("it was set up with them")
    }

    /// Where a service listens.
    pub fn address(&self, service: Service) -> SocketAddr {
        match service {
            Service::Credential => self.credential.address(),
            Service::Crm => self.crm.as_ref().expect("it runs here").address(),
        }
    }

    /// The address of credential-service.
    pub fn credential_address(&self) -> String {
        format!("http://{}", self.credential.address())
    }

    /// The address of crm-service.
    pub fn crm_address(&self) -> String {
        let crm = self.crm.as_ref().expect("it runs here");
        format!("http://{}", crm.address())
    }

    /// CRM calls by this caller, who holds no handle yet.
    pub fn crm_as(&self, caller: &str) -> Crm {
        Crm::through(self.door(Service::Crm), caller)
    }

    /// The same over a connection that takes no more unread than HTTP/2 gives anyway: 65,535 bytes of each answer.
    pub fn crm_with_small_window(&self, caller: &str) -> Crm {
        let crm = self.crm.as_ref().expect("it runs here");
        let endpoint = Endpoint::from_shared(format!("http://{}", crm.address()));
        let endpoint = endpoint.expect("valid").initial_stream_window_size(65_535);
        Crm::of(endpoint.connect_lazy(), caller)
    }

    /// A handle for this portal, to be described before it is issued.
    pub fn handle(&self, client_slug: &str) -> HandleWish {
        HandleWish::of(self.door(Service::Credential).clone(), client_slug)
    }

    /// Everything that reached HubSpot, the verification of tokens included.
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.hubspot.journal()
    }

    /// What reached HubSpot's CRM: what crm-service sent.
    pub fn hubspot_calls(&self) -> Vec<JournalEntry> {
        let mut journal = self.journal();
        journal.retain(|entry| entry.path.starts_with("/crm/"));
        journal
    }

    /// The portal of this name, as the simulator knows it.
    pub fn portal_id(&self, slug: &str) -> u64 {
        self.hubspot.portal_id(slug).expect("it is in the world")
    }

    /// The token of this portal.
    pub fn token(&self, slug: &str) -> String {
        let portal = self.world.portal(slug).expect("it is in the world");
        portal.first_token().expect("it has one").to_owned()
    }

    /// Ends both services as they end in production; the files stay until the returned folder is dropped.
    pub async fn stop(self) -> TempDir {
        if let Some(crm) = self.crm {
            crm.stop().await;
        }
        self.credential.stop().await;
        self.folder
    }
}
