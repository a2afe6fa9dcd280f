//! Builds a server from its services, and runs it until it is told to stop.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, Response};
use thiserror::Error as ThisError;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    server::NamedService,
    service::RoutesBuilder,
    transport::{Server, server::TcpIncoming},
};
use tower_service::Service;

use super::{
    Access, CallerSource, Config, Front, Holds, RefusalLog,
    drain::{self, Health},
    layers,
    places::Places,
    tools::Tools,
};
use crate::{
    clock::{SharedClock, Tick},
    random::SharedRandom,
    tls,
};

/// A server could not be started.
#[derive(Debug, ThisError)]
pub enum StartError {
    /// Callers would not be known, and the address can be reached from other machines.
    #[error("{0} is not loopback: without certificates a server listens on loopback only")]
    NotLoopback(SocketAddr),
    /// The access rules name a gRPC service that this server does not have.
    #[error("[access] names {0}, which this server does not have")]
    UnknownService(String),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The descriptors of the services are broken.
    #[error("reflection cannot be built")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Bytes that one stream may send ahead of its reader.
const STREAM_WINDOW: u32 = 128 * 1024;
/// Bytes that one connection may send ahead. The HTTP/2 library takes small frames that wait to be read for an attack,
/// and the more of them for one, the smaller this is: with 32 times a stream's window, a stream of small messages is
/// held back by its own window before that.
const CONNECTION_WINDOW: u32 = 32 * STREAM_WINDOW;

/// The service that says whether a server is up.
const HEALTH: &str = "grpc.health.v1.Health";

/// A server in the making.
pub struct Chassis {
    tools: Arc<Tools>,
    routes: RoutesBuilder,
    services: Vec<&'static str>,
}

impl Chassis {
    /// An empty chassis.
    pub fn new(
        config: Config,
        clock: SharedClock,
        random: SharedRandom,
        callers: CallerSource,
        access: Access,
        refusals: Arc<dyn RefusalLog>,
    ) -> Self {
        let places = Arc::new(Places::new(&config));
        let tools = Arc::new(Tools {
            clock,
            random,
            limits: config,
            callers,
            access: Arc::new(access),
            holds: Holds::default(),
            refusals,
            places,
            stopping: CancellationToken::new(),
        });
        Self {
            tools,
            routes: RoutesBuilder::default(),
            services: Vec::new(),
        }
    }

    /// Fires when the server takes nothing new any more: what streams for ever ends then, and what has not begun is
    /// not begun.
    pub fn stopping(&self) -> CancellationToken {
        self.tools.stopping.clone()
    }

    /// Who is contained here: whoever hears of it says so.
    pub fn holds(&self) -> Holds {
        self.tools.holds.clone()
    }

    /// The way in for browsers, who ask the same services: the same callers, limits and stop.
    pub fn front(&self) -> Front {
        Front::new(Arc::clone(&self.tools))
    }

    /// Adds a gRPC service.
    #[must_use]
    pub fn serve<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.services.push(S::NAME);
        self.routes.add_service(service);
        self
    }

    /// Starts to listen. When this returns, the address answers.
    ///
    /// # Errors
    /// If the address is not to be had, or the access rules do not fit the services.
    pub async fn start(mut self) -> Result<Running, StartError> {
        let address = self.tools.limits.listen;
        if self.tools.callers.identity().is_none() && !address.ip().is_loopback() {
            return Err(StartError::NotLoopback(address));
        }
        if let Some(unknown) = self
            .tools
            .access
            .rules
            .services()
            .find(|name| !self.services.contains(name))
        {
            return Err(StartError::UnknownService(unknown.to_owned()));
        }
        let health = self.add_health().await;
        self.add_reflection()?;
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        if let CallerSource::Certified(identity) = &self.tools.callers {
            let (clock, stopping) = (self.tools.clock.clone(), self.tools.stopping.clone());
            tokio::spawn(tls::follow(identity.clone(), clock, stopping));
        }
        let task = tokio::spawn(run(self.tools.clone(), self.routes, listener));
        Ok(Running {
            address,
            task,
            health,
            tools: self.tools,
        })
    }

    async fn add_health(&mut self) -> Health {
        let (reporter, service) = tonic_health::server::health_reporter();
        self.routes.add_service(service);
        Health::serving(reporter, &self.services).await
    }

    fn add_reflection(&mut self) -> Result<(), StartError> {
        let builder = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(hubkeep_proto::DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                // So that clients which read by reflection can show the details of errors.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        };
        let named = |builder: tonic_reflection::server::Builder<'static>| {
            self.services
                .iter()
                .chain([&HEALTH])
                .fold(builder, |builder, name| builder.with_service_name(*name))
        };
        let (v1, v1alpha) = (named(builder()).build_v1()?, named(builder()).build_v1alpha()?);
        self.routes.add_service(v1);
        self.routes.add_service(v1alpha);
        Ok(())
    }
}

async fn run(
    tools: Arc<Tools>,
    routes: RoutesBuilder,
    listener: TcpListener,
) -> Result<(), tonic::transport::Error> {
    let keep_alive = Some(Duration::from_secs(20));
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(keep_alive)
        .http2_keepalive_timeout(keep_alive)
        .add_routes(layers::around(routes.routes().into_axum_router(), &tools).into());
    let stop = tools.stopping.clone().cancelled_owned();
    match &tools.callers {
        CallerSource::Stated { .. } => {
            // Answers are small: held back to be sent together, each would wait for an acknowledgement.
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            server.serve_with_incoming_shutdown(incoming, stop).await
        }
        CallerSource::Certified(identity) => {
            let most = tools.limits.max_handshakes;
            let (identity, clock) = (identity.clone(), tools.clock.clone());
            let incoming = tls::incoming(listener, identity, tls::Expected::Clients, most, clock);
            server.serve_with_incoming_shutdown(incoming, stop).await
        }
    }
}

/// A server that listens. Dropping it stops it without waiting.
pub struct Running {
    address: SocketAddr,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
    health: Health,
    tools: Arc<Tools>,
}

impl Running {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops as `drain` (in this crate) describes it: no call that has begun is lost, and none begins that cannot end.
    /// Gives the moment at which the drain time is over, which is for all that still has to end behind the server.
    pub async fn stop(mut self) -> Tick {
        let Config { linger, drain, .. } = self.tools.limits;
        let clock = &self.tools.clock;
        self.health.not_serving().await;
        clock.sleep(linger).await;
        let over = clock.tick().plus(drain);
        self.tools.stopping.cancel();
        let ended = self.tools.places.nothing_in_flight();
        if clock.timeout_at(over, ended).await.is_none() {
            tracing::warn!(
                ?drain,
                "requests were still in flight when the drain time was over"
            );
        }
        if clock.timeout(drain::CLOSING, &mut self.task).await.is_none() {
            tracing::info!("connections that were not closed by their other side are cut");
            self.task.abort();
        }
        over
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tools.stopping.cancel();
        self.task.abort();
    }
}
