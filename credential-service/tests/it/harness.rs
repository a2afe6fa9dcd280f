//! The service in process, with the simulator as its HubSpot and a clock that tests move.

use std::{
    fs,
    future::Future,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use hubkeep_audit_log::{AuditLog, Entry, Filter, Position};
use hubkeep_core::{
    clock::{Clock, MockClock, Tick, Timestamp},
    database::Database,
    grpc::{self, CALLER_HEADER, CallerSource},
    random::SystemRandom,
};
use hubkeep_credential_service::{
    MIGRATIONS,
    config::Config,
    server::{self, Deps, Running, StartError},
};
use hubkeep_proto::credential::v1::{
    HandleOperation, HandleScope, IssueHandleRequest, IssueHandleResponse, OnboardPortalRequest,
    OnboardPortalResponse, RedeemHandleRequest, RedeemHandleResponse,
    handle_service_client::HandleServiceClient, portal_service_client::PortalServiceClient,
    redemption_service_client::RedemptionServiceClient,
};
use hubkeep_seal::FileKek;
use hubspot_sim::Simulator;
use tempfile::TempDir;
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};
use tonic_types::StatusExt as _;

use crate::grants::{of_everything, put};

pub(crate) const ACME: u64 = 1_001;
pub(crate) const GLOBEX: u64 = 1_002;
pub(crate) const ACME_TOKEN: &str = "pat-na1-acme-00000000-0000-4000-8000-000000000001";
pub(crate) const ACME_SECOND_TOKEN: &str = "pat-na1-acme-00000000-0000-4000-8000-000000000002";
pub(crate) const GLOBEX_TOKEN: &str = "pat-na1-globex-00000000-0000-4000-8000-000000000003";
pub(crate) const REVOKED_TOKEN: &str = "pat-na1-umbra-00000000-0000-4000-8000-000000000004";

/// The agency's OAuth app, and what accounts gave it by installing it.
pub(crate) const APP: &str = "00000000-0000-4000-8000-0000000000aa";
pub(crate) const APP_SECRET: &str = "app-secret-0000-4000-8000-0000000000ab";
pub(crate) const ACME_CONSENT: &str = "na1-acme-consent-00000000-0001";
pub(crate) const ACME_SECOND_CONSENT: &str = "na1-acme-consent-00000000-0002";
pub(crate) const GLOBEX_CONSENT: &str = "na1-globex-consent-00000000-0003";

pub(crate) const OPERATOR: &str = "operator/ann";
pub(crate) const CRM: &str = "crm-service";
pub(crate) const SYNC: &str = "nightly-sync";

/// A clock that stands until it is moved, and that can be set back.
#[derive(Debug)]
pub(crate) struct TestClock {
    inner: Arc<MockClock>,
    set_back_micros: AtomicI64,
}

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        let start = Timestamp::from_micros(1_795_000_000_000_000);
        Arc::new(Self {
            inner: MockClock::at(start),
            set_back_micros: AtomicI64::new(0),
        })
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.inner.advance(by);
    }

    /// Sets the time of day back. What has passed since the start is not touched by it.
    pub(crate) fn set_back(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("fits");
        self.set_back_micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let micros = self.inner.now().as_micros() - self.set_back_micros.load(Ordering::SeqCst);
        Timestamp::from_micros(micros)
    }

    fn tick(&self) -> Tick {
        self.inner.tick()
    }

    fn sleep_until(&self, until: Tick) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.inner.sleep_until(until)
    }
}

/// Names the caller, as development does.
#[derive(Clone)]
pub(crate) struct As(pub(crate) &'static str);

impl Interceptor for As {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert(CALLER_HEADER, MetadataValue::from_static(self.0));
        Ok(request)
    }
}

pub(crate) type Named = InterceptedService<Channel, As>;

/// Everything that a test needs.
pub(crate) struct Bench {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) hubspot: Simulator,
    pub(crate) folder: TempDir,
    pub(crate) config: Config,
    running: Option<Running>,
    channel: Channel,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same, where everybody may have every handle.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let bench = Self::without_grants(change).await;
        put(&bench, of_everything("everybody", "*")).await.expect("put");
        bench
    }

    /// The same, where nobody may have any.
    pub(crate) async fn without_grants(change: impl FnOnce(&mut Config)) -> Self {
        let hubspot = Simulator::start(crate::world::world()).expect("the simulator starts");
        let folder = TempDir::new().expect("folder");
        let mut config = config(folder.path(), &hubspot);
        FileKek::create(&config.keys.kek_file, &*SystemRandom::shared()).expect("a key");
        change(&mut config);
        let clock = TestClock::new();
        let running = serve(&config, &clock).await;
        let channel = connect(&running);
        Self {
            clock,
            hubspot,
            folder,
            config,
            running: Some(running),
            channel,
        }
    }

    /// Stops the service, lets something be done meanwhile, and starts it again over the same files.
    pub(crate) async fn restart(&mut self, meanwhile: impl FnOnce(&TestClock)) {
        self.stop().await;
        meanwhile(&self.clock);
        self.start_again().await;
    }

    /// Starts the service, which does not run, over the same files.
    pub(crate) async fn start_again(&mut self) {
        let running = serve(&self.config, &self.clock).await;
        self.channel = connect(&running);
        self.running = Some(running);
    }

    /// Tries to start the service, which does not run, over the same files with another key.
    pub(crate) async fn start_with_another_key(&self) -> Result<(), StartError> {
        let mut config = self.config.clone();
        config.keys.kek_file = self.folder.path().join("another-kek");
        FileKek::create(&config.keys.kek_file, &*SystemRandom::shared()).expect("a key");
        server::start(config, deps(&self.clock)).await.map(|_| ())
    }

    /// Tries to start the service, which does not run, over the same files.
    pub(crate) async fn try_start(&self) -> Result<(), StartError> {
        server::start(self.config.clone(), deps(&self.clock))
            .await
            .map(|_| ())
    }

    pub(crate) async fn stop(&mut self) {
        self.running.take().expect("it runs").stop().await;
    }

    pub(crate) fn portals(&self, caller: &'static str) -> PortalServiceClient<Named> {
        PortalServiceClient::with_interceptor(self.channel.clone(), As(caller))
    }

    pub(crate) fn handles(&self, caller: &'static str) -> HandleServiceClient<Named> {
        HandleServiceClient::with_interceptor(self.channel.clone(), As(caller))
    }

    pub(crate) fn redemption(&self) -> RedemptionServiceClient<Named> {
        RedemptionServiceClient::with_interceptor(self.channel.clone(), As(CRM))
    }

    /// A channel on which this caller speaks.
    pub(crate) fn channel_of(&self, caller: &'static str) -> Named {
        InterceptedService::new(self.channel.clone(), As(caller))
    }

    /// The service's log, as other replicas of it write to it.
    pub(crate) fn audit_log(&self) -> &AuditLog {
        self.running.as_ref().expect("it runs").audit_log()
    }

    /// From now on no entry can be written.
    pub(crate) async fn close_audit_log(&self) {
        self.running.as_ref().expect("it runs").audit_log().stop().await;
    }

    /// What `work` gives, while the clock goes on.
    pub(crate) async fn while_time_passes<T>(&self, work: impl Future<Output = T>) -> T {
        let passing = async {
            loop {
                self.clock.advance(Duration::from_millis(100));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = work => done,
            () = passing => panic!("time came to its end"),
        }
    }

    /// What `work` gives, while this clock goes as time does: for what waits a moment, and must not be late.
    pub(crate) async fn as_time_goes<T>(&self, work: impl Future<Output = T>) -> T {
        let step = Duration::from_millis(10);
        let mut steps = tokio::time::interval(step);
        let passing = async {
            loop {
                steps.tick().await;
                self.clock.advance(step);
            }
        };
        tokio::select! {
            done = work => done,
            () = passing => panic!("time came to its end"),
        }
    }

    /// The vault's database, as somebody who can write to it sees it.
    pub(crate) async fn database(&self) -> Database {
        let tables = [&hubkeep_seal::MIGRATIONS, &MIGRATIONS];
        Database::open(&self.config.database, &tables)
            .await
            .expect("opens")
    }

    /// Everything on the log, oldest first: the log's name and the entry.
    pub(crate) async fn entries(&self) -> Vec<(String, Entry)> {
        let log = self.running.as_ref().expect("it runs").audit_log();
        let events = log
            .list(&Filter::all(), Position::START, 10_000)
            .await
            .expect("reads");
        events
            .into_iter()
            .map(|event| (event.log, event.entry.unwrap_or_default()))
            .collect()
    }

    pub(crate) async fn last_entry(&self) -> (String, Entry) {
        self.entries().await.pop().expect("there are entries")
    }

    pub(crate) async fn onboard(
        &self,
        slug: &str,
        token: &str,
        expected: u64,
    ) -> Result<OnboardPortalResponse, Status> {
        let request = OnboardPortalRequest {
            client_slug: slug.to_owned(),
            portal_token: token.to_owned(),
            expected_portal_id: expected,
            ..OnboardPortalRequest::default()
        };
        Ok(self.portals(OPERATOR).onboard_portal(request).await?.into_inner())
    }

    /// A handle of [`SYNC`] on acme, which is onboarded if it is not.
    pub(crate) async fn handle(&self) -> IssueHandleResponse {
        self.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
        self.issue(SYNC, "acme").await.expect("issues")
    }

    pub(crate) async fn issue(
        &self,
        caller: &'static str,
        slug: &str,
    ) -> Result<IssueHandleResponse, Status> {
        Ok(self.handles(caller).issue_handle(wish(slug)).await?.into_inner())
    }

    pub(crate) async fn redeem(&self, handle: &str, caller: &str) -> Result<RedeemHandleResponse, Status> {
        let request = RedeemHandleRequest {
            handle: handle.to_owned(),
            presented_by: caller.to_owned(),
            call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
            ..RedeemHandleRequest::default()
        };
        Ok(self.redemption().redeem_handle(request).await?.into_inner())
    }
}

pub(crate) fn wish(slug: &str) -> IssueHandleRequest {
    IssueHandleRequest {
        client_slug: slug.to_owned(),
        scope: Some(HandleScope {
            operations: vec![HandleOperation::Get.into()],
            object_types: vec!["contacts".to_owned()],
            properties: Vec::new(),
            ..HandleScope::default()
        }),
        lifetime: None,
        purpose_code: "nightly-sync".to_owned(),
        ..IssueHandleRequest::default()
    }
}

/// The machine-readable reason of a refusal.
pub(crate) fn reason<T>(result: &Result<T, Status>) -> String {
    match result {
        Ok(_) => "OK".to_owned(),
        Err(status) => status
            .get_error_details()
            .error_info()
            .map(|info| info.reason.clone())
            .unwrap_or_default(),
    }
}

/// Bytes of this text in any file of the folder.
pub(crate) fn found_in_files(folder: &Path, text: &str) -> Vec<String> {
    let files = fs::read_dir(folder)
        .expect("readable")
        .map(|file| file.expect("readable").path());
    let holds = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).expect("readable");
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    files
        .filter(|path| path.is_file() && holds(path))
        .map(|path| path.display().to_string())
        .collect()
}

fn config(folder: &Path, hubspot: &Simulator) -> Config {
    let mut config = Config {
        grpc: grpc::Config::default(),
        database: crate::new_database(folder),
        audit: hubkeep_audit_log::Config::sqlite(&folder.join("audit.db")),
        ..Config::default()
    };
    config.keys.kek_file = folder.join("kek");
    config.hubspot.api_base = hubspot.base_url().parse().expect("an address");
    config
}

pub(crate) async fn serve(config: &Config, clock: &Arc<TestClock>) -> Running {
    server::start(config.clone(), deps(clock))
        .await
        .expect("the service starts")
}

fn deps(clock: &Arc<TestClock>) -> Deps {
    Deps {
        clock: clock.clone(),
        random: SystemRandom::shared(),
        callers: CallerSource::development().expect("a valid name"),
    }
}

pub(crate) fn connect(running: &Running) -> Channel {
    let address = format!("http://{}", running.address());
    Channel::from_shared(address).expect("an address").connect_lazy()
}
