//! The way in for browsers: another address of the same server, at which pages are asked for over HTTP/1.1. Who asks is known
//! as for gRPC, by a certificate, or in development by being on loopback; and the same limits, containments and stop hold.
//!
//! What pages show comes from methods of gRPC services of the same server, so that a page is asked for in the name of such a
//! method: its rule under `[access]` decides, and its refusals are on the same record.

mod public;

use std::{
    future::{Future, pending},
    io,
    net::SocketAddr,
    sync::Arc,
};

use axum::{
    Router,
    extract::{ConnectInfo, Request, connect_info::Connected},
    middleware::{self, Next},
    response::Response,
    serve::{IncomingStream, Listener},
};
use futures::StreamExt as _;
use http::request::Parts;
pub use public::{Door, PeerAddress, Reach};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected as _;

use super::{
    CallerSource, Context, Error, GrpcMethod, Refusal, StartError, context::Asked, drain, layers,
    tools::Tools,
};
use crate::{
    clock::SharedClock,
    error::ErrorReason,
    id::RequestId,
    random::RandomError,
    tls::{self, Peer, Secured},
};

/// Lets browsers in. Clones are of the same.
#[derive(Clone)]
pub struct Front {
    tools: Arc<Tools>,
}

/// A request for a page, with its id.
#[derive(Clone, Debug)]
pub struct Entered {
    asked: Asked,
}

/// Why nothing more goes to somebody who was let in.
#[derive(Debug)]
pub struct ShutOut(pub Error);

impl Front {
    pub(super) const fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    /// Gives a request its id. It asks in the name of this method, by its full path.
    ///
    /// # Errors
    /// Without randomness for the id.
    pub fn enter(&self, parts: &Parts, grpc_method: &str) -> Result<Entered, RandomError> {
        Ok(Entered {
            asked: Asked {
                request_id: layers::id_of(&parts.headers, &self.tools)?,
                grpc_method: GrpcMethod::new(grpc_method),
            },
        })
    }

    /// Who asks, and that it may. The request has its place until the context is dropped.
    ///
    /// # Errors
    /// As every gRPC method is refused before it is looked at; who may not is on record then.
    pub async fn admit(&self, parts: &Parts, entered: &Entered) -> Result<Context, Error> {
        layers::learned(parts, &self.tools, &entered.asked).await
    }

    /// Puts on record that a request was refused before anybody asked whose it is.
    pub async fn refused(&self, entered: &Entered, reason: ErrorReason) {
        let refusal = Refusal {
            caller: None,
            grpc_method: entered.asked.grpc_method.clone(),
            reason,
            request_id: entered.asked.request_id,
        };
        self.tools.refusals.record(refusal).await;
    }

    /// Ends when nothing more may go to this caller, although it was let in: it is contained, or nobody knows whether it is.
    pub fn shut_out(&self, context: &Context) -> impl Future<Output = ShutOut> + Send + use<> {
        let (holds, caller) = (self.tools.holds.clone(), context.caller.name.clone());
        let by_itself = self.tools.access.acts_by_itself(&caller);
        let clock = self.tools.clock.clone();
        async move {
            let stale = async {
                match by_itself {
                    true => holds.clone().go_stale(clock).await,
                    false => pending().await,
                }
            };
            tokio::select! {
                biased;
                () = holds.clone().reach(caller.clone()) => ShutOut(Error::Contained(caller)),
                () = stale => ShutOut(Error::HoldsUnknown),
            }
        }
    }

    /// A name that the server's certificate is for, where it has one.
    pub fn host(&self) -> Option<Arc<str>> {
        self.tools.callers.identity().map(tls::Identity::host)
    }

    /// Serves these pages at this address. When this returns, it answers. Without certificates loopback only.
    ///
    /// # Errors
    /// If the address is not to be had.
    pub async fn serve(&self, address: SocketAddr, pages: Router) -> Result<Listening, StartError> {
        let tools = &self.tools;
        if tools.callers.identity().is_none() && !address.ip().is_loopback() {
            return Err(StartError::NotLoopback(address));
        }
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let stop = tools.stopping.clone();
        let task = match &tools.callers {
            CallerSource::Stated { .. } => tokio::spawn(serve(Plain(listener), pages, stop)),
            CallerSource::Certified(identity) => {
                let (most, clock) = (tools.limits.max_handshakes, tools.clock.clone());
                let expected = tls::Expected::Browsers;
                let incoming = tls::incoming(listener, identity.clone(), expected, most, clock);
                tokio::spawn(serve_certified(Certified { incoming, address }, pages, stop))
            }
        };
        Ok(Listening {
            address,
            task,
            clock: tools.clock.clone(),
        })
    }
}

impl Entered {
    /// The id of the request.
    pub const fn request_id(&self) -> RequestId {
        self.asked.request_id
    }
}

async fn serve(listener: Plain, pages: Router, stop: CancellationToken) -> io::Result<()> {
    axum::serve(listener, pages)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

async fn serve_certified(listener: Certified, pages: Router, stop: CancellationToken) -> io::Result<()> {
    let pages = pages.layer(middleware::from_fn(by_certificate));
    axum::serve(listener, pages.into_make_service_with_connect_info::<Holder>())
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

/// Puts who is on the other side to where it is looked for in every request.
async fn by_certificate(mut request: Request, next: Next) -> Response {
    let holder = request.extensions_mut().remove::<ConnectInfo<Holder>>();
    if let Some(ConnectInfo(Holder(peer))) = holder {
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

/// Whose certificate was shown.
#[derive(Clone)]
struct Holder(Arc<Peer>);

impl Connected<IncomingStream<'_, Certified>> for Holder {
    fn connect_info(stream: IncomingStream<'_, Certified>) -> Self {
        Self(stream.io().connect_info())
    }
}

struct Plain(TcpListener);

impl Listener for Plain {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // What is followed comes in small pieces: held back, each would wait for an acknowledgement. Where it cannot be set, it is
        // slower.
        let _ = stream.set_nodelay(true);
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

struct Certified {
    incoming: ReceiverStream<io::Result<Secured>>,
    address: SocketAddr,
}

impl Listener for Certified {
    type Io = Secured;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Secured, SocketAddr) {
        loop {
            match self.incoming.next().await {
                Some(Ok(secured)) => return (secured, self.address),
                Some(Err(error)) => tracing::warn!(%error, "no connection could be accepted"),
                // Nothing more comes: the server stops.
                None => pending().await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Pages that are served. Dropping it stops that without waiting.
pub struct Listening {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
    clock: SharedClock,
}

impl Listening {
    /// Where they are.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the end of what is answered, after its server was told to stop; not for who does not read.
    pub async fn stop(mut self) {
        if self.clock.timeout(drain::CLOSING, &mut self.task).await.is_none() {
            tracing::info!("browsers that did not close their connections are cut");
        }
        self.task.abort();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}
