//! crm-service before a double of credential-service, which gives any handle that a test thinks of: with budgets, limits by
//! record, and writes that need approval. The double counts budgets as credential-service does.

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{Stream, stream};
use hubkeep_audit_log::{Entry, Filter, Phase, Position};
use hubkeep_core::{clock::SystemClock, handle_token::HandleToken, id::HandleId, random::SystemRandom};
use hubkeep_crm_service as crm_service;
use hubkeep_proto::{
    ERROR_DOMAIN,
    credential::v1::{
        BudgetSlice, ConfirmErasureRequest, ConfirmErasureResponse, Handle as Description, HandleBudget,
        HandleScope, Heartbeat, RedeemHandleRequest, RedeemHandleResponse, RedeemReservationRequest,
        RedeemReservationResponse, ReserveCallRequest, ReserveCallResponse, WatchRevocationsRequest,
        WatchRevocationsResponse,
        authorization_service_server::AuthorizationServiceServer,
        redemption_service_server::{RedemptionService, RedemptionServiceServer},
        watch_revocations_response::Message,
    },
    error::v1::ErrorReason,
};
use hubspot_sim::{JournalEntry, Simulator, World, fingerprint};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};
use tonic::{
    Code, Request, Response, Status, Streaming,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_types::{ErrorDetails, StatusExt as _};
use url::Url;

use super::{
    crm::Crm,
    doors::Door,
    handles::{Allow, EVERYTHING},
    hubkeep::{Place, callers},
    people::People,
};

/// Who holds all handles here.
const HOLDER: &str = "sync";

/// A handle to be given. Unless it is said otherwise: everything on every type, without a limit.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The only properties.
    pub properties: &'a [&'a str],
    /// The only pipelines.
    pub pipelines: &'a [&'a str],
    /// The only owners.
    pub owner_ids: &'a [&'a str],
    /// Calls in all; 0 for any number.
    pub max_calls: u64,
    /// Records in all; 0 for any number.
    pub max_records: u64,
    /// How much of each is given at once.
    pub slice: u64,
    /// How long a redemption may be kept.
    pub keep_for: Duration,
    /// Whether its writes need approval.
    pub writes_need_approval: bool,
}

impl Default for Wish<'_> {
    fn default() -> Self {
        Self {
            properties: &[],
            pipelines: &[],
            owner_ids: &[],
            max_calls: 0,
            max_records: 0,
            slice: 1_000,
            keep_for: Duration::from_secs(60),
            writes_need_approval: false,
        }
    }
}

/// A handle that was given, and what was given out of its budget.
pub(super) struct Given {
    description: Description,
    token: String,
    keep_for: Duration,
    slice: u64,
    calls_out: u64,
    records_out: u64,
    /// Where it is presented, if it is the token of a client.
    at: String,
}

#[derive(Default)]
pub(super) struct State {
    given: Mutex<HashMap<String, Given>>,
    redemptions: AtomicUsize,
    pub(super) people: Mutex<People>,
}

/// The double.
#[derive(Clone, Default)]
pub(super) struct Double(pub(super) Arc<State>);

impl Given {
    /// What the redeemer is given of one half: what is missing of a slice, if the budget has it.
    fn part(max: u64, out: &mut u64, slice: u64, unspent: u64) -> Result<Option<u64>, ()> {
        if max == 0 {
            return Ok(None);
        }
        let part = slice.saturating_sub(unspent).min(max - *out);
        if part == 0 && unspent == 0 {
            return Err(());
        }
        *out += part;
        Ok(Some(part))
    }

    fn slice(&mut self, request: &RedeemHandleRequest) -> Result<BudgetSlice, Status> {
        let budget = self.description.budget.unwrap_or_default();
        let spent = |half: &str| {
            let metadata = [("budget".to_owned(), half.to_owned())];
            let reason = ErrorReason::HandleBudgetExhausted.wire_name();
            let details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, metadata);
            Status::with_error_details(Code::ResourceExhausted, "the budget is used up", details)
        };
        let calls = Self::part(
            budget.max_calls,
            &mut self.calls_out,
            self.slice,
            request.unspent_calls,
        );
        let calls = calls.map_err(|()| spent("calls"))?;
        let records = Self::part(
            budget.max_records,
            &mut self.records_out,
            self.slice,
            request.unspent_records,
        );
        match records {
            Ok(records) => Ok(BudgetSlice { calls, records }),
            Err(()) => {
                self.calls_out -= calls.unwrap_or_default();
                Err(spent("records"))
            }
        }
    }
}

type Feed = Pin<Box<dyn Stream<Item = Result<WatchRevocationsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl RedemptionService for Double {
    async fn redeem_handle(
        &self,
        request: Request<RedeemHandleRequest>,
    ) -> Result<Response<RedeemHandleResponse>, Status> {
        let request = request.into_inner();
        self.0.redemptions.fetch_add(1, Ordering::Relaxed);
        let mut all = self.0.given.lock().expect("not poisoned");
        let given = all.get_mut(&request.handle).ok_or_else(unknown)?;
        // Of the token of a client nobody says who presented it.
        if given.at != request.presented_resource || given.at.is_empty() == request.presented_by.is_empty() {
            return Err(unknown());
        }
        let slice = given.slice(&request)?;
        let length = |length: Duration| Some(prost_types::Duration::try_from(length).expect("fits"));
        Ok(Response::new(RedeemHandleResponse {
            description: Some(given.description.clone()),
            portal_token: given.token.clone(),
            token_fingerprint: fingerprint(&given.token),
            credential_version: 1,
            portal_generation: 1,
            keep_for: length(given.keep_for),
            time_left: length(Duration::from_secs(300)),
            slice: Some(slice),
            ..RedeemHandleResponse::default()
        }))
    }

    type WatchRevocationsStream = Feed;

    #[expect(
        clippy::disallowed_methods,
        reason = "the feed beats by the time that services live in"
    )]
    async fn watch_revocations(
        &self,
        request: Request<Streaming<WatchRevocationsRequest>>,
    ) -> Result<Response<Feed>, Status> {
        let (mut heard, echo) = (request.into_inner(), Arc::new(AtomicU64::new(0)));
        let newest = echo.clone();
        tokio::spawn(async move {
            while let Ok(Some(message)) = heard.message().await {
                newest.fetch_max(message.echo, Ordering::Relaxed);
            }
        });
        let beats = stream::unfold(echo, |echo| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let beat = Message::Heartbeat(Heartbeat {
                revocation_seq: 0,
                echo: echo.load(Ordering::Relaxed),
            });
            let response = WatchRevocationsResponse { message: Some(beat) };
            Some((Ok(response), echo))
        });
        Ok(Response::new(Box::pin(beats)))
    }

    async fn reserve_call(
        &self,
        _: Request<ReserveCallRequest>,
    ) -> Result<Response<ReserveCallResponse>, Status> {
        Err(unknown())
    }

    async fn redeem_reservation(
        &self,
        _: Request<RedeemReservationRequest>,
    ) -> Result<Response<RedeemReservationResponse>, Status> {
        Err(unknown())
    }

    async fn confirm_erasure(
        &self,
        _: Request<ConfirmErasureRequest>,
    ) -> Result<Response<ConfirmErasureResponse>, Status> {
        Err(unknown())
    }
}

pub(super) fn unknown() -> Status {
    let reason = ErrorReason::HandleInvalid.wire_name();
    let details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, HashMap::new());
    Status::with_error_details(Code::Unauthenticated, "not given", details)
}

/// crm-service, the double and the simulator, running. Dropping it stops everything.
pub struct Limited {
    /// The simulator.
    pub hubspot: Simulator,
    world: World,
    pub(super) double: Double,
    pub(super) crm: crm_service::server::Running,
    door: Door,
    /// The double serves as long as this lives.
    _serving: oneshot::Sender<()>,
    _folder: TempDir,
}

impl Limited {
    /// Starts all three.
    pub async fn start(world: World) -> Self {
        Self::changed(world, |_| ()).await
    }

    /// The same with a configuration that differs.
    pub async fn changed(world: World, change: impl FnOnce(&mut crm_service::config::Config) + Send) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let hubspot = Simulator::start(world.clone()).expect("the simulator starts");
        let double = Double::default();
        let (address, serving) = serve(double.clone()).await;
        let place = Place::of(&hubspot, folder.path());
        let mut config = place.crm(&Url::parse(&format!("http://{address}")).expect("valid"));
        change(&mut config);
        let clock = SystemClock::shared();
        let deps = crm_service::server::Deps {
            callers: callers(None, &clock),
            clock,
            random: SystemRandom::shared(),
        };
        let crm = Box::pin(crm_service::server::start(config, deps)).await;
        let crm = crm.expect("crm-service starts");
        Self {
            door: Door::to(crm.address(), None),
            hubspot,
            world,
            double,
            crm,
            _serving: serving,
            _folder: folder,
        }
    }

    /// A caller with a handle as it is wished for, for the portal of this name.
    pub fn holder(&self, client_slug: &str, wish: &Wish<'_>) -> Crm {
        let (token, _) = self.give(client_slug, wish, HOLDER, "");
        self.caller_with(&token, client_slug, HOLDER)
    }

    /// A handle for somebody, that is presented somewhere; gives it, and its id.
    pub fn give(&self, client_slug: &str, wish: &Wish<'_>, caller: &str, at: &str) -> (String, String) {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let portal = self.world.portal(client_slug).expect("it is in the world");
        let handle = HandleToken::make(&*SystemRandom::shared()).expect("random");
        let id = HandleId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
        let budget = (wish.max_calls > 0 || wish.max_records > 0).then_some(HandleBudget {
            max_calls: wish.max_calls,
            max_records: wish.max_records,
        });
        let description = Description {
            handle_id: id.to_string(),
            client_slug: client_slug.to_owned(),
            portal_id: portal.portal_id,
            caller: caller.to_owned(),
            scope: Some(HandleScope {
                operations: EVERYTHING
                    .into_iter()
                    .chain([Allow::WriteSchema])
                    .map(i32::from)
                    .collect(),
                object_types: list(&["*"]),
                properties: list(wish.properties),
                pipelines: list(wish.pipelines),
                owner_ids: list(wish.owner_ids),
            }),
            purpose_code: "test".to_owned(),
            budget,
            writes_need_approval: wish.writes_need_approval,
            ..Description::default()
        };
        let given = Given {
            description,
            token: portal.first_token().expect("it has a token").to_owned(),
            keep_for: wish.keep_for,
            slice: wish.slice,
            calls_out: 0,
            records_out: 0,
            at: at.to_owned(),
        };
        let token = handle.expose().to_owned();
        let mut all = self.double.0.given.lock().expect("not poisoned");
        all.insert(token.clone(), given);
        (token, id.to_string())
    }

    /// A caller who sends this as a handle for a portal.
    pub fn caller_with(&self, token: &str, client_slug: &str, caller: &str) -> Crm {
        Crm::through(&self.door, caller)
            .sending(token)
            .naming(client_slug)
    }

    /// A connection to crm-service, without a handle.
    pub fn channel(&self) -> Channel {
        self.door.plain()
    }

    /// How often a handle was redeemed.
    pub fn redemptions(&self) -> usize {
        self.double.0.redemptions.load(Ordering::Relaxed)
    }

    /// What reached HubSpot's CRM: method and path of each request.
    pub fn sent(&self) -> Vec<JournalEntry> {
        let mut journal = self.hubspot.journal();
        journal.retain(|entry| entry.path.starts_with("/crm/"));
        journal
    }

    /// The entries of one phase.
    pub async fn entries(&self, phase: Phase) -> Vec<Entry> {
        let log = self.crm.audit_log();
        let events = log.list(&Filter::all(), Position::START, 5_000).await;
        let entries = events.expect("read").into_iter().filter_map(|event| event.entry);
        entries.filter(|entry| entry.phase() == phase).collect()
    }
}

async fn serve(double: Double) -> (SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let (serving, over) = oneshot::channel();
    let server = Server::builder()
        .add_service(RedemptionServiceServer::new(double.clone()))
        .add_service(AuthorizationServiceServer::new(double));
    let served = server.serve_with_incoming_shutdown(TcpIncoming::from(listener), async move {
        // It ends when the other half is dropped.
        let _ = over.await;
    });
    tokio::spawn(served);
    (address, serving)
}
